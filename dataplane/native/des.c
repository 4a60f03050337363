// 3DES in CBC (RFC 2451) by libgcrypt, which has it in assembly: OpenSSL's is C, and a third as fast in decryption (README.md here).
#include "addon.h"

#include <gcrypt.h>
#include <pthread.h>

enum { DES_KEY = 24, DES_BLOCK = 8 };

static void start_library(void) {
  if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P) != 0) return; // somebody else in this process uses it
  if (gcry_check_version("1.10.0") == NULL) return;                 // des_open fails then
  gcry_control(GCRYCTL_DISABLE_SECMEM); // it would be 16 KiB: keys lie in the heap as OpenSSL's do
  gcry_control(GCRYCTL_INITIALIZATION_FINISHED);
}

// A keyed context for both directions. NULL when the library refuses or there is no memory.
Des *des_open(const uint8_t *key) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  gcry_cipher_hd_t context = NULL;
  pthread_once(&once, start_library);
  if (gcry_cipher_open(&context, GCRY_CIPHER_3DES, GCRY_CIPHER_MODE_CBC, 0) != 0) return NULL;
  // Key servers choose keys at random: whether one is weak is not for us to say, as with OpenSSL. The argument is the length.
  if (gcry_cipher_ctl(context, GCRYCTL_SET_ALLOW_WEAK_KEY, NULL, 1) == 0) {
    gcry_error_t error = gcry_cipher_setkey(context, key, DES_KEY);
    if (error == 0 || gcry_err_code(error) == GPG_ERR_WEAK_KEY) return (Des *)context;
  }
  gcry_cipher_close(context);
  return NULL;
}

// In place, whole blocks. The chain begins anew with each call. @param iv DES_BLOCK bytes
bool des_cbc(Des *des, const uint8_t *iv, uint8_t *text, size_t length, bool encrypt) {
  gcry_cipher_hd_t context = (gcry_cipher_hd_t)des;
  if (gcry_cipher_setiv(context, iv, DES_BLOCK) != 0) return false;
  return (encrypt ? gcry_cipher_encrypt(context, text, length, NULL, 0) : gcry_cipher_decrypt(context, text, length, NULL, 0)) == 0;
}

// Wipes the key. NULL is fine.
void des_close(Des *des) {
  gcry_cipher_close((gcry_cipher_hd_t)des);
}
