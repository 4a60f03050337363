// Blocking until something is readable (epoll(7)), waking the thread that blocks (eventfd), and the clock.
#include "addon.h"
#include "link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

// wakeOpen(): fd
napi_value js_wake_open(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "eventfd", "");
  return to_int(env, fd);
}

// wakeSignal(fd)
napi_value js_wake_signal(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int32_t fd;
  if (!read_args(env, info, 1, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd)) return NULL;
  uint64_t one = 1;
  // EAGAIN: the counter is full, so the reader is awake already.
  if (write(fd, &one, sizeof one) < 0 && errno != EAGAIN) return throw_errno(env, errno, "wakeSignal", "");
  return NULL;
}

// wakeClear(fd): reading an eventfd sets it to 0.
napi_value js_wake_clear(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int32_t fd;
  if (!read_args(env, info, 1, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd)) return NULL;
  uint64_t count;
  if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN) return throw_errno(env, errno, "wakeClear", "");
  return NULL;
}

// Makes the kernel's list anew. @returns false with errno
static bool watch_all(Watch *watch, const int32_t *fds, int32_t count, uint32_t generation) {
  if (watch->epoll_fd >= 0) close(watch->epoll_fd);
  watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (watch->epoll_fd < 0) return false;
  for (int32_t i = 0; i < count; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    watch->refused[i] = epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fds[i], &event) < 0;
    watch->fds[i] = fds[i];
  }
  watch->count = count;
  watch->generation = generation;
  return true;
}

static bool is_watched(const Watch *watch, const int32_t *fds, int32_t count, uint32_t generation) {
  return watch->epoll_fd >= 0 && watch->count == count && watch->generation == generation &&
         memcmp(watch->fds, fds, (size_t)count * sizeof *fds) == 0;
}

// The list of the kernel is that of `fds` now. @returns false with an exception pending
static bool watch_these(napi_env env, Watch *watch, const int32_t *fds, int32_t count) {
  uint32_t generation = link_generation();
  if (is_watched(watch, fds, count, generation)) return true;
  for (int32_t i = 0; i < count; i++) {
    if (fds[i] >= 0) continue;
    throw_range(env, "fds[%d]: %d is not a descriptor", i, fds[i]);
    return false;
  }
  if (watch_all(watch, fds, count, generation)) return true;
  throw_errno(env, errno, "epoll", "");
  return false;
}

// Errors and hang-ups count as ready: the next rx reports them. So does what is left of a superpacket, which the kernel knows nothing of.
// @returns how many are ready, -1 with an exception pending
static int32_t wait_for(napi_env env, Watch *watched, const int32_t *fds, int32_t count, int32_t timeout_ms, int32_t *ready) {
  if (!watch_these(env, watched, fds, count)) return -1;
  int32_t total = 0;
  for (int32_t i = 0; i < count; i++) {
    const Link *link = link_find(fds[i]);
    ready[i] = watched->refused[i] || (link != NULL && link->has_more);
    total += ready[i];
  }
  struct epoll_event events[MAX_POLL_FDS];
  int found = epoll_wait(watched->epoll_fd, events, MAX_POLL_FDS, total > 0 ? 0 : timeout_ms);
  if (found < 0 && errno != EINTR) {
    throw_errno(env, errno, "epoll", "");
    return -1;
  }
  for (int i = 0; i < found; i++) {
    int32_t *is_ready = &ready[events[i].data.u32];
    total += *is_ready == 0;
    *is_ready = 1;
  }
  return total;
}

// poll(fds, count, timeoutMs, ready): how many are ready
napi_value js_poll(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  Words fds, ready;
  Instance *instance;
  int32_t count, timeout_ms;
  if (!read_args(env, info, 4, argv) || !read_int(env, argv[1], "count", 0, MAX_POLL_FDS, &count) ||
      !read_words(env, argv[0], "fds", (size_t)count, &fds) || !read_int(env, argv[2], "timeoutMs", -1, INT32_MAX, &timeout_ms) ||
      !read_words(env, argv[3], "ready", (size_t)count, &ready) || napi_get_instance_data(env, (void **)&instance) != napi_ok) {
    return NULL;
  }
  int32_t total = wait_for(env, &instance->watch, fds.at, count, timeout_ms, ready.at);
  return total < 0 ? NULL : to_int(env, total);
}

static double monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static napi_value bound_poll(napi_env env, napi_callback_info info) {
  Bound *bound = bound_of(env, info);
  const Words *fds = &bound->arrays[0], *ready = &bound->arrays[1];
  int32_t count = bound->words[BOUND_COUNT], timeout_ms = bound->words[BOUND_LIMIT];
  if (count < 0 || count > MAX_POLL_FDS || (size_t)count > fds->length || (size_t)count > ready->length || timeout_ms < -1 ||
      bound->arrays[2].length < 2) {
    return throw_range(env, "poll: %d descriptors for %d ms", count, timeout_ms);
  }
  bound->words[BOUND_RESULT] = wait_for(env, &bound->instance->watch, fds->at, count, timeout_ms, ready->at);
  const double now = monotonic_ms();
  memcpy(bound->arrays[2].at, &now, sizeof now);
  return NULL;
}

// bindPoll(fds, ready, now, words): () => void. `now`: two words, in which the time is left as a double
napi_value js_bind_poll(napi_env env, napi_callback_info info) {
  return bind_call(env, info, bound_poll, false, 3);
}

// monotonicMs(): the same clock as the twin's process.hrtime.
napi_value js_monotonic_ms(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result = NULL;
  napi_create_double(env, monotonic_ms(), &result);
  return result;
}
