// What the hosts of the benchmark run: senders and sinks of UDP that cost as little as possible, so that the gateways are measured.
//
//   probe sink PORT                               datagrams are dropped by a socket filter; the kernel counts them as Udp InErrors
//   probe flood ADDRESS PORT BYTES PPS SECONDS    sends at PPS, 0 = as fast as it can; prints {"sent":N,"seconds":S}
//   probe echo PORT                               sends every datagram back
//   probe pingpong ADDRESS PORT BYTES SECONDS     one datagram in flight; prints {"answered":N,"lost":N,"averageUs":..,"medianUs":..,"p99Us":..}
//
// BYTES is the UDP payload. IPv4 only.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, MAX_BYTES = 65507, MAX_SAMPLES = 1 << 22, ANSWER_TIMEOUT_US = 200000, PACE_NS = 50000 };

static char payload[MAX_BYTES];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int udp_socket(void) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  int bytes = 4 << 20; // the kernel cuts it to rmem_max and wmem_max
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return fd;
}

static struct sockaddr_in address_of(const char *text, const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (text != NULL && inet_pton(AF_INET, text, &address.sin_addr) != 1) {
    fprintf(stderr, "probe: not an IPv4 address: %s\n", text);
    exit(2);
  }
  return address;
}

static int bound_socket(const char *port) {
  int fd = udp_socket();
  struct sockaddr_in address = address_of(NULL, port);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  return fd;
}

static int connected_socket(const char *text, const char *port) {
  int fd = udp_socket();
  struct sockaddr_in address = address_of(text, port);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  return fd;
}

static size_t payload_bytes(const char *text) {
  long bytes = atol(text);
  if (bytes < (long)sizeof(uint64_t) || bytes > MAX_BYTES) {
    fprintf(stderr, "probe: payload of %ld bytes\n", bytes);
    exit(2);
  }
  return (size_t)bytes;
}

// A filter that accepts nothing makes __udp_queue_rcv_skb count InErrors and free the datagram: the cheapest receiver there is.
static _Noreturn void sink(const char *port) {
  int fd = bound_socket(port);
  struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  struct sock_fprog program = {.len = 1, .filter = &nothing};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) fail("SO_ATTACH_FILTER");
  for (;;) pause();
}

static int flood(const char *address, const char *port, size_t bytes, double pps, double seconds) {
  int fd = connected_socket(address, port);
  prctl(PR_SET_TIMERSLACK, 1UL);
  struct iovec body = {payload, bytes};
  struct mmsghdr batch[BATCH];
  memset(batch, 0, sizeof batch);
  for (int i = 0; i < BATCH; i++) {
    batch[i].msg_hdr.msg_iov = &body;
    batch[i].msg_hdr.msg_iovlen = 1;
  }
  const struct timespec pace = {0, PACE_NS};
  uint64_t sent = 0;
  double start = seconds_now(), elapsed;
  while ((elapsed = seconds_now() - start) < seconds) {
    int64_t due = pps > 0 ? (int64_t)(pps * elapsed) - (int64_t)sent : BATCH;
    if (due <= 0) {
      nanosleep(&pace, NULL);
      continue;
    }
    int n = sendmmsg(fd, batch, due < BATCH ? (unsigned)due : BATCH, 0);
    if (n > 0) sent += (uint64_t)n; // an error (ENOBUFS, an ICMP of the way) is a datagram not sent, and sent again
  }
  printf("{\"sent\":%llu,\"seconds\":%.4f}\n", (unsigned long long)sent, elapsed);
  return 0;
}

static _Noreturn void echo(const char *port) {
  int fd = bound_socket(port);
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, payload, sizeof payload, 0, (struct sockaddr *)&from, &length);
    if (n >= 0) sendto(fd, payload, (size_t)n, 0, (struct sockaddr *)&from, length);
  }
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static int pingpong(const char *address, const char *port, size_t bytes, double seconds) {
  int fd = connected_socket(address, port);
  struct timeval timeout = {0, ANSWER_TIMEOUT_US};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  static float samples[MAX_SAMPLES];
  size_t answered = 0, lost = 0;
  double sum = 0, start = seconds_now();
  for (uint64_t sequence = 1; answered < MAX_SAMPLES && seconds_now() - start < seconds; sequence++) {
    uint64_t seen = 0;
    double sent_at = seconds_now();
    memcpy(payload, &sequence, sizeof sequence);
    send(fd, payload, bytes, 0);
    while (seen != sequence) { // a late answer to an earlier one is passed over
      ssize_t n = recv(fd, payload, sizeof payload, 0);
      if (n < 0) break;
      if (n >= (ssize_t)sizeof seen) memcpy(&seen, payload, sizeof seen);
    }
    if (seen != sequence) {
      lost++;
      continue;
    }
    double us = (seconds_now() - sent_at) * 1e6;
    samples[answered++] = (float)us;
    sum += us;
  }
  if (answered == 0) {
    fprintf(stderr, "probe: no answer to %zu datagrams\n", lost);
    return 1;
  }
  qsort(samples, answered, sizeof samples[0], by_value);
  printf("{\"answered\":%zu,\"lost\":%zu,\"averageUs\":%.1f,\"medianUs\":%.1f,\"p99Us\":%.1f}\n", answered, lost, sum / (double)answered,
         samples[answered / 2], samples[answered * 99 / 100]);
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (argc == 3 && strcmp(what, "sink") == 0) sink(argv[2]);
  if (argc == 3 && strcmp(what, "echo") == 0) echo(argv[2]);
  if (argc == 7 && strcmp(what, "flood") == 0) return flood(argv[2], argv[3], payload_bytes(argv[4]), atof(argv[5]), atof(argv[6]));
  if (argc == 6 && strcmp(what, "pingpong") == 0) return pingpong(argv[2], argv[3], payload_bytes(argv[4]), atof(argv[5]));
  fprintf(stderr, "probe sink PORT | echo PORT | flood ADDRESS PORT BYTES PPS SECONDS | pingpong ADDRESS PORT BYTES SECONDS\n");
  return 2;
}
