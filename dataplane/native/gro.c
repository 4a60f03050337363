// From a batch of datagrams to messages: neighbouring segments of a TCP stream, and UDP datagrams of a flow, leave as one superpacket
// with a virtio header. The rule is that the receiver, cutting it as gso.c does, gets the datagrams that were here; so joining is
// stricter than Linux's tcp_gro_receive and udp_gro_receive (the urgent pointer must be equal). Checksums
// are verified before joining, because they are computed anew behind us: what is wrong leaves as it is, by itself.
// Not the same afterwards: the Identification of datagrams with DF set, which means nothing (RFC 6864 section 4.1: atomic datagrams), and
// a checksum written as 0xffff where 0 is the same number, and that of ESP in UDP: there is none before, and who receives it does not look
// (RFC 3948 section 2.1). Not coalesced: IPv4 options, fragments, IPv6, other UDP without checksum.
#include "wire.h"

#include <netinet/in.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum { ESP_IN_UDP_PORT = 4500, NON_ESP_MARKER = 4 }; // RFC 3948 section 2
enum { FLOWS = 16, MOST_BYTES = 65535, MOST_UDP = 64 }; // MOST_UDP: UDP_MAX_SEGMENTS of Linux before 6.8

typedef struct {
  uint8_t *ip;
  int32_t headers, payload; // bytes
  uint32_t hash;            // of addresses, ports and protocol; never 0
  bool may_join;            // a data segment, a datagram with checksum, or ESP in UDP
  bool bare;                // has no checksum
  bool ends;                // nothing may come behind it
} Datagram;

// A superpacket that is still open, or the datagram that may become one. hash == 0: free.
typedef struct {
  uint32_t hash;
  uint8_t *first;
  int32_t message, headers, segment, total, count; // segment: payload of the first; total: bytes
  bool bare;                                       // of ESP in UDP without checksums
  bool verified;                                   // the first's checksums: only looked at when a second comes
} Flow;

typedef struct {
  Flow flows[FLOWS];
  int32_t victim; // whose place the next new flow takes when none is free
} Table;

typedef enum { NO_FLOW, UNKNOWN_FLOW, OF_FLOW } Sort;

static uint32_t hash_flow(const uint8_t *ip) {
  uint64_t addresses;
  uint32_t ports;
  memcpy(&addresses, ip + IPV4_SOURCE, sizeof addresses);
  memcpy(&ports, ip + IPV4_HEADER, sizeof ports);
  uint64_t mixed = (addresses ^ ((uint64_t)ports << 16) ^ ip[IPV4_PROTOCOL]) * 0x9e3779b97f4a7c15u;
  return (uint32_t)(mixed >> 32) | 1;
}

// @param udp with `payload` bytes behind it
static bool is_esp(const uint8_t *udp, int32_t payload) {
  return get16(udp) == ESP_IN_UDP_PORT && payload > NON_ESP_MARKER && get32(udp + UDP_HEADER) != 0;
}

// UNKNOWN_FLOW: it may belong to any flow between its addresses.
static Sort read_datagram(Datagram *datagram, uint8_t *ip, int32_t len, int coalesce) {
  if (len < IPV4_HEADER || ip[0] >> 4 != 4) return NO_FLOW;
  bool tcp = ip[IPV4_PROTOCOL] == IPPROTO_TCP;
  if (!tcp && ip[IPV4_PROTOCOL] != IPPROTO_UDP) return NO_FLOW;
  if ((coalesce & (tcp ? COALESCE_TCP : COALESCE_UDP)) == 0) return NO_FLOW;
  bool plain = ip[0] == 0x45 && get16(ip + IPV4_TOTAL) == len && (get16(ip + IPV4_FRAGMENT) & ~DONT_FRAGMENT) == 0;
  if (!plain || len < IPV4_HEADER + (tcp ? TCP_HEADER : UDP_HEADER)) return UNKNOWN_FLOW;
  const uint8_t *transport = ip + IPV4_HEADER;
  int32_t transport_header = tcp ? (transport[TCP_OFFSET] >> 4) * 4 : UDP_HEADER;
  if ((tcp && transport_header < TCP_HEADER) || IPV4_HEADER + transport_header > len) return UNKNOWN_FLOW;
  *datagram = (Datagram){.ip = ip, .headers = IPV4_HEADER + transport_header, .hash = hash_flow(ip)};
  datagram->payload = len - datagram->headers;
  if (tcp) {
    datagram->may_join = datagram->payload > 0 && (transport[TCP_FLAGS] & (SYN | RST | URG | CWR)) == 0;
    datagram->ends = (transport[TCP_FLAGS] & (FIN | PSH)) != 0;
  } else {
    datagram->bare = (transport[UDP_CHECKSUM] | transport[UDP_CHECKSUM + 1]) == 0;
    datagram->may_join = datagram->payload > 0 && (!datagram->bare || is_esp(transport, datagram->payload)) && get16(transport + UDP_LENGTH) == len - IPV4_HEADER;
  }
  return OF_FLOW;
}

// @param bare there is no checksum but the header's
static bool is_verified(const uint8_t *ip, int32_t len, bool bare) {
  if (sum_fold(sum_bytes(ip, IPV4_HEADER)) != 0xffff) return false;
  if (bare) return true;
  int32_t transport_len = len - IPV4_HEADER;
  return sum_fold(sum_bytes(ip + IPV4_HEADER, transport_len) + sum_pseudo(ip, ip[IPV4_PROTOCOL], transport_len)) == 0xffff;
}

static Flow *find_flow(Table *table, const Datagram *datagram) {
  for (Flow *flow = table->flows; flow < table->flows + FLOWS; flow++) {
    if (flow->hash != datagram->hash) continue;
    bool same = memcmp(flow->first + IPV4_SOURCE, datagram->ip + IPV4_SOURCE, 12) == 0; // ports included
    if (same && flow->first[IPV4_PROTOCOL] == datagram->ip[IPV4_PROTOCOL]) return flow;
  }
  return NULL;
}

static void close_flows_between(Table *table, const uint8_t *ip) {
  for (Flow *flow = table->flows; flow < table->flows + FLOWS; flow++) {
    if (flow->hash != 0 && memcmp(flow->first + IPV4_SOURCE, ip + IPV4_SOURCE, 8) == 0) flow->hash = 0;
  }
}

// Whether TCP's header continues the first segment's, whatever the payload (Linux: tcp_gro_receive).
static bool continues_stream(const Flow *flow, const uint8_t *ip) {
  const uint8_t *first = flow->first + IPV4_HEADER, *next = ip + IPV4_HEADER;
  uint32_t sent = (uint32_t)(flow->total - flow->headers);
  return get32(next + TCP_SEQ) == get32(first + TCP_SEQ) + sent && memcmp(first + TCP_ACK, next + TCP_ACK, 5) == 0 && // and data offset
         ((first[TCP_FLAGS] ^ next[TCP_FLAGS]) & ~(FIN | PSH)) == 0 && memcmp(first + TCP_WINDOW, next + TCP_WINDOW, 2) == 0 &&
         memcmp(first + TCP_URGENT, next + TCP_URGENT, (size_t)(flow->headers - IPV4_HEADER - TCP_URGENT)) == 0; // and options
}

static bool fits(Flow *flow, const Datagram *datagram) {
  const uint8_t *first = flow->first, *ip = datagram->ip;
  if (!datagram->may_join || datagram->bare != flow->bare || datagram->headers != flow->headers || datagram->payload > flow->segment) return false;
  if (flow->total + datagram->payload > MOST_BYTES) return false;
  if (first[IPV4_TOS] != ip[IPV4_TOS] || first[IPV4_TTL] != ip[IPV4_TTL]) return false;
  uint16_t fragment = get16(ip + IPV4_FRAGMENT);
  if (fragment != get16(first + IPV4_FRAGMENT)) return false;
  if (fragment != DONT_FRAGMENT && get16(ip + IPV4_ID) != (uint16_t)(get16(first + IPV4_ID) + flow->count)) return false;
  if (ip[IPV4_PROTOCOL] == IPPROTO_TCP && !continues_stream(flow, ip)) return false;
  if (!flow->verified) flow->verified = is_verified(first, flow->total, flow->bare);
  return flow->verified && is_verified(ip, datagram->headers + datagram->payload, flow->bare);
}

static void join(Plan *plan, Flow *flow, const Datagram *datagram) {
  bool tcp = datagram->ip[IPV4_PROTOCOL] == IPPROTO_TCP;
  Message *message = &plan->messages[flow->message];
  message->header.gso_type = tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_UDP_L4;
  message->header.gso_size = (uint16_t)flow->segment;
  message->header.hdr_len = (uint16_t)flow->headers;
  message->iov_count++;
  flow->total += datagram->payload;
  flow->count++;
  if (tcp) flow->first[IPV4_HEADER + TCP_FLAGS] |= datagram->ip[IPV4_HEADER + TCP_FLAGS] & (FIN | PSH);
  put16(flow->first + IPV4_TOTAL, (uint32_t)flow->total);
  if (datagram->ends || datagram->payload < flow->segment || (!tcp && flow->count == MOST_UDP)) flow->hash = 0;
}

// @param flow the datagram's own, which it could not join, or NULL
static void open_flow(Table *table, Flow *flow, const Datagram *datagram, int32_t message) {
  if (!datagram->may_join || datagram->ends) {
    if (flow != NULL) flow->hash = 0;
    return;
  }
  if (flow == NULL) flow = &table->flows[table->victim++ % FLOWS];
  *flow = (Flow){.hash = datagram->hash, .first = datagram->ip, .message = message, .headers = datagram->headers,
                 .bare = datagram->bare, .segment = datagram->payload, .total = datagram->headers + datagram->payload, .count = 1};
}

// Sorts the datagrams into messages; iov_count is set, iovs are not.
static void sort_datagrams(Plan *plan, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int coalesce) {
  Table table = {.victim = 0};
  for (int32_t i = 0; i < count; i++) {
    Datagram datagram;
    uint8_t *ip = pool + offsets[i];
    Sort sort = count == 1 ? NO_FLOW : read_datagram(&datagram, ip, lengths[i], coalesce);
    Flow *flow = sort == OF_FLOW ? find_flow(&table, &datagram) : NULL;
    if (flow != NULL && fits(flow, &datagram)) {
      plan->message_of[i] = flow->message;
      join(plan, flow, &datagram);
      continue;
    }
    int32_t message = plan->message_count++;
    plan->messages[message] = (Message){.iov_count = 2};
    plan->message_of[i] = message;
    if (sort == OF_FLOW) open_flow(&table, flow, &datagram, message);
    if (sort == UNKNOWN_FLOW) close_flows_between(&table, ip);
  }
}

// What the receiver needs to cut it: the sum of the pseudo-header in the checksum field, and where that is.
static void finish_superpacket(struct virtio_net_hdr *header, uint8_t *ip) {
  uint8_t *transport = ip + IPV4_HEADER;
  int32_t transport_len = get16(ip + IPV4_TOTAL) - IPV4_HEADER;
  bool tcp = ip[IPV4_PROTOCOL] == IPPROTO_TCP;
  header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
  header->csum_start = IPV4_HEADER;
  header->csum_offset = tcp ? TCP_CHECKSUM : UDP_CHECKSUM;
  put_ip_checksum(ip, IPV4_HEADER);
  if (!tcp) put16(transport + UDP_LENGTH, (uint32_t)transport_len);
  uint16_t sum = sum_fold(sum_pseudo(ip, ip[IPV4_PROTOCOL], transport_len));
  memcpy(transport + header->csum_offset, &sum, sizeof sum);
}

void plan_messages(Plan *plan, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int coalesce) {
  plan->message_count = 0;
  sort_datagrams(plan, pool, offsets, lengths, count, coalesce);
  int32_t next_iov = 0;
  for (int32_t i = 0; i < plan->message_count; i++) {
    Message *message = &plan->messages[i];
    message->first_iov = next_iov;
    next_iov += message->iov_count;
    message->iov_count = 0;
  }
  for (int32_t i = 0; i < count; i++) {
    Message *message = &plan->messages[plan->message_of[i]];
    struct iovec *iov = &plan->iovs[message->first_iov];
    if (message->iov_count == 0) {
      iov[0] = (struct iovec){&message->header, sizeof message->header};
      iov[1] = (struct iovec){pool + offsets[i], (size_t)lengths[i]};
      message->iov_count = 2;
      if (message->header.gso_type != VIRTIO_NET_HDR_GSO_NONE) finish_superpacket(&message->header, pool + offsets[i]);
    } else {
      int32_t headers = message->header.hdr_len;
      iov[message->iov_count++] = (struct iovec){pool + offsets[i] + headers, (size_t)(lengths[i] - headers)};
    }
  }
}
