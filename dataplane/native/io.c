// Batched datagram I/O: one call a batch, for every kind of link. All that JavaScript passes is checked before the first packet moves.
#include "addon.h"
#include "link.h"

#include <errno.h>
#include <unistd.h>

// NULL with an exception pending when it is no link.
static Link *read_link(napi_env env, napi_value value) {
  int32_t fd;
  if (!read_int(env, value, "fd", 0, INT32_MAX, &fd)) return NULL;
  Link *link = link_find(fd);
  if (link == NULL) throw_range(env, "fd: %d is not a link", fd);
  return link;
}

// rx(fd, pool, offsets, lengths, count, maxLength): how many, -1 when the device is gone
napi_value js_rx(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Bytes pool;
  Words offsets, lengths;
  int32_t count, max_length;
  if (!read_args(env, info, 6, argv)) return NULL;
  Link *link = read_link(env, argv[0]);
  if (link == NULL || !read_bytes(env, argv[1], "pool", &pool) || !read_int(env, argv[4], "count", 0, MAX_BATCH, &count) ||
      !read_int(env, argv[5], "maxLength", 1, 65535, &max_length) || !read_words(env, argv[2], "offsets", (size_t)count, &offsets) ||
      !read_words(env, argv[3], "lengths", (size_t)count, &lengths)) {
    return NULL;
  }
  for (int32_t i = 0; i < count; i++) {
    int64_t offset = offsets.at[i];
    if (offset < 0 || (uint64_t)(offset + max_length) > pool.length) {
      return throw_range(env, "rx: offsets[%d] = %d with %d bytes is outside the pool of %zu", i, offsets.at[i], max_length, pool.length);
    }
  }
  return to_int(env, link->ops->rx(link, pool.at, offsets.at, lengths.at, count, max_length));
}

// tx(fd, pool, offsets, lengths, count, results): how many were sent
napi_value js_tx(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Bytes pool;
  Words offsets, lengths, results;
  int32_t count;
  if (!read_args(env, info, 6, argv)) return NULL;
  Link *link = read_link(env, argv[0]);
  if (link == NULL || !read_bytes(env, argv[1], "pool", &pool) || !read_int(env, argv[4], "count", 0, MAX_BATCH, &count) ||
      !read_words(env, argv[2], "offsets", (size_t)count, &offsets) || !read_words(env, argv[3], "lengths", (size_t)count, &lengths) ||
      !read_words(env, argv[5], "results", (size_t)count, &results)) {
    return NULL;
  }
  for (int32_t i = 0; i < count; i++) {
    int64_t offset = offsets.at[i], length = lengths.at[i];
    if (offset < link->headroom || length < 1 || (uint64_t)(offset + length) > pool.length) {
      return throw_range(env, "tx: offsets[%d] = %d with %d bytes and %d before them is outside the pool of %zu", i, offsets.at[i],
                         lengths.at[i], link->headroom, pool.length);
    }
  }
  return to_int(env, link->ops->tx(link, pool.at, offsets.at, lengths.at, count, results.at));
}

// joinsUdp(fd): boolean
napi_value js_joins_udp(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  if (!read_args(env, info, 1, argv)) return NULL;
  Link *link = read_link(env, argv[0]);
  if (link == NULL) return NULL;
  return napi_get_boolean(env, (link->coalesce & COALESCE_UDP) != 0, &result) == napi_ok ? result : NULL;
}

// fdClose(fd): a link of any kind, or a wake descriptor
napi_value js_fd_close(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int32_t fd;
  if (!read_args(env, info, 1, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd)) return NULL;
  link_remove(fd);
  // Linux frees the descriptor even when close() reports EINTR: trying again could close somebody else's.
  if (close(fd) < 0 && errno != EINTR) return throw_errno(env, errno, "close", "");
  return NULL;
}
