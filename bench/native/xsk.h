// One AF_XDP socket in copy mode on queue 0, without a library: its rings, and the program that steers IPv4 ESP into it. Documentation:
// the kernel's Documentation/networking/af_xdp.rst and include/uapi/linux/if_xdp.h.
#pragma once
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

enum { XSK_FRAME = 2048, XSK_RX_FRAMES = 2048, XSK_TX_FRAMES = 1024, XSK_TX_HEADROOM = 64, XSK_KICKS = 64 };

struct xsk_ring {
  uint32_t *producer, *consumer, *flags;
  void *entries;
  uint32_t mask;
};

struct xsk {
  int fd;
  uint8_t *umem;
  struct xsk_ring fill, rx, tx, completion;
  uint32_t queued; // put into tx, not announced yet
  uint32_t free_count;
  uint64_t free[XSK_TX_FRAMES]; // addresses of frames that hold nothing
};

static void xsk_fail(const char *what) {
  perror(what);
  exit(1);
}

static uint32_t ring_load(const uint32_t *counter) { return __atomic_load_n(counter, __ATOMIC_ACQUIRE); }
static void ring_store(uint32_t *counter, uint32_t value) { __atomic_store_n(counter, value, __ATOMIC_RELEASE); }

static struct xsk_ring xsk_map(int fd, const struct xdp_ring_offset *offset, uint32_t entries, size_t entry_bytes, uint64_t page) {
  uint8_t *base = mmap(NULL, offset->desc + entries * entry_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)page);
  if (base == MAP_FAILED) xsk_fail("mmap of an AF_XDP ring");
  return (struct xsk_ring){(uint32_t *)(base + offset->producer), (uint32_t *)(base + offset->consumer), (uint32_t *)(base + offset->flags),
                           base + offset->desc, entries - 1};
}

static int xsk_bpf(enum bpf_cmd command, union bpf_attr *attributes) {
  long result = syscall(SYS_bpf, command, attributes, sizeof *attributes);
  if (result < 0) xsk_fail("bpf");
  return (int)result;
}

// if (ethertype == IPv4 && protocol == ESP) return bpf_redirect_map(&map, rx_queue_index, XDP_PASS); return XDP_PASS
// The link that holds the program ends with this process.
static void xsk_steer_esp(int ifindex, int fd) {
  union bpf_attr map = {.map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = 1};
  int map_fd = xsk_bpf(BPF_MAP_CREATE, &map);
  uint32_t key = 0, value = (uint32_t)fd;
  union bpf_attr entry = {.map_fd = (uint32_t)map_fd, .key = (uintptr_t)&key, .value = (uintptr_t)&value};
  xsk_bpf(BPF_MAP_UPDATE_ELEM, &entry);
#define OP(opcode, to, from, jump, number) {.code = (opcode), .dst_reg = (to), .src_reg = (from), .off = (jump), .imm = (number)}
  const struct bpf_insn program[] = {
      OP(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, data), 0),
      OP(BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct xdp_md, data_end), 0),
      OP(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
      OP(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 34), // an Ethernet and an IPv4 header
      OP(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 10, 0),
      OP(BPF_LDX | BPF_MEM | BPF_H, 5, 2, 12, 0),
      OP(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 8, 0x0008), // ETH_P_IP as a little-endian machine reads it
      OP(BPF_LDX | BPF_MEM | BPF_B, 5, 2, 23, 0),
      OP(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 6, 50),
      OP(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, rx_queue_index), 0),
      OP(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map_fd),
      OP(0, 0, 0, 0, 0),
      OP(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, XDP_PASS),
      OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map),
      OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
      OP(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
      OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
#undef OP
  union bpf_attr load = {.prog_type = BPF_PROG_TYPE_XDP, .insns = (uintptr_t)program, .insn_cnt = sizeof program / sizeof program[0], .license = (uintptr_t) "GPL"};
  int program_fd = xsk_bpf(BPF_PROG_LOAD, &load);
  union bpf_attr link;
  memset(&link, 0, sizeof link);
  link.link_create.prog_fd = (uint32_t)program_fd;
  link.link_create.target_ifindex = (uint32_t)ifindex;
  link.link_create.attach_type = BPF_XDP;
  link.link_create.flags = XDP_FLAGS_DRV_MODE;
  xsk_bpf(BPF_LINK_CREATE, &link);
}

static void xsk_open(struct xsk *x, int ifindex) {
  const size_t bytes = (size_t)(XSK_RX_FRAMES + XSK_TX_FRAMES) * XSK_FRAME;
  x->umem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  x->fd = socket(AF_XDP, SOCK_RAW, 0);
  if (x->umem == MAP_FAILED || x->fd < 0) xsk_fail("AF_XDP");
  struct xdp_umem_reg region = {.addr = (uintptr_t)x->umem, .len = bytes, .chunk_size = XSK_FRAME};
  const int rx_frames = XSK_RX_FRAMES, tx_frames = XSK_TX_FRAMES;
  struct xdp_mmap_offsets offsets;
  socklen_t length = sizeof offsets;
  if (setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &region, sizeof region) < 0 ||
      setsockopt(x->fd, SOL_XDP, XDP_UMEM_FILL_RING, &rx_frames, sizeof rx_frames) < 0 ||
      setsockopt(x->fd, SOL_XDP, XDP_RX_RING, &rx_frames, sizeof rx_frames) < 0 ||
      setsockopt(x->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &tx_frames, sizeof tx_frames) < 0 ||
      setsockopt(x->fd, SOL_XDP, XDP_TX_RING, &tx_frames, sizeof tx_frames) < 0 ||
      getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) < 0)
    xsk_fail("AF_XDP rings");
  x->rx = xsk_map(x->fd, &offsets.rx, XSK_RX_FRAMES, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
  x->tx = xsk_map(x->fd, &offsets.tx, XSK_TX_FRAMES, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
  x->fill = xsk_map(x->fd, &offsets.fr, XSK_RX_FRAMES, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING);
  x->completion = xsk_map(x->fd, &offsets.cr, XSK_TX_FRAMES, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
  for (uint64_t i = 0; i < XSK_RX_FRAMES; i++) ((uint64_t *)x->fill.entries)[i] = i * XSK_FRAME;
  ring_store(x->fill.producer, XSK_RX_FRAMES);
  for (uint64_t i = 0; i < XSK_TX_FRAMES; i++) x->free[x->free_count++] = (XSK_RX_FRAMES + i) * XSK_FRAME;
  const int send_buffer = 16 << 20;
  setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer);
  struct sockaddr_xdp address = {.sxdp_family = AF_XDP, .sxdp_ifindex = (uint32_t)ifindex, .sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP};
  if (bind(x->fd, (struct sockaddr *)&address, sizeof address) < 0) xsk_fail("bind of AF_XDP");
  xsk_steer_esp(ifindex, x->fd);
}

/** Takes up to `max` received frames. They are the caller's until xsk_recycle(). @returns how many */
static uint32_t xsk_receive(struct xsk *x, struct xdp_desc *frames, uint32_t max) {
  uint32_t at = *x->rx.consumer, n = ring_load(x->rx.producer) - at;
  if (n > max) n = max;
  for (uint32_t i = 0; i < n; i++) frames[i] = ((struct xdp_desc *)x->rx.entries)[(at + i) & x->rx.mask];
  ring_store(x->rx.consumer, at + n);
  return n;
}

static void xsk_recycle(struct xsk *x, const struct xdp_desc *frames, uint32_t n) {
  uint32_t at = *x->fill.producer;
  for (uint32_t i = 0; i < n; i++) ((uint64_t *)x->fill.entries)[(at + i) & x->fill.mask] = frames[i].addr & ~(uint64_t)(XSK_FRAME - 1);
  ring_store(x->fill.producer, at + n);
  if (ring_load(x->fill.flags) & XDP_RING_NEED_WAKEUP) recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

/** Announces what was queued and makes the kernel send it: it takes 32 frames a call. Then takes back what has left. */
static void xsk_flush(struct xsk *x) {
  ring_store(x->tx.producer, *x->tx.producer + x->queued);
  x->queued = 0;
  for (int i = 0; i < XSK_KICKS && ring_load(x->tx.consumer) != *x->tx.producer; i++)
    if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) break;
  uint32_t at = *x->completion.consumer, end = ring_load(x->completion.producer);
  for (; at != end; at++) x->free[x->free_count++] = ((uint64_t *)x->completion.entries)[at & x->completion.mask] & ~(uint64_t)(XSK_FRAME - 1);
  ring_store(x->completion.consumer, end);
}

/** @returns where the next frame to send begins, or NULL when every frame is on its way */
static uint8_t *xsk_take(struct xsk *x) {
  if (x->free_count == 0) xsk_flush(x);
  return x->free_count == 0 ? NULL : x->umem + x->free[--x->free_count] + XSK_TX_HEADROOM;
}

static void xsk_queue(struct xsk *x, const uint8_t *frame, uint32_t length) {
  struct xdp_desc *to = &((struct xdp_desc *)x->tx.entries)[(*x->tx.producer + x->queued++) & x->tx.mask];
  *to = (struct xdp_desc){.addr = (uint64_t)(frame - x->umem), .len = length};
}
