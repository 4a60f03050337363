// KEYMAT of RFC 2409 §5.5, written out with node:crypto alone.

import { createHmac } from 'node:crypto';
import t from 'tap';
import { deriveKeys, keymat } from '../../../../control/ipsec/keymat.js';

const skeyidD = new Uint8Array(20).fill(7);
const nonces = [new Uint8Array(16).fill(1), new Uint8Array(20).fill(2)] as const;
const secret = new Uint8Array(32).fill(9);
const sa = { hash: 'sha' as const, skeyidD };
const seed = Buffer.concat([Uint8Array.of(3, 0xde, 0xad, 0xbe, 0xef), ...nonces]);
const mac = (...parts: Uint8Array[]): Buffer => createHmac('sha1', skeyidD).update(Buffer.concat(parts)).digest();

t.test('expansion: K1 | K2 | K3, cut to what is wanted', async (t) => {
  const k1 = mac(seed);
  const k2 = mac(k1, seed);
  const k3 = mac(k2, seed);
  const all = Buffer.concat([k1, k2, k3]).toString('hex');
  for (const length of [1, 19, 20, 21, 36, 40, 41, 60])
    t.equal(Buffer.from(keymat(sa, null, 0xdeadbeef, nonces, length)).toString('hex'), all.slice(0, 2 * length), `${length} bytes`);
});

t.test('with perfect forward secrecy the shared secret comes first, in every block', async (t) => {
  const k1 = mac(secret, seed);
  const k2 = mac(k1, secret, seed);
  t.equal(Buffer.from(keymat(sa, secret, 0xdeadbeef, nonces, 40)).toString('hex'), Buffer.concat([k1, k2]).toString('hex'));
});

t.test('cipher first, its salt, then integrity', async (t) => {
  const material = Buffer.from(keymat(sa, null, 300, nonces, 64));
  const aes = deriveKeys(sa, { encryption: 'esp-aes-128', authentication: 'esp-sha256-hmac' }, null, 300, nonces);
  t.same(
    [aes.encryptionKey, aes.salt, aes.integrityKey].map((key) => Buffer.from(key).toString('hex')),
    [material.subarray(0, 16).toString('hex'), '', material.subarray(16, 48).toString('hex')],
  );
  const gcm = deriveKeys(sa, { encryption: 'esp-gcm-256', authentication: null }, null, 300, nonces);
  t.same(
    [gcm.encryptionKey, gcm.salt, gcm.integrityKey].map((key) => Buffer.from(key).toString('hex')),
    [material.subarray(0, 32).toString('hex'), material.subarray(32, 36).toString('hex'), ''],
  );
});
