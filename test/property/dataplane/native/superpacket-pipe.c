// gso.c and gro.c as a filter, for superpackets-c.test.ts. Numbers are 32 bits in the machine's order.
//   0 max_length length frame (virtio header first)     -> count, then count times: length, bytes
//   1 coalesce count, then count times: length datagram -> count, then count times: length message; then message_of of each datagram
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t get(void) {
  uint32_t value;
  if (fread(&value, sizeof value, 1, stdin) != 1) exit(feof(stdin) ? 0 : 1);
  return value;
}

static void get_bytes(uint8_t *to, uint32_t len) {
  if (fread(to, 1, len, stdin) != len) exit(1);
}

static void put(uint32_t value) {
  fwrite(&value, sizeof value, 1, stdout);
}

static void cut(void) {
  static uint8_t out[1 << 24];
  uint32_t at = 0, count = 0;
  int32_t max_length = (int32_t)get();
  uint32_t len = get() - (uint32_t)sizeof(struct virtio_net_hdr);
  struct virtio_net_hdr header;
  uint8_t *ip = malloc(len), *to = malloc((size_t)max_length); // of exactly their size, for the sanitizer
  get_bytes((uint8_t *)&header, sizeof header);
  get_bytes(ip, len);
  Frame frame;
  for (frame_start(&frame, &header, ip, ip, (int32_t)len); frame_has_next(&frame); count++) {
    int32_t length = frame_next(&frame, to, max_length), kept = length < max_length ? length : max_length;
    memcpy(out + at, &length, sizeof length);
    memcpy(out + at + sizeof length, to, (size_t)kept);
    at += (uint32_t)sizeof length + (uint32_t)kept;
  }
  put(count);
  fwrite(out, 1, at, stdout);
  free(ip);
  free(to);
}

static void plan(void) {
  static Plan plan;
  static uint8_t pool[1 << 22];
  int32_t offsets[MAX_BATCH], lengths[MAX_BATCH], at = 0;
  int coalesce = (int)get();
  int32_t count = (int32_t)get();
  for (int32_t i = 0; i < count; i++) {
    offsets[i] = at;
    lengths[i] = (int32_t)get();
    get_bytes(pool + at, (uint32_t)lengths[i]);
    at += lengths[i] + 3; // at any alignment
  }
  plan_messages(&plan, pool, offsets, lengths, count, coalesce);
  put((uint32_t)plan.message_count);
  for (int32_t i = 0; i < plan.message_count; i++) {
    const struct iovec *iovs = plan.iovs + plan.messages[i].first_iov;
    size_t total = 0;
    for (int32_t j = 0; j < plan.messages[i].iov_count; j++) total += iovs[j].iov_len;
    put((uint32_t)total);
    for (int32_t j = 0; j < plan.messages[i].iov_count; j++) fwrite(iovs[j].iov_base, 1, iovs[j].iov_len, stdout);
  }
  fwrite(plan.message_of, sizeof *plan.message_of, (size_t)count, stdout);
}

int main(void) {
  for (;;) get() == 0 ? cut() : plan();
}
