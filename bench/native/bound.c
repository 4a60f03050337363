// bound LAN WAN PEER_NET16 LAN_NEIGHBOUR_MAC WAN_NEIGHBOUR_MAC: the packet I/O of a gateway in C, without a cipher.
//
// Does what a gateway with `port-driver packet` inside and `port-driver xdp` outside cannot avoid: superpackets in, split with checksums,
// tunnel-mode ESP framing with the addresses preserved (the bytes of IV and ICV are there, nothing is encrypted), MSS clamping, AF_XDP out;
// AF_XDP in, segments of one TCP flow coalesced, superpackets out. Does not: encrypt, check replays or checksums, look up a route or a
// policy, answer ICMP. One thread, blocks in poll when idle. The kernel must be told to drop what this forwards (it sees a copy).
//
// PEER_NET16 is the first two bytes of the far hosts' network, in hexadecimal: 0a02 for 10.2.0.0/16.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "xsk.h"

enum {
  VNET = sizeof(struct virtio_net_hdr), // 10 bytes, in front of every frame of the inside
  ETHER = 14,
  OUTER = 36,      // IPv4, ESP, IV
  ICV = 16,
  INNER_MAX = 1446, // what fits a path of 1500: RFC 4303 padding to 4
  MSS_MAX = INNER_MAX - 40,
  INSIDE_BATCH = 64,
  INSIDE_BYTES = 66048,
  OUTSIDE_BATCH = 512,
  FLUSH = 256,
  RUN_MAX = 65000, // bytes of a coalesced packet
  TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_CWR = 128,
};

static struct xsk outside;
static int inside_rx, inside_tx;
static uint8_t inside_ether[ETHER], outside_ether[ETHER];
static uint64_t next_iv = 1;
static uint32_t next_sequence = 1;

// --- bytes and the Internet checksum (RFC 1071), summed as little-endian words: the complement of the folded sum is stored as it is
static uint16_t load16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t load32(const uint8_t *p) { return (uint32_t)load16(p) << 16 | load16(p + 2); }
static void store16(uint8_t *p, uint32_t value) { p[0] = (uint8_t)(value >> 8), p[1] = (uint8_t)value; }
static void store32(uint8_t *p, uint32_t value) { store16(p, value >> 16), store16(p + 2, value); }

static uint64_t sum_tail(const uint8_t *p, size_t n) {
  uint64_t total = 0;
  for (; n >= 2; p += 2, n -= 2) {
    uint16_t word;
    memcpy(&word, p, 2);
    total += word;
  }
  return n == 0 ? total : total + *p;
}

static uint64_t sum(const uint8_t *p, size_t n) {
  uint64_t total = 0;
  size_t words = n / 4;
  for (size_t i = 0; i < words; i++) {
    uint32_t word;
    memcpy(&word, p + 4 * i, 4);
    total += word;
  }
  return total + sum_tail(p + 4 * words, n - 4 * words);
}

static uint64_t sum_and_copy(uint8_t *restrict to, const uint8_t *restrict from, size_t n) {
  uint64_t total = 0;
  size_t words = n / 4;
  for (size_t i = 0; i < words; i++) {
    uint32_t word;
    memcpy(&word, from + 4 * i, 4);
    memcpy(to + 4 * i, &word, 4);
    total += word;
  }
  memcpy(to + 4 * words, from + 4 * words, n - 4 * words);
  return total + sum_tail(from + 4 * words, n - 4 * words);
}

static void store_checksum(uint8_t *p, uint64_t total) {
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  uint16_t checksum = (uint16_t)~total;
  memcpy(p, &checksum, 2);
}

static void checksum_ip(uint8_t *ip) {
  store16(ip + 10, 0);
  store_checksum(ip + 10, sum(ip, 20));
}

static uint64_t sum_pseudo_header(const uint8_t *ip, uint32_t length) { return sum(ip + 12, 8) + htons(ip[9]) + htons((uint16_t)length); }

// --- inside to outside
/** Frames the inner packet of `n` bytes at frame + ETHER + OUTER as ESP in tunnel mode and queues it. */
static void queue_esp(uint8_t *frame, uint32_t n) {
  uint8_t *ip = frame + ETHER, *esp = ip + 20, *inner = ip + OUTER;
  uint32_t pad = -(n + 2) & 3, length = OUTER + n + pad + 2 + ICV;
  for (uint32_t i = 0; i < pad; i++) inner[n + i] = (uint8_t)(i + 1);
  inner[n + pad] = (uint8_t)pad;
  inner[n + pad + 1] = 4; // next header: IPv4
  store32(esp, 0x777);
  store32(esp + 4, next_sequence++);
  memcpy(esp + 8, &next_iv, 8);
  next_iv++;
  memcpy(frame, outside_ether, ETHER);
  memcpy(ip, inner, 20);
  store16(ip + 2, length);
  store16(ip + 6, 0x4000);
  ip[8] = 64;
  ip[9] = 50;
  checksum_ip(ip);
  xsk_queue(&outside, frame, ETHER + length);
  if (outside.queued >= FLUSH) xsk_flush(&outside);
}

/** A packet that needs no splitting; a SYN's MSS is made to fit. */
static void send_one(const struct virtio_net_hdr *header, uint8_t *ip, uint32_t n) {
  uint32_t ip_bytes = (ip[0] & 15u) * 4;
  uint8_t *l4 = ip + ip_bytes;
  if (ip[9] == IPPROTO_TCP && n >= ip_bytes + 20 && (l4[13] & TCP_SYN)) {
    uint8_t *end = l4 + (l4[12] >> 4) * 4;
    for (uint8_t *option = l4 + 20; option + 4 <= end && option[0] != 0; option += option[0] == 1 ? 1 : option[1] < 2 ? 40 : option[1])
      if (option[0] == 2 && load16(option + 2) > MSS_MAX) store16(option + 2, MSS_MAX);
    store16(l4 + 16, 0);
    store_checksum(l4 + 16, sum_pseudo_header(ip, n - ip_bytes) + sum(l4, n - ip_bytes));
  } else if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
    uint8_t *start = ip + header->csum_start - ETHER;
    store_checksum(start + header->csum_offset, sum(start, n - (uint32_t)(start - ip)));
  }
  uint8_t *frame = n > INNER_MAX ? NULL : xsk_take(&outside);
  if (frame == NULL) return;
  memcpy(frame + ETHER + OUTER, ip, n);
  queue_esp(frame, n);
}

/** A TCP superpacket: headers repeated, payload cut to gso_size, checksums of every segment. */
static void send_split(uint32_t mss, const uint8_t *ip, uint32_t n) {
  uint32_t ip_bytes = (ip[0] & 15u) * 4, headers = ip_bytes + (ip[ip_bytes + 12] >> 4) * 4u;
  if (headers + mss > INNER_MAX || n < headers) return;
  for (uint32_t at = headers, index = 0; at < n; at += mss, index++) {
    uint32_t payload = n - at < mss ? n - at : mss, length = headers + payload;
    uint8_t *frame = xsk_take(&outside);
    if (frame == NULL) continue;
    uint8_t *inner = frame + ETHER + OUTER, *tcp = inner + ip_bytes;
    memcpy(inner, ip, headers);
    store16(inner + 2, length);
    store16(inner + 4, load16(ip + 4) + index);
    checksum_ip(inner);
    store32(tcp + 4, load32(ip + ip_bytes + 4) + (at - headers));
    if (at + payload < n) tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
    if (index > 0) tcp[13] &= (uint8_t)~TCP_CWR;
    store16(tcp + 16, 0);
    uint64_t total = sum_and_copy(inner + headers, ip + at, payload);
    store_checksum(tcp + 16, total + sum(tcp, headers - ip_bytes) + sum_pseudo_header(inner, length - ip_bytes));
    queue_esp(frame, length);
  }
}

/** @returns how many frames were read */
static int forward_out(void) {
  static uint8_t buffers[INSIDE_BATCH][INSIDE_BYTES];
  static struct mmsghdr messages[INSIDE_BATCH];
  static struct iovec vectors[INSIDE_BATCH];
  for (int i = 0; i < INSIDE_BATCH; i++) {
    vectors[i] = (struct iovec){buffers[i], INSIDE_BYTES};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  int n = recvmmsg(inside_rx, messages, INSIDE_BATCH, MSG_DONTWAIT, NULL);
  for (int i = 0; i < n; i++) {
    struct virtio_net_hdr header;
    uint8_t *ip = buffers[i] + VNET + ETHER;
    memcpy(&header, buffers[i], VNET);
    uint32_t read = messages[i].msg_len, length = load16(ip + 2);
    if (read < VNET + ETHER + 20 || ip[0] >> 4 != 4 || length > read - VNET - ETHER) continue;
    if ((header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4) send_split(header.gso_size, ip, length);
    else send_one(&header, ip, length);
  }
  if (outside.queued > 0) xsk_flush(&outside);
  return n;
}

// --- outside to inside
static struct iovec pieces[OUTSIDE_BATCH];
static struct mmsghdr outputs[OUTSIDE_BATCH];
static uint32_t piece_count, output_count;

/** The run of segments that is open: its first packet, and what the next segment must be. */
static struct {
  uint8_t *ip;
  uint32_t headers, mss, length, next;
} run;

static void close_run(void) {
  if (run.ip == NULL) return;
  uint8_t *ip = run.ip, *tcp = ip + 20;
  run.ip = NULL;
  struct msghdr *output = &outputs[output_count - 1].msg_hdr;
  if (output->msg_iovlen == 1) return;
  struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                  .hdr_len = (uint16_t)(ETHER + run.headers),
                                  .gso_size = (uint16_t)run.mss,
                                  .csum_start = ETHER + 20,
                                  .csum_offset = 16};
  memcpy(ip - ETHER - VNET, &header, VNET);
  store16(ip + 2, run.length);
  checksum_ip(ip);
  // With NEEDS_CSUM the field holds the sum of the pseudo header, not complemented.
  store_checksum(tcp + 16, sum_pseudo_header(ip, run.length - 20));
  tcp[16] = (uint8_t)~tcp[16], tcp[17] = (uint8_t)~tcp[17];
}

/** Begins an output with this packet; the virtio and Ethernet headers overwrite the ESP header in front of it. */
static void begin_output(uint8_t *ip, uint32_t n) {
  memset(ip - ETHER - VNET, 0, VNET);
  memcpy(ip - ETHER, inside_ether, ETHER);
  pieces[piece_count] = (struct iovec){ip - ETHER - VNET, VNET + ETHER + n};
  outputs[output_count++].msg_hdr = (struct msghdr){.msg_iov = &pieces[piece_count++], .msg_iovlen = 1};
}

static void receive_inner(uint8_t *ip, uint32_t n) {
  if (ip[0] != 0x45 || ip[9] != IPPROTO_TCP || n < 40) {
    close_run();
    begin_output(ip, n);
    return;
  }
  uint8_t *tcp = ip + 20;
  uint32_t headers = 20 + (tcp[12] >> 4) * 4u, payload = n - headers, sequence = load32(tcp + 4);
  int plain = (tcp[13] & ~TCP_PSH) == TCP_ACK && payload > 0 && headers < n;
  if (run.ip != NULL && plain && sequence == run.next && headers == run.headers && payload <= run.mss && run.length + payload < RUN_MAX &&
      memcmp(run.ip + 12, ip + 12, 12) == 0 && memcmp(run.ip + 28, tcp + 8, 4) == 0) { // addresses, ports, acknowledgement
    pieces[piece_count++] = (struct iovec){ip + headers, payload};
    outputs[output_count - 1].msg_hdr.msg_iovlen++;
    run.ip[33] |= tcp[13] & TCP_PSH;
    run.length += payload;
    run.next += payload;
    if (payload < run.mss || (tcp[13] & TCP_PSH)) close_run();
    return;
  }
  close_run();
  begin_output(ip, n);
  if (!plain || (tcp[13] & TCP_PSH)) return;
  run.ip = ip;
  run.headers = headers;
  run.mss = payload;
  run.length = n;
  run.next = sequence + payload;
}

/** @returns how many frames were read */
static int forward_in(void) {
  static struct xdp_desc frames[OUTSIDE_BATCH];
  uint32_t n = xsk_receive(&outside, frames, OUTSIDE_BATCH);
  if (n == 0) return 0;
  piece_count = output_count = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint8_t *inner = outside.umem + frames[i].addr + ETHER + OUTER;
    uint32_t room = frames[i].len - ETHER - OUTER - ICV;
    if (frames[i].len < ETHER + OUTER + 20 + 2 + ICV || load16(inner + 2) + 2u > room) continue;
    receive_inner(inner, load16(inner + 2));
  }
  close_run();
  for (uint32_t sent = 0; sent < output_count;) {
    int r = sendmmsg(inside_tx, outputs + sent, output_count - sent, 0);
    sent += r > 0 ? (uint32_t)r : 1; // the one that was refused is dropped
  }
  xsk_recycle(&outside, frames, n);
  return (int)n;
}

// --- setting up
static int open_inside(unsigned ifindex, uint16_t protocol) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1, bytes = 16 << 20;
  if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0) xsk_fail("AF_PACKET");
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)ifindex, .sll_protocol = htons(protocol)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) xsk_fail("bind of AF_PACKET");
  return fd;
}

/** Only IPv4 to the far hosts. */
static void keep_network(int fd, uint32_t network16) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETHER + 16), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, network16, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0x40000), BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) xsk_fail("SO_ATTACH_FILTER");
}

static void make_ether(uint8_t *ether, const char *device, const char *neighbour) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(fd, SIOCGIFHWADDR, &request) < 0) xsk_fail(device);
  close(fd);
  if (sscanf(neighbour, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", ether, ether + 1, ether + 2, ether + 3, ether + 4, ether + 5) != 6) exit(2);
  memcpy(ether + 6, request.ifr_hwaddr.sa_data, 6);
  store16(ether + 12, ETH_P_IP);
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "bound LAN WAN PEER_NET16 LAN_NEIGHBOUR_MAC WAN_NEIGHBOUR_MAC\n");
    return 2;
  }
  make_ether(inside_ether, argv[1], argv[4]);
  make_ether(outside_ether, argv[2], argv[5]);
  inside_tx = open_inside(if_nametoindex(argv[1]), 0);
  // ETH_P_ALL: these taps come before the ingress hook, where the kernel's own copy is dropped.
  inside_rx = open_inside(if_nametoindex(argv[1]), ETH_P_ALL);
  keep_network(inside_rx, (uint32_t)strtoul(argv[3], NULL, 16));
  xsk_open(&outside, (int)if_nametoindex(argv[2]));
  puts("ready");
  fflush(stdout);
  struct pollfd both[2] = {{.fd = inside_rx, .events = POLLIN}, {.fd = outside.fd, .events = POLLIN}};
  for (;;) {
    int moved = forward_out() > 0;
    moved |= forward_in() > 0;
    if (!moved) poll(both, 2, -1);
  }
}
