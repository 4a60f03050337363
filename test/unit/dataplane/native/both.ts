// Both implementations of the native seam and every ESP transform, for tests that must hold for each.

import { join } from 'node:path';
import { Job, loadNative, type Native } from '../../../../dataplane/native/native.js';
import { EspAuth, EspCipher, SaKey } from '../../../../dataplane/tables/layout.js';

export interface Transform {
  name: string;
  cipher: EspCipher;
  auth: EspAuth;
  cipherKeyLen: number;
  authKeyLen: number;
  ivLen: number;
  icvLen: number;
  /** The text is a multiple of it, bytes. */
  blockLen: number;
}

const auths = [
  { name: 'none', auth: EspAuth.None, authKeyLen: 0, icvLen: 0 },
  { name: 'md5-96', auth: EspAuth.HmacMd5_96, authKeyLen: 16, icvLen: 12 },
  { name: 'sha1-96', auth: EspAuth.HmacSha1_96, authKeyLen: 20, icvLen: 12 },
  { name: 'sha256-128', auth: EspAuth.HmacSha256_128, authKeyLen: 32, icvLen: 16 },
  { name: 'sha384-192', auth: EspAuth.HmacSha384_192, authKeyLen: 48, icvLen: 24 },
  { name: 'sha512-256', auth: EspAuth.HmacSha512_256, authKeyLen: 64, icvLen: 32 },
];
const ciphers = [
  { name: 'null', cipher: EspCipher.Null, cipherKeyLen: 0, ivLen: 0, blockLen: 1 },
  { name: '3des', cipher: EspCipher.TripleDesCbc, cipherKeyLen: 24, ivLen: 8, blockLen: 8 },
  { name: 'aes128', cipher: EspCipher.AesCbc, cipherKeyLen: 16, ivLen: 16, blockLen: 16 },
  { name: 'aes192', cipher: EspCipher.AesCbc, cipherKeyLen: 24, ivLen: 16, blockLen: 16 },
  { name: 'aes256', cipher: EspCipher.AesCbc, cipherKeyLen: 32, ivLen: 16, blockLen: 16 },
];

const combined = [
  { name: 'gcm', cipher: EspCipher.AesGcm16, keys: [16, 24, 32] },
  { name: 'gmac', cipher: EspCipher.AesGmac, keys: [16, 24, 32] },
  { name: 'chacha', cipher: EspCipher.ChaCha20Poly1305, keys: [32] },
];

/** Every combination that an SA can have: 7 combined modes, 29 of cipher and HMAC. */
export const transforms: Transform[] = [
  ...combined.flatMap(({ name, cipher, keys }) =>
    keys.map((cipherKeyLen) => ({
      name: `${name}${cipherKeyLen * 8}`,
      cipher,
      auth: EspAuth.None,
      cipherKeyLen,
      authKeyLen: 0,
      ivLen: 8,
      icvLen: 16,
      blockLen: 1,
    })),
  ),
  ...ciphers.flatMap((cipher) => auths.map((auth) => ({ ...cipher, ...auth, name: `${cipher.name}+${auth.name}` }))),
].filter(({ name }) => name !== 'null+none');

/** NULL and GMAC leave the text as it is. */
export function hidesText({ cipher }: Transform): boolean {
  return cipher !== EspCipher.Null && cipher !== EspCipher.AesGmac;
}

/** Addon and twin, each with its own SA slots. */
export function bothNatives(): Native[] {
  return [loadUnder({ GROUPWIRE_NATIVE: '1' }), loadUnder({ GROUPWIRE_NATIVE: '0' })];
}

const openssl = join(import.meta.dirname, '../../../../../build/openssl/groupwire.node');

/** One that seals and opens, and what it is called in a test's name. */
export type CryptoNative = Native & { label: string };

/** Every seal() and open() that there is: the addon, once more where its AES is another library's, and the twin. */
export function cryptoNatives(): CryptoNative[] {
  const [addon, twin] = bothNatives();
  const natives = [{ ...addon, label: 'addon' }];
  if (addon.aes !== 'openssl') {
    const other = loadUnder({ GROUPWIRE_NATIVE: '1', GROUPWIRE_ADDON: openssl });
    natives.push({ ...other, label: 'addon with OpenSSL alone' });
  }
  return [...natives, { ...twin, label: 'twin' }];
}

/** @param environment what it is loaded under; afterwards it is as before */
function loadUnder(environment: Record<string, string>): Native {
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, environment);
  try {
    return loadNative();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** A SaKey row with bytes that differ everywhere. */
export function keyRow(seed: number): Uint8Array {
  return Uint8Array.from({ length: SaKey.Bytes }, (_, i) => (seed * 89 + i * 37 + ((i * i) >> 3)) & 0xff);
}

export function setSa(native: Native, slot: number, transform: Transform, keys: Uint8Array): void {
  native.saSet(slot, transform.cipher, transform.auth, keys, transform.cipherKeyLen, transform.authKeyLen);
}

/** Job rows from [slot, offset, textLen], Status filled with a value that no call leaves. */
export function jobsOf(...rows: [slot: number, offset: number, textLen: number][]): Int32Array {
  const jobs = new Int32Array(rows.length * Job.Words).fill(-7);
  for (const [i, row] of rows.entries()) jobs.set(row, i * Job.Words);
  return jobs;
}

export function statusesOf(jobs: Int32Array): number[] {
  return Array.from({ length: jobs.length / Job.Words }, (_, i) => jobs[i * Job.Words + Job.Status]);
}

/** Bytes of a whole packet: ESP header to ICV. */
export function packetLength(transform: Transform, textLen: number): number {
  return 8 + transform.ivLen + textLen + transform.icvLen;
}

/** A pool over shared memory, as the dataplane's, with a view offset that is not 0. */
export function sharedPool(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes + 64), 64, bytes);
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from((text.match(/[0-9a-f]{2}/g) ?? []).map((byte) => Number.parseInt(byte, 16)));
}

/** For comparing bytes: one string compare, and a readable difference. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
