// Encryption of ISAKMP messages, RFC 2409 App. B: CBC, zero padding, the IV of a message is the last ciphertext block of the one before.
// Phase 1 starts from the IV of keying-material.ts; each later exchange has its own chain, started from phase 1's last block and its M-ID.
// Single DES runs as des-ede3-cbc with K|K|K, which is the same function: OpenSSL 3's default provider has no single DES.
// Does not: know the meaning of the payloads; the HASH payload is for the exchange to check (verify below).

import { createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '../actions.js';
import type { IkeCipher, IkeHash } from '../config/model.js';
import { concatBytes, readU32, u32Bytes } from './bytes.js';
import { HeaderFlag, HeaderLength, type IsakmpHeader, PayloadType, readHeader, writeHeader } from './header.js';
import { type Payload, readPayloads, writePayloads } from './payloads.js';
import type { Phase1Sa } from './phase1-sa.js';
import { WireError } from './wire-error.js';

interface CipherForm {
  name: string;
  /** Bytes of key, as negotiated. */
  keyLength: number;
  /** Bytes of block and IV. */
  blockLength: number;
}

const ciphers: Record<IkeCipher, CipherForm> = {
  des: { name: 'des-ede3-cbc', keyLength: 8, blockLength: 8 },
  '3des': { name: 'des-ede3-cbc', keyLength: 24, blockLength: 8 },
  'aes-128': { name: 'aes-128-cbc', keyLength: 16, blockLength: 16 },
  'aes-192': { name: 'aes-192-cbc', keyLength: 24, blockLength: 16 },
  'aes-256': { name: 'aes-256-cbc', keyLength: 32, blockLength: 16 },
};
const hashes: Record<IkeHash, string> = { md5: 'md5', sha: 'sha1', sha256: 'sha256', sha384: 'sha384', sha512: 'sha512' };

export function cipherKeyLength(cipher: IkeCipher): number {
  return ciphers[cipher].keyLength;
}

export function cipherBlockLength(cipher: IkeCipher): number {
  return ciphers[cipher].blockLength;
}

export function hashOf(hash: IkeHash, ...parts: readonly Uint8Array[]): Uint8Array {
  const sum = createHash(hashes[hash]);
  for (const part of parts) sum.update(part);
  return new Uint8Array(sum.digest());
}

/** prf of RFC 2409 §4: HMAC of the negotiated hash (RFC 4868 §2.6 for SHA-2), full length. */
export function prf(hash: IkeHash, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  // Node looks at raw bytes for long before it takes them for a key: as KeyObject an HMAC costs a third (node 24, measured).
  const mac = createHmac(hashes[hash], createSecretKey(key));
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

/** HASH(n) of an exchange under a phase-1 SA: prf(SKEYID_a, M-ID | parts) (RFC 2409 §5.5 and §5.7, RFC 6407 §3.2). */
export function exchangeHash(sa: Pick<Phase1Sa, 'hash' | 'skeyidA'>, messageId: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return prf(sa.hash, sa.skeyidA, u32Bytes(messageId), ...parts);
}

/** Constant-time in the contents. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Random, never 0: 0 is phase 1's and the push's (RFC 2408 §3.1). The caller keeps it unique within the SA. */
export function newMessageId(random: RandomBytes): number {
  return readU32(random(4), 0) || 1;
}

/** CBC over whole messages, the IV chained from one to the next. */
export class CbcChain {
  private readonly form: CipherForm;
  private readonly cipherKey: KeyObject;

  /** @param key of the cipher's length @param iv one block; afterwards always the last ciphertext block */
  constructor(
    cipher: IkeCipher,
    key: Uint8Array,
    public iv: Uint8Array,
  ) {
    this.form = ciphers[cipher];
    this.cipherKey = createSecretKey(cipher === 'des' ? concatBytes(key, key, key) : key);
  }

  /** @returns the message; Length includes the padding (RFC 2408 §3.1) */
  seal(header: Omit<IsakmpHeader, 'length' | 'nextPayload'>, payloads: readonly { type: number; body: Uint8Array }[]): Uint8Array {
    const { name, blockLength } = this.form;
    const chain = writePayloads(payloads);
    const padded = new Uint8Array(Math.ceil(chain.length / blockLength) * blockLength);
    padded.set(chain);
    const cipher = createCipheriv(name, this.cipherKey, this.iv).setAutoPadding(false);
    const sealed = concatBytes(cipher.update(padded), cipher.final());
    this.iv = sealed.slice(sealed.length - blockLength);
    const length = HeaderLength + sealed.length;
    const flags = header.flags | HeaderFlag.Encryption;
    const nextPayload = payloads.length > 0 ? payloads[0].type : PayloadType.None;
    return concatBytes(writeHeader({ ...header, flags, nextPayload, length }), sealed);
  }

  /**
   * Decrypts one message. The IV moves on only when everything, `verify` included, succeeds: a forged message must not keep
   * the true one from being read.
   * @param message with its header; bytes beyond its Length are ignored
   * @param verify throws WireError when the payloads do not prove their sender (the HASH payload)
   * @throws WireError with counter `ike_undecryptable`: one error for every reason before `verify`, so that there is no padding oracle
   */
  open(message: Uint8Array, verify?: (payloads: Payload[]) => void): Payload[] {
    const header = readHeader(message);
    if (!(header.flags & HeaderFlag.Encryption)) throw new WireError('RFC 2408 §3.1', 'message is not encrypted', 'ike_undecryptable');
    const { name, blockLength } = this.form;
    const sealed = message.subarray(HeaderLength, header.length);
    if (sealed.length === 0 || sealed.length % blockLength !== 0) {
      throw new WireError('RFC 2409 App. B', 'message does not decrypt', 'ike_undecryptable');
    }
    const decipher = createDecipheriv(name, this.cipherKey, this.iv).setAutoPadding(false);
    const opened = concatBytes(decipher.update(sealed), decipher.final());
    const payloads = this.readOpened(header.nextPayload, opened);
    verify?.(payloads);
    this.iv = sealed.slice(sealed.length - blockLength);
    return payloads;
  }

  private readOpened(first: number, opened: Uint8Array): Payload[] {
    try {
      return readPayloads(first, opened, { padding: this.form.blockLength });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new WireError('RFC 2409 App. B', 'message does not decrypt', 'ike_undecryptable');
    }
  }
}

/** The cipher of one exchange after phase 1: one object per (SA, M-ID), both directions share the chain (RFC 2409 App. B). */
export class MessageCipher {
  private readonly chain: CbcChain;

  /** @param sa in GDOI_IDLE */
  constructor(sa: Phase1Sa, messageId: number) {
    const seed = hashOf(sa.hash, sa.lastIv, u32Bytes(messageId));
    this.chain = new CbcChain(sa.cipher, sa.key, seed.slice(0, cipherBlockLength(sa.cipher)));
  }

  /** Sets the encryption flag, next payload, Length and padding. Keep the result: a repetition is sent byte for byte, not sealed again. */
  seal(header: Omit<IsakmpHeader, 'length' | 'nextPayload'>, payloads: readonly { type: number; body: Uint8Array }[]): Uint8Array {
    return this.chain.seal(header, payloads);
  }

  /**
   * Recognise repetitions (same bytes as before) first: they do not decrypt with the IV of the next message.
   * @param verify see CbcChain.open; check the HASH payload in it, so that a forgery leaves the IV chain alone
   * @throws WireError with counter `ike_undecryptable`, or what `verify` throws
   */
  open(message: Uint8Array, verify?: (payloads: Payload[]) => void): Payload[] {
    return this.chain.open(message, verify);
  }
}

/** Header of a message under an established SA; `seal` adds the rest. */
export function saHeader(sa: Phase1Sa, exchange: number, messageId: number): Omit<IsakmpHeader, 'length' | 'nextPayload'> {
  return {
    initiatorCookie: sa.initiatorCookie,
    responderCookie: sa.responderCookie,
    exchange,
    flags: HeaderFlag.Encryption,
    messageId,
  };
}
