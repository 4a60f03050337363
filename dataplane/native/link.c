// The table of links, by descriptor number. The main thread writes it, workers only look up: a release store and an acquire load are
// all that is needed, because a descriptor is handed to a worker after it was opened and taken back before it is closed.
#include "link.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { MAX_FD = 4096 }; // numbers are given from below, and this process has some dozens

static _Atomic(Link *) links[MAX_FD];
static _Atomic uint32_t generation;

uint32_t link_generation(void) {
  return atomic_load_explicit(&generation, memory_order_acquire);
}

Link *link_add(int fd, const LinkOps *ops) {
  if (fd < 0 || fd >= MAX_FD) return NULL;
  Link *link = calloc(1, sizeof *link);
  if (link == NULL) return NULL;
  link->fd = fd;
  link->ops = ops;
  atomic_store_explicit(&links[fd], link, memory_order_release);
  atomic_fetch_add_explicit(&generation, 1, memory_order_release);
  return link;
}

Link *link_find(int fd) {
  return fd < 0 || fd >= MAX_FD ? NULL : atomic_load_explicit(&links[fd], memory_order_acquire);
}

void link_remove(int fd) {
  Link *link = link_find(fd);
  atomic_fetch_add_explicit(&generation, 1, memory_order_release);
  if (link == NULL) return;
  atomic_store_explicit(&links[fd], NULL, memory_order_release);
  if (link->ops->close != NULL) link->ops->close(link);
  free(link);
}
