// Big-endian fields of IPv4 (RFC 791), TCP (RFC 9293) and UDP (RFC 768), at any alignment.
#ifndef GROUPWIRE_WIRE_H
#define GROUPWIRE_WIRE_H

#include "link.h"

#include <arpa/inet.h>
#include <string.h>

enum { IPV4_TOS = 1, IPV4_TOTAL = 2, IPV4_ID = 4, IPV4_FRAGMENT = 6, IPV4_TTL = 8, IPV4_PROTOCOL = 9, IPV4_CHECKSUM = 10, IPV4_SOURCE = 12, IPV4_HEADER = 20 };
enum { DONT_FRAGMENT = 0x4000, MORE_OR_OFFSET = 0x3fff }; // in IPV4_FRAGMENT
enum { TCP_SEQ = 4, TCP_ACK = 8, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_WINDOW = 14, TCP_CHECKSUM = 16, TCP_URGENT = 18, TCP_HEADER = 20 };
enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, URG = 0x20, CWR = 0x80 }; // in TCP_FLAGS
enum { UDP_LENGTH = 4, UDP_CHECKSUM = 6, UDP_HEADER = 8 };

static inline uint16_t get16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return ntohl(value);
}

static inline void put16(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, sizeof value);
}

// Of the pseudo-header (RFC 768, RFC 9293 section 3.1). @param len bytes of transport header and payload
static inline uint64_t sum_pseudo(const uint8_t *ip, uint8_t protocol, int32_t len) {
  return sum_bytes(ip + IPV4_SOURCE, 8) + htons(protocol) + htons((uint16_t)len);
}

// Stores what a sum in memory order comes to. A zero is written as 0xffff, the same number, where 0 means "no checksum" (RFC 768).
static inline void put_checksum(uint8_t *at, uint64_t sum, bool never_zero) {
  uint16_t value = (uint16_t)~sum_fold(sum);
  if (value == 0 && never_zero) value = 0xffff;
  memcpy(at, &value, sizeof value);
}

static inline void put_ip_checksum(uint8_t *ip, int32_t header) {
  put16(ip + IPV4_CHECKSUM, 0);
  put_checksum(ip + IPV4_CHECKSUM, sum_bytes(ip, header), false);
}

#endif
