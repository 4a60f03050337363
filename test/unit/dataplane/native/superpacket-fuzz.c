// Random input for checksum.c, gso.c and gro.c, built with AddressSanitizer and UBSan by superpacket-fuzz.test.ts. Every buffer is allocated
// with exactly its length, so that a byte read or written outside ends the program. Prints nothing when all holds.
#include "../../../../dataplane/native/wire.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 0x2545f4914f6cdd1d;

static uint32_t below(uint32_t limit) { // xorshift64*
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return (uint32_t)((state * 0x2545f4914f6cdd1d) >> 32) % limit;
}

static void check(bool holds, const char *what, int32_t turn) {
  if (holds) return;
  printf("turn %d: %s\n", turn, what);
  exit(1);
}

static uint8_t *random_bytes(int32_t len) {
  uint8_t *bytes = malloc((size_t)len + 1); // malloc(0) may be NULL
  for (int32_t i = 0; i < len; i++) bytes[i] = below(4) == 0 ? 0xff : (uint8_t)below(256);
  return realloc(bytes, (size_t)(len > 0 ? len : 1));
}

// RFC 1071 word by word, big-endian.
static uint16_t naive_fold(const uint8_t *from, int32_t len) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < len; i++) {
    sum += i % 2 == 0 ? (uint32_t)from[i] << 8 : from[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return (uint16_t)sum;
}

static bool same_sum(uint16_t a, uint16_t b) {
  return a % 0xffff == b % 0xffff; // 0 and 0xffff are one number
}

static void check_sums(int32_t turn) {
  int32_t len = turn < 600 ? turn : (int32_t)below(65536), shift = (int32_t)below(32);
  uint8_t *bytes = random_bytes(shift + len), *copy = malloc((size_t)(len > 0 ? len : 1));
  uint16_t expected = naive_fold(bytes + shift, len);
  check(same_sum(ntohs(sum_fold(sum_bytes(bytes + shift, len))), expected), "sum_bytes", turn);
  check(same_sum(ntohs(sum_fold(sum_copy(copy, bytes + shift, len))), expected), "sum_copy's sum", turn);
  check(memcmp(copy, bytes + shift, (size_t)len) == 0, "sum_copy's copy", turn);
  free(bytes);
  free(copy);
}

// A header that is right in most fields, over a frame whose bytes are right in most places: what is odd comes one or two at a time.
static void check_cut(int32_t turn) {
  int32_t base = below(2) == 0 ? 0 : ETHERNET_HEADER, len = (int32_t)(below(3) == 0 ? below(80) : 1 + below(4000));
  uint8_t *bytes = random_bytes(base + len), *ip = bytes + base;
  bool tcp = below(2) == 0;
  int32_t ip_header = 20 + (below(4) == 0 ? 4 * (int32_t)below(11) : 0);
  if (len >= 20) {
    ip[0] = (uint8_t)(0x40 | ip_header / 4);
    put16(ip + IPV4_TOTAL, (uint32_t)len - below(2) * below(40));
    put16(ip + IPV4_FRAGMENT, below(8) == 0 ? below(65536) : DONT_FRAGMENT);
    ip[IPV4_PROTOCOL] = tcp ? IPPROTO_TCP : IPPROTO_UDP;
  }
  if (len >= ip_header + 20 && tcp) ip[ip_header + TCP_OFFSET] = (uint8_t)(below(8) == 0 ? below(256) : 0x50 + 16 * below(11));
  struct virtio_net_hdr header = {
      .flags = below(4) == 0 ? 0 : VIRTIO_NET_HDR_F_NEEDS_CSUM,
      .gso_type = below(3) == 0 ? VIRTIO_NET_HDR_GSO_NONE : tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : 5,
      .gso_size = (uint16_t)(below(8) == 0 ? below(3) : below(1500)),
      .csum_start = (uint16_t)(base + ip_header),
      .csum_offset = tcp ? TCP_CHECKSUM : UDP_CHECKSUM,
  };
  if (below(8) == 0) header.csum_start = (uint16_t)(base + len - header.csum_offset - (int32_t)below(4)); // around the frame's end
  for (uint32_t odd = below(3); odd > 0; odd--) {
    if (below(2) == 0) ((uint8_t *)&header)[below(sizeof header)] = (uint8_t)(below(2) == 0 ? below(256) : 0xff);
    else if (len > 0) ip[below((uint32_t)(len < 60 ? len : 60))] = (uint8_t)below(256);
  }
  Frame frame;
  frame_start(&frame, &header, bytes, ip, len);
  int32_t max_length = 1 + (int32_t)(below(2) == 0 ? below(2000) : 4000), payload = 0, pieces = 0;
  if (below(3) == 0 && len > 0) max_length = len; // not a byte to spare
  bool cut = frame.kind == FRAME_TCP || frame.kind == FRAME_UDP;
  check(frame_has_next(&frame), "a frame yields something", turn);
  while (frame_has_next(&frame)) {
    uint8_t *to = malloc((size_t)max_length);
    int32_t got = frame_next(&frame, to, max_length);
    check(got >= 0 && got <= max_length + 1, "length", turn);
    if (got > max_length) payload = -1000000; // was cut: not counted
    else if (cut) {
      payload += got - frame.headers;
      int32_t transport = get16(to + IPV4_TOTAL) - frame.transport;
      check(get16(to + IPV4_TOTAL) == got, "total length", turn);
      check(sum_fold(sum_bytes(to, frame.transport)) == 0xffff, "IPv4 checksum", turn);
      check(sum_fold(sum_bytes(to + frame.transport, transport) + sum_pseudo(to, to[IPV4_PROTOCOL], transport)) == 0xffff, "checksum", turn);
    } else if (frame.kind == FRAME_WHOLE) {
      check(got == len && memcmp(to, ip, (size_t)len) == 0, "as it came", turn);
    } else {
      check(got == len, "length of a datagram", turn);
    }
    pieces++;
    free(to);
  }
  check(cut || pieces == 1, "once", turn);
  check(!cut || payload < 0 || payload == frame.len - frame.headers, "all of the payload", turn);
  free(bytes);
}

static void finish(uint8_t *ip, int32_t len, bool tcp) {
  int32_t field = IPV4_HEADER + (tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
  put_ip_checksum(ip, IPV4_HEADER);
  put16(ip + field, 0);
  put_checksum(ip + field, sum_bytes(ip + IPV4_HEADER, len - IPV4_HEADER) + sum_pseudo(ip, ip[IPV4_PROTOCOL], len - IPV4_HEADER), !tcp);
}

enum { SLOT = 1600, STREAMS = 20, BATCH = 200 };

// One more datagram of a stream; now and then something about it is odd.
static int32_t next_datagram(uint8_t *ip, uint32_t stream, uint32_t *seq, uint16_t *id) {
  bool tcp = stream % 2 == 0;
  int32_t size = (int32_t)(100 + stream), headers = IPV4_HEADER + (tcp ? 32 : UDP_HEADER);
  if (below(12) == 0) size = (int32_t)below(300);
  if (!tcp && size == 0) size = 1;
  int32_t len = headers + size;
  for (int32_t i = 0; i < len; i++) ip[i] = i < headers ? 0 : (uint8_t)below(256);
  ip[0] = 0x45, ip[IPV4_TTL] = 64, ip[IPV4_PROTOCOL] = tcp ? IPPROTO_TCP : IPPROTO_UDP;
  put16(ip + IPV4_TOTAL, (uint32_t)len);
  put16(ip + IPV4_ID, (*id)++);
  put32(ip + IPV4_SOURCE, 0x0a000000 + stream / 4);
  put16(ip + 20, 1000 + stream % 4);
  if (tcp) {
    put32(ip + 20 + TCP_SEQ, *seq);
    ip[20 + TCP_OFFSET] = 0x80;
    ip[20 + TCP_FLAGS] = 0x10 | (below(10) == 0 ? PSH : 0);
    *seq += (uint32_t)size;
  } else {
    put16(ip + 20 + UDP_LENGTH, (uint32_t)(len - IPV4_HEADER));
  }
  if (below(8) == 0) ip[below(2) == 0 ? below(20) : 20 + below((uint32_t)headers - 20)] ^= (uint8_t)(1 << below(8));
  finish(ip, len, tcp);
  if (below(16) == 0) ip[below((uint32_t)len)] ^= (uint8_t)(1 << below(8)); // a checksum is wrong, or says nothing
  if (!tcp && below(30) == 0) put16(ip + 20 + UDP_CHECKSUM, 0);
  return len;
}

static bool same_flow(const uint8_t *a, const uint8_t *b) {
  return a[0] >> 4 == b[0] >> 4 && a[IPV4_PROTOCOL] == b[IPV4_PROTOCOL] && memcmp(a + IPV4_SOURCE, b + IPV4_SOURCE, 12) == 0;
}

// A batch, planned, sent as the plan says, cut again: the same datagrams, in order within what a flow can be.
static void check_plan(int32_t turn) {
  static Plan plan;
  static int32_t offsets[BATCH], lengths[BATCH];
  static uint8_t before[BATCH * SLOT], after[SLOT], joined[SUPERPACKET];
  uint32_t seq[STREAMS] = {0xffffff00}, streams = 1 + below(STREAMS);
  uint16_t id[STREAMS] = {0xfff0};
  int32_t count = (int32_t)below(BATCH + 1), seen[BATCH] = {0};
  uint8_t *pool = malloc(BATCH * SLOT);
  for (int32_t i = 0; i < count; i++) {
    uint32_t stream = below(streams);
    offsets[i] = i * SLOT;
    lengths[i] = next_datagram(pool + offsets[i], stream, &seq[stream], &id[stream]);
  }
  memcpy(before, pool, (size_t)count * SLOT);
  plan_messages(&plan, pool, offsets, lengths, count, COALESCE_TCP | COALESCE_UDP);
  for (int32_t m = 0; m < plan.message_count; m++) {
    const Message *message = &plan.messages[m];
    int32_t len = 0, i = 0;
    for (int32_t k = 1; k < message->iov_count; k++) {
      const struct iovec *iov = &plan.iovs[message->first_iov + k];
      memcpy(joined + len, iov->iov_base, iov->iov_len);
      len += (int32_t)iov->iov_len;
    }
    Frame frame;
    frame_start(&frame, &message->header, joined, joined, len);
    for (; frame_has_next(&frame); i++) {
      while (i < count && plan.message_of[i] != m) i++;
      check(i < count, "a datagram too many", turn);
      int32_t got = frame_next(&frame, after, SLOT);
      const uint8_t *was = before + offsets[i];
      check(got == lengths[i], "length after the round", turn);
      if (message->iov_count > 2 && get16(was + IPV4_FRAGMENT) == DONT_FRAGMENT) { // RFC 6864: says nothing, and moves the checksum
        put16(after + IPV4_ID, get16(was + IPV4_ID));
        put_ip_checksum(after, IPV4_HEADER);
      }
      check(memcmp(after, was, (size_t)got) == 0, "bytes after the round", turn);
      seen[i]++;
      for (int32_t k = 0; k < i; k++) check(seen[k] == 1 || !same_flow(before + offsets[k], was), "order within a flow", turn);
    }
  }
  for (int32_t i = 0; i < count; i++) check(seen[i] == 1, "each datagram once", turn);
  free(pool);
}

int main(int argc, char **argv) {
  int32_t runs = argc > 1 ? atoi(argv[1]) : 1;
  for (int32_t turn = 0; turn < 1000 * runs; turn++) check_sums(turn);
  for (int32_t turn = 0; turn < 15000 * runs; turn++) check_cut(turn);
  for (int32_t turn = 0; turn < 300 * runs; turn++) check_plan(turn);
  return 0;
}
