// The `xdp` driver: AF_XDP in copy mode on one receive queue (Linux Documentation/networking/af_xdp.rst). One UMEM of chunks per socket;
// what the program of bpf.c redirects is copied from there to the slots, what leaves is copied there. Copy mode and need-wakeup work
// with every netdev. Does not: zero copy, frames of several chunks.
//
// A queue has one socket (the kernel refuses a second memory), so workers without a queue send by another's: a sender link is the same socket under a
// descriptor of its own. Only what sends is shared, under two locks. `ring_lock` is held for the copying. `kick_lock` is held while the kernel sends, which is long:
// who finds it taken goes on without waiting, because its holder looks again after letting go.
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

// Powers of two, as rings are. Every chunk is in one place at a time, so a ring of their number never overflows. Sending: two batches. Receiving has room
// for 5 ms at 400,000 frames/s: the worker may be off the processor for that long.
enum { RX_CHUNKS = 2048, TX_CHUNKS = 1024, CHUNKS = RX_CHUNKS + TX_CHUNKS };
enum {
  RX_HEADROOM = 256, // XDP_PACKET_HEADROOM: the kernel leaves it before a received frame
  SENT_PER_CALL = 32, // TX_BATCH_SIZE of net/xdp/xsk.c; raising it (XDP_MAX_TX_SKB_BUDGET) was measured and gains nothing
};

typedef struct {
  uint32_t *producer, *consumer, *flags;
  void *entries;
  uint32_t mask;
  void *memory;
  size_t bytes;
} Ring;

typedef struct {
  int ifindex;
  uint32_t queue;
  bool joined, gone;
  uint32_t chunk; // bytes
  uint8_t *umem;
  Ring rx, tx, fill, completion;
  pthread_mutex_t ring_lock;       // the tx and completion rings and what follows
  uint64_t free_chunks[TX_CHUNKS]; // a stack of offsets in umem
  uint32_t free_count;
  pthread_mutex_t kick_lock;
  int users; // links of this socket, counted by the main thread
} Xdp;

// The other side's index: what it wrote to the ring before is visible after.
static uint32_t load_index(const uint32_t *index) {
  return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

// Our index: what we wrote to (or read from) the ring before is done before the kernel sees it.
static void store_index(uint32_t *index, uint32_t value) {
  __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static struct xdp_desc *desc_at(const Ring *ring, uint32_t index) {
  return (struct xdp_desc *)ring->entries + (index & ring->mask);
}

static uint64_t *chunk_at(const Ring *ring, uint32_t index) {
  return (uint64_t *)ring->entries + (index & ring->mask);
}

static bool is_gone(Link *link) {
  Xdp *xdp = link->state;
  int error = 0;
  socklen_t size = sizeof error;
  // Set once, when the netdev is unregistered (xsk_notifier), and cleared by being read. xsk_poll does not tell.
  if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) xdp->gone = true;
  return xdp->gone;
}

// One frame to a slot, without Ethernet header and padding (RFC 894). The program has seen that both headers are there.
static int32_t copy_frame(const uint8_t *frame, uint32_t bytes, uint8_t *to, int32_t max_length) {
  const uint8_t *ip = frame + ETHERNET_HEADER;
  int32_t len = without_padding(ip, (int32_t)bytes - ETHERNET_HEADER);
  memcpy(to, ip, (size_t)(len < max_length ? len : max_length));
  return len <= max_length ? len : max_length + 1;
}

static int32_t xdp_rx(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length) {
  Xdp *xdp = link->state;
  uint32_t first = *xdp->rx.consumer, fill = *xdp->fill.producer;
  uint32_t ready = load_index(xdp->rx.producer) - first;
  int32_t done = ready < (uint32_t)count ? (int32_t)ready : count;
  if (done == 0) return count > 0 && is_gone(link) ? -1 : 0;
  for (int32_t i = 0; i < done; i++) {
    const struct xdp_desc *desc = desc_at(&xdp->rx, first + (uint32_t)i);
    lengths[i] = copy_frame(xdp->umem + desc->addr, desc->len, pool + offsets[i], max_length);
    *chunk_at(&xdp->fill, fill + (uint32_t)i) = desc->addr & ~(uint64_t)(xdp->chunk - 1);
  }
  store_index(xdp->rx.consumer, first + (uint32_t)done);
  store_index(xdp->fill.producer, fill + (uint32_t)done);
  if ((load_index(xdp->fill.flags) & XDP_RING_NEED_WAKEUP) != 0) recvfrom(link->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
  return done;
}

// Takes back the chunks of frames that have left.
static void reap(Xdp *xdp) {
  uint32_t at = *xdp->completion.consumer, end = load_index(xdp->completion.producer);
  while (at != end) xdp->free_chunks[xdp->free_count++] = *chunk_at(&xdp->completion, at++);
  store_index(xdp->completion.consumer, at);
}

static uint32_t waiting(const Xdp *xdp) {
  return load_index(xdp->tx.producer) - load_index(xdp->tx.consumer);
}

// Has the kernel send what waits in the ring. What it will not take now stays there and goes with the next call or poll(2).
// @returns 0, or the errno that left something there
static int32_t kick(int fd, const Xdp *xdp) {
  uint32_t left = waiting(xdp);
  // EAGAIN: so many were sent, or the socket is full. The ring's index need not tell which: older kernels move it late. So count.
  uint32_t patience = left / SENT_PER_CALL + 4;
  int32_t error = 0;
  while (left > 0 && patience > 0) {
    error = sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? errno : 0;
    // EBUSY: the netdev dropped one frame, for want of a carrier or of room. The others want another call each.
    if (error == EBUSY) left--;
    else if (error == 0 || error == EAGAIN || error == ENOBUFS || error == EINTR) patience--;
    else return error;
    if (waiting(xdp) == 0) return 0;
  }
  return waiting(xdp) > 0 ? error : 0;
}

// The same, by one thread at a time: another that kicks will see what we have put there. @returns as kick(), 0 when another is at it
static int32_t kick_alone(int fd, Xdp *xdp) {
  int32_t error = 0;
  while (error == 0 && waiting(xdp) > 0 && pthread_mutex_trylock(&xdp->kick_lock) == 0) {
    error = kick(fd, xdp);
    pthread_mutex_unlock(&xdp->kick_lock);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); // letting go comes before looking again; the other side's trylock is behind its store
  }
  return error;
}

// Copies one datagram with its Ethernet header to a free chunk and into the ring, not yet seen by the kernel. @returns errno, 0 = done
static int32_t put_frame(Xdp *xdp, uint32_t index, const uint8_t *frame, uint32_t bytes) {
  if (bytes > xdp->chunk) return EMSGSIZE;
  if (xdp->free_count == 0) return ENOBUFS;
  uint64_t chunk = xdp->free_chunks[--xdp->free_count];
  memcpy(xdp->umem + chunk, frame, bytes);
  *desc_at(&xdp->tx, index) = (struct xdp_desc){.addr = chunk, .len = bytes};
  return 0;
}

// Takes the ring, and waits for the thread that kicks when there is no room for `count` frames.
static void lock_ring(int fd, Xdp *xdp, uint32_t count) {
  pthread_mutex_lock(&xdp->ring_lock);
  reap(xdp);
  if (xdp->free_count >= count) return;
  pthread_mutex_unlock(&xdp->ring_lock);
  pthread_mutex_lock(&xdp->kick_lock);
  kick(fd, xdp);
  pthread_mutex_unlock(&xdp->kick_lock);
  pthread_mutex_lock(&xdp->ring_lock);
  reap(xdp);
}

static int32_t xdp_tx(Link *link, uint8_t *pool, const int32_t *offsets, const int32_t *lengths, int32_t count, int32_t *results) {
  Xdp *xdp = link->state;
  // What the last batch left there goes first. Nothing is piled up behind it when the netdev is down.
  int32_t error = kick_alone(link->fd, xdp), sent = 0;
  bool down = error != 0 && error != EAGAIN && error != EBUSY && error != ENOBUFS;
  lock_ring(link->fd, xdp, (uint32_t)count);
  uint32_t end = *xdp->tx.producer;
  for (int32_t i = 0; i < count; i++) {
    const uint8_t *frame = pool + offsets[i] - ETHERNET_HEADER;
    results[i] = down ? error : put_frame(xdp, end, frame, (uint32_t)lengths[i] + ETHERNET_HEADER);
    if (results[i] != 0) continue;
    end++;
    sent++;
  }
  store_index(xdp->tx.producer, end);
  pthread_mutex_unlock(&xdp->ring_lock);
  kick_alone(link->fd, xdp);
  return sent;
}

static void unmap(Ring *ring) {
  if (ring->memory != NULL) munmap(ring->memory, ring->bytes);
}

static void leave(Xdp *xdp) {
  if (xdp->joined) redirect_leave(xdp->ifindex, xdp->queue);
  xdp->joined = false;
}

static void free_xdp(Xdp *xdp) {
  leave(xdp);
  unmap(&xdp->rx);
  unmap(&xdp->tx);
  unmap(&xdp->fill);
  unmap(&xdp->completion);
  if (xdp->umem != NULL) munmap(xdp->umem, (size_t)CHUNKS * xdp->chunk);
  pthread_mutex_destroy(&xdp->ring_lock);
  pthread_mutex_destroy(&xdp->kick_lock);
  free(xdp);
}

static void sender_close(Link *link) {
  Xdp *xdp = link->state;
  if (--xdp->users == 0) free_xdp(xdp);
}

// Nothing is redirected to it any more; what still sends keeps the rings.
static void xdp_close(Link *link) {
  leave(link->state);
  sender_close(link);
}

static int32_t sender_rx(Link *link, uint8_t *pool, const int32_t *offsets, int32_t *lengths, int32_t count, int32_t max_length) {
  (void)link, (void)pool, (void)offsets, (void)lengths, (void)count, (void)max_length;
  return 0;
}

static const LinkOps xdp_ops = {.rx = xdp_rx, .tx = xdp_tx, .close = xdp_close};
static const LinkOps sender_ops = {.rx = sender_rx, .tx = xdp_tx, .close = sender_close};

static bool map_ring(int fd, Ring *ring, const struct xdp_ring_offset *at, uint32_t size, size_t entry_bytes, uint64_t page) {
  ring->bytes = at->desc + size * entry_bytes;
  uint8_t *memory = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)page);
  if (memory == MAP_FAILED) return false;
  ring->memory = memory;
  ring->producer = (uint32_t *)(memory + at->producer);
  ring->consumer = (uint32_t *)(memory + at->consumer);
  ring->flags = (uint32_t *)(memory + at->flags);
  ring->entries = memory + at->desc;
  ring->mask = size - 1;
  return true;
}

static bool make_rings(int fd, Xdp *xdp) {
  struct xdp_umem_reg umem = {.addr = (uint64_t)(uintptr_t)xdp->umem, .len = (uint64_t)CHUNKS * xdp->chunk, .chunk_size = xdp->chunk};
  struct xdp_mmap_offsets at;
  socklen_t size = sizeof at;
  return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem) == 0 && set_option(fd, SOL_XDP, XDP_UMEM_FILL_RING, RX_CHUNKS) &&
         set_option(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, TX_CHUNKS) && set_option(fd, SOL_XDP, XDP_RX_RING, RX_CHUNKS) &&
         set_option(fd, SOL_XDP, XDP_TX_RING, TX_CHUNKS) && getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &size) == 0 &&
         map_ring(fd, &xdp->rx, &at.rx, RX_CHUNKS, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING) &&
         map_ring(fd, &xdp->tx, &at.tx, TX_CHUNKS, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING) &&
         map_ring(fd, &xdp->fill, &at.fr, RX_CHUNKS, sizeof(uint64_t), XDP_UMEM_PGOFF_FILL_RING) &&
         map_ring(fd, &xdp->completion, &at.cr, TX_CHUNKS, sizeof(uint64_t), XDP_UMEM_PGOFF_COMPLETION_RING);
}

static const char *bind_advice(int error) {
  if (error == EBUSY) return "another AF_XDP socket has this queue: end its program, or use port-driver raw";
  if (error == EINVAL || error == ERANGE) return "the netdev has no such queue: ethtool -l shows how many";
  if (error == ENETDOWN) return "the netdev is down: ip link set it up first";
  return "use port-driver raw";
}

// The kernel gives a queue back some milliseconds after its last socket was closed (xp_put_pool defers it), ours of before included.
static bool bind_to(int fd, const Xdp *xdp) {
  struct sockaddr_xdp at = {.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
                            .sxdp_ifindex = (uint32_t)xdp->ifindex, .sxdp_queue_id = xdp->queue};
  const struct timespec pause = {.tv_nsec = 5000000};
  for (int tries = 100; tries > 0; tries--) {
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0) return true;
    if (errno != EBUSY) return false;
    nanosleep(&pause, NULL);
  }
  errno = EBUSY;
  return false;
}

static Failure set_up(int fd, Xdp *xdp, const Netdev *netdev) {
  static const char old_kernel[] = "the kernel needs CONFIG_XDP_SOCKETS (Linux 5.9 or later): use port-driver raw";
  if (fd < 0) return failed(old_kernel);
  void *umem = mmap(NULL, (size_t)CHUNKS * xdp->chunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (umem == MAP_FAILED) return failed("");
  xdp->umem = umem; // the registration pins it, and so makes all of it resident
  if (!make_rings(fd, xdp)) return failed(errno == ENOBUFS ? "raise the limit of locked memory: ulimit -l unlimited" : old_kernel);
  for (uint32_t i = 0; i < RX_CHUNKS; i++) *chunk_at(&xdp->fill, i) = (uint64_t)i * xdp->chunk;
  store_index(xdp->fill.producer, RX_CHUNKS);
  for (uint32_t i = 0; i < TX_CHUNKS; i++) xdp->free_chunks[i] = (uint64_t)(RX_CHUNKS + i) * xdp->chunk;
  xdp->free_count = TX_CHUNKS;
  set_buffers(fd);
  if (!bind_to(fd, xdp)) return failed(bind_advice(errno));
  Failure failure = redirect_join(netdev, xdp->queue, fd);
  xdp->joined = failure.error == 0;
  return failure;
}

// xdpOpen(device, queue): fd
napi_value js_xdp_open(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  char device[IFNAMSIZ];
  int32_t queue;
  if (!read_args(env, info, 2, argv) || !read_device(env, argv[0], device) || !read_int(env, argv[1], "queue", 0, MAX_QUEUES - 1, &queue)) return NULL;
  Netdev netdev;
  Failure failure = netdev_query(device, &netdev);
  if (failure.error != 0) return throw_errno(env, failure.error, device, failure.advice);
  int32_t bytes = netdev.mtu + ETHERNET_HEADER + RX_HEADROOM;
  if (bytes > 4096) return throw_errno(env, EMSGSIZE, device, "a frame must fit a chunk: set its MTU to 3826 or less, or use port-driver raw");
  Xdp *xdp = calloc(1, sizeof *xdp);
  if (xdp == NULL) return throw_errno(env, ENOMEM, device, "");
  pthread_mutex_init(&xdp->ring_lock, NULL);
  pthread_mutex_init(&xdp->kick_lock, NULL);
  xdp->users = 1;
  xdp->ifindex = netdev.index;
  xdp->queue = (uint32_t)queue;
  xdp->chunk = bytes > 2048 ? 4096 : 2048;
  int fd = socket(AF_XDP, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  failure = set_up(fd, xdp, &netdev);
  Link *link = failure.error == 0 ? link_add(fd, &xdp_ops) : NULL;
  if (link == NULL) {
    free_xdp(xdp);
    if (fd >= 0) close(fd);
    if (failure.error == 0) failure.error = ENOMEM;
    return throw_errno(env, failure.error, device, failure.advice);
  }
  link->state = xdp;
  link->headroom = ETHERNET_HEADER;
  return to_int(env, fd);
}

// xdpSender(fd): fd
napi_value js_xdp_sender(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int32_t fd;
  if (!read_args(env, info, 1, argv) || !read_int(env, argv[0], "fd", 0, INT32_MAX, &fd)) return NULL;
  Link *of = link_find(fd);
  if (of == NULL || of->ops != &xdp_ops) return throw_range(env, "fd: %d is no xdp link", fd);
  int sender = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  Link *link = sender < 0 ? NULL : link_add(sender, &sender_ops);
  if (link == NULL) {
    int error = sender < 0 ? errno : ENOMEM;
    if (sender >= 0) close(sender);
    return throw_errno(env, error, "xdp sender", "");
  }
  link->state = of->state;
  link->headroom = of->headroom;
  ((Xdp *)link->state)->users++;
  return to_int(env, sender);
}
