// What the files of the addon share: argument reading, errors, and one Instance per JavaScript thread. All checks of what
// JavaScript passes are made here or at the head of each function; behind them the code trusts its arguments.
#ifndef GROUPWIRE_ADDON_H
#define GROUPWIRE_ADDON_H

#include <node_api.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// tables/layout.ts and native.ts are the contract; the unit tests go to the edge of each of these numbers.
enum { SA_SLOTS = 256, SA_KEY_CIPHER = 0, SA_KEY_SALT = 32, SA_KEY_AUTH = 36, SA_KEY_BYTES = 104 };
enum { CIPHER_NONE, CIPHER_NULL, CIPHER_3DES_CBC, CIPHER_AES_CBC, CIPHER_AES_GCM16, CIPHER_AES_GMAC, CIPHER_CHACHA20_POLY1305 };

// Do they encrypt and authenticate in one (RFC 4303 section 3.3.2.2), with salt and a counted IV? They are the last of the list.
static inline bool is_combined(int cipher) {
  return cipher >= CIPHER_AES_GCM16;
}
enum { AUTH_NONE, AUTH_MD5_96, AUTH_SHA1_96, AUTH_SHA256_128, AUTH_SHA384_192, AUTH_SHA512_256 };
enum { JOB_SLOT, JOB_OFFSET, JOB_TEXT_LEN, JOB_STATUS, JOB_EXTENDED, JOB_WORDS };
enum { STATUS_OK, STATUS_INTEGRITY, STATUS_ERROR };
enum { MAX_POLL_FDS = 64 };

enum { GCM_NONCE = 12, GCM_TAG = 16, MAX_ICV = 64 }; // bytes
enum { MB_RUN = 64 };                                // packets that mb.c takes at once

// des.c: a gcry_cipher_hd_t
typedef struct Des Des;
// mb.c: the library of one thread; an SA's keys in its form
typedef struct Mb Mb;
typedef struct MbKey MbKey;

// HMAC of one ESP authentication algorithm. RFC 2403, RFC 2404, RFC 4868 section 2.1.
typedef struct {
  const char *digest;
  uint32_t key_len, icv_len; // bytes
} AuthSpec;

// One keyed SA, both directions. cipher == CIPHER_NONE: the slot is empty.
typedef struct {
  int cipher;
  uint32_t iv_len, icv_len, block_len; // bytes; block_len: the text is a multiple of it
  uint8_t salt[4];                     // RFC 4106 section 4
  EVP_CIPHER_CTX *seal, *open;         // NULL for CIPHER_NULL, CIPHER_3DES_CBC, and CIPHER_AES_GCM16 with mb
  Des *des;                            // of CIPHER_3DES_CBC
  MbKey *mb;                           // of CIPHER_AES_GCM16, and CIPHER_AES_CBC with HMAC-SHA, where this machine has the library
  EVP_MAC_CTX *mac;                    // NULL for combined modes and without authentication
} Sa;

// Where the parts of one ESP packet lie.
typedef struct {
  uint8_t *esp, *iv, *text, *icv;
  int text_len;    // bytes
  bool extended;   // 64-bit sequence number, of which
  uint8_t high[4]; // this is the upper half
} EspPacket;

// What one thread's poll() waits for. The kernel keeps the list (epoll(7)): a call then costs what is ready, not what is watched.
typedef struct {
  int epoll_fd;         // -1 before the first call
  uint32_t generation;  // of the link table when the list was made
  int32_t count, fds[MAX_POLL_FDS];
  bool refused[MAX_POLL_FDS]; // what epoll does not take (no such descriptor, a plain file) counts as ready
} Watch;

// State of one JavaScript thread: contexts of the libraries are not to be used from two threads at once.
typedef struct {
  Sa sas[SA_SLOTS];
  Mb *mb; // NULL: not here
  Watch watch;
} Instance;

typedef struct {
  uint8_t *at;
  size_t length; // bytes
} Bytes;

typedef struct {
  int32_t *at;
  size_t length; // words
} Words;

// args.c: each returns false with a JavaScript exception pending.
bool read_args(napi_env env, napi_callback_info info, size_t count, napi_value *argv);
bool read_int(napi_env env, napi_value value, const char *name, int32_t low, int32_t high, int32_t *out);
bool read_bool(napi_env env, napi_value value, const char *name, bool *out);
bool read_string(napi_env env, napi_value value, const char *name, char *out, size_t size);
bool read_bytes(napi_env env, napi_value value, const char *name, Bytes *out);
bool read_words(napi_env env, napi_value value, const char *name, size_t at_least, Words *out);
// These throw and return NULL, which a callback can return.
napi_value throw_range(napi_env env, const char *format, ...) __attribute__((format(printf, 2, 3)));
napi_value throw_errno(napi_env env, int error, const char *subject, const char *advice);
napi_value to_int(napi_env env, int32_t value);

// bind.c: what a call with every pass works on. `words`: what it is told and what it answers, as BoundWord in native.ts.
enum { BOUND_FD, BOUND_COUNT, BOUND_LIMIT, BOUND_RESULT, BOUND_WORDS, MAX_BOUND = 5 };
typedef struct {
  Instance *instance;
  Bytes pool;
  Words arrays[3]; // in the order of the arguments
  int32_t *words;
  int count; // of what is held
  napi_ref held[MAX_BOUND];
} Bound;

// The function that bindRx() and its like return. @param has_pool the first argument is a Uint8Array @param arrays so many Int32Arrays follow,
// and `words`. @returns NULL with an exception pending
napi_value bind_call(napi_env env, napi_callback_info info, napi_callback call, bool has_pool, int arrays);
Bound *bound_of(napi_env env, napi_callback_info info);

// sa.c
void sa_clear(Sa *sa);
napi_value js_sa_set(napi_env env, napi_callback_info info);
napi_value js_sa_clear(napi_env env, napi_callback_info info);
// des.c
Des *des_open(const uint8_t *key);
bool des_cbc(Des *des, const uint8_t *iv, uint8_t *text, size_t length, bool encrypt);
void des_close(Des *des);
// mb.c
Mb *mb_start(void);
void mb_end(Mb *mb);
MbKey *mb_key(Mb *mb, int cipher, int auth, const AuthSpec *spec, const uint8_t *keys, int32_t cipher_key_len);
void mb_wipe(MbKey *key);
void mb_gcm_seal(const MbKey *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, const EspPacket *packet);
bool mb_gcm_open(const MbKey *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, const EspPacket *packet);
bool mb_cbc_takes(const EspPacket *packet);
bool mb_cbc_seal(Mb *mb, const MbKey *key, const EspPacket *packets, int count);
bool mb_cbc_open(Mb *mb, const MbKey *key, EspPacket *packets, int count, int32_t **status);
// batch.c
napi_value js_seal(napi_env env, napi_callback_info info);
napi_value js_open(napi_env env, napi_callback_info info);
napi_value js_bind_seal(napi_env env, napi_callback_info info);
napi_value js_bind_open(napi_env env, napi_callback_info info);
// tun.c
napi_value js_tun_open(napi_env env, napi_callback_info info);
// steer.c
napi_value js_tun_steer(napi_env env, napi_callback_info info);
// raw.c, packet.c, xdp.c
napi_value js_raw_open(napi_env env, napi_callback_info info);
napi_value js_raw_sender(napi_env env, napi_callback_info info);
napi_value js_packet_open(napi_env env, napi_callback_info info);
napi_value js_group_open(napi_env env, napi_callback_info info);
napi_value js_packet_filter(napi_env env, napi_callback_info info);
napi_value js_xdp_open(napi_env env, napi_callback_info info);
napi_value js_xdp_sender(napi_env env, napi_callback_info info);
// probe.c
napi_value js_probe_open(napi_env env, napi_callback_info info);
napi_value js_probe_send(napi_env env, napi_callback_info info);
// wake.c
napi_value js_wake_open(napi_env env, napi_callback_info info);
napi_value js_wake_signal(napi_env env, napi_callback_info info);
napi_value js_wake_clear(napi_env env, napi_callback_info info);
napi_value js_poll(napi_env env, napi_callback_info info);
napi_value js_bind_poll(napi_env env, napi_callback_info info);
napi_value js_monotonic_ms(napi_env env, napi_callback_info info);
// io.c
napi_value js_rx(napi_env env, napi_callback_info info);
napi_value js_tx(napi_env env, napi_callback_info info);
napi_value js_bind_rx(napi_env env, napi_callback_info info);
napi_value js_bind_tx(napi_env env, napi_callback_info info);
napi_value js_joins_udp(napi_env env, napi_callback_info info);
napi_value js_fd_close(napi_env env, napi_callback_info info);
// map.c
napi_value js_map_file(napi_env env, napi_callback_info info);
napi_value js_map_flush(napi_env env, napi_callback_info info);
napi_value js_advise_huge(napi_env env, napi_callback_info info);

#endif
