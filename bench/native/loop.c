// loop TUN_A TUN_B: every packet read from one TUN is written to the other. One packet a system call, no offloads, no crypto, one
// thread: what a plain forwarding loop in C does, and the least that a program like wireguard-go of 2022 or OpenVPN must spend.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_PACKET = 65536, TURN = 32 }; // TURN: packets of one direction before the other one is looked at

static int open_tun(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) {
    perror(name);
    exit(1);
  }
  return fd;
}

/** Moves up to TURN packets. @returns 1 when there may be more */
static int forward(int from, int to) {
  static char packet[MAX_PACKET];
  for (int i = 0; i < TURN; i++) {
    ssize_t n = read(from, packet, sizeof packet);
    if (n < 0) return 0;
    if (write(to, packet, (size_t)n) < 0) continue; // dropped, as a router does whose output is full
  }
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "loop TUN_A TUN_B\n");
    return 2;
  }
  int a = open_tun(argv[1]), b = open_tun(argv[2]);
  struct pollfd both[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
  for (;;) {
    if (poll(both, 2, -1) < 0) continue;
    for (int more = 1; more;) more = forward(a, b) | forward(b, a);
  }
}
