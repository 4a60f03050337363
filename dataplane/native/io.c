// Batched datagram I/O on a nonblocking TUN descriptor: one read or write a packet (TUN has no recvmmsg), one call a batch.
// All offsets and lengths are checked before the first packet moves.
#include "addon.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

// Reads one datagram, cut to max_length with the length max_length + 1 when it is longer. @returns bytes or -1 with errno
static ssize_t read_datagram(int fd, uint8_t *at, size_t max_length) {
  uint8_t beyond; // a longer datagram spills one byte here, not into the next slot
  struct iovec parts[2] = {{at, max_length}, {&beyond, 1}};
  ssize_t length;
  do {
    length = readv(fd, parts, 2);
  } while (length < 0 && errno == EINTR);
  return length;
}

// rx(fd, pool, offsets, lengths, count, maxLength): how many, -1 when the device is gone
napi_value js_rx(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Bytes pool;
  Words offsets, lengths;
  int32_t fd, count, max_length;
  if (!read_args(env, info, 6, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd) || !read_bytes(env, argv[1], "pool", &pool) ||
      !read_int(env, argv[4], "count", 0, INT32_MAX, &count) || !read_int(env, argv[5], "maxLength", 1, 65535, &max_length) ||
      !read_words(env, argv[2], "offsets", (size_t)count, &offsets) || !read_words(env, argv[3], "lengths", (size_t)count, &lengths)) {
    return NULL;
  }
  for (int32_t i = 0; i < count; i++) {
    int64_t offset = offsets.at[i];
    if (offset < 0 || (uint64_t)(offset + max_length) > pool.length) {
      return throw_range(env, "rx: offsets[%d] = %d with %d bytes is outside the pool of %zu", i, offsets.at[i], max_length, pool.length);
    }
  }
  int32_t done = 0;
  while (done < count) {
    ssize_t length = read_datagram(fd, pool.at + offsets.at[done], (size_t)max_length);
    if (length < 0) {
      // Short of memory is a state that passes; anything else (EBADFD, EIO, ENODEV, EBADF) is a device that is gone.
      bool waiting = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
      return to_int(env, waiting || done > 0 ? done : -1);
    }
    lengths.at[done++] = (int32_t)length;
  }
  return to_int(env, done);
}

// tx(fd, pool, offsets, lengths, count, results): how many were consumed
napi_value js_tx(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Bytes pool;
  Words offsets, lengths, results;
  int32_t fd, count;
  if (!read_args(env, info, 6, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd) || !read_bytes(env, argv[1], "pool", &pool) ||
      !read_int(env, argv[4], "count", 0, INT32_MAX, &count) || !read_words(env, argv[2], "offsets", (size_t)count, &offsets) ||
      !read_words(env, argv[3], "lengths", (size_t)count, &lengths) || !read_words(env, argv[5], "results", (size_t)count, &results)) {
    return NULL;
  }
  for (int32_t i = 0; i < count; i++) {
    int64_t offset = offsets.at[i], length = lengths.at[i];
    if (offset < 0 || length < 1 || (uint64_t)(offset + length) > pool.length) {
      return throw_range(env, "tx: offsets[%d] = %d with %d bytes is outside the pool of %zu", i, offsets.at[i], lengths.at[i], pool.length);
    }
  }
  for (int32_t i = 0; i < count; i++) {
    ssize_t written;
    do {
      written = write(fd, pool.at + offsets.at[i], (size_t)lengths.at[i]);
    } while (written < 0 && errno == EINTR);
    if (written < 0 && (errno == EAGAIN || errno == ENOBUFS)) return to_int(env, i);
    results.at[i] = written < 0 ? errno : 0;
  }
  return to_int(env, count);
}
