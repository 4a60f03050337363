// The program of the xdp driver and its map of sockets (bpf(2), Linux Documentation/networking/af_xdp.rst), one pair per netdev. The
// kernel detaches the program when the last descriptor of its bpf_link is closed, so also when this process is killed.
// Does not see: a VLAN tag that the netdev has taken off before (ethtool -K DEVICE rxvlan off where VLANs carry ESP), a MAC address
// that is changed later.
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Redirect {
  struct Redirect *next;
  int ifindex, map_fd, link_fd;
  uint64_t queues; // bit per queue that has a socket
} Redirect;

// Of the process, as netdevs and descriptors are; any JavaScript thread may open.
static Redirect *redirects;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int bpf(int command, union bpf_attr *attributes) {
  int result;
  int tries = 10;
  do result = (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
  while (result < 0 && errno == EAGAIN && --tries > 0);
  return result;
}

static uint64_t address_of(const void *pointer) {
  return (uint64_t)(uintptr_t)pointer;
}

static int make_map(void) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_type = BPF_MAP_TYPE_XSKMAP;
  attributes.key_size = attributes.value_size = sizeof(uint32_t);
  attributes.max_entries = MAX_QUEUES;
  int fd = bpf(BPF_MAP_CREATE, &attributes);
  if (fd >= 0 || errno != EPERM) return fd;
  // Before Linux 5.11 maps and programs count against the locked memory of the process.
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0) errno = EPERM;
  return bpf(BPF_MAP_CREATE, &attributes);
}

// Registers: r1 = struct xdp_md, r2 = the frame, r3 = its end, r4 = what is compared, r5 = the protocol.
#define LOAD(size, to, from, at) {BPF_LDX | BPF_MEM | (size), (to), (from), (at), 0}
#define SKIP_IF(test, what, value, count) {BPF_JMP32 | (test) | BPF_K, (what), 0, (count), (int32_t)(value)}
#define SKIP_UNLESS_EQUAL(value, count) SKIP_IF(BPF_JNE, 4, value, count)
#define SKIP_IF_SHORTER(length, count)                                                     \
  {BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0}, {BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, (length)}, \
      {BPF_JMP | BPF_JGT | BPF_X, 4, 3, (count), 0}
#define MOVE(to, value) {BPF_ALU64 | BPF_MOV | BPF_K, (to), 0, 0, (value)}

// IPv4 to our MAC address with ESP, or with ESP in UDP (RFC 3948: to port 4500, no zeroes where the SPI is; without IPv4 options) -> the socket of
// their receive queue; anything else, and what comes to a queue without socket, -> the kernel. Fragments of both too, of UDP all: the later ones have no port. By
// way of the kernel they would come behind whole datagrams that were sent after them, further than a replay window reaches. XDP runs before the netdev's own
// address filter, so a promiscuous netdev shows others' frames, too.
static int load_program(int map_fd, const uint8_t mac[6]) {
  enum { IP = 14, UDP = IP + 20, SPI = UDP + 8 };
  uint32_t mac_head;
  uint16_t mac_tail;
  memcpy(&mac_head, mac, sizeof mac_head);
  memcpy(&mac_tail, mac + sizeof mac_head, sizeof mac_tail);
  struct bpf_insn code[] = {
      LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, data)),
      LOAD(BPF_W, 3, 1, offsetof(struct xdp_md, data_end)),
      SKIP_IF_SHORTER(UDP, 28),
      LOAD(BPF_W, 4, 2, 0),
      SKIP_UNLESS_EQUAL(mac_head, 26),
      LOAD(BPF_H, 4, 2, 4),
      SKIP_UNLESS_EQUAL(mac_tail, 24),
      LOAD(BPF_H, 4, 2, 12),
      SKIP_UNLESS_EQUAL(htons(0x0800), 22),
      LOAD(BPF_B, 4, 2, IP),
      SKIP_IF(BPF_JLT, 4, 0x45, 20), // version 4, IHL 5 to 15
      SKIP_IF(BPF_JGT, 4, 0x4f, 19),
      LOAD(BPF_B, 5, 2, IP + 9),
      SKIP_IF(BPF_JEQ, 5, IPPROTO_ESP, 11), // to the redirection
      SKIP_IF(BPF_JNE, 5, IPPROTO_UDP, 16),
      LOAD(BPF_H, 5, 2, IP + 6),
      SKIP_IF(BPF_JSET, 5, htons(0x3fff), 8), // more fragments, offset (RFC 791): to the redirection
      SKIP_UNLESS_EQUAL(0x45, 13),
      SKIP_IF_SHORTER(SPI + 4, 10),
      LOAD(BPF_H, 4, 2, UDP + 2),
      SKIP_UNLESS_EQUAL(htons(4500), 8),
      LOAD(BPF_W, 4, 2, SPI),
      SKIP_IF(BPF_JEQ, 4, 0, 6), // IKE
      LOAD(BPF_W, 2, 1, offsetof(struct xdp_md, rx_queue_index)),
      {BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map_fd},
      {0, 0, 0, 0, 0}, // second half of the 64-bit immediate
      MOVE(3, XDP_PASS), // when the queue has no socket
      {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
      MOVE(0, XDP_PASS),
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = BPF_PROG_TYPE_XDP;
  attributes.expected_attach_type = BPF_XDP;
  attributes.insns = address_of(code);
  attributes.insn_cnt = sizeof code / sizeof *code;
  attributes.license = address_of("Apache-2.0"); // redirect_map is not reserved for GPL programs
  memcpy(attributes.prog_name, "groupwire_esp", sizeof "groupwire_esp");
  return bpf(BPF_PROG_LOAD, &attributes);
}

static int attach_program(int program_fd, int ifindex, uint32_t mode) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.link_create.prog_fd = (uint32_t)program_fd;
  attributes.link_create.target_ifindex = (uint32_t)ifindex;
  attributes.link_create.attach_type = BPF_XDP;
  attributes.link_create.flags = mode;
  return bpf(BPF_LINK_CREATE, &attributes);
}

// In the driver, else (no support, MTU too large for it, too few queues) in front of the IP stack.
static Failure attach(Redirect *redirect, const Netdev *netdev) {
  static const char old_kernel[] = "the kernel needs AF_XDP and links of XDP programs (Linux 5.9 or later): use port-driver raw";
  redirect->map_fd = make_map();
  if (redirect->map_fd < 0) return failed(old_kernel);
  int program_fd = load_program(redirect->map_fd, netdev->mac);
  if (program_fd < 0) return failed(old_kernel);
  redirect->link_fd = attach_program(program_fd, netdev->index, XDP_FLAGS_DRV_MODE);
  bool is_taken = redirect->link_fd < 0 && (errno == EBUSY || errno == EEXIST);
  if (redirect->link_fd < 0 && !is_taken) redirect->link_fd = attach_program(program_fd, netdev->index, XDP_FLAGS_SKB_MODE);
  is_taken = redirect->link_fd < 0 && (errno == EBUSY || errno == EEXIST);
  Failure failure = {0, ""};
  if (redirect->link_fd < 0) failure = failed(is_taken ? "another XDP program is attached: ip link shows it; or use port-driver raw" : old_kernel);
  close(program_fd); // the link holds it
  return failure;
}

static bool set_socket(const Redirect *redirect, uint32_t queue, int socket) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_fd = (uint32_t)redirect->map_fd;
  attributes.key = address_of(&queue);
  attributes.value = address_of(&socket);
  return bpf(BPF_MAP_UPDATE_ELEM, &attributes) == 0;
}

static void clear_socket(const Redirect *redirect, uint32_t queue) {
  union bpf_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.map_fd = (uint32_t)redirect->map_fd;
  attributes.key = address_of(&queue);
  bpf(BPF_MAP_DELETE_ELEM, &attributes);
}

static Redirect **find(int ifindex) {
  Redirect **at = &redirects;
  while (*at != NULL && (*at)->ifindex != ifindex) at = &(*at)->next;
  return at;
}

static void drop_if_unused(Redirect **at) {
  Redirect *redirect = *at;
  if (redirect->queues != 0) return;
  *at = redirect->next;
  if (redirect->link_fd >= 0) close(redirect->link_fd);
  if (redirect->map_fd >= 0) close(redirect->map_fd);
  free(redirect);
}

Failure redirect_join(const Netdev *netdev, uint32_t queue, int socket) {
  pthread_mutex_lock(&lock);
  Redirect **at = find(netdev->index);
  Failure failure = {0, ""};
  if (*at == NULL) {
    *at = calloc(1, sizeof **at);
    if (*at == NULL) {
      pthread_mutex_unlock(&lock);
      return (Failure){ENOMEM, ""};
    }
    **at = (Redirect){.ifindex = netdev->index, .map_fd = -1, .link_fd = -1};
    failure = attach(*at, netdev);
  }
  if (failure.error == 0 && !set_socket(*at, queue, socket)) failure = failed("");
  if (failure.error == 0) (*at)->queues |= 1ull << queue;
  drop_if_unused(at);
  pthread_mutex_unlock(&lock);
  return failure;
}

void redirect_leave(int ifindex, uint32_t queue) {
  pthread_mutex_lock(&lock);
  Redirect **at = find(ifindex);
  if (*at != NULL) {
    clear_socket(*at, queue);
    (*at)->queues &= ~(1ull << queue);
    drop_if_unused(at);
  }
  pthread_mutex_unlock(&lock);
}
