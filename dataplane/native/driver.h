// What the port drivers on sockets share (raw.c, packet.c, xdp.c): the netdev behind a port, socket filters, sending a batch, bpf(2).
#ifndef GROUPWIRE_DRIVER_H
#define GROUPWIRE_DRIVER_H

#include "addon.h"
#include "wire.h"

#include <net/if.h>
#include <sys/socket.h>

struct mmsghdr;

enum { MAX_WORKERS = 64, MAX_OWN = 256, MAX_GROUPS = 16 };

// Why an open call failed: throw_errno's arguments.
typedef struct {
  int error; // 0 = it did not
  const char *advice;
} Failure;

// netdev.c
typedef struct {
  int index, mtu;
  uint8_t mac[6];
} Netdev;

// Reads a device name. False with a JavaScript exception pending.
bool read_device(napi_env env, napi_value value, char name[IFNAMSIZ]);
// Reads a worker's number and how many there are. False with a JavaScript exception pending.
bool read_share(napi_env env, napi_value worker, napi_value workers, uint32_t share[2]);
// Looks an Ethernet netdev up.
Failure netdev_query(const char *name, Netdev *netdev);
// False when it was deleted or moved to another network namespace. Waits for a deletion that is under way.
bool netdev_exists(int index);
Failure failed(const char *advice);

// socket.c
bool set_option(int fd, int level, int option, int value);
// Buffers for bursts that come while the worker is not scheduled, beyond rmem_max where we may.
void set_buffers(int fd);
// Sends `count` messages, each on its own: errors[i] = 0 or errno. One that is refused does not stop the rest; when the socket
// is full (EAGAIN), the rest is not tried.
void send_messages(int fd, struct mmsghdr *messages, int32_t count, int32_t *errors);

// filter.c: classic BPF (Linux Documentation/networking/filter.rst). share: a worker, of how many. @returns false with errno
bool attach_share_filter(int fd, const uint32_t share[2]);
bool attach_group_filter(int fd, const uint32_t *groups, int32_t count, const uint32_t share[2]);
bool attach_frame_filter(int fd, const uint32_t *own, int32_t own_count, const uint32_t share[2]);

// bpf.c: bpf(2), once more when a signal that was pending for the thread has ended the verifier (EAGAIN).
union bpf_attr;
int bpf(int command, union bpf_attr *attributes);
// The program of the xdp driver, loaded once per netdev and shared by the sockets of its queues.
enum { MAX_QUEUES = 64 };
// Makes `socket` receive what the program of the netdev redirects on `queue`; attaches the program when it is the first.
Failure redirect_join(const Netdev *netdev, uint32_t queue, int socket);
// Takes the socket of that queue out again. The program goes with the last.
void redirect_leave(int ifindex, uint32_t queue);

// The IPv4 datagram of `len` bytes without the padding that short frames have on Ethernet (RFC 894).
static inline int32_t without_padding(const uint8_t *ip, int32_t len) {
  int32_t total = get16(ip + IPV4_TOTAL);
  return total >= IPV4_HEADER && total < len ? total : len;
}

#endif
