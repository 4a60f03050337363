// seal and open of the twin on node:crypto: RFC 4106 (GCM), RFC 4543 (GMAC), RFC 7634 (ChaCha20-Poly1305), RFC 3602 and RFC 2451 (CBC), RFC 2410 (NULL), RFC 2403/2404/4868 (HMAC).
// One cipher object per packet, because node:crypto cannot start one again. Same layout, statuses and errors as sa.c and batch.c.

import {
  type CipherGCM,
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createHmac,
  type DecipherGCM,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';
import { isCombined } from '../proto/esp.js';
import { Cap, EspAuth, EspCipher, SaKey } from '../tables/layout.js';
import { requireBytes, requireInside, requireInt, requireWords } from './checks.js';
import { Job, JobStatus, type Native } from './native.js';

const EspHeader = 8;
const TagBytes = 16;

/** RFC 2403, RFC 2404, RFC 4868 §2.1; indexed by EspAuth. Lengths in bytes. */
const authSpecs = [
  { digest: '', keyLen: 0, icvLen: 0 },
  { digest: 'md5', keyLen: 16, icvLen: 12 },
  { digest: 'sha1', keyLen: 20, icvLen: 12 },
  { digest: 'sha256', keyLen: 32, icvLen: 16 },
  { digest: 'sha384', keyLen: 48, icvLen: 24 },
  { digest: 'sha512', keyLen: 64, icvLen: 32 },
] as const;

interface SaContext {
  /** Encrypts and authenticates in one. */
  combined: boolean;
  /** Of those: authenticates alone. */
  gmac: boolean;
  /** node:crypto name, '' = NULL encryption. */
  cipher: string;
  digest: string;
  cipherKey: Uint8Array;
  authKey: Uint8Array;
  /** salt | IV: written anew for each packet. */
  nonce: Uint8Array;
  ivLen: number;
  icvLen: number;
  /** The text is a multiple of it, bytes. */
  blockLen: number;
}

/** Views of one packet's parts. */
interface Packet {
  header: Uint8Array;
  iv: Uint8Array;
  text: Uint8Array;
  icv: Uint8Array;
  /** SPI .. text: what the HMAC covers (RFC 4303 §2.8). */
  covered: Uint8Array;
  /** Upper half of an extended sequence number; empty when the number has 32 bits. */
  high: Uint8Array;
}

/** The name of a cipher with a key of that many bytes, undefined when there is none, '' for NULL. */
function cipherName(cipher: EspCipher, keyLen: number): string | undefined {
  const aes = keyLen === 16 || keyLen === 24 || keyLen === 32;
  if (cipher === EspCipher.Null && keyLen === 0) return '';
  if (cipher === EspCipher.TripleDesCbc && keyLen === 24) return 'des-ede3-cbc';
  if (cipher === EspCipher.AesCbc && aes) return `aes-${keyLen * 8}-cbc`;
  if ((cipher === EspCipher.AesGcm16 || cipher === EspCipher.AesGmac) && aes) return `aes-${keyLen * 8}-gcm`;
  if (cipher === EspCipher.ChaCha20Poly1305 && keyLen === 32) return 'chacha20-poly1305';
  return undefined;
}

function upperHalf(extended: number): Uint8Array {
  const high = new Uint8Array(extended > 0 ? 4 : 0);
  if (extended > 0) new DataView(high.buffer).setUint32(0, extended - 1);
  return high;
}

/** @param extended Job.Extended */
function locate(sa: SaContext, pool: Uint8Array, offset: number, textLen: number, extended: number): Packet {
  const text = offset + EspHeader + sa.ivLen;
  return {
    header: pool.subarray(offset, offset + EspHeader),
    iv: pool.subarray(offset + EspHeader, text),
    text: pool.subarray(text, text + textLen),
    icv: pool.subarray(text + textLen, text + textLen + sa.icvLen),
    covered: pool.subarray(offset, text + textLen),
    high: upperHalf(extended),
  };
}

/** RFC 4106 §5, RFC 4543 §3.3: SPI | upper half | lower half when the number is extended, SPI | number when not; then what GMAC covers. */
function associated({ gmac }: SaContext, { header, covered, high }: Packet): Uint8Array {
  const whole = gmac ? covered : header;
  return high.length === 0 ? whole : Buffer.concat([whole.subarray(0, 4), high, whole.subarray(4)]);
}

// RFC 4106 §4 and §5, RFC 7634 §2.1: nonce = salt | IV, AAD = SPI | sequence number. GMAC has no text: its AAD goes on to the ICV (RFC 4543 §3.3).
function sealCombined(sa: SaContext, packet: Packet): JobStatus {
  sa.nonce.set(packet.iv, 4);
  const cipher: CipherGCM = createCipheriv(sa.cipher as CipherGCMTypes, sa.cipherKey, sa.nonce, { authTagLength: TagBytes });
  cipher.setAAD(associated(sa, packet));
  if (!sa.gmac) packet.text.set(cipher.update(packet.text));
  cipher.final();
  packet.icv.set(cipher.getAuthTag());
  return JobStatus.Ok;
}

function openCombined(sa: SaContext, packet: Packet): JobStatus {
  sa.nonce.set(packet.iv, 4);
  const cipher: DecipherGCM = createDecipheriv(sa.cipher as CipherGCMTypes, sa.cipherKey, sa.nonce, { authTagLength: TagBytes });
  cipher.setAAD(associated(sa, packet));
  cipher.setAuthTag(packet.icv);
  const plain = sa.gmac ? packet.text : cipher.update(packet.text);
  try {
    cipher.final();
  } catch {
    // final() throws only for a wrong tag: the plaintext is one that nobody vouches for (NIST SP 800-38D §7.2).
    if (!sa.gmac) packet.text.fill(0);
    return JobStatus.Integrity;
  }
  if (!sa.gmac) packet.text.set(plain);
  return JobStatus.Ok;
}

/** The upper half of an extended sequence number comes last (RFC 4303 §3.3.2.1). */
function hmac(sa: SaContext, packet: Packet): Uint8Array {
  return createHmac(sa.digest, sa.authKey).update(packet.covered).update(packet.high).digest().subarray(0, sa.icvLen);
}

// Encrypt, then authenticate (RFC 4303 §3.3.2). The IV is random: RFC 3602 §3 wants it unpredictable.
function sealCbc(sa: SaContext, packet: Packet): JobStatus {
  if (sa.cipher !== '') {
    randomFillSync(packet.iv);
    const cipher = createCipheriv(sa.cipher, sa.cipherKey, packet.iv).setAutoPadding(false);
    packet.text.set(cipher.update(packet.text));
    cipher.final();
  }
  if (sa.digest !== '') packet.icv.set(hmac(sa, packet));
  return JobStatus.Ok;
}

// Authenticate, then decrypt (RFC 4303 §3.4.4.1). A wrong packet is left as it came.
function openCbc(sa: SaContext, packet: Packet): JobStatus {
  if (sa.digest !== '' && !timingSafeEqual(hmac(sa, packet), packet.icv)) return JobStatus.Integrity;
  if (sa.cipher !== '') {
    const cipher = createDecipheriv(sa.cipher, sa.cipherKey, packet.iv).setAutoPadding(false);
    packet.text.set(cipher.update(packet.text));
    cipher.final();
  }
  return JobStatus.Ok;
}

function makeContext(cipher: EspCipher, auth: EspAuth, keys: Uint8Array, cipherKeyLen: number, authKeyLen: number): SaContext {
  const name = cipherName(cipher, cipherKeyLen);
  const spec = authSpecs[auth];
  if (name === undefined) throw new RangeError(`saSet: cipher ${cipher} has no key of ${cipherKeyLen} bytes`);
  if (authKeyLen !== spec.keyLen) throw new RangeError(`saSet: authentication ${auth} has no key of ${authKeyLen} bytes`);
  if (name === '' && auth === EspAuth.None) throw new RangeError('saSet: neither encryption nor authentication');
  const combined = isCombined(cipher);
  if (combined && auth !== EspAuth.None) throw new RangeError('saSet: a combined mode takes no HMAC (RFC 4303 section 3.3.2.2)');
  const nonce = new Uint8Array(12);
  nonce.set(keys.subarray(SaKey.Salt, SaKey.Salt + 4));
  const blockLen = combined || name === '' ? 1 : cipher === EspCipher.TripleDesCbc ? 8 : 16;
  return {
    combined,
    gmac: cipher === EspCipher.AesGmac,
    cipher: name,
    digest: spec.digest,
    cipherKey: keys.slice(SaKey.Cipher, SaKey.Cipher + cipherKeyLen),
    authKey: keys.slice(SaKey.Auth, SaKey.Auth + authKeyLen),
    nonce,
    ivLen: combined ? 8 : name === '' ? 0 : blockLen,
    icvLen: combined ? TagBytes : spec.icvLen,
    blockLen,
  };
}

export function makeTwinCrypto(): Pick<Native, 'saSet' | 'saClear' | 'seal' | 'open'> {
  const sas = new Array<SaContext | undefined>(Cap.Sas).fill(undefined);

  function clear(slot: number): void {
    const sa = sas[slot];
    if (sa === undefined) return;
    for (const secret of [sa.cipherKey, sa.authKey, sa.nonce]) secret.fill(0);
    sas[slot] = undefined;
  }

  /** Every job is checked before any byte changes. */
  function check(pool: Uint8Array, jobs: Int32Array, count: number): void {
    requireBytes(pool, 'pool');
    requireInt(count, 'count', 0, 0x7fffffff);
    requireWords(jobs, 'jobs', count * Job.Words);
    for (let at = 0; at < count * Job.Words; at += Job.Words) {
      const slot = jobs[at + Job.Slot];
      const number = at / Job.Words;
      if (slot < 0 || slot >= Cap.Sas) throw new RangeError(`job ${number}: SA slot ${slot} is not in 0..${Cap.Sas - 1}`);
      const textLen = jobs[at + Job.TextLen];
      const bytes = textLen < 0 ? -1 : EspHeader + (sas[slot]?.ivLen ?? 0) + textLen + (sas[slot]?.icvLen ?? 0);
      requireInside(pool, jobs[at + Job.Offset], bytes, `job ${number}: offset`);
    }
  }

  function run(transform: (sa: SaContext, packet: Packet) => JobStatus, pool: Uint8Array, jobs: Int32Array, at: number): JobStatus {
    const sa = sas[jobs[at + Job.Slot]];
    if (sa === undefined || jobs[at + Job.TextLen] % sa.blockLen !== 0) return JobStatus.Error;
    return transform(sa, locate(sa, pool, jobs[at + Job.Offset], jobs[at + Job.TextLen], jobs[at + Job.Extended]));
  }

  return {
    saSet(slot, cipher, auth, keys, cipherKeyLen, authKeyLen) {
      requireInt(slot, 'slot', 0, Cap.Sas - 1);
      requireInt(cipher, 'cipher', EspCipher.Null, EspCipher.ChaCha20Poly1305);
      requireInt(auth, 'auth', EspAuth.None, EspAuth.HmacSha512_256);
      requireBytes(keys, 'keys');
      requireInt(cipherKeyLen, 'cipherKeyLen', 0, SaKey.Salt);
      requireInt(authKeyLen, 'authKeyLen', 0, SaKey.Bytes - SaKey.Auth);
      if (keys.length < SaKey.Bytes) throw new RangeError(`keys: ${keys.length} bytes, a row has ${SaKey.Bytes}`);
      const context = makeContext(cipher, auth, keys, cipherKeyLen, authKeyLen);
      clear(slot);
      sas[slot] = context;
    },
    saClear(slot) {
      requireInt(slot, 'slot', 0, Cap.Sas - 1);
      clear(slot);
    },
    seal(pool, jobs, count) {
      check(pool, jobs, count);
      for (let at = 0; at < count * Job.Words; at += Job.Words) {
        jobs[at + Job.Status] = run((sa, packet) => (sa.combined ? sealCombined(sa, packet) : sealCbc(sa, packet)), pool, jobs, at);
      }
    },
    open(pool, jobs, count) {
      check(pool, jobs, count);
      for (let at = 0; at < count * Job.Words; at += Job.Words) {
        jobs[at + Job.Status] = run((sa, packet) => (sa.combined ? openCombined(sa, packet) : openCbc(sa, packet)), pool, jobs, at);
      }
    },
  };
}
