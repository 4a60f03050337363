// Cisco's public GDOI reference implementation (../shared/vectors/gdoid_three_clients.json): registration and two pushes, byte for byte.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readGroupIdentity, writeGroupIdentity } from '../../../../control/gdoi/codec/group-identity.js';
import { readKd, writeKd } from '../../../../control/gdoi/codec/kd.js';
import { readSa, writeSa } from '../../../../control/gdoi/codec/sa.js';
import { readSequence, writeSequence } from '../../../../control/gdoi/codec/sequence.js';
import type { Kek } from '../../../../control/gdoi/group-policy.js';
import { openPush } from '../../../../control/gdoi/groupkey-push.js';
import { exchangeHash } from '../../../../control/isakmp/message-cipher.js';
import { readPayloads } from '../../../../control/isakmp/payloads.js';
import { hashBytes, readPublicKey, verifyPush } from '../../../../control/pki/push-signature.js';

const path = join(import.meta.dirname, '../../../../../../shared/vectors/gdoid_three_clients.json');
if (!existsSync(path)) {
  t.pass('no ../shared/vectors here: nothing to check');
  process.exit(0);
}
const vector = JSON.parse(readFileSync(path, 'utf8'));
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const body = (name: string): Uint8Array => bytes(vector[name]).subarray(4);
const messageId = Number.parseInt(vector.mid, 16);
const sa = { hash: 'sha', skeyidA: bytes(vector.skeyid_a) } as const;

t.test('payloads are written as they were read', async (t) => {
  const [, id] = readPayloads(10, bytes(vector.msg1_after_hash));
  t.same(readGroupIdentity(id.body), { kind: 'number', number: 1234 });
  t.equal(hex(writeGroupIdentity({ kind: 'number', number: 1234 })), hex(id.body));
  t.equal(hex(writeSa(readSa(body('sa')))), hex(body('sa')), 'SA');
  t.equal(hex(writeKd(readKd(body('kd')))), hex(body('kd')), 'KD');
  t.equal(hex(writeSequence(readSequence(body('seq')))), hex(body('seq')), 'SEQ');
  const push = readPayloads(18, bytes(vector.push_pt), { padding: 8 });
  t.equal(hex(writeSa(readSa(push[1].body))), hex(push[1].body), 'SA of the push');
  t.equal(hex(writeKd(readKd(push[2].body))), hex(push[2].body), 'KD of the push');
});

t.test('what the policy says', async (t) => {
  const policy = readSa(body('sa'));
  t.match(policy.sak, { algorithm: 2, signatureHash: 2, signatureAlgorithm: 1, keyLength: null, lifetimeSeconds: null, protocol: 17 });
  t.match(policy.sats, [
    { spi: 0x1122aabb, transform: 3, authentication: 2, lifetimeSeconds: 60, encapsulation: 2 },
    { spi: 0x3344ccdd, transform: 3, authentication: 2, lifetimeSeconds: 60, encapsulation: 2 },
  ]);
  const [kek, first, second] = readKd(body('kd'));
  t.match(kek, { kind: 'kek' });
  t.match(
    [first, second],
    [
      { kind: 'tek', spi: 0x1122aabb },
      { kind: 'tek', spi: 0x3344ccdd },
    ],
  );
  t.equal(first.kind === 'tek' && first.algorithmKey?.length, 24, '3DES key');
});

t.test('hashes of the PULL', async (t) => {
  const [ni, nr] = [bytes(vector.ni_b), bytes(vector.nr_b)];
  const hash = (...parts: Uint8Array[]): string => hex(exchangeHash(sa, messageId, ...parts));
  t.equal(hash(bytes(vector.msg1_after_hash)), vector.hash1);
  t.equal(hash(ni, bytes(vector.nr), bytes(vector.sa)), vector.hash2);
  t.equal(hash(ni, nr), vector.hash3);
  t.equal(hash(ni, nr, bytes(vector.seq), bytes(vector.kd)), vector.hash4);
});

t.test('the push opens, and its signature verifies', async (t) => {
  const [packet] = readKd(body('kd'));
  if (packet.kind !== 'kek') throw new Error('the first key packet is the KEK');
  const kek: Kek = {
    spi: packet.spi,
    cipher: '3des',
    iv: packet.algorithmKey.slice(0, 8),
    key: packet.algorithmKey.slice(8),
    signatureHash: 'sha',
    publicKey: bytes(vector.rsa_spki),
    lifetimeSeconds: 3600,
    createdAt: 0,
    expiresAt: 3_600_000,
    sequence: 0,
    source: 0,
    destination: 0,
    acknowledge: false,
  };
  vector.wire_push.forEach(([, text]: [string, string], n: number) => {
    const push = openPush(kek, bytes(text));
    t.equal(push.sequence, n + 1);
    t.equal(push.policy?.sa.sats.length, 2);
    t.equal(push.policy?.packets.length, 2);
  });
  const digest = hashBytes('sha', [new TextEncoder().encode('rekey'), bytes(vector.push_hdr), bytes(vector.push_payloads)]);
  t.equal(hex(digest), vector.push_hash);
  const parts = [new TextEncoder().encode('rekey'), bytes(vector.push_hdr), bytes(vector.push_payloads)];
  t.ok(verifyPush(readPublicKey(bytes(vector.rsa_spki)), 'sha', [parts], bytes(vector.push_sig)));
  t.throws(() => openPush({ ...kek, sequence: 1 }, bytes(vector.wire_push[0][1])), /sequence 1 is not above 1/);
});
