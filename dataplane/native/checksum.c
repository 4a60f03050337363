// The Internet checksum (RFC 1071), summed alone or while copying. 32-bit words are added to 64-bit sums: no carry is lost below
// 2^32 words, and the order of bytes does not matter to ones' complement addition, so words are taken as memory has them.
#include "link.h"

#include <string.h>

enum { WIDE = 64 }; // bytes a turn of the wide form; below that its set-up costs more than it gains

static inline uint64_t load(const uint8_t *from) {
  uint64_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

// Copying is a constant at each call: two loops come out of each form.
static inline __attribute__((always_inline)) uint64_t sum_words(uint8_t *to, const uint8_t *from, int32_t len, bool copying) {
  uint64_t low = 0, high = 0;
  for (; len >= 8; len -= 8, from += 8) {
    uint64_t word = load(from);
    if (copying) {
      memcpy(to, &word, 8);
      to += 8;
    }
    low += (uint32_t)word;
    high += word >> 32;
  }
  if (len >= 4) {
    uint32_t word;
    memcpy(&word, from, 4);
    if (copying) {
      memcpy(to, &word, 4);
      to += 4;
    }
    low += word;
    len -= 4;
    from += 4;
  }
  if (len > 0) { // byte by byte: a call of memcpy for them took longer than the rest of a 20-byte header
    uint8_t last[4] = {from[0], len > 1 ? from[1] : 0, len > 2 ? from[2] : 0, 0};
    uint32_t word;
    memcpy(&word, last, 4);
    for (int32_t i = 0; copying && i < len; i++) to[i] = last[i];
    high += word;
  }
  return low + high;
}

#ifdef __x86_64__
#include <immintrin.h>

// @param len a multiple of WIDE
static inline __attribute__((always_inline, target("avx2"))) uint64_t sum_wide(uint8_t *to, const uint8_t *from, int32_t len, bool copying) {
  const __m256i low_half = _mm256_set1_epi64x(0xffffffff);
  __m256i low = _mm256_setzero_si256(), high = low, low2 = low, high2 = low;
  for (int32_t at = 0; at < len; at += WIDE) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(from + at)), b = _mm256_loadu_si256((const __m256i *)(from + at + 32));
    if (copying) {
      _mm256_storeu_si256((__m256i *)(to + at), a);
      _mm256_storeu_si256((__m256i *)(to + at + 32), b);
    }
    low = _mm256_add_epi64(low, _mm256_and_si256(a, low_half));
    high = _mm256_add_epi64(high, _mm256_srli_epi64(a, 32));
    low2 = _mm256_add_epi64(low2, _mm256_and_si256(b, low_half));
    high2 = _mm256_add_epi64(high2, _mm256_srli_epi64(b, 32));
  }
  uint64_t lanes[4];
  _mm256_storeu_si256((__m256i *)lanes, _mm256_add_epi64(_mm256_add_epi64(low, high), _mm256_add_epi64(low2, high2)));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

static __attribute__((target("avx2"))) uint64_t sum_bytes_wide(const uint8_t *from, int32_t len) {
  return sum_wide(NULL, from, len, false);
}

static __attribute__((target("avx2"))) uint64_t sum_copy_wide(uint8_t *to, const uint8_t *from, int32_t len) {
  return sum_wide(to, from, len, true);
}

// A test of a word in memory; an ifunc (target_clones) would run before AddressSanitizer is ready.
static bool is_wide(int32_t len) {
  return len >= 2 * WIDE && __builtin_cpu_supports("avx2");
}
#else
static uint64_t sum_bytes_wide(const uint8_t *from, int32_t len) { return sum_words(NULL, from, len, false); }
static uint64_t sum_copy_wide(uint8_t *to, const uint8_t *from, int32_t len) { return sum_words(to, from, len, true); }
static bool is_wide(int32_t len) { return (void)len, false; }
#endif

uint64_t sum_bytes(const uint8_t *from, int32_t len) {
  if (!is_wide(len)) return sum_words(NULL, from, len, false);
  int32_t most = len & -WIDE;
  return sum_bytes_wide(from, most) + sum_words(NULL, from + most, len - most, false);
}

uint64_t sum_copy(uint8_t *to, const uint8_t *from, int32_t len) {
  if (!is_wide(len)) return sum_words(to, from, len, true);
  int32_t most = len & -WIDE;
  return sum_copy_wide(to, from, most) + sum_words(to + most, from + most, len - most, true);
}

// To 16 bits with end-around carry; not complemented.
uint16_t sum_fold(uint64_t sum) {
  sum = (sum >> 32) + (uint32_t)sum;
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t)sum;
}
