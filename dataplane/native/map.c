// Memory: a file of mode 0600 mapped shared, whose pages are the kernel's, so that what was written survives kill -9 of this process; huge pages.
#define _GNU_SOURCE // MADV_HUGEPAGE
#include "addon.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Runs when JavaScript has dropped the ArrayBuffer. @param hint the length, as a number in a pointer
static void unmap(napi_env env, void *memory, void *hint) {
  (void)env;
  munmap(memory, (size_t)hint);
}

// Opens or creates the file and makes sure that it has `bytes` allocated: a full disk must fail here, not as SIGBUS later.
static int open_sized(const char *path, int32_t bytes) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  int error = fchmod(fd, 0600) < 0 ? errno : posix_fallocate(fd, 0, bytes);
  if (error == 0) return fd;
  close(fd);
  errno = error;
  return -1;
}

// mapFile(path, bytes): ArrayBuffer
napi_value js_map_file(napi_env env, napi_callback_info info) {
  napi_value argv[2], buffer;
  char path[PATH_MAX];
  int32_t bytes;
  if (!read_args(env, info, 2, argv) || !read_string(env, argv[0], "path", path, sizeof path) ||
      !read_int(env, argv[1], "bytes", 1, 1 << 30, &bytes)) {
    return NULL;
  }
  int fd = open_sized(path, bytes);
  if (fd < 0) return throw_errno(env, errno, path, "");
  void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  int error = errno;
  close(fd);
  if (memory == MAP_FAILED) return throw_errno(env, error, path, "");
  if (napi_create_external_arraybuffer(env, memory, (size_t)bytes, unmap, (void *)(size_t)bytes, &buffer) != napi_ok) {
    munmap(memory, (size_t)bytes);
    napi_throw_error(env, NULL, "mapFile: this Node.js allows no external ArrayBuffer");
    return NULL;
  }
  return buffer;
}

// mapFlush(buffer): the page cache holds every store already (msync(MS_ASYNC) has been a no-op since Linux 2.6.19), and a
// disk write per pass (MS_SYNC) would protect only from power failure, where the senders' keys are gone too.
napi_value js_map_flush(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  bool is_buffer = false;
  if (!read_args(env, info, 1, argv)) return NULL;
  if (napi_is_arraybuffer(env, argv[0], &is_buffer) != napi_ok || !is_buffer) {
    napi_throw_type_error(env, NULL, "buffer: an ArrayBuffer is needed");
  }
  return NULL;
}

// adviseHuge(words): what lies in it is wanted in huge pages, where the machine has them for who asks (madvise(2)). A hint: nothing fails.
napi_value js_advise_huge(napi_env env, napi_callback_info info) {
  enum { HUGE = 2 << 20 };
  napi_value argv[1];
  Words words;
  if (!read_args(env, info, 1, argv) || !read_words(env, argv[0], "words", 0, &words)) return NULL;
  uintptr_t first = ((uintptr_t)words.at + HUGE - 1) & ~(uintptr_t)(HUGE - 1);
  uintptr_t end = ((uintptr_t)words.at + words.length * sizeof *words.at) & ~(uintptr_t)(HUGE - 1);
  if (end > first) madvise((void *)first, end - first, MADV_HUGEPAGE);
  return NULL;
}
