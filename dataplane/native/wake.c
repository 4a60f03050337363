// Blocking in poll(2), waking the thread that blocks (eventfd), and the clock.
#include "addon.h"
#include "link.h"

#include <errno.h>
#include <poll.h>
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

// poll(fds, count, timeoutMs, ready): how many are ready. Errors and hang-ups count as ready: the next rx
// reports them. So does what is left of a superpacket, which the kernel knows nothing of.
napi_value js_poll(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  Words fds, ready;
  int32_t count, timeout_ms;
  if (!read_args(env, info, 4, argv) || !read_int(env, argv[1], "count", 0, MAX_POLL_FDS, &count) ||
      !read_words(env, argv[0], "fds", (size_t)count, &fds) || !read_int(env, argv[2], "timeoutMs", -1, INT32_MAX, &timeout_ms) ||
      !read_words(env, argv[3], "ready", (size_t)count, &ready)) {
    return NULL;
  }
  struct pollfd polled[MAX_POLL_FDS];
  bool has_more[MAX_POLL_FDS];
  for (int32_t i = 0; i < count; i++) {
    if (fds.at[i] < 0) return throw_range(env, "fds[%d]: %d is not a descriptor", i, fds.at[i]);
    polled[i] = (struct pollfd){.fd = fds.at[i], .events = POLLIN};
    const Link *link = link_find(fds.at[i]);
    has_more[i] = link != NULL && link->has_more;
    if (has_more[i]) timeout_ms = 0;
  }
  int found = poll(polled, (nfds_t)count, timeout_ms);
  if (found < 0 && errno != EINTR) return throw_errno(env, errno, "poll", "");
  int32_t total = 0;
  for (int32_t i = 0; i < count; i++) {
    ready.at[i] = has_more[i] || (found > 0 && polled[i].revents != 0);
    total += ready.at[i];
  }
  return to_int(env, total);
}

// monotonicMs(): the same clock as the twin's process.hrtime.
napi_value js_monotonic_ms(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  napi_value result = NULL;
  napi_create_double(env, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6, &result);
  return result;
}
