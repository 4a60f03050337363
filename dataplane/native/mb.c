// AES-GCM, and AES-CBC with HMAC-SHA, by Intel's multi-buffer library (Debian's libipsec-mb), where the build has it and the CPU what it is good at. GCM: one call
// per packet, where OpenSSL's EVP needs five that cost more than the cipher. CBC and HMAC: what must go step by step within a packet goes side by side for up to eight
// of them (README.md here). Elsewhere mb_start() or mb_key() has none, and OpenSSL does it.
// The library tests itself when it is started, with known answers; if it fails it is not used.
#include "addon.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>

enum { LONGEST = 16384, MAX_BLOCK = 128, ROUND_KEYS = 15 * 16, MAX_HASH = 64 };

struct Mb {
  IMB_MGR *manager;
  IMB_JOB jobs[MB_RUN];
};

// One SA of AES-GCM, or of AES-CBC with HMAC.
struct MbKey {
  struct gcm_key_data gcm; // first: the library wants it on a cache line
  _Alignas(16) uint8_t encrypt[ROUND_KEYS], decrypt[ROUND_KEYS], inner[MAX_HASH], outer[MAX_HASH];
  aes_gcm_enc_dec_t gcm_seal, gcm_open;
  IMB_KEY_SIZE_BYTES cbc_key_len;
  IMB_HASH_ALG hash;
  uint32_t icv_len;
};

// RFC 2104: the hash of one block of the key with `pad`, from which every packet's goes on.
static void hash_pad(hash_one_block_t hash, size_t block, const uint8_t *key, size_t key_len, uint8_t pad, uint8_t *out) {
  uint8_t bytes[MAX_BLOCK];
  memset(bytes, pad, block);
  for (size_t i = 0; i < key_len; i++) bytes[i] ^= key[i];
  hash(bytes, out);
  OPENSSL_cleanse(bytes, sizeof bytes);
}

// The key is no longer than a block. @returns false for what the library does not do side by side
static bool key_hmac(const IMB_MGR *manager, MbKey *key, int auth, const AuthSpec *spec, const uint8_t *bytes) {
  const struct {
    IMB_HASH_ALG hash;
    hash_one_block_t one_block;
    size_t block;
  } hashes[] = {
      [AUTH_SHA1_96] = {IMB_AUTH_HMAC_SHA_1, manager->sha1_one_block, 64},
      [AUTH_SHA256_128] = {IMB_AUTH_HMAC_SHA_256, manager->sha256_one_block, 64},
      [AUTH_SHA384_192] = {IMB_AUTH_HMAC_SHA_384, manager->sha384_one_block, 128},
      [AUTH_SHA512_256] = {IMB_AUTH_HMAC_SHA_512, manager->sha512_one_block, 128},
  };
  if (auth < AUTH_SHA1_96) return false;
  key->hash = hashes[auth].hash;
  key->icv_len = spec->icv_len;
  hash_pad(hashes[auth].one_block, hashes[auth].block, bytes, spec->key_len, 0x36, key->inner);
  hash_pad(hashes[auth].one_block, hashes[auth].block, bytes, spec->key_len, 0x5c, key->outer);
  return true;
}

static void key_gcm(const IMB_MGR *manager, MbKey *key, const uint8_t *bytes, int32_t length) {
  (length == 16 ? manager->gcm128_pre : length == 24 ? manager->gcm192_pre : manager->gcm256_pre)(bytes, &key->gcm);
  key->gcm_seal = length == 16 ? manager->gcm128_enc : length == 24 ? manager->gcm192_enc : manager->gcm256_enc;
  key->gcm_open = length == 16 ? manager->gcm128_dec : length == 24 ? manager->gcm192_dec : manager->gcm256_dec;
}

static void key_cbc(const IMB_MGR *manager, MbKey *key, const uint8_t *bytes, int32_t length) {
  (length == 16 ? manager->keyexp_128 : length == 24 ? manager->keyexp_192 : manager->keyexp_256)(bytes, key->encrypt, key->decrypt);
  key->cbc_key_len = (IMB_KEY_SIZE_BYTES)length;
}

// The library for one thread. NULL: it is not to be used here.
Mb *mb_start(void) {
  const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX | IMB_FEATURE_SAFE_DATA | IMB_FEATURE_SELF_TEST_PASS;
  Mb *mb = calloc(1, sizeof *mb);
  if (mb == NULL) return NULL;
  mb->manager = alloc_mb_mgr(0);
  if (mb->manager != NULL) {
    init_mb_mgr_auto(mb->manager, NULL);
    if (imb_get_errno(mb->manager) == 0 && (mb->manager->features & needed) == needed) return mb;
  }
  mb_end(mb);
  return NULL;
}

// NULL is fine.
void mb_end(Mb *mb) {
  if (mb == NULL) return;
  if (mb->manager != NULL) free_mb_mgr(mb->manager);
  free(mb);
}

// What an SA is keyed with. NULL when it is for another library to do, or there is no memory. @param keys as saSet's
MbKey *mb_key(Mb *mb, int cipher, int auth, const AuthSpec *spec, const uint8_t *keys, int32_t cipher_key_len) {
  if (mb == NULL || (cipher != CIPHER_AES_GCM16 && cipher != CIPHER_AES_CBC)) return NULL;
  MbKey *key = aligned_alloc(_Alignof(MbKey), sizeof *key);
  if (key == NULL) return NULL;
  memset(key, 0, sizeof *key);
  if (cipher == CIPHER_AES_GCM16) {
    key_gcm(mb->manager, key, keys + SA_KEY_CIPHER, cipher_key_len);
    return key;
  }
  key_cbc(mb->manager, key, keys + SA_KEY_CIPHER, cipher_key_len);
  if (key_hmac(mb->manager, key, auth, spec, keys + SA_KEY_AUTH)) return key;
  mb_wipe(key);
  return NULL;
}

// NULL is fine.
void mb_wipe(MbKey *key) {
  if (key != NULL) OPENSSL_cleanse(key, sizeof *key);
  free(key);
}

// In place. @param nonce GCM_NONCE bytes @param tag out: GCM_TAG bytes
void mb_gcm_seal(const MbKey *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, const EspPacket *packet) {
  struct gcm_context_data context;
  key->gcm_seal(&key->gcm, &context, packet->text, packet->text, (uint64_t)packet->text_len, nonce, aad, aad_len, packet->icv, GCM_TAG);
}

// In place. @returns false, and the text is not to be used, when the tag is wrong
bool mb_gcm_open(const MbKey *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, const EspPacket *packet) {
  struct gcm_context_data context;
  uint8_t tag[GCM_TAG];
  key->gcm_open(&key->gcm, &context, packet->text, packet->text, (uint64_t)packet->text_len, nonce, aad, aad_len, tag, sizeof tag);
  return CRYPTO_memcmp(tag, packet->icv, sizeof tag) == 0;
}

// Does mb_cbc_seal(), mb_cbc_open() take this packet? Others go one by one.
bool mb_cbc_takes(const EspPacket *packet) {
  return packet->text_len > 0 && packet->text_len <= LONGEST;
}

static void write_cipher_jobs(Mb *mb, const MbKey *key, const EspPacket *packets, int count) {
  for (int i = 0; i < count; i++) {
    mb->jobs[i] = (IMB_JOB){.enc_keys = key->encrypt, .dec_keys = key->decrypt, .key_len_in_bytes = (uint64_t)key->cbc_key_len, .src = packets[i].text,
                            .dst = packets[i].text, .msg_len_to_cipher_in_bytes = (uint64_t)packets[i].text_len, .iv = packets[i].iv, .iv_len_in_bytes = 16};
  }
}

static bool run_ciphers(Mb *mb, const MbKey *key, int count, IMB_CIPHER_DIRECTION direction) {
  return IMB_SUBMIT_CIPHER_BURST(mb->manager, mb->jobs, (uint32_t)count, IMB_CIPHER_CBC, direction, key->cbc_key_len) == (uint32_t)count;
}

// HMAC over SPI .. text and, where the ICV will be, the upper half of an extended sequence number (RFC 4303 section 2.8). @param tags MAX_ICV bytes each
static bool run_hmacs(Mb *mb, const MbKey *key, const EspPacket *packets, int count, uint8_t (*tags)[MAX_ICV]) {
  for (int i = 0; i < count; i++) {
    const EspPacket *packet = &packets[i];
    size_t length = (size_t)(packet->icv - packet->esp);
    if (packet->extended) {
      memcpy(packet->icv, packet->high, sizeof packet->high);
      length += sizeof packet->high;
    }
    mb->jobs[i] = (IMB_JOB){.src = packet->esp, .msg_len_to_hash_in_bytes = length, .auth_tag_output = tags[i], .auth_tag_output_len_in_bytes = key->icv_len,
                            .u.HMAC = {._hashed_auth_key_xor_ipad = key->inner, ._hashed_auth_key_xor_opad = key->outer}};
  }
  return IMB_SUBMIT_HASH_BURST(mb->manager, mb->jobs, (uint32_t)count, key->hash) == (uint32_t)count;
}

// Encrypts, then authenticates (RFC 4303 section 3.3.2), in place. The IVs have been written. @param count 1..MB_RUN, all of one SA @returns false when the library refuses
bool mb_cbc_seal(Mb *mb, const MbKey *key, const EspPacket *packets, int count) {
  uint8_t tags[MB_RUN][MAX_ICV];
  write_cipher_jobs(mb, key, packets, count);
  if (!run_ciphers(mb, key, count, IMB_DIR_ENCRYPT) || !run_hmacs(mb, key, packets, count, tags)) return false;
  for (int i = 0; i < count; i++) memcpy(packets[i].icv, tags[i], key->icv_len);
  return true;
}

// Authenticates, then decrypts (RFC 4303 section 3.4.4.1), in place. What is wrong is left as it came. @param packets 1..MB_RUN, all of one SA, in any order afterwards
// @param status of each, by its place before @returns false when the library refuses: no status is written
bool mb_cbc_open(Mb *mb, const MbKey *key, EspPacket *packets, int count, int32_t **status) {
  uint8_t tags[MB_RUN][MAX_ICV], received[MB_RUN][MAX_ICV];
  int good = 0;
  for (int i = 0; i < count; i++) memcpy(received[i], packets[i].icv, key->icv_len);
  bool done = run_hmacs(mb, key, packets, count, tags);
  for (int i = 0; i < count; i++) memcpy(packets[i].icv, received[i], key->icv_len);
  if (!done) return false;
  for (int i = 0; i < count; i++) {
    bool same = CRYPTO_memcmp(tags[i], received[i], key->icv_len) == 0;
    *status[i] = same ? STATUS_OK : STATUS_INTEGRITY;
    if (same) packets[good++] = packets[i];
  }
  if (good == 0) return true;
  write_cipher_jobs(mb, key, packets, good);
  return run_ciphers(mb, key, good, IMB_DIR_DECRYPT);
}

#else // by OpenSSL alone

Mb *mb_start(void) {
  return NULL;
}

void mb_end(Mb *mb) {
  (void)mb;
}

MbKey *mb_key(Mb *mb, int cipher, int auth, const AuthSpec *spec, const uint8_t *keys, int32_t cipher_key_len) {
  (void)mb, (void)cipher, (void)auth, (void)spec, (void)keys, (void)cipher_key_len;
  return NULL;
}

void mb_wipe(MbKey *key) {
  (void)key;
}

void mb_gcm_seal(const MbKey *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, const EspPacket *packet) {
  (void)key, (void)nonce, (void)aad, (void)aad_len, (void)packet;
}

bool mb_gcm_open(const MbKey *key, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, const EspPacket *packet) {
  (void)key, (void)nonce, (void)aad, (void)aad_len, (void)packet;
  return false;
}

bool mb_cbc_takes(const EspPacket *packet) {
  (void)packet;
  return false;
}

bool mb_cbc_seal(Mb *mb, const MbKey *key, const EspPacket *packets, int count) {
  (void)mb, (void)key, (void)packets, (void)count;
  return false;
}

bool mb_cbc_open(Mb *mb, const MbKey *key, EspPacket *packets, int count, int32_t **status) {
  (void)mb, (void)key, (void)packets, (void)count, (void)status;
  return false;
}
#endif
