// TUN devices (Linux Documentation/networking/tuntap.rst). Does: create or attach, nonblocking, virtio header before every packet,
// superpackets and unfinished checksums in both directions. Does not: addresses, MTU, link state (port/ does), steering (steer.c).
#include "addon.h"
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TUN_F_USO4 // Linux 6.2; Debian 12 has 6.1's headers
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static const char ROOT_ADVICE[] = "run as root or grant CAP_NET_ADMIN";

enum {
  STAGING = 16,    // where the packet lies: behind its virtio header, aligned
  TRY_AGAIN = 8,   // calls, of which one looks for a second frame where frames come alone
};

typedef struct {
  Frame frame; // what is being cut; its bytes lie in staging
  Plan plan;
  // The read that finds nothing costs as much as one that finds a frame. Where the last look found no second frame, calls take one each.
  bool alone;
  int32_t calls; // since that look
  uint8_t staging[STAGING + SUPERPACKET]; // virtio header and packet; one for all reads, so that it stays in the cache
} Tun;

// @returns bytes in staging, 0 = none waiting, -1 = the device is gone
static int32_t read_frame(int fd, Tun *tun) {
  enum { HEADER = sizeof(struct virtio_net_hdr) };
  ssize_t length;
  do {
    length = read(fd, tun->staging + STAGING - HEADER, HEADER + SUPERPACKET); // in one piece: README.md, measured
  } while (length < 0 && errno == EINTR);
  if (length > HEADER) return (int32_t)length - HEADER;
  // Short of memory is a state that passes; anything else (EBADFD, EIO, ENODEV, EBADF) is a device that is gone.
  return length >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? 0 : -1;
}

static int32_t tun_rx(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length) {
  Tun *tun = link->state;
  int32_t most = tun->alone && ++tun->calls < TRY_AGAIN ? 1 : INT32_MAX, frames = 0, done = 0;
  while (done < count) {
    if (!frame_has_next(&tun->frame)) {
      if (frames == most) break;
      int32_t length = read_frame(link->fd, tun);
      if (length < 0 && done == 0) return -1;
      if (length <= 0) break;
      struct virtio_net_hdr header;
      memcpy(&header, tun->staging + STAGING - sizeof header, sizeof header);
      frame_start(&tun->frame, &header, tun->staging + STAGING, tun->staging + STAGING, length);
      frames++;
    }
    lengths[done] = frame_next(&tun->frame, pool + offsets[done], max_length);
    done++;
  }
  if (most != 1) {
    tun->alone = frames == 1 && done < count;
    tun->calls = 0;
  }
  link->has_more = frame_has_next(&tun->frame);
  return done;
}

// @returns errno, 0 = written
static int write_pieces(int fd, const struct iovec *iovs, int count) {
  ssize_t written;
  do {
    written = writev(fd, iovs, count);
  } while (written < 0 && errno == EINTR);
  return written < 0 ? errno : 0;
}

// A datagram by itself, its empty header written into what lies before it for as long as the call takes.
static int write_datagram(int fd, uint8_t *datagram, size_t length) {
  enum { HEADER = sizeof(struct virtio_net_hdr) };
  uint8_t before[HEADER];
  ssize_t written;
  memcpy(before, datagram - HEADER, HEADER);
  memset(datagram - HEADER, 0, HEADER);
  do {
    written = write(fd, datagram - HEADER, HEADER + length);
  } while (written < 0 && errno == EINTR);
  int error = written < 0 ? errno : 0;
  memcpy(datagram - HEADER, before, HEADER);
  return error;
}

static int write_message(int fd, const uint8_t *pool, const struct iovec *iovs, int count) {
  uint8_t *first = iovs[1].iov_base;
  bool alone = count == 2 && first - pool >= (ptrdiff_t)sizeof(struct virtio_net_hdr);
  return alone ? write_datagram(fd, first, iovs[1].iov_len) : write_pieces(fd, iovs, count);
}

static int32_t tun_tx(Link *link, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int32_t *results) {
  Plan *plan = &((Tun *)link->state)->plan;
  int32_t errors[MAX_BATCH], full = 0, sent = 0;
  plan_messages(plan, pool, offsets, lengths, count, link->coalesce);
  for (int32_t i = 0; i < plan->message_count; i++) {
    const Message *message = &plan->messages[i];
    // A full device stays full for this batch: no more calls for the rest of it.
    errors[i] = full != 0 ? full : write_message(link->fd, pool, &plan->iovs[message->first_iov], message->iov_count);
    if (errors[i] == EAGAIN || errors[i] == ENOBUFS) full = errors[i];
  }
  for (int32_t i = 0; i < count; i++) {
    results[i] = errors[plan->message_of[i]];
    sent += results[i] == 0;
  }
  return sent;
}

// Traffic in the clear was in there.
static void tun_close(Link *link) {
  explicit_bzero(link->state, sizeof(Tun));
  free(link->state);
}

static const LinkOps tun_ops = {.rx = tun_rx, .tx = tun_tx, .close = tun_close};

// What the operator can do about a failed open of /dev/net/tun.
static const char *open_advice(int error) {
  if (error == EACCES || error == EPERM) return ROOT_ADVICE;
  if (error == ENOENT || error == ENODEV || error == ENXIO) return "load the kernel module: modprobe tun";
  return "";
}

// What the operator can do about a refused TUNSETIFF.
static const char *attach_advice(int error) {
  if (error == EACCES || error == EPERM) return ROOT_ADVICE;
  if (error == EBUSY) return "another process uses this device";
  if (error == EINVAL) return "a device of this name and another kind exists";
  return "";
}

// A letter, digit, '_', '.' or '-': the kernel would fill in '%d', and refuses '/', ':' and blanks.
static bool is_device_name(const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

// @returns what tx may gather, -1 with errno when the kernel refuses. Off is set too: the device may have been another process's before.
static int set_offloads(int fd, bool offloads) {
  int header_size = sizeof(struct virtio_net_hdr);
  if (ioctl(fd, TUNSETVNETHDRSZ, &header_size) < 0) return -1;
  if (!offloads) return ioctl(fd, TUNSETOFFLOAD, 0ul);
  // TSO6 is for the kernel's own sake: without it, it cuts superpackets of IPv6 that the pipeline then drops one by one.
  unsigned long wanted = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  if (ioctl(fd, TUNSETOFFLOAD, wanted | TUN_F_USO4 | TUN_F_USO6) == 0) return COALESCE_TCP | COALESCE_UDP;
  return ioctl(fd, TUNSETOFFLOAD, wanted) < 0 ? -1 : COALESCE_TCP;
}

// @returns errno, 0 = the descriptor is a link
static int add_tun(int fd, bool offloads) {
  int coalesce = set_offloads(fd, offloads);
  if (coalesce < 0) return errno;
  Tun *tun = calloc(1, sizeof *tun);
  Link *link = tun == NULL ? NULL : link_add(fd, &tun_ops);
  if (link == NULL) {
    free(tun);
    return ENOMEM;
  }
  tun->frame.done = -1;
  link->state = tun;
  link->offloads = offloads;
  link->coalesce = coalesce;
  return 0;
}

// tunOpen(name, queues, offloads): fd
napi_value js_tun_open(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  char name[IFNAMSIZ];
  bool queues, offloads;
  if (!read_args(env, info, 3, argv) || !read_string(env, argv[0], "name", name, sizeof name)) return NULL;
  if (!is_device_name(name)) return throw_range(env, "name: 1 to 15 of A-Z a-z 0-9 _ . -");
  if (!read_bool(env, argv[1], "queues", &queues) || !read_bool(env, argv[2], "offloads", &offloads)) return NULL;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "/dev/net/tun", open_advice(errno));
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, name, strlen(name));
  request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (queues ? IFF_MULTI_QUEUE : 0));
  int error = ioctl(fd, TUNSETIFF, &request) < 0 ? errno : 0;
  const char *advice = attach_advice(error);
  if (error == 0) {
    error = add_tun(fd, offloads);
    advice = "";
  }
  if (error == 0) return to_int(env, fd);
  close(fd);
  return throw_errno(env, error, name, advice);
}
