// The `raw` driver: raw IPv4 sockets for ESP (raw(7)), the link's descriptor receives and a second one sends. The kernel does neighbours,
// routing, reassembly and the header's checksum.
// Does not: superpackets (the kernel has none for ESP).
#define _GNU_SOURCE // recvmmsg
#include "driver.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  int ifindex, tx_fd;
  bool gone;
  time_t looked; // when the netdev was seen last, seconds of CLOCK_MONOTONIC_COARSE
  struct mmsghdr rx[MAX_BATCH], tx[MAX_BATCH];
  struct iovec rx_iovs[MAX_BATCH], tx_iovs[MAX_BATCH];
  struct sockaddr_in to[MAX_BATCH];
} Raw;

// The kernel does not tell a raw socket that its netdev is gone, so look once a second when nothing comes.
static bool is_gone(Raw *raw) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  if (now.tv_sec != raw->looked && !raw->gone) raw->gone = !netdev_exists(raw->ifindex);
  raw->looked = now.tv_sec;
  return raw->gone;
}

static int32_t raw_rx(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length) {
  Raw *raw = link->state;
  for (int32_t i = 0; i < count; i++) raw->rx_iovs[i] = (struct iovec){pool + offsets[i], (size_t)max_length};
  int got;
  do {
    got = recvmmsg(link->fd, raw->rx, (unsigned)count, MSG_DONTWAIT, NULL);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return is_gone(raw) ? -1 : 0;
  for (int32_t i = 0; i < got; i++) {
    bool cut = (raw->rx[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    lengths[i] = cut ? max_length + 1 : (int32_t)raw->rx[i].msg_len;
  }
  return got;
}

static int32_t raw_tx(Link *link, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int32_t *results) {
  Raw *raw = link->state;
  for (int32_t i = 0; i < count; i++) {
    uint8_t *ip = pool + offsets[i];
    raw->tx_iovs[i] = (struct iovec){ip, (size_t)lengths[i]};
    if (lengths[i] >= IPV4_HEADER) memcpy(&raw->to[i].sin_addr, ip + 16, 4); // shorter ones are refused by the kernel (raw_send_hdrinc)
  }
  send_messages(raw->tx_fd, raw->tx, count, results);
  int32_t sent = 0;
  for (int32_t i = 0; i < count; i++) sent += results[i] == 0;
  return sent;
}

static void free_raw(Raw *raw) {
  if (raw->tx_fd >= 0) close(raw->tx_fd);
  free(raw);
}

static void raw_close(Link *link) {
  free_raw(link->state);
}

static const LinkOps raw_ops = {.rx = raw_rx, .tx = raw_tx, .close = raw_close};

// With what never changes from batch to batch.
static Raw *make_raw(void) {
  Raw *raw = calloc(1, sizeof *raw);
  if (raw == NULL) return NULL;
  raw->tx_fd = -1;
  for (int i = 0; i < MAX_BATCH; i++) {
    raw->rx[i].msg_hdr = (struct msghdr){.msg_iov = &raw->rx_iovs[i], .msg_iovlen = 1};
    raw->to[i].sin_family = AF_INET;
    raw->tx[i].msg_hdr = (struct msghdr){
        .msg_name = &raw->to[i], .msg_namelen = sizeof raw->to[i], .msg_iov = &raw->tx_iovs[i], .msg_iovlen = 1};
  }
  return raw;
}

// @returns -1 with errno
static int open_socket(int protocol, const char *device) {
  int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd < 0) return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) == 0) {
    set_buffers(fd);
    return fd;
  }
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

// IPPROTO_RAW brings its header (IP_HDRINCL) and never receives, so IP_RECVERR collects no ICMP errors there, only copies of what was
// too long, which nobody reads. It makes the kernel tell of a full queueing discipline (raw_send_hdrinc hides ENOBUFS without).
// IP_PMTUDISC_PROBE: our own DF bit stays, and a path MTU that the kernel learnt does not refuse what we send (ip_sk_use_pmtu).
static Failure open_sender(Raw *raw, const char *device, int mark) {
  raw->tx_fd = open_socket(IPPROTO_RAW, device);
  if (raw->tx_fd < 0) return failed("");
  int fd = raw->tx_fd;
  bool done = set_option(fd, SOL_SOCKET, SO_RCVBUF, 0) && set_option(fd, SOL_SOCKET, SO_BROADCAST, 1) && set_option(fd, IPPROTO_IP, IP_RECVERR, 1) &&
              set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) && set_option(fd, SOL_SOCKET, SO_MARK, mark);
  return done ? (Failure){0, ""} : failed("");
}

// The socket receives from its first moment: what came before the filter was there is read and forgotten.
static Failure set_up(Raw *raw, int fd, const char *device, int mark, const uint32_t share[2]) {
  if (fd < 0 || !attach_share_filter(fd, share)) return failed("");
  char byte;
  while (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0) continue;
  raw->ifindex = (int)if_nametoindex(device);
  return open_sender(raw, device, mark);
}

// rawOpen(device, mark, worker, workers): fd
napi_value js_raw_open(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  char device[IFNAMSIZ];
  int32_t mark;
  uint32_t share[2];
  if (!read_args(env, info, 4, argv) || !read_device(env, argv[0], device) || !read_int(env, argv[1], "mark", 0, INT32_MAX, &mark) ||
      !read_share(env, argv[2], argv[3], share)) {
    return NULL;
  }
  Raw *raw = make_raw();
  if (raw == NULL) return throw_errno(env, ENOMEM, device, "");
  int fd = open_socket(IPPROTO_ESP, device);
  Failure failure = set_up(raw, fd, device, mark, share);
  Link *link = failure.error == 0 ? link_add(fd, &raw_ops) : NULL;
  if (link == NULL) {
    free_raw(raw);
    if (fd >= 0) close(fd);
    if (failure.error == 0) failure.error = ENOMEM;
    return throw_errno(env, failure.error, device, failure.advice);
  }
  link->state = raw;
  return to_int(env, fd);
}

// Nothing comes: the sender's own descriptor is the link's.
static int32_t sender_rx(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length) {
  (void)link, (void)pool, (void)offsets, (void)lengths, (void)count, (void)max_length;
  return 0;
}

static void sender_close(Link *link) {
  free(link->state); // its descriptor is closed as the link's
}

static const LinkOps sender_ops = {.rx = sender_rx, .tx = raw_tx, .close = sender_close};

// rawSender(device, mark): fd
napi_value js_raw_sender(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char device[IFNAMSIZ];
  int32_t mark;
  if (!read_args(env, info, 2, argv) || !read_device(env, argv[0], device) || !read_int(env, argv[1], "mark", 0, INT32_MAX, &mark)) return NULL;
  Raw *raw = make_raw();
  if (raw == NULL) return throw_errno(env, ENOMEM, device, "");
  Failure failure = open_sender(raw, device, mark);
  Link *link = failure.error == 0 ? link_add(raw->tx_fd, &sender_ops) : NULL;
  if (link == NULL) {
    free_raw(raw);
    if (failure.error == 0) failure.error = ENOMEM;
    return throw_errno(env, failure.error, device, failure.advice);
  }
  link->state = raw;
  return to_int(env, raw->tx_fd);
}
