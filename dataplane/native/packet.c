// The `packet` driver: AF_PACKET with virtio headers (packet(7), PACKET_VNET_HDR), so that superpackets come and go whole. Two sockets:
// the link's descriptor receives, a second one sends. Does not: rings (measured: no gain), QDISC_BYPASS (it drops what the netdev
// cannot segment itself).
#define _GNU_SOURCE // recvmmsg
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { RX_FRAMES = 32, VNET = sizeof(struct virtio_net_hdr), FRAME_BYTES = SUPERPACKET + 512 };

typedef struct {
  int ifindex, tx_fd;
  bool gone;
  // Received frames; those from `next` on have not been cut yet, `frame` is being cut.
  uint8_t *memory; // RX_FRAMES of FRAME_BYTES: touched only as far as frames are long, so small ones cost a page each
  struct iovec rx_iovs[RX_FRAMES]; // virtio header and frame in one piece
  struct mmsghdr rx[RX_FRAMES];
  int32_t count, next;
  int32_t segments; // of the last frame: how many slots one may need
  bool drained;     // the last call got less than it asked for: the socket is empty
  Frame frame;
  Plan plan;
  struct mmsghdr tx[MAX_BATCH];
  int32_t errors[MAX_BATCH]; // by message
} Packet;

// Reads as many frames as the free slots may hold: frames that wait here instead of in the socket would only spoil the cache.
// @returns false when none came
static bool read_frames(Link *link, int32_t slots) {
  Packet *packet = link->state;
  int32_t wanted = slots / packet->segments + 1;
  if (wanted > RX_FRAMES) wanted = RX_FRAMES;
  packet->count = packet->next = 0;
  int got;
  do {
    got = recvmmsg(link->fd, packet->rx, (unsigned)wanted, MSG_DONTWAIT, NULL);
  } while (got < 0 && errno == EINTR);
  if (got > 0) packet->count = got;
  packet->drained = got < wanted;
  // A netdev that goes down says so, too, and comes back: the socket receives again then.
  if (got < 0 && errno != EAGAIN) packet->gone = !netdev_exists(packet->ifindex);
  return got > 0;
}

static void start_frame(Packet *packet) {
  int32_t i = packet->next++;
  struct virtio_net_hdr header;
  memcpy(&header, packet->rx_iovs[i].iov_base, VNET);
  const uint8_t *base = (uint8_t *)packet->rx_iovs[i].iov_base + VNET, *ip = base + ETHERNET_HEADER;
  int32_t len = (int32_t)packet->rx[i].msg_len - (int32_t)VNET - ETHERNET_HEADER;
  if (header.gso_type == VIRTIO_NET_HDR_GSO_NONE) len = without_padding(ip, len);
  frame_start(&packet->frame, &header, base, ip, len);
}

static int32_t packet_rx(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length) {
  Packet *packet = link->state;
  int32_t done = 0;
  packet->drained = false;
  while (done < count) {
    if (!frame_has_next(&packet->frame)) {
      if (packet->next == packet->count && (packet->drained || !read_frames(link, count - done))) break;
      start_frame(packet);
    }
    int32_t first = done;
    while (done < count && frame_has_next(&packet->frame)) {
      lengths[done] = frame_next(&packet->frame, pool + offsets[done], max_length);
      done++;
    }
    packet->segments = done - first > 0 ? done - first : 1;
  }
  link->has_more = frame_has_next(&packet->frame) || packet->next < packet->count || packet->gone;
  return done == 0 && packet->gone ? -1 : done;
}

// The first datagram of a message brings its Ethernet header along: everything that counts from the frame's start moves.
static void add_ethernet(Message *message, struct iovec *first) {
  first->iov_base = (uint8_t *)first->iov_base - ETHERNET_HEADER;
  first->iov_len += ETHERNET_HEADER;
  if ((message->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) message->header.csum_start += ETHERNET_HEADER;
  if (message->header.hdr_len != 0) message->header.hdr_len += ETHERNET_HEADER;
}

static int32_t packet_tx(Link *link, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int32_t *results) {
  Packet *packet = link->state;
  Plan *plan = &packet->plan;
  plan_messages(plan, pool, offsets, lengths, count, link->coalesce);
  for (int32_t i = 0; i < plan->message_count; i++) {
    Message *message = &plan->messages[i];
    struct iovec *iovs = &plan->iovs[message->first_iov];
    add_ethernet(message, &iovs[1]);
    packet->tx[i].msg_hdr.msg_iov = iovs;
    packet->tx[i].msg_hdr.msg_iovlen = (size_t)message->iov_count;
  }
  send_messages(packet->tx_fd, packet->tx, plan->message_count, packet->errors);
  int32_t sent = 0;
  for (int32_t i = 0; i < count; i++) {
    results[i] = packet->errors[plan->message_of[i]];
    sent += results[i] == 0;
  }
  return sent;
}

static void free_packet(Packet *packet) {
  if (packet->memory != MAP_FAILED) munmap(packet->memory, (size_t)RX_FRAMES * FRAME_BYTES);
  if (packet->tx_fd >= 0) close(packet->tx_fd);
  free(packet);
}

static void packet_close(Link *link) {
  free_packet(link->state);
}

static const LinkOps packet_ops = {.rx = packet_rx, .tx = packet_tx, .close = packet_close};

static Packet *make_packet(int ifindex) {
  Packet *packet = calloc(1, sizeof *packet);
  if (packet == NULL) return NULL;
  packet->ifindex = ifindex;
  packet->tx_fd = -1;
  packet->segments = 1;
  packet->frame.done = -1;
  packet->memory = mmap(NULL, (size_t)RX_FRAMES * FRAME_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (packet->memory == MAP_FAILED) {
    free_packet(packet);
    return NULL;
  }
  for (int i = 0; i < RX_FRAMES; i++) {
    packet->rx_iovs[i] = (struct iovec){packet->memory + (size_t)i * FRAME_BYTES, FRAME_BYTES};
    packet->rx[i].msg_hdr = (struct msghdr){.msg_iov = &packet->rx_iovs[i], .msg_iovlen = 1};
  }
  return packet;
}

// Protocol 0 receives nothing; ETH_P_ALL is served before the rules that drop these frames for the kernel.
static bool bind_to(int fd, int ifindex, uint16_t protocol) {
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_protocol = htons(protocol)};
  return bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

static int open_socket(void) {
  return socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// The netdev takes frames of these groups (RFC 1112 §6.4) as long as the socket is open.
static bool join_groups(int fd, int ifindex, const uint32_t *groups, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    struct packet_mreq request = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_MULTICAST, .mr_alen = 6};
    const uint8_t mac[6] = {0x01, 0x00, 0x5e, (uint8_t)(groups[i] >> 16 & 0x7f), (uint8_t)(groups[i] >> 8), (uint8_t)groups[i]};
    memcpy(request.mr_address, mac, sizeof mac);
    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) < 0) return false;
  }
  return true;
}

typedef bool AttachFilter(int fd, const uint32_t *list, int32_t count, const uint32_t share[2]);

typedef struct {
  AttachFilter *attach;
  const uint32_t *list; // what the filter is about: own addresses, or groups
  int32_t count;
  uint32_t share[2];
  bool joins; // the list is of groups, which the netdev is to take
} Wanted;

// Both sockets, the receiving one with its filter before it is bound: nothing slips in. The filter refuses what leaves, too;
// PACKET_IGNORE_OUTGOING only saves running it.
static Failure set_up(int fd, Packet *packet, const Wanted *wanted) {
  static const char old_kernel[] = "the packet driver needs Linux 4.20 or later with CONFIG_PACKET";
  packet->tx_fd = open_socket();
  if (fd < 0 || packet->tx_fd < 0) return failed(old_kernel);
  if (!set_option(fd, SOL_PACKET, PACKET_VNET_HDR, 1) || !set_option(packet->tx_fd, SOL_PACKET, PACKET_VNET_HDR, 1) ||
      !set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)) {
    return failed(old_kernel);
  }
  set_buffers(fd);
  set_buffers(packet->tx_fd);
  if (!wanted->attach(fd, wanted->list, wanted->count, wanted->share)) return failed("the filter was refused: raise net.core.optmem_max");
  if (!bind_to(packet->tx_fd, packet->ifindex, 0) || !bind_to(fd, packet->ifindex, ETH_P_ALL)) return failed("");
  if (wanted->joins && !join_groups(fd, packet->ifindex, wanted->list, wanted->count)) return failed("");
  return (Failure){0, ""};
}

// There is no call that tells: include/linux/virtio_net.h takes VIRTIO_NET_HDR_GSO_UDP_L4 since Linux 6.2.
static int what_coalesces(void) {
  struct utsname kernel;
  int major = 0, minor = 0;
  bool known = uname(&kernel) == 0 && sscanf(kernel.release, "%d.%d", &major, &minor) == 2;
  return known && (major > 6 || (major == 6 && minor >= 2)) ? COALESCE_TCP | COALESCE_UDP : COALESCE_TCP;
}

static bool read_filter(napi_env env, napi_value *argv, uint32_t **own, int32_t *own_count, uint32_t share[2]) {
  Words words;
  if (!read_int(env, argv[1], "ownCount", 0, MAX_OWN, own_count)) return false;
  if (!read_words(env, argv[0], "own", (size_t)*own_count, &words)) return false;
  *own = (uint32_t *)words.at;
  return read_share(env, argv[2], argv[3], share);
}

// Opens both sockets and makes the receiving one a link, or undoes all. @returns NULL with an exception pending
static Link *open_packet(napi_env env, const char *device, const Wanted *wanted) {
  Netdev netdev;
  Failure failure = netdev_query(device, &netdev);
  if (failure.error != 0) {
    throw_errno(env, failure.error, device, failure.advice);
    return NULL;
  }
  Packet *packet = make_packet(netdev.index);
  if (packet == NULL) {
    throw_errno(env, ENOMEM, device, "");
    return NULL;
  }
  int fd = open_socket();
  failure = set_up(fd, packet, wanted);
  Link *link = failure.error == 0 ? link_add(fd, &packet_ops) : NULL;
  if (link == NULL) {
    free_packet(packet);
    if (fd >= 0) close(fd);
    throw_errno(env, failure.error != 0 ? failure.error : ENOMEM, device, failure.advice);
    return NULL;
  }
  link->state = packet;
  link->headroom = ETHERNET_HEADER;
  return link;
}

// packetOpen(device, own, ownCount, worker, workers, offloads): fd
napi_value js_packet_open(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  char device[IFNAMSIZ];
  uint32_t *own;
  Wanted wanted = {.attach = attach_frame_filter};
  bool offloads;
  if (!read_args(env, info, 6, argv) || !read_device(env, argv[0], device)) return NULL;
  if (!read_filter(env, argv + 1, &own, &wanted.count, wanted.share) || !read_bool(env, argv[5], "offloads", &offloads)) return NULL;
  wanted.list = own;
  Link *link = open_packet(env, device, &wanted);
  if (link == NULL) return NULL;
  link->offloads = offloads;
  link->coalesce = offloads ? what_coalesces() : 0;
  return to_int(env, link->fd);
}

// groupOpen(device, groups, count, worker, workers): fd
napi_value js_group_open(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  char device[IFNAMSIZ];
  Words groups;
  Wanted wanted = {.attach = attach_group_filter, .joins = true};
  if (!read_args(env, info, 5, argv) || !read_device(env, argv[0], device)) return NULL;
  if (!read_int(env, argv[2], "count", 1, MAX_GROUPS, &wanted.count)) return NULL;
  if (!read_words(env, argv[1], "groups", (size_t)wanted.count, &groups) || !read_share(env, argv[3], argv[4], wanted.share)) return NULL;
  wanted.list = (uint32_t *)groups.at;
  Link *link = open_packet(env, device, &wanted);
  return link == NULL ? NULL : to_int(env, link->fd);
}

// packetFilter(fd, own, ownCount, worker, workers)
napi_value js_packet_filter(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  uint32_t *own, share[2];
  int32_t fd, own_count;
  if (!read_args(env, info, 5, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd)) return NULL;
  if (!read_filter(env, argv + 1, &own, &own_count, share)) return NULL;
  Link *link = link_find(fd);
  if (link == NULL || link->ops != &packet_ops) return throw_range(env, "packetFilter: %d is not a packet descriptor", fd);
  if (!attach_frame_filter(fd, own, own_count, share)) return throw_errno(env, errno, "packetFilter", "raise net.core.optmem_max");
  return NULL;
}
