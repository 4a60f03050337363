// Random packets, judged by scapy's IPsec layer, GMAC by pycryptodome: it opens what addon and twin seal, and both open what it seals.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { JobStatus } from '../../../dataplane/native/native.js';
import { isCombined } from '../../../dataplane/proto/esp.js';
import { EspAuth, EspCipher, SaKey } from '../../../dataplane/tables/layout.js';
import {
  type CryptoNative,
  cryptoNatives,
  hex,
  jobsOf,
  keyRow,
  packetLength,
  setSa,
  statusesOf,
  type Transform,
  toHex,
  transforms,
} from '../../unit/dataplane/native/both.js';

const python = '/usr/bin/python3';
const judgePath = join(import.meta.dirname, '../../../../test/vectors/aead/esp_judge.py');
const packetsEach = 12;

const scapyCipher = {
  [EspCipher.Null]: 'NULL',
  [EspCipher.TripleDesCbc]: '3DES',
  [EspCipher.AesCbc]: 'AES-CBC',
  [EspCipher.AesGcm16]: 'AES-GCM',
  [EspCipher.AesGmac]: 'GMAC',
  [EspCipher.ChaCha20Poly1305]: 'CHACHA20-POLY1305',
};
const scapyAuth = {
  [EspAuth.None]: 'NULL',
  [EspAuth.HmacMd5_96]: 'HMAC-MD5-96',
  [EspAuth.HmacSha1_96]: 'HMAC-SHA1-96',
  [EspAuth.HmacSha256_128]: 'SHA2-256-128',
  [EspAuth.HmacSha384_192]: 'SHA2-384-192',
  [EspAuth.HmacSha512_256]: 'SHA2-512-256',
};

interface Case {
  native: CryptoNative;
  transform: Transform;
  seed: number;
  inner: Uint8Array;
  packet: Uint8Array;
}

/** Reproducible bytes. */
function bytesOf(seed: string, length: number): Uint8Array {
  return Uint8Array.from(createHash('shake256', { outputLength: length }).update(seed).digest());
}

/** An IPv4 datagram of protocol 253 (experiments), 10.0.1.10 to 10.0.2.10, header checksum included. */
function innerPacket(seed: string, payloadLen: number): Uint8Array {
  const length = 20 + payloadLen;
  const packet = new Uint8Array(length);
  packet.set([0x45, 0, length >> 8, length & 0xff, 0x12, 0x34, 0, 0, 64, 253, 0, 0, 10, 0, 1, 10, 10, 0, 2, 10]);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (packet[i] << 8) | packet[i + 1];
  const checksum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  packet.set([checksum >> 8, checksum & 0xff], 10);
  packet.set(bytesOf(seed, payloadLen), 20);
  return packet;
}

/** As many as are done side by side (native/mb.c). */
const BatchSize = 5;

/** Runs a call over copies of a packet. @returns one of them, and its status */
function inBatch(packet: Uint8Array, seed: number, textLen: number, call: (pool: Uint8Array, jobs: Int32Array) => void) {
  const pool = new Uint8Array(BatchSize * packet.length);
  for (let i = 0; i < BatchSize; i++) pool.set(packet, i * packet.length);
  const jobs = jobsOf(...Array.from({ length: BatchSize }, (_, i): [number, number, number] => [0, i * packet.length, textLen]));
  call(pool, jobs);
  const chosen = seed % BatchSize;
  return { packet: pool.slice(chosen * packet.length, (chosen + 1) * packet.length), status: statusesOf(jobs)[chosen] };
}

/** Inner packet, RFC 4303 §2.4 padding, next header 4, sealed by `native`. */
function sealCase(native: CryptoNative, transform: Transform, seed: number): Case {
  const inner = innerPacket(`${transform.name} ${seed}`, (seed * 131 + transform.ivLen * 17) % 1400);
  const align = Math.max(4, transform.blockLen);
  const padLen = (align - ((inner.length + 2) % align)) % align;
  const textLen = inner.length + padLen + 2;
  const packet = new Uint8Array(packetLength(transform, textLen));
  packet.set([0x12, 0x34, 0x56, 0x78, 0, 0, 0, 7]);
  if (isCombined(transform.cipher)) packet.set(bytesOf(`iv ${seed}`, 8), 8);
  const at = 8 + transform.ivLen;
  packet.set(inner, at);
  for (let i = 0; i < padLen; i++) packet[at + inner.length + i] = i + 1;
  packet.set([padLen, 4], at + textLen - 2);
  setSa(native, 0, transform, keyRow(seed));
  const sealed = inBatch(packet, seed, textLen, (pool, jobs) => native.seal(pool, jobs, BatchSize));
  if (sealed.status !== JobStatus.Ok) throw new Error(`${native.label} ${transform.name}: seal gave ${sealed.status}`);
  return { native, transform, seed, inner, packet: sealed.packet };
}

function questionOf({ transform, seed, inner, packet }: Case): Record<string, string> {
  const keys = keyRow(seed);
  const cipherKey = toHex(keys.slice(SaKey.Cipher, SaKey.Cipher + transform.cipherKeyLen));
  return {
    crypt: scapyCipher[transform.cipher as keyof typeof scapyCipher],
    cryptKey: cipherKey + (isCombined(transform.cipher) ? toHex(keys.slice(SaKey.Salt, SaKey.Salt + 4)) : ''),
    auth: scapyAuth[transform.auth],
    authKey: toHex(keys.slice(SaKey.Auth, SaKey.Auth + transform.authKeyLen)),
    packet: toHex(packet),
    inner: toHex(inner),
  };
}

/** Opens scapy's packet. @returns the inner packet as hex, or the status */
function openWith(native: CryptoNative, { transform, seed, inner }: Case, sealed: Uint8Array): string {
  setSa(native, 0, transform, keyRow(seed));
  const opened = inBatch(sealed, seed, sealed.length - packetLength(transform, 0), (pool, jobs) => native.open(pool, jobs, BatchSize));
  if (opened.status !== JobStatus.Ok) return `status ${opened.status}`;
  return toHex(opened.packet.slice(8 + transform.ivLen, 8 + transform.ivLen + inner.length));
}

const present = spawnSync(python, ['-c', 'import scapy.layers.ipsec, cryptography, Cryptodome']).status === 0;

t.test(
  'scapy opens ours and we open scapy’s',
  { skip: present ? false : `${python} with scapy, cryptography and pycryptodome is not installed` },
  (t) => {
    const natives = cryptoNatives();
    const cases = natives.flatMap((native) =>
      transforms.flatMap((transform) => Array.from({ length: packetsEach }, (_, seed) => sealCase(native, transform, seed))),
    );
    const child = spawnSync(python, [judgePath], {
      input: JSON.stringify(cases.map(questionOf)),
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    t.equal(child.status, 0, child.stderr);
    const answers = JSON.parse(child.stdout) as { opened: string; sealed: string }[];
    t.equal(answers.length, natives.length * transforms.length * packetsEach);
    for (const [i, item] of cases.entries()) {
      const label = `${item.native.label} ${item.transform.name} ${item.inner.length} bytes`;
      t.equal(answers[i].opened, toHex(item.inner), `${label}: scapy opens ours`);
      t.equal(openWith(item.native, item, hex(answers[i].sealed)), toHex(item.inner), `${label}: opens scapy’s`);
    }
    t.end();
  },
);
