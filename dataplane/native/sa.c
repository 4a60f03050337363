// SA slots: keys become OpenSSL contexts once, so that no packet pays for a key schedule.
#include "addon.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <string.h>

static const AuthSpec AUTH_SPECS[] = {
    [AUTH_NONE] = {NULL, 0, 0},
    [AUTH_MD5_96] = {"MD5", 16, 12},
    [AUTH_SHA1_96] = {"SHA1", 20, 12},
    [AUTH_SHA256_128] = {"SHA256", 32, 16},
    [AUTH_SHA384_192] = {"SHA384", 48, 24},
    [AUTH_SHA512_256] = {"SHA512", 64, 32},
};

// OpenSSL's cipher. NULL when it is not OpenSSL's, or has no such key length.
static const EVP_CIPHER *find_cipher(int cipher, int32_t key_len) {
  switch (cipher) {
  case CIPHER_AES_CBC:
    return key_len == 16 ? EVP_aes_128_cbc() : key_len == 24 ? EVP_aes_192_cbc() : key_len == 32 ? EVP_aes_256_cbc() : NULL;
  case CIPHER_AES_GCM16:
  case CIPHER_AES_GMAC: // GCM that has no text (RFC 4543 section 3)
    return key_len == 16 ? EVP_aes_128_gcm() : key_len == 24 ? EVP_aes_192_gcm() : key_len == 32 ? EVP_aes_256_gcm() : NULL;
  case CIPHER_CHACHA20_POLY1305:
    return key_len == 32 ? EVP_chacha20_poly1305() : NULL;
  default:
    return NULL;
  }
}

static bool has_key_length(int cipher, int32_t key_len) {
  if (cipher == CIPHER_NULL) return key_len == 0;
  return cipher == CIPHER_3DES_CBC ? key_len == 24 : find_cipher(cipher, key_len) != NULL;
}

// Frees the contexts (the libraries cleanse keys in them) and wipes the slot.
void sa_clear(Sa *sa) {
  EVP_CIPHER_CTX_free(sa->seal);
  EVP_CIPHER_CTX_free(sa->open);
  EVP_MAC_CTX_free(sa->mac);
  des_close(sa->des);
  mb_wipe(sa->mb);
  OPENSSL_cleanse(sa, sizeof *sa);
}

// A cipher context for one direction, keyed, without padding (ESP pads itself). NULL on failure.
static EVP_CIPHER_CTX *key_cipher(const EVP_CIPHER *cipher, const uint8_t *key, int encrypt) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (context != NULL && EVP_CipherInit_ex(context, cipher, NULL, key, NULL, encrypt) == 1 && EVP_CIPHER_CTX_set_padding(context, 0) == 1) {
    return context;
  }
  EVP_CIPHER_CTX_free(context);
  return NULL;
}

// A keyed HMAC context. Each packet starts it again with a NULL key, which keeps the key's inner and outer state.
static EVP_MAC_CTX *key_mac(const AuthSpec *spec, const uint8_t *key) {
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)spec->digest, 0), OSSL_PARAM_construct_end()};
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *context = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
  EVP_MAC_free(hmac); // the context holds its own reference
  if (context != NULL && EVP_MAC_init(context, key, spec->key_len, params) == 1) return context;
  EVP_MAC_CTX_free(context);
  return NULL;
}

// Fills an empty slot. False when a library refuses.
static bool sa_fill(Sa *sa, Mb *mb, int cipher, const EVP_CIPHER *evp, int auth, const uint8_t *keys) {
  const AuthSpec *spec = &AUTH_SPECS[auth];
  bool combined = is_combined(cipher);
  if (evp != NULL) sa->mb = mb_key(mb, cipher, auth, spec, keys, EVP_CIPHER_get_key_length(evp));
  if (cipher == CIPHER_3DES_CBC) {
    sa->des = des_open(keys + SA_KEY_CIPHER);
    if (sa->des == NULL) return false;
  } else if (evp != NULL && (cipher != CIPHER_AES_GCM16 || sa->mb == NULL)) {
    sa->seal = key_cipher(evp, keys + SA_KEY_CIPHER, 1);
    sa->open = key_cipher(evp, keys + SA_KEY_CIPHER, 0);
    if (sa->seal == NULL || sa->open == NULL) return false;
  }
  if (spec->digest != NULL) {
    sa->mac = key_mac(spec, keys + SA_KEY_AUTH);
    if (sa->mac == NULL) return false;
  }
  memcpy(sa->salt, keys + SA_KEY_SALT, sizeof sa->salt);
  sa->block_len = cipher == CIPHER_3DES_CBC ? 8 : cipher == CIPHER_AES_CBC ? 16 : 1;
  // RFC 4106 section 3.1, RFC 4543 section 3.1, RFC 7634 section 2, RFC 3602 section 3, RFC 2451 section 3
  sa->iv_len = combined ? 8 : cipher == CIPHER_NULL ? 0 : sa->block_len;
  sa->icv_len = combined ? 16 : spec->icv_len;
  sa->cipher = cipher;
  return true;
}

// saSet(slot, cipher, auth, keys, cipherKeyLen, authKeyLen)
napi_value js_sa_set(napi_env env, napi_callback_info info) {
  napi_value argv[6];
  Instance *instance;
  Bytes keys;
  int32_t slot, cipher, auth, cipher_key_len, auth_key_len;
  if (!read_args(env, info, 6, argv) || !read_int(env, argv[0], "slot", 0, SA_SLOTS - 1, &slot) ||
      !read_int(env, argv[1], "cipher", CIPHER_NULL, CIPHER_CHACHA20_POLY1305, &cipher) ||
      !read_int(env, argv[2], "auth", AUTH_NONE, AUTH_SHA512_256, &auth) || !read_bytes(env, argv[3], "keys", &keys) ||
      !read_int(env, argv[4], "cipherKeyLen", 0, SA_KEY_SALT, &cipher_key_len) ||
      !read_int(env, argv[5], "authKeyLen", 0, SA_KEY_BYTES - SA_KEY_AUTH, &auth_key_len)) {
    return NULL;
  }
  if (keys.length < SA_KEY_BYTES) return throw_range(env, "keys: %zu bytes, a row has %d", keys.length, SA_KEY_BYTES);
  const EVP_CIPHER *evp = find_cipher(cipher, cipher_key_len);
  if (!has_key_length(cipher, cipher_key_len)) {
    return throw_range(env, "saSet: cipher %d has no key of %d bytes", cipher, cipher_key_len);
  }
  if ((uint32_t)auth_key_len != AUTH_SPECS[auth].key_len) {
    return throw_range(env, "saSet: authentication %d has no key of %d bytes", auth, auth_key_len);
  }
  if (cipher == CIPHER_NULL && auth == AUTH_NONE) return throw_range(env, "saSet: neither encryption nor authentication");
  if (is_combined(cipher) && auth != AUTH_NONE) return throw_range(env, "saSet: a combined mode takes no HMAC (RFC 4303 section 3.3.2.2)");
  if (napi_get_instance_data(env, (void **)&instance) != napi_ok) return NULL;
  Sa *sa = &instance->sas[slot];
  sa_clear(sa);
  if (!sa_fill(sa, instance->mb, cipher, evp, auth, keys.at)) {
    sa_clear(sa);
    napi_throw_error(env, NULL, "saSet: the library refuses this algorithm");
  }
  return NULL;
}

// saClear(slot)
napi_value js_sa_clear(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  Instance *instance;
  int32_t slot;
  if (!read_args(env, info, 1, argv) || !read_int(env, argv[0], "slot", 0, SA_SLOTS - 1, &slot)) return NULL;
  if (napi_get_instance_data(env, (void **)&instance) == napi_ok) sa_clear(&instance->sas[slot]);
  return NULL;
}
