// Batched datagram I/O: one call a batch, for every kind of link. All that JavaScript passes is checked before the first packet moves.
#include "addon.h"
#include "link.h"

#include <errno.h>
#include <unistd.h>

// NULL with an exception pending when it is no link.
static Link *find_link(napi_env env, int32_t fd) {
  Link *link = link_find(fd);
  if (link == NULL) throw_range(env, "fd: %d is not a link", fd);
  return link;
}

static Link *read_link(napi_env env, napi_value value) {
  int32_t fd;
  return read_int(env, value, "fd", 0, INT32_MAX, &fd) ? find_link(env, fd) : NULL;
}

// What rx() and tx() are given.
typedef struct {
  Link *link;
  Bytes pool;
  Words offsets, lengths, results;
  int32_t count, max_length;
} Io;

// Do `count` datagrams of up to max_length bytes fit where they are to go?
static bool check_rx(napi_env env, const Io *io) {
  for (int32_t i = 0; i < io->count; i++) {
    int64_t offset = io->offsets.at[i];
    if (offset < 0 || (uint64_t)(offset + io->max_length) > io->pool.length) {
      throw_range(env, "rx: offsets[%d] = %d with %d bytes is outside the pool of %zu", i, io->offsets.at[i], io->max_length, io->pool.length);
      return false;
    }
  }
  return true;
}

static bool check_tx(napi_env env, const Io *io) {
  for (int32_t i = 0; i < io->count; i++) {
    int64_t offset = io->offsets.at[i], length = io->lengths.at[i];
    if (offset < io->link->headroom || length < 1 || (uint64_t)(offset + length) > io->pool.length) {
      throw_range(env, "tx: offsets[%d] = %d with %d bytes and %d before them is outside the pool of %zu", i, io->offsets.at[i],
                  io->lengths.at[i], io->link->headroom, io->pool.length);
      return false;
    }
  }
  return true;
}

static int32_t run_rx(const Io *io) {
  return io->link->ops->rx(io->link, io->pool.at, io->offsets.at, io->lengths.at, io->count, io->max_length);
}

static int32_t run_tx(const Io *io) {
  return io->link->ops->tx(io->link, io->pool.at, io->offsets.at, io->lengths.at, io->count, io->results.at);
}

// rx(fd, pool, offsets, lengths, count, maxLength): how many, -1 when the device is gone
napi_value js_rx(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Io io;
  if (!read_args(env, info, 6, argv)) return NULL;
  io.link = read_link(env, argv[0]);
  if (io.link == NULL || !read_bytes(env, argv[1], "pool", &io.pool) || !read_int(env, argv[4], "count", 0, MAX_BATCH, &io.count) ||
      !read_int(env, argv[5], "maxLength", 1, 65535, &io.max_length) ||
      !read_words(env, argv[2], "offsets", (size_t)io.count, &io.offsets) ||
      !read_words(env, argv[3], "lengths", (size_t)io.count, &io.lengths) || !check_rx(env, &io)) {
    return NULL;
  }
  return to_int(env, run_rx(&io));
}

// tx(fd, pool, offsets, lengths, count, results): how many were sent
napi_value js_tx(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Io io;
  if (!read_args(env, info, 6, argv)) return NULL;
  io.link = read_link(env, argv[0]);
  if (io.link == NULL || !read_bytes(env, argv[1], "pool", &io.pool) || !read_int(env, argv[4], "count", 0, MAX_BATCH, &io.count) ||
      !read_words(env, argv[2], "offsets", (size_t)io.count, &io.offsets) ||
      !read_words(env, argv[3], "lengths", (size_t)io.count, &io.lengths) ||
      !read_words(env, argv[5], "results", (size_t)io.count, &io.results) || !check_tx(env, &io)) {
    return NULL;
  }
  return to_int(env, run_tx(&io));
}

// What a bound call is about, now that its words say so. @returns false with an exception pending
static bool read_words_of(napi_env env, const Bound *bound, Io *io) {
  const int32_t *words = bound->words;
  *io = (Io){.link = find_link(env, words[BOUND_FD]), .pool = bound->pool, .offsets = bound->arrays[0], .lengths = bound->arrays[1],
             .results = bound->arrays[2], .count = words[BOUND_COUNT], .max_length = words[BOUND_LIMIT]};
  if (io->link == NULL) return false;
  if (io->count >= 0 && io->count <= MAX_BATCH && (size_t)io->count <= io->offsets.length && (size_t)io->count <= io->lengths.length) return true;
  throw_range(env, "count: %d is more than the arrays hold", io->count);
  return false;
}

static napi_value bound_rx(napi_env env, napi_callback_info info) {
  Bound *bound = bound_of(env, info);
  Io io;
  if (!read_words_of(env, bound, &io)) return NULL;
  if (io.max_length < 1 || io.max_length > 65535) return throw_range(env, "maxLength: %d is not in 1..65535", io.max_length);
  if (check_rx(env, &io)) bound->words[BOUND_RESULT] = run_rx(&io);
  return NULL;
}

static napi_value bound_tx(napi_env env, napi_callback_info info) {
  Bound *bound = bound_of(env, info);
  Io io;
  if (!read_words_of(env, bound, &io)) return NULL;
  if ((size_t)io.count > io.results.length) return throw_range(env, "count: %d is more than the arrays hold", io.count);
  if (check_tx(env, &io)) bound->words[BOUND_RESULT] = run_tx(&io);
  return NULL;
}

// bindRx(pool, offsets, lengths, words): () => void
napi_value js_bind_rx(napi_env env, napi_callback_info info) {
  return bind_call(env, info, bound_rx, true, 2);
}

// bindTx(pool, offsets, lengths, results, words): () => void
napi_value js_bind_tx(napi_env env, napi_callback_info info) {
  return bind_call(env, info, bound_tx, true, 3);
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
