// Socket filters in classic BPF. Does: the frames that the packet driver takes, a worker's share. A jump reaches 255 instructions at
// most, so every test that says no is followed by its own `return 0` instead of a jump to a common one.
#include "driver.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

enum { IPV4_DESTINATION = 16, MAX_CODE = 2 * MAX_OWN + 40 };

typedef struct {
  struct sock_filter code[MAX_CODE];
  uint16_t length;
} Filter;

static void add(Filter *filter, uint16_t code, uint32_t k) {
  filter->code[filter->length++] = (struct sock_filter){code, 0, 0, k};
}

static void refuse(Filter *filter) {
  add(filter, BPF_RET | BPF_K, 0);
}

static void refuse_if_equal(Filter *filter, uint32_t k) {
  filter->code[filter->length++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k};
  refuse(filter);
}

static void refuse_unless_equal(Filter *filter, uint32_t k) {
  filter->code[filter->length++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 1, 0, k};
  refuse(filter);
}

// ownerOf() of native.ts. @param ip where the IPv4 header lies
static void take_share(Filter *filter, uint32_t ip, const uint32_t share[2]) {
  if (share[1] == 1) return;
  add(filter, BPF_LD | BPF_W | BPF_ABS, ip + IPV4_SOURCE);
  add(filter, BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);
  add(filter, BPF_ALU | BPF_RSH | BPF_K, 16);
  add(filter, BPF_ALU | BPF_MOD | BPF_K, share[1]);
  refuse_unless_equal(filter, share[0]);
}

// Replaces the socket's filter: every packet meets the old one or the new one (sk_attach_filter swaps a pointer).
static bool attach(int fd, Filter *filter) {
  add(filter, BPF_RET | BPF_K, UINT32_MAX); // whole
  struct sock_fprog program = {filter->length, filter->code};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool attach_share_filter(int fd, const uint32_t share[2]) {
  Filter filter = {.length = 0};
  take_share(&filter, 0, share);
  return attach(fd, &filter);
}

// Frames of one packet type with untagged IPv4 and a TTL above 1; the destination is loaded. A load beyond the frame's end refuses it,
// so what is taken has a whole IPv4 header.
static void take_forwardable(Filter *filter, uint32_t packet_type) {
  add(filter, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
  refuse_unless_equal(filter, packet_type);
  add(filter, BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
  refuse_unless_equal(filter, ETH_P_IP);
  add(filter, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
  refuse_unless_equal(filter, 0);
  add(filter, BPF_LD | BPF_B | BPF_ABS, ETH_HLEN + IPV4_TTL);
  filter->code[filter->length++] = (struct sock_filter){BPF_JMP | BPF_JGT | BPF_K, 1, 0, 1};
  refuse(filter);
  add(filter, BPF_LD | BPF_W | BPF_ABS, ETH_HLEN + IPV4_DESTINATION);
}

bool attach_group_filter(int fd, const uint32_t *groups, int32_t count, const uint32_t share[2]) {
  Filter filter = {.length = 0};
  take_forwardable(&filter, PACKET_MULTICAST);
  for (int32_t i = 0; i < count; i++) // equal: over the rest of the list and the refusal behind it
    filter.code[filter.length++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(count - i), 0, groups[i]};
  refuse(&filter);
  take_share(&filter, ETH_HLEN, share);
  return attach(fd, &filter);
}

bool attach_frame_filter(int fd, const uint32_t *own, int32_t own_count, const uint32_t share[2]) {
  Filter filter = {.length = 0};
  take_forwardable(&filter, PACKET_HOST);
  refuse_if_equal(&filter, UINT32_MAX); // limited broadcast; those of subnets are the caller's to list
  for (int32_t i = 0; i < own_count; i++) refuse_if_equal(&filter, own[i]);
  add(&filter, BPF_ALU | BPF_AND | BPF_K, 0xf0000000);
  refuse_if_equal(&filter, 0xe0000000); // 224.0.0.0/4, RFC 5771
  take_share(&filter, ETH_HLEN, share);
  return attach(fd, &filter);
}
