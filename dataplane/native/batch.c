// seal and open: batches of ESP packets in the pool, transformed in place. Does: RFC 4106 (GCM), RFC 4543 (GMAC), RFC 7634 (ChaCha20-Poly1305), RFC 3602 and RFC 2451 (CBC),
// RFC 2410 (NULL), RFC 2403/2404/4868 (HMAC). Does not: padding, next header, sequence numbers, replay. The upper
// half of an extended sequence number comes with the job: it is covered by the ICV and not sent (RFC 4303 section 2.2.1).
// A batch with a packet that failed ends with ERR_clear_error: what was queued there would surface in a later call of node:crypto.
#include "addon.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>

enum { ESP_HEADER = 8, EXTENDED_HEADER = 12, MAX_IV = 16, IV_BATCH = 64, FEWEST_SIDE_BY_SIDE = 4 };

static EspPacket locate(const Sa *sa, uint8_t *pool, const int32_t *job) {
  uint8_t *esp = pool + job[JOB_OFFSET], *iv = esp + ESP_HEADER, *text = iv + sa->iv_len;
  uint32_t high = (uint32_t)job[JOB_EXTENDED] - 1;
  return (EspPacket){.esp = esp, .iv = iv, .text = text, .icv = text + job[JOB_TEXT_LEN], .text_len = job[JOB_TEXT_LEN],
                     .extended = job[JOB_EXTENDED] > 0,
                     .high = {(uint8_t)(high >> 24), (uint8_t)(high >> 16), (uint8_t)(high >> 8), (uint8_t)high}};
}

// RFC 4106 section 5: SPI | number as it stands in the packet, or SPI | upper half | lower half when the number is extended. @param room EXTENDED_HEADER bytes
// @param length out: bytes
static const uint8_t *associated(const EspPacket *packet, uint8_t *room, int *length) {
  *length = packet->extended ? EXTENDED_HEADER : ESP_HEADER;
  if (!packet->extended) return packet->esp;
  memcpy(room, packet->esp, 4);
  memcpy(room + 4, packet->high, sizeof packet->high);
  memcpy(room + 8, packet->esp + 4, 4);
  return room;
}

// With what GMAC covers behind it (RFC 4543 section 3.3). @param covered bytes of the packet
static bool add_associated(EVP_CIPHER_CTX *context, const EspPacket *packet, int covered) {
  uint8_t room[EXTENDED_HEADER];
  int length, header_len;
  const uint8_t *header = associated(packet, room, &header_len);
  return EVP_CipherUpdate(context, NULL, &length, header, header_len) == 1 &&
         (covered == ESP_HEADER || EVP_CipherUpdate(context, NULL, &length, packet->esp + ESP_HEADER, covered - ESP_HEADER) == 1);
}

// RFC 4106 section 4, RFC 7634 section 2.
static void write_nonce(uint8_t *nonce, const Sa *sa, const EspPacket *packet) {
  memcpy(nonce, sa->salt, sizeof sa->salt);
  memcpy(nonce + sizeof sa->salt, packet->iv, GCM_NONCE - sizeof sa->salt);
}

// RFC 4106 sections 4 and 5, RFC 7634 section 2.1: nonce = salt | IV, AAD = SPI | sequence number. GMAC has no text: its AAD goes on with IV and what is
// behind it (RFC 4543 section 3.3).
static bool start_combined(const Sa *sa, EVP_CIPHER_CTX *context, const EspPacket *packet, int encrypt) {
  uint8_t nonce[GCM_NONCE];
  int covered = sa->cipher == CIPHER_AES_GMAC ? ESP_HEADER + (int)sa->iv_len + packet->text_len : ESP_HEADER;
  write_nonce(nonce, sa, packet);
  return EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, encrypt) == 1 && add_associated(context, packet, covered);
}

// In place; nothing to do for GMAC.
static bool run_combined(const Sa *sa, EVP_CIPHER_CTX *context, const EspPacket *packet) {
  int length;
  return sa->cipher == CIPHER_AES_GMAC || EVP_CipherUpdate(context, packet->text, &length, packet->text, packet->text_len) == 1;
}

static int seal_combined(const Sa *sa, const EspPacket *packet) {
  int length;
  bool done = start_combined(sa, sa->seal, packet, 1) && run_combined(sa, sa->seal, packet) &&
              EVP_EncryptFinal_ex(sa->seal, packet->icv, &length) == 1 &&
              EVP_CIPHER_CTX_ctrl(sa->seal, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, packet->icv) == 1;
  return done ? STATUS_OK : STATUS_ERROR;
}

static int open_combined(const Sa *sa, const EspPacket *packet) {
  int length;
  bool done = start_combined(sa, sa->open, packet, 0) && run_combined(sa, sa->open, packet) &&
              EVP_CIPHER_CTX_ctrl(sa->open, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, packet->icv) == 1;
  if (done && EVP_DecryptFinal_ex(sa->open, packet->icv, &length) == 1) return STATUS_OK;
  // Plaintext that nobody vouches for (NIST SP 800-38D section 7.2); GMAC has made none.
  if (sa->cipher != CIPHER_AES_GMAC) memset(packet->text, 0, (size_t)packet->text_len);
  return done ? STATUS_INTEGRITY : STATUS_ERROR;
}

// The same two by mb.c.
static int seal_gcm(const Sa *sa, const EspPacket *packet) {
  uint8_t nonce[GCM_NONCE], room[EXTENDED_HEADER];
  int header_len;
  const uint8_t *header = associated(packet, room, &header_len);
  write_nonce(nonce, sa, packet);
  mb_gcm_seal(sa->mb, nonce, header, (size_t)header_len, packet);
  return STATUS_OK;
}

static int open_gcm(const Sa *sa, const EspPacket *packet) {
  uint8_t nonce[GCM_NONCE], room[EXTENDED_HEADER];
  int header_len;
  const uint8_t *header = associated(packet, room, &header_len);
  write_nonce(nonce, sa, packet);
  if (mb_gcm_open(sa->mb, nonce, header, (size_t)header_len, packet)) return STATUS_OK;
  memset(packet->text, 0, (size_t)packet->text_len); // as open_combined
  return STATUS_INTEGRITY;
}

// CBC without padding, in place; nothing to do for NULL.
static bool run_cbc(const Sa *sa, const EspPacket *packet, int encrypt) {
  EVP_CIPHER_CTX *context = encrypt ? sa->seal : sa->open;
  int length;
  if (sa->des != NULL) return des_cbc(sa->des, packet->iv, packet->text, (size_t)packet->text_len, encrypt);
  return context == NULL || (EVP_CipherInit_ex(context, NULL, NULL, NULL, packet->iv, encrypt) == 1 &&
                             EVP_CipherUpdate(context, packet->text, &length, packet->text, packet->text_len) == 1);
}

// HMAC over SPI .. text, then the upper half of an extended sequence number (RFC 4303 section 2.8, 3.3.2.1). @param out MAX_ICV bytes
static bool run_hmac(const Sa *sa, const EspPacket *packet, uint8_t *out) {
  size_t length;
  return EVP_MAC_init(sa->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(sa->mac, packet->esp, (size_t)(packet->icv - packet->esp)) == 1 &&
         (!packet->extended || EVP_MAC_update(sa->mac, packet->high, sizeof packet->high) == 1) &&
         EVP_MAC_final(sa->mac, out, &length, MAX_ICV) == 1;
}

// Encrypt, then authenticate (RFC 4303 section 3.3.2). The IV has been written.
static int seal_cbc(const Sa *sa, const EspPacket *packet) {
  uint8_t full[MAX_ICV];
  if (!run_cbc(sa, packet, 1)) return STATUS_ERROR;
  if (sa->mac == NULL) return STATUS_OK;
  if (!run_hmac(sa, packet, full)) return STATUS_ERROR;
  memcpy(packet->icv, full, sa->icv_len);
  return STATUS_OK;
}

// Authenticate, then decrypt (RFC 4303 section 3.4.4.1). A wrong packet is left as it came.
static int open_cbc(const Sa *sa, const EspPacket *packet) {
  uint8_t full[MAX_ICV];
  if (sa->mac != NULL) {
    if (!run_hmac(sa, packet, full)) return STATUS_ERROR;
    if (CRYPTO_memcmp(full, packet->icv, sa->icv_len) != 0) return STATUS_INTEGRITY;
  }
  return run_cbc(sa, packet, 0) ? STATUS_OK : STATUS_ERROR;
}

static int seal_one(const Sa *sa, uint8_t *pool, const int32_t *job) {
  EspPacket packet = locate(sa, pool, job);
  if (sa->cipher == CIPHER_AES_GCM16 && sa->mb != NULL) return seal_gcm(sa, &packet);
  return is_combined(sa->cipher) ? seal_combined(sa, &packet) : seal_cbc(sa, &packet);
}

static int open_one(const Sa *sa, uint8_t *pool, const int32_t *job) {
  EspPacket packet = locate(sa, pool, job);
  if (sa->cipher == CIPHER_AES_GCM16 && sa->mb != NULL) return open_gcm(sa, &packet);
  return is_combined(sa->cipher) ? open_combined(sa, &packet) : open_cbc(sa, &packet);
}

// Why a packet cannot be worked on at all: no SA, or text that is not whole blocks (a peer can send that).
static bool is_workable(const Sa *sa, const int32_t *job) {
  return sa->cipher != CIPHER_NONE && (uint32_t)job[JOB_TEXT_LEN] % sa->block_len == 0;
}

// What seal() and open() are given.
typedef struct {
  Instance *instance;
  Bytes pool;
  Words jobs;
  int32_t count;
} Batch;

// Checks every job against the pool before any byte changes. @returns false with an exception pending
static bool check_jobs(napi_env env, const Batch *batch) {
  for (int32_t i = 0; i < batch->count; i++) {
    const int32_t *job = batch->jobs.at + (size_t)i * JOB_WORDS;
    if (job[JOB_SLOT] < 0 || job[JOB_SLOT] >= SA_SLOTS) {
      throw_range(env, "job %d: SA slot %d is not in 0..%d", i, job[JOB_SLOT], SA_SLOTS - 1);
      return false;
    }
    const Sa *sa = &batch->instance->sas[job[JOB_SLOT]];
    int64_t bytes = (int64_t)ESP_HEADER + sa->iv_len + job[JOB_TEXT_LEN] + sa->icv_len;
    if (job[JOB_OFFSET] < 0 || job[JOB_TEXT_LEN] < 0 || (uint64_t)(job[JOB_OFFSET] + bytes) > batch->pool.length) {
      throw_range(env, "job %d: offset %d with %d bytes of text is outside the pool of %zu", i, job[JOB_OFFSET], job[JOB_TEXT_LEN],
                  batch->pool.length);
      return false;
    }
  }
  return true;
}

static bool read_batch(napi_env env, napi_callback_info info, Batch *batch) {
  napi_value argv[3];
  return read_args(env, info, 3, argv) && read_bytes(env, argv[0], "pool", &batch->pool) &&
         read_int(env, argv[2], "count", 0, INT32_MAX, &batch->count) &&
         read_words(env, argv[1], "jobs", (size_t)batch->count * JOB_WORDS, &batch->jobs) &&
         napi_get_instance_data(env, (void **)&batch->instance) == napi_ok && check_jobs(env, batch);
}

static bool read_bound_batch(napi_env env, napi_callback_info info, Batch *batch) {
  const Bound *bound = bound_of(env, info);
  *batch = (Batch){.instance = bound->instance, .pool = bound->pool, .jobs = bound->arrays[0], .count = bound->words[BOUND_COUNT]};
  if (batch->count >= 0 && (size_t)batch->count * JOB_WORDS <= batch->jobs.length) return check_jobs(env, batch);
  throw_range(env, "count: %d is more than the jobs there are", batch->count);
  return false;
}

// Random IVs for a run of jobs, in one call of the generator (RFC 3602 section 3: unpredictable).
static bool write_ivs(Instance *instance, uint8_t *pool, const int32_t *jobs, int32_t count) {
  uint8_t random[IV_BATCH * MAX_IV];
  bool needed = false;
  for (int32_t i = 0; i < count; i++) {
    const Sa *sa = &instance->sas[jobs[i * JOB_WORDS + JOB_SLOT]];
    needed |= sa->iv_len > 0 && !is_combined(sa->cipher);
  }
  if (!needed) return true;
  if (RAND_bytes(random, count * MAX_IV) != 1) return false;
  for (int32_t i = 0; i < count; i++) {
    const int32_t *job = jobs + i * JOB_WORDS;
    const Sa *sa = &instance->sas[job[JOB_SLOT]];
    if (!is_combined(sa->cipher)) memcpy(pool + job[JOB_OFFSET] + ESP_HEADER, random + i * MAX_IV, sa->iv_len);
  }
  return true;
}

// Packets from here on that mb.c takes at once: of one SA with CBC and HMAC. @param packets out: MB_RUN @returns how many; 0 for fewer than are worth it, which go one by one
static int gather(const Batch *batch, const int32_t *jobs, int32_t count, EspPacket *packets) {
  const Sa *sa = &batch->instance->sas[jobs[JOB_SLOT]];
  int found = 0;
  if (sa->cipher != CIPHER_AES_CBC || sa->mb == NULL) return 0;
  for (; found < count && found < MB_RUN; found++) {
    const int32_t *job = jobs + found * JOB_WORDS;
    if (job[JOB_SLOT] != jobs[JOB_SLOT] || !is_workable(sa, job)) break;
    packets[found] = locate(sa, batch->pool.at, job);
    if (!mb_cbc_takes(&packets[found])) break;
  }
  return found < FEWEST_SIDE_BY_SIDE ? 0 : found;
}

// @returns how many packets were sealed, with their status written; 0: seal the first alone
static int seal_side_by_side(const Batch *batch, int32_t *jobs, int32_t count) {
  EspPacket packets[MB_RUN];
  int found = gather(batch, jobs, count, packets);
  if (found == 0) return 0;
  int status = mb_cbc_seal(batch->instance->mb, batch->instance->sas[jobs[JOB_SLOT]].mb, packets, found) ? STATUS_OK : STATUS_ERROR;
  for (int i = 0; i < found; i++) jobs[i * JOB_WORDS + JOB_STATUS] = status;
  return found;
}

// As seal_side_by_side.
static int open_side_by_side(const Batch *batch, int32_t *jobs, int32_t count) {
  EspPacket packets[MB_RUN];
  int32_t *status[MB_RUN];
  int found = gather(batch, jobs, count, packets);
  if (found == 0) return 0;
  for (int i = 0; i < found; i++) status[i] = &jobs[i * JOB_WORDS + JOB_STATUS];
  if (mb_cbc_open(batch->instance->mb, batch->instance->sas[jobs[JOB_SLOT]].mb, packets, found, status)) return found;
  for (int i = 0; i < found; i++) *status[i] = STATUS_ERROR;
  return found;
}

static void seal_all(const Batch *batch) {
  bool failed = false;
  for (int32_t first = 0; first < batch->count; first += IV_BATCH) {
    int32_t run = batch->count - first < IV_BATCH ? batch->count - first : IV_BATCH;
    int32_t *at = batch->jobs.at + (size_t)first * JOB_WORDS;
    bool random = write_ivs(batch->instance, batch->pool.at, at, run);
    int32_t done = 0;
    for (int32_t i = 0; i < run; i += done) {
      int32_t *job = at + i * JOB_WORDS;
      const Sa *sa = &batch->instance->sas[job[JOB_SLOT]];
      done = random ? seal_side_by_side(batch, job, run - i) : 0;
      if (done > 0) continue;
      done = 1;
      job[JOB_STATUS] = random && is_workable(sa, job) ? seal_one(sa, batch->pool.at, job) : STATUS_ERROR;
      failed |= job[JOB_STATUS] != STATUS_OK;
    }
  }
  if (failed) ERR_clear_error();
}

static void open_all(const Batch *batch) {
  bool failed = false;
  int32_t done = 0;
  for (int32_t i = 0; i < batch->count; i += done) {
    int32_t *job = batch->jobs.at + (size_t)i * JOB_WORDS;
    const Sa *sa = &batch->instance->sas[job[JOB_SLOT]];
    done = open_side_by_side(batch, job, batch->count - i);
    if (done > 0) continue;
    done = 1;
    job[JOB_STATUS] = is_workable(sa, job) ? open_one(sa, batch->pool.at, job) : STATUS_ERROR;
    failed |= job[JOB_STATUS] != STATUS_OK;
  }
  if (failed) ERR_clear_error();
}

// seal(pool, jobs, count)
napi_value js_seal(napi_env env, napi_callback_info info) {
  Batch batch;
  if (read_batch(env, info, &batch)) seal_all(&batch);
  return NULL;
}

// open(pool, jobs, count)
napi_value js_open(napi_env env, napi_callback_info info) {
  Batch batch;
  if (read_batch(env, info, &batch)) open_all(&batch);
  return NULL;
}

static napi_value bound_seal(napi_env env, napi_callback_info info) {
  Batch batch;
  if (read_bound_batch(env, info, &batch)) seal_all(&batch);
  return NULL;
}

static napi_value bound_open(napi_env env, napi_callback_info info) {
  Batch batch;
  if (read_bound_batch(env, info, &batch)) open_all(&batch);
  return NULL;
}

// bindSeal(pool, jobs, words): () => void
napi_value js_bind_seal(napi_env env, napi_callback_info info) {
  return bind_call(env, info, bound_seal, true, 1);
}

// bindOpen(pool, jobs, words): () => void
napi_value js_bind_open(napi_env env, napi_callback_info info) {
  return bind_call(env, info, bound_open, true, 1);
}
