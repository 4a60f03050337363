// AES-GCM by Intel's multi-buffer library (Debian's libipsec-mb), where the build has it and the CPU what it is good at: one call per packet, where OpenSSL's
// EVP needs five that cost more than the cipher (README.md here). Elsewhere gcm_open() has none, and OpenSSL does it.
// The library tests itself when it is started, with known answers; if it fails it is not used.
#include "addon.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <pthread.h>

struct Gcm {
  struct gcm_key_data key; // first: the library wants it on a cache line
  aes_gcm_enc_dec_t seal, open;
};

// Its tables of functions, which nobody changes any more. NULL: not to be used here.
static IMB_MGR *library;

static void start_library(void) {
  const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX | IMB_FEATURE_SELF_TEST_PASS;
  IMB_MGR *manager = alloc_mb_mgr(0);
  if (manager == NULL) return;
  init_mb_mgr_auto(manager, NULL);
  if (imb_get_errno(manager) == 0 && (manager->features & needed) == needed) library = manager;
  else free_mb_mgr(manager);
}

// Is it used here?
bool gcm_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, start_library);
  return library != NULL;
}

// The key's schedule and functions. NULL when it is for OpenSSL to do, or there is no memory. @param key_len 16, 24 or 32 bytes
Gcm *gcm_open(const uint8_t *key, int32_t key_len) {
  Gcm *gcm = gcm_is_there() ? aligned_alloc(_Alignof(Gcm), sizeof *gcm) : NULL;
  if (gcm == NULL) return NULL;
  switch (key_len) {
  case 16:
    library->gcm128_pre(key, &gcm->key);
    gcm->seal = library->gcm128_enc;
    gcm->open = library->gcm128_dec;
    return gcm;
  case 24:
    library->gcm192_pre(key, &gcm->key);
    gcm->seal = library->gcm192_enc;
    gcm->open = library->gcm192_dec;
    return gcm;
  default:
    library->gcm256_pre(key, &gcm->key);
    gcm->seal = library->gcm256_enc;
    gcm->open = library->gcm256_dec;
    return gcm;
  }
}

// In place. @param nonce GCM_NONCE bytes @param tag out: GCM_TAG bytes
void gcm_seal(const Gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *text, size_t length, uint8_t *tag) {
  struct gcm_context_data context;
  gcm->seal(&gcm->key, &context, text, text, length, nonce, aad, aad_len, tag, GCM_TAG);
}

// In place. @returns false, and the text is not to be used, when the tag is wrong
bool gcm_unseal(const Gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *text, size_t length, const uint8_t *tag) {
  struct gcm_context_data context;
  uint8_t computed[GCM_TAG];
  gcm->open(&gcm->key, &context, text, text, length, nonce, aad, aad_len, computed, sizeof computed);
  return CRYPTO_memcmp(computed, tag, sizeof computed) == 0;
}

// Wipes the key. NULL is fine.
void gcm_close(Gcm *gcm) {
  if (gcm != NULL) OPENSSL_cleanse(gcm, sizeof *gcm);
  free(gcm);
}

#else // by OpenSSL alone

bool gcm_is_there(void) {
  return false;
}

Gcm *gcm_open(const uint8_t *key, int32_t key_len) {
  (void)key, (void)key_len;
  return NULL;
}

void gcm_seal(const Gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *text, size_t length, uint8_t *tag) {
  (void)gcm, (void)nonce, (void)aad, (void)aad_len, (void)text, (void)length, (void)tag;
}

bool gcm_unseal(const Gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *text, size_t length, const uint8_t *tag) {
  (void)gcm, (void)nonce, (void)aad, (void)aad_len, (void)text, (void)length, (void)tag;
  return false;
}

void gcm_close(Gcm *gcm) {
  (void)gcm;
}
#endif
