// A link: one descriptor that datagrams are read from and written to, whatever its kind. io.c finds it by its number and checks what
// JavaScript passes; the kinds (tun.c, raw.c, packet.c, xdp.c) do the system calls. Links belong to the process: opened and closed
// by the main thread, used by one worker at a time.
#ifndef GROUPWIRE_LINK_H
#define GROUPWIRE_LINK_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum { MAX_BATCH = 512, ETHERNET_HEADER = 14, SUPERPACKET = 65536 };
enum { COALESCE_TCP = 1, COALESCE_UDP = 2 };

typedef struct Link Link;

typedef struct {
  // Up to `count` datagrams to pool + offsets[i]; see rx in native.ts. @returns how many, -1 = the device is gone
  int32_t (*rx)(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length);
  // `count` datagrams from pool + offsets[i]; results[i] = 0 or errno. @returns how many were sent
  int32_t (*tx)(Link *link, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int32_t *results);
  // Frees what the kind holds (rings, memory, further descriptors), not the descriptor itself. May be NULL.
  void (*close)(Link *link);
} LinkOps;

struct Link {
  int fd;
  const LinkOps *ops;
  bool offloads;     // superpackets and unfinished checksums may come and go
  int coalesce;      // what tx may gather: COALESCE_ bits. UDP only where the kernel takes VIRTIO_NET_HDR_GSO_UDP_L4 (Linux 6.2)
  bool has_more;     // rx has datagrams left that poll(2) does not see
  int32_t headroom;  // bytes before a datagram that tx reads: ETHERNET_HEADER or 0
  void *state;       // the kind's own
};

// Registers a descriptor. NULL without memory or when the number is beyond the table; the caller closes the descriptor then.
Link *link_add(int fd, const LinkOps *ops);
// NULL when it is not a link.
Link *link_find(int fd);
// Forgets it: ops->close, then free. The caller closes the descriptor.
void link_remove(int fd);
// Changes whenever a number may stand for another descriptor than before.
uint32_t link_generation(void);

// One frame as a device with virtio header gave it: a datagram, perhaps with an unfinished checksum, or a superpacket (virtio 1.2 section 5.1.6).
typedef struct {
  const uint8_t *ip; // IPv4 header
  int32_t len;       // bytes from there
  struct virtio_net_hdr header; // offsets in it count from `base`
  const uint8_t *base;
  int32_t done;      // bytes of payload that have left; -1 = nothing is left
  int32_t segment;   // number of the next segment
  int32_t kind;      // what frame_start made of the header: FRAME_ below
  int32_t transport; // where the checksummed part begins, from `ip`: the transport header, or csum_start
  int32_t field;     // where the checksum is, from `transport`
  int32_t headers;   // bytes of IPv4 and transport header, of a superpacket
} Frame;

enum { FRAME_WHOLE, FRAME_CHECKSUM, FRAME_TCP, FRAME_UDP };

// @param base what csum_start counts from: the Ethernet header, or the IPv4 header on a TUN
void frame_start(Frame *frame, const struct virtio_net_hdr *header, const uint8_t *base, const uint8_t *ip, int32_t len);
bool frame_has_next(const Frame *frame);
// Writes the next datagram, complete with its checksums. @returns its bytes, max_length + 1 when it is longer and was cut.
// A header that makes no sense yields the frame as it came, once.
int32_t frame_next(Frame *frame, uint8_t *to, int32_t max_length);

// What tx sends in one piece: a datagram, or several as one superpacket. iovs[first_iov] is the virtio header, the next the first
// datagram whole, those after it payloads.
typedef struct {
  struct virtio_net_hdr header;
  int32_t first_iov, iov_count;
} Message;

typedef struct {
  Message messages[MAX_BATCH];
  struct iovec iovs[2 * MAX_BATCH];
  int32_t message_of[MAX_BATCH]; // by datagram
  int32_t message_count;
} Plan;

// Groups a batch. @param coalesce COALESCE_ bits; 0: every datagram is a message of its own. Headers of superpackets are rewritten in
// place; their csum_start counts from the IPv4 header. The order of messages is that of their first datagrams; the order within a flow stays.
void plan_messages(Plan *plan, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int coalesce);

// Ones' complement sums (RFC 1071) of 16-bit words as they lie in memory, an odd last byte padded with 0. Not folded, and far below
// 2^64: sums may be added. sum_copy copies in the same pass; the two areas do not overlap.
uint64_t sum_bytes(const uint8_t *from, int32_t len);
uint64_t sum_copy(uint8_t *to, const uint8_t *from, int32_t len);
uint16_t sum_fold(uint64_t sum);

#endif
