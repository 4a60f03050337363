// Wycheproof's AES-GCM and ChaCha20-Poly1305 vectors with 96-bit IV and 128-bit tag. Those with 8 bytes of AAD are ESP packets as they stand (salt | IV, AAD =
// SPI | sequence): they run as published, the invalid ones too. The others keep key, IV, text, and get an ESP header as AAD; addon and
// twin must then agree with node:crypto.

import { createCipheriv } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { JobStatus, type Native } from '../../../dataplane/native/native.js';
import { EspAuth, EspCipher, SaKey } from '../../../dataplane/tables/layout.js';
import { cryptoNatives, hex, jobsOf, statusesOf, toHex } from '../../unit/dataplane/native/both.js';

interface Vector {
  tcId: number;
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
  result: 'valid' | 'invalid';
}
interface Vectors {
  testGroups: { ivSize: number; tagSize: number; tests: Vector[] }[];
}

interface Suite {
  name: string;
  cipher: EspCipher;
  /** node:crypto's name. */
  nodeName: (keyBits: number) => string;
}
const suites: Suite[] = [
  { name: 'aes_gcm', cipher: EspCipher.AesGcm16, nodeName: (keyBits) => `aes-${keyBits}-gcm` },
  { name: 'chacha20_poly1305', cipher: EspCipher.ChaCha20Poly1305, nodeName: () => 'chacha20-poly1305' },
];

const pathOf = ({ name }: Suite): string => join(import.meta.dirname, `../../../../../shared/vectors/wycheproof_${name}.json`);

function readVectors(suite: Suite): Vector[] {
  const { testGroups } = JSON.parse(readFileSync(pathOf(suite), 'utf8')) as Vectors;
  return testGroups.filter(({ ivSize, tagSize }) => ivSize === 96 && tagSize === 128).flatMap(({ tests }) => tests);
}

function setKey(native: Native, suite: Suite, { key, iv }: Vector): void {
  const row = new Uint8Array(SaKey.Bytes);
  row.set(hex(key), SaKey.Cipher);
  row.set(hex(iv.slice(0, 8)), SaKey.Salt);
  native.saSet(0, suite.cipher, EspAuth.None, row, key.length / 2, 0);
}

for (const suite of suites)
  for (const native of cryptoNatives()) {
    const skip = existsSync(pathOf(suite)) ? false : `${pathOf(suite)} is not there`;
    t.test(`${suite.name}, ${native.label}: as published`, { skip }, (t) => {
      const vectors = readVectors(suite).filter(({ aad }) => aad.length === 16);
      t.ok(vectors.length > 0, 'there are vectors with 8 bytes of AAD');
      for (const vector of vectors) {
        const { tcId, iv, aad, msg, ct, tag, result } = vector;
        setKey(native, suite, vector);
        const textLen = ct.length / 2;
        const packet = hex(aad + iv.slice(8) + ct + tag);
        const jobs = jobsOf([0, 0, textLen]);
        native.open(packet, jobs, 1);
        t.same(statusesOf(jobs), [result === 'valid' ? JobStatus.Ok : JobStatus.Integrity], `${tcId} ${result}`);
        if (result !== 'valid') continue;
        t.equal(toHex(packet.slice(16, 16 + textLen)), msg, `${tcId} opened`);
        native.seal(packet, jobs, 1);
        t.equal(toHex(packet), aad + iv.slice(8) + ct + tag, `${tcId} sealed`);
      }
      t.end();
    });

    t.test(`${suite.name}, ${native.label}: key, IV and text of every vector, as ESP`, { skip }, (t) => {
      const header = '0000010000000001';
      const vectors = readVectors(suite).filter(({ result }) => result === 'valid');
      t.ok(vectors.length > 100, `${vectors.length} vectors`);
      for (const vector of vectors) {
        const { tcId, key, iv, msg } = vector;
        setKey(native, suite, vector);
        const cipher = createCipheriv(suite.nodeName(key.length * 4) as 'aes-128-gcm', hex(key), hex(iv), { authTagLength: 16 });
        cipher.setAAD(hex(header));
        const expected =
          header + iv.slice(8) + cipher.update(msg, 'hex', 'hex') + cipher.final('hex') + cipher.getAuthTag().toString('hex');
        const packet = hex(header + iv.slice(8) + msg + '00'.repeat(16));
        const jobs = jobsOf([0, 0, msg.length / 2]);
        native.seal(packet, jobs, 1);
        t.equal(toHex(packet), expected, `${tcId} sealed`);
        native.open(packet, jobs, 1);
        t.same(statusesOf(jobs), [JobStatus.Ok], `${tcId} opened`);
        t.equal(toHex(packet.slice(16, packet.length - 16)), msg, `${tcId} text`);
      }
      t.end();
    });
  }
