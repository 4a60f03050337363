// What the router itself asks the network with (ping, traceroute): ICMP and UDP with any TTL, ToS and DF, and the ICMP that comes back.
// The kernel writes the IPv4 header and routes: rules bring the datagram through the pipeline as those of any program of this host.
#include "driver.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <unistd.h>

// A read that found nothing ends after this time: a thread waits in it.
enum { READ_WAIT_US = 100 * 1000 };
enum { LONGEST = 65535 - 20 };

// Echo replies and errors alone (RFC 792): the host's own daemons ask for the rest. @returns false with errno
static bool filter_icmp(int fd) {
  struct icmp_filter filter = {
      ~(1u << ICMP_ECHOREPLY | 1u << ICMP_DEST_UNREACH | 1u << ICMP_SOURCE_QUENCH | 1u << ICMP_TIME_EXCEEDED | 1u << ICMP_PARAMETERPROB)};
  return setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter) == 0;
}

// A raw socket of UDP would get a copy of all that this host receives.
static bool filter_all(int fd) {
  struct sock_filter code = {BPF_RET | BPF_K, 0, 0, 0};
  struct sock_fprog program = {1, &code};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

// PROBE sets DF and OMIT cuts what is too long for the interface; with neither does a path MTU that the kernel has learnt refuse or cut what is sent.
static bool set_up(int fd, int protocol, int32_t source, int32_t tos, bool dont_fragment) {
  struct timeval wait = {0, READ_WAIT_US};
  struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)source)};
  set_buffers(fd);
  return (protocol == IPPROTO_ICMP ? filter_icmp(fd) : filter_all(fd)) && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
         set_option(fd, IPPROTO_IP, IP_TOS, tos) &&
         set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT) &&
         (source == 0 || bind(fd, (struct sockaddr *)&local, sizeof local) == 0);
}

// probeOpen(protocol, source, tos, dontFragment): fd
napi_value js_probe_open(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  int32_t protocol, source, tos;
  bool dont_fragment;
  if (!read_args(env, info, 4, argv) || !read_int(env, argv[0], "protocol", 1, 255, &protocol) ||
      !read_int(env, argv[1], "source", INT32_MIN, INT32_MAX, &source) || !read_int(env, argv[2], "tos", 0, 255, &tos) ||
      !read_bool(env, argv[3], "dontFragment", &dont_fragment)) {
    return NULL;
  }
  if (protocol != IPPROTO_ICMP && protocol != IPPROTO_UDP) return throw_range(env, "protocol: %d is neither ICMP (1) nor UDP (17)", protocol);
  int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return throw_errno(env, errno, "probe socket", "run as root or grant CAP_NET_RAW");
  if (set_up(fd, protocol, source, tos, dont_fragment)) return to_int(env, fd);
  int error = errno;
  close(fd);
  return throw_errno(env, error, "probe socket", error == EADDRNOTAVAIL ? "the source is no address of this router" : "");
}

// probeSend(fd, destination, ttl, bytes): 0 or errno
napi_value js_probe_send(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  int32_t fd, destination, ttl;
  Bytes bytes;
  if (!read_args(env, info, 4, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd) ||
      !read_int(env, argv[1], "destination", INT32_MIN, INT32_MAX, &destination) || !read_int(env, argv[2], "ttl", 1, 255, &ttl) ||
      !read_bytes(env, argv[3], "bytes", &bytes)) {
    return NULL;
  }
  if (bytes.length < 8 || bytes.length > LONGEST) return throw_range(env, "bytes: %zu, 8 to %d are needed", bytes.length, LONGEST);
  if (!set_option(fd, IPPROTO_IP, IP_TTL, ttl)) return to_int(env, errno);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)destination)};
  ssize_t sent = sendto(fd, bytes.at, bytes.length, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to);
  return to_int(env, sent < 0 ? errno : 0);
}
