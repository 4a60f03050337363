// Phase 1 and PULL of Cisco's public GDOI reference implementation (../shared/vectors/gdoid_three_clients.json): the keys that both
// programs derive, and the wire bytes, opened and sealed again.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { IsakmpPolicy } from '../../../../control/config/model.js';
import { Exchange, PayloadType, readHeader } from '../../../../control/isakmp/header.js';
import { IdType, readIdentification } from '../../../../control/isakmp/identification.js';
import { derivePhase1Keys, phase1Hash } from '../../../../control/isakmp/keying-material.js';
import { newPhase1Sa } from '../../../../control/isakmp/main-mode.js';
import { chooseTransform } from '../../../../control/isakmp/main-mode-responder.js';
import { CbcChain, exchangeHash, MessageCipher, saHeader } from '../../../../control/isakmp/message-cipher.js';
import { readNotification } from '../../../../control/isakmp/notification.js';
import { readPayloads, takePayload } from '../../../../control/isakmp/payloads.js';

const path = join(import.meta.dirname, '../../../../../../shared/vectors/gdoid_three_clients.json');
if (!existsSync(path)) {
  t.pass('no ../shared/vectors here: nothing to check');
  process.exit(0);
}
const vector = JSON.parse(readFileSync(path, 'utf8'));
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const wire: Uint8Array[] = vector.wire_first_registration.map(([, text]: [string, string]) => bytes(text));
const payloadsOf = (n: number) => readPayloads(readHeader(wire[n]).nextPayload, wire[n].subarray(28));
const policy: IsakmpPolicy = {
  line: 1,
  priority: 1,
  encryption: '3des',
  hash: 'sha',
  authentication: 'pre-share',
  group: 2,
  lifetimeSeconds: 86400,
};

const offer = takePayload(payloadsOf(0), PayloadType.Sa).body;
const [kei, ker] = [2, 3].map((n) => takePayload(payloadsOf(n), PayloadType.KeyExchange).body);
const [ni, nr] = [2, 3].map((n) => takePayload(payloadsOf(n), PayloadType.Nonce).body);
const { initiatorCookie, responderCookie } = readHeader(wire[1]);
const inputs = {
  cipher: '3des',
  hash: 'sha',
  preSharedKey: new TextEncoder().encode(vector.psk_ascii),
  nonceInitiator: ni,
  nonceResponder: nr,
  initiatorCookie,
  responderCookie,
  publicInitiator: kei,
  publicResponder: ker,
  sharedSecret: bytes(vector.p1_gxy),
} as const;
const keys = derivePhase1Keys(inputs);

t.test('keys', async (t) => {
  t.equal(hex(keys.skeyid), vector.p1_SKEYID, 'SKEYID');
  t.equal(hex(keys.skeyidD), vector.p1_SKEYID_d, 'SKEYID_d');
  t.equal(hex(keys.skeyidA), vector.p1_SKEYID_a, 'SKEYID_a');
  t.equal(hex(keys.skeyidE), vector.p1_SKEYID_e, 'SKEYID_e');
  t.equal(hex(keys.key), vector.p1_key, 'key, expanded from 20 to 24 bytes');
  t.equal(hex(keys.iv), vector.p1_iv, 'IV of message 5');
});

t.test('message 1 is chosen from', async (t) => {
  const choice = chooseTransform(readHeader(wire[0]), wire[0], [policy]);
  t.equal(choice.offer.doi, 2, 'DOI');
  t.match(choice.policy, { encryption: '3des', hash: 'sha', group: 2, lifetimeSeconds: 60 }, 'their 60 s win over our day');
});

const chain = new CbcChain('3des', keys.key, keys.iv);

t.test('messages 5 and 6 prove both sides', async (t) => {
  for (const [n, initiator] of [
    [4, true],
    [5, false],
  ] as const) {
    const before = chain.iv;
    const payloads = chain.open(wire[n]);
    const id = takePayload(payloads, PayloadType.Identification);
    t.equal(readIdentification(id.body).type, IdType.Ipv4Address, 'ID type');
    const hash = takePayload(payloads, PayloadType.Hash);
    t.equal(hex(hash.body), hex(phase1Hash(inputs, keys.skeyid, initiator, offer, id.body)), `hash of message ${n + 1}`);
    t.ok(readNotification(takePayload(payloads, PayloadType.Notification).body).type > 0, 'a notification');
    const again = new CbcChain('3des', keys.key, before).seal({ ...readHeader(wire[n]) }, payloads);
    t.equal(hex(again), hex(wire[n]), `message ${n + 1} sealed again`);
  }
  t.equal(hex(chain.iv), hex(wire[5].subarray(-8)), 'the chain ends with the last block of phase 1');
});

t.test('the four messages of PULL', async (t) => {
  const sa = newPhase1Sa(0, initiatorCookie, false, { address: 1, port: 848 }, { address: 2, port: 848 }, policy, 0);
  Object.assign(sa, { responderCookie, key: keys.key, skeyidA: keys.skeyidA, skeyidD: keys.skeyidD, lastIv: chain.iv });
  const messageId = readHeader(wire[6]).messageId;
  t.equal(messageId.toString(16), vector.mid, 'message ID');
  const cipher = new MessageCipher(sa, messageId);
  const sealer = new MessageCipher(sa, messageId);
  const opened = wire.slice(6, 10).map((message, i) => {
    const payloads = cipher.open(message);
    t.equal(hex(sealer.seal(saHeader(sa, Exchange.GroupkeyPull, messageId), payloads)), hex(message), `message ${i + 1} sealed again`);
    return payloads;
  });
  const wholes = opened.map(([, ...rest]) => rest.map((payload) => hex(payload.whole)).join(''));
  t.same(wholes, [vector.msg1_after_hash, vector.nr + vector.sa, '', vector.seq + vector.kd], 'payloads after HASH');
  const hashes = opened.map(([first]) => hex(first.body));
  t.same(hashes, [vector.hash1, vector.hash2, vector.hash3, vector.hash4], 'HASH payloads');
  const nonces = [bytes(vector.ni_b), bytes(vector.nr_b)];
  t.equal(hex(exchangeHash(sa, messageId, bytes(vector.msg1_after_hash))), vector.hash1, 'HASH(1)');
  t.equal(hex(exchangeHash(sa, messageId, nonces[0], bytes(vector.nr + vector.sa))), vector.hash2, 'HASH(2)');
  t.equal(hex(exchangeHash(sa, messageId, ...nonces)), vector.hash3, 'HASH(3)');
  t.equal(hex(exchangeHash(sa, messageId, ...nonces, bytes(vector.seq + vector.kd))), vector.hash4, 'HASH(4)');
});
