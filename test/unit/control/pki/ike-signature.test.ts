// Signatures of phase 1: the bare hash in a PKCS #1 block, and nothing looser (bad-input 26, 27).

import { constants, generateKeyPairSync, privateEncrypt, randomBytes, sign } from 'node:crypto';
import t from 'tap';
import { signPhase1, verifyPhase1 } from '../../../../control/pki/ike-signature.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024, publicExponent: 3 });
const hash = new Uint8Array(randomBytes(32));
const raw = (block: Buffer): Uint8Array => new Uint8Array(privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, block));

function block(...parts: (number[] | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

t.test('verifies what it signs', async (t) => {
  t.ok(verifyPhase1(publicKey, hash, signPhase1(privateKey, hash)));
  t.ok(verifyPhase1(publicKey, hash, raw(block([0, 1], new Uint8Array(93).fill(255), [0], hash))), 'the block, by hand');
});

t.test('and nothing else', async (t) => {
  const good = signPhase1(privateKey, hash);
  const cases: [string, Uint8Array][] = [
    ['with DigestInfo', new Uint8Array(sign('sha256', hash, privateKey))],
    ['another hash', signPhase1(privateKey, new Uint8Array(32))],
    ['short padding, the hash in front of garbage', raw(block([0, 1], new Uint8Array(8).fill(255), [0], hash, new Uint8Array(85)))],
    ['block type 2', raw(block([0, 2], new Uint8Array(93).fill(255), [0], hash))],
    ['padding not all ones', raw(block([0, 1], new Uint8Array(92).fill(255), [254, 0], hash))],
    ['zeros in front', raw(block([0, 0], new Uint8Array(93), [0], hash))],
    ['a byte longer', new Uint8Array([0, ...good])],
    ['a byte shorter', good.slice(1)],
    ['empty', new Uint8Array(0)],
    ['all ones: not below the modulus', new Uint8Array(128).fill(255)],
    ['zero', new Uint8Array(128)],
    ['one', new Uint8Array(128).fill(1, 127)],
  ];
  for (const [name, signature] of cases) t.notOk(verifyPhase1(publicKey, hash, signature), name);
  t.notOk(verifyPhase1(publicKey, new Uint8Array(126), good), 'a hash that the block cannot hold');
});
