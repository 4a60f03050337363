// From a frame with a virtio header (virtio 1.2 section 5.1.6) to the datagrams that a wire would carry. Does: TCPv4 and UDPv4 superpackets,
// checksums that the sender left to its device, IPv4 options. Does not: IPv6, UFO (never asked for), tunnels within tunnels.
// Headers come from the kernel, but their fields describe bytes of strangers: each is checked against the frame once, in frame_start;
// behind it offsets are trusted.
#include "wire.h"

#include <netinet/in.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 // Linux 6.2; Debian 12 has 6.1's headers
#endif

// A superpacket that can be cut: fills transport, field and headers, and takes off what lies behind the IPv4 datagram.
static bool is_superpacket(Frame *frame, uint8_t protocol) {
  const uint8_t *ip = frame->ip;
  if (frame->header.gso_size == 0 || frame->len < IPV4_HEADER || ip[0] >> 4 != 4) return false;
  int32_t ip_header = (ip[0] & 15) * 4, total = get16(ip + IPV4_TOTAL);
  if (ip_header < IPV4_HEADER || total > frame->len || ip[IPV4_PROTOCOL] != protocol || (get16(ip + IPV4_FRAGMENT) & MORE_OR_OFFSET) != 0) return false;
  int32_t least = protocol == IPPROTO_TCP ? TCP_HEADER : UDP_HEADER;
  if (ip_header + least > total) return false;
  int32_t transport_header = protocol == IPPROTO_TCP ? (ip[ip_header + TCP_OFFSET] >> 4) * 4 : UDP_HEADER;
  if (transport_header < least || ip_header + transport_header > total) return false;
  int32_t field = protocol == IPPROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
  bool unfinished = (frame->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
  if (unfinished && (frame->transport != ip_header || frame->field != field)) return false;
  frame->len = total;
  frame->transport = ip_header;
  frame->field = field;
  frame->headers = ip_header + transport_header;
  return true;
}

void frame_start(Frame *frame, const struct virtio_net_hdr *header, const uint8_t *base, const uint8_t *ip, int32_t len) {
  *frame = (Frame){.ip = ip, .len = len, .header = *header, .base = base, .kind = FRAME_WHOLE};
  frame->transport = header->csum_start - (int32_t)(ip - base);
  frame->field = header->csum_offset;
  switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) { // ECN: CWR is set in the first segment, which is what always happens below
  case VIRTIO_NET_HDR_GSO_NONE:
    if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 && frame->transport >= 0 && frame->transport + frame->field + 2 <= len) {
      frame->kind = FRAME_CHECKSUM;
    }
    break;
  case VIRTIO_NET_HDR_GSO_TCPV4:
    if (is_superpacket(frame, IPPROTO_TCP)) frame->kind = FRAME_TCP;
    break;
  case VIRTIO_NET_HDR_GSO_UDP_L4:
    if (is_superpacket(frame, IPPROTO_UDP)) frame->kind = FRAME_UDP;
    break;
  }
}

bool frame_has_next(const Frame *frame) {
  return frame->done >= 0;
}

// The headers of segment number `segment`, whose payload begins at `done` and sums to `sum`. As Linux cuts: inet_gso_segment,
// tcp_gso_segment, __udp_gso_segment.
static void write_headers(const Frame *frame, uint8_t *to, int32_t len, uint64_t sum, bool last) {
  uint8_t *transport = to + frame->transport;
  memcpy(to, frame->ip, (size_t)frame->headers);
  put16(to + IPV4_TOTAL, (uint32_t)len);
  put16(to + IPV4_ID, (uint32_t)get16(to + IPV4_ID) + (uint32_t)frame->segment);
  put_ip_checksum(to, frame->transport);
  if (frame->kind == FRAME_TCP) {
    put32(transport + TCP_SEQ, get32(transport + TCP_SEQ) + (uint32_t)frame->done);
    if (frame->segment > 0) transport[TCP_FLAGS] &= (uint8_t)~CWR;
    if (!last) transport[TCP_FLAGS] &= (uint8_t)~(FIN | PSH);
  } else {
    put16(transport + UDP_LENGTH, (uint32_t)(len - frame->transport));
  }
  put16(transport + frame->field, 0);
  sum += sum_bytes(transport, frame->headers - frame->transport) + sum_pseudo(to, to[IPV4_PROTOCOL], len - frame->transport);
  put_checksum(transport + frame->field, sum, frame->kind == FRAME_UDP);
}

static int32_t next_segment(Frame *frame, uint8_t *to, int32_t max_length) {
  const uint8_t *payload = frame->ip + frame->headers + frame->done;
  int32_t left = frame->len - frame->headers - frame->done;
  bool last = left <= frame->header.gso_size;
  int32_t size = last ? left : frame->header.gso_size, len = frame->headers + size;
  if (len > max_length) { // nobody forwards what was cut: its headers need not be right
    int32_t kept = max_length < frame->headers ? max_length : frame->headers;
    memcpy(to, frame->ip, (size_t)kept);
    memcpy(to + kept, payload, (size_t)(max_length - kept));
    len = max_length + 1;
  } else {
    uint64_t sum = sum_copy(to + frame->headers, payload, size);
    write_headers(frame, to, len, sum, last);
  }
  frame->segment++;
  frame->done = last ? -1 : frame->done + size;
  return len;
}

int32_t frame_next(Frame *frame, uint8_t *to, int32_t max_length) {
  if (frame->kind == FRAME_TCP || frame->kind == FRAME_UDP) return next_segment(frame, to, max_length);
  frame->done = -1;
  if (frame->len > max_length) {
    memcpy(to, frame->ip, (size_t)max_length);
    return max_length + 1;
  }
  if (frame->kind == FRAME_WHOLE) {
    memcpy(to, frame->ip, (size_t)frame->len);
    return frame->len;
  }
  // The field holds the sum of the pseudo-header, so it is summed with the rest (skb_checksum_help does the same, 0xffff included).
  memcpy(to, frame->ip, (size_t)frame->transport);
  uint64_t sum = sum_copy(to + frame->transport, frame->ip + frame->transport, frame->len - frame->transport);
  put_checksum(to + frame->transport + frame->field, sum, true);
  return frame->len;
}
