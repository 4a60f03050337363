// ESP made with node:crypto alone, so that a test can put anything inside: the code under test is not asked.

import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { isCombined } from '../../dataplane/proto/esp.js';
import { EspCipher, SaKey } from '../../dataplane/tables/layout.js';
import { fixHeader, ip } from './packets.js';
import { keysOf, type SaSpec, transforms } from './router.js';

export interface ByHand {
  seq: number;
  /** Decrypted text: inner packet, padding, pad length, next header. */
  text: Uint8Array;
  src?: string;
  dst?: string;
  /** Counter modes: the 8 bytes on the wire. */
  iv?: Uint8Array;
  spi?: number;
  tos?: number;
  /** Flags and offset of the outer header. */
  fragment?: number;
}

/** Inner packet with a correct trailer. */
export function textOf(inner: Uint8Array, align: number, next = 4): Uint8Array {
  const pad = (align - ((inner.length + 2) % align)) % align;
  const text = new Uint8Array(inner.length + pad + 2);
  text.set(inner);
  for (let i = 1; i <= pad; i++) text[inner.length + i - 1] = i;
  text[inner.length + pad] = pad;
  text[inner.length + pad + 1] = next;
  return text;
}

/** The 8 IV bytes of a sender: sender ID in the top 24 bits. */
export function ivOf(sid: number, counter: number): Uint8Array {
  const iv = new Uint8Array(8);
  const view = new DataView(iv.buffer);
  view.setUint32(0, sid << 8);
  view.setUint32(4, counter);
  return iv;
}

function encrypt(sa: SaSpec, options: ByHand, head: Uint8Array): Uint8Array {
  const keys = keysOf(sa);
  const { cipher: number, cipherKeyLen, authKeyLen, ivLen, icvLen } = transforms[sa.transform];
  const key = keys.subarray(SaKey.Cipher, SaKey.Cipher + cipherKeyLen);
  if (isCombined(number)) {
    const iv = options.iv ?? ivOf(9, options.seq);
    const nonce = Buffer.concat([keys.subarray(SaKey.Salt, SaKey.Salt + 4), iv]);
    const name = number === EspCipher.ChaCha20Poly1305 ? 'chacha20-poly1305' : cipherKeyLen === 32 ? 'aes-256-gcm' : 'aes-128-gcm';
    const cipher = createCipheriv(name as 'aes-128-gcm', key, nonce, { authTagLength: 16 });
    if (number === EspCipher.AesGmac) {
      const covered = Buffer.concat([head, iv, options.text]);
      cipher.setAAD(covered).final();
      return Buffer.concat([covered, cipher.getAuthTag()]);
    }
    cipher.setAAD(head);
    return Buffer.concat([head, iv, cipher.update(options.text), cipher.final(), cipher.getAuthTag()]);
  }
  const iv = randomBytes(ivLen);
  let text: Uint8Array = options.text;
  if (ivLen > 0) {
    const name = sa.transform.startsWith('3des') ? 'des-ede3-cbc' : cipherKeyLen === 32 ? 'aes-256-cbc' : 'aes-128-cbc';
    text = createCipheriv(name, key, iv).setAutoPadding(false).update(options.text);
  }
  const body = Buffer.concat([head, iv, text]);
  const hash = sa.transform.endsWith('sha256') ? 'sha256' : 'sha1';
  const icv = createHmac(hash, keys.subarray(SaKey.Auth, SaKey.Auth + authKeyLen))
    .update(body)
    .digest()
    .subarray(0, icvLen);
  return Buffer.concat([body, icv]);
}

/** @returns outer IPv4 and ESP */
export function sealByHand(sa: SaSpec, options: ByHand): Uint8Array {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, options.spi ?? sa.spi);
  new DataView(head.buffer).setUint32(4, options.seq);
  return wrap(encrypt(sa, options, head), options);
}

/** An outer header around any ESP bytes. */
export function wrap(esp: Uint8Array, options: Partial<ByHand> = {}): Uint8Array {
  const packet = new Uint8Array(20 + esp.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[1] = options.tos ?? 0;
  view.setUint16(2, packet.length);
  view.setUint16(6, options.fragment ?? 0);
  packet[8] = 60;
  packet[9] = 50;
  view.setUint32(12, ip(options.src ?? '10.0.1.10'));
  view.setUint32(16, ip(options.dst ?? '10.0.2.10'));
  packet.set(esp, 20);
  return fixHeader(packet);
}
