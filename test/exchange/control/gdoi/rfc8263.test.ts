// RFC 8263, section by section: acknowledgements of rekeys between a key server and its members.

import { createHmac } from 'node:crypto';
import t from 'tap';
import { writeSequence } from '../../../../control/gdoi/codec/sequence.js';
import type { Kek } from '../../../../control/gdoi/group-policy.js';
import { buildAck, openAck } from '../../../../control/gdoi/push-ack.js';
import { decodeState } from '../../../../control/gdoi/saved-state.js';
import { describePolicy } from '../../../../control/gdoi/sent-policy.js';
import { readHeader } from '../../../../control/isakmp/header.js';
import { fuzzKek } from '../../../fuzz/gdoi-messages.js';
import { Network, type Node } from './group-network.js';

const PushAck = 35;
const Push = 33;
const acksOf = (node: Node) => node.sent.filter(({ bytes }) => bytes[18] === PushAck);
const kekOf = (server: Node) => decodeState(server.disk as Uint8Array)?.server.groups[0].state.keys.kek as Kek;

t.test('§2: KEK_ACK_REQUESTED (9) is in the SA KEK of a registration when asked for, and absent when not', async (t) => {
  for (const [acknowledge, hash, value] of [
    [true, 'sha256', 1],
    [true, 'sha512', 3],
    [false, 'sha256', null],
  ] as const) {
    const kek = { ...fuzzKek, acknowledge, acknowledgeHash: hash };
    const sa = describePolicy(
      { teks: [], kek: { kek, modulusBits: 1024, source: 1, member: 2 }, activationDelaySeconds: null, pseudotimeMs: null },
      0,
    );
    t.equal(sa.sak?.ackRequested, value);
  }
  for (const [rekeyAcknowledgement, acknowledge] of [
    ['interoperable', true],
    ['any', true],
    ['cisco', false],
  ] as const) {
    const { network, members } = Network.group(1, { server: { rekeyAcknowledgement } });
    network.runFor(2000);
    t.equal(members[0].gdoi.memberGroups()[0].kek?.acknowledge, acknowledge, rekeyAcknowledgement);
  }
});

t.test('§2.1, §2.3, §3.2: the hash, computed here from the text of the RFC', async (t) => {
  for (const [hash, L] of [
    ['sha256', 256],
    ['sha512', 512],
  ] as const) {
    const kek = { ...fuzzKek, acknowledgeHash: hash };
    const bytes = buildAck(kek, 7, 0x0a000001);
    const prf = (key: Uint8Array, data: Uint8Array) => createHmac(hash, key).update(data).digest();
    // base_key: the KEK without its IV. L: two octets, most significant first.
    const label = Buffer.concat([Buffer.from('GROUPKEY-PUSH ACK\0', 'ascii'), kek.spi, Buffer.from([L >> 8, L & 255])]);
    const ackKey = prf(kek.key, label);
    const seq = Buffer.from([5, 0, 0, 8, ...writeSequence(7)]);
    const id = Buffer.from([0, 0, 0, 12, 1, 0, 0, 0, 10, 0, 0, 1]);
    const expected = prf(ackKey, Buffer.concat([seq, id]));
    t.same(Buffer.from(bytes.subarray(32, 32 + expected.length)), expected, hash);
    t.same(Buffer.from(bytes.subarray(32 + expected.length)), Buffer.concat([seq, id]), '§3: HASH, SEQ, ID');
    t.same(openAck(kek, bytes, readHeader(bytes)), { sequence: 7, member: 0x0a000001 });
    // "L MUST match the length of the base_key (i.e., 512 bits for PRF-HMAC-SHA-256)": the other reading of §3.2 is taken too.
    const other = prf(prf(kek.key, Buffer.concat([label.subarray(0, -2), Buffer.from([2, 0])])), Buffer.concat([seq, id]));
    const variant = bytes.slice();
    variant.set(other, 32);
    t.same(openAck(kek, variant, readHeader(variant)), { sequence: 7, member: 0x0a000001 });
  }
});

t.test('§3: ends swapped; §3.1: header; §3.3: sequence; §3.4: identity', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(100);
  for (const member of members) {
    const [ack] = acksOf(member);
    const push = server.sent.find(({ bytes, remote }) => bytes[18] === Push && remote.address === member.address);
    t.same([ack.local, ack.remote], [push?.remote, push?.local]);
    const header = readHeader(ack.bytes);
    t.match(header, { nextPayload: 8, exchange: 35, flags: 0, messageId: 0, length: ack.bytes.length });
    t.same(ack.bytes.subarray(0, 16), push?.bytes.subarray(0, 16), 'cookies are copied');
    t.equal(ack.bytes[17], 0x10);
    t.same(openAck(kekOf(server), ack.bytes, header), { sequence: 1, member: member.address });
  }
});

t.test('§4: every accepted push is acknowledged, repetitions too; one that is refused is not', async (t) => {
  const { network, server, members } = Network.group(1);
  network.runFor(2000);
  const [member] = members;
  network.fault = ({ bytes }) => (bytes[18] === PushAck ? { delays: [] } : null);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(60_000);
  t.equal(acksOf(member).length, 3, 'the push and two repetitions');
  t.same(acksOf(member)[0].bytes, acksOf(member)[2].bytes);
  const push = server.sent.findLast(({ bytes }) => bytes[18] === Push);
  const damaged = push?.bytes.slice() ?? new Uint8Array(0);
  damaged[60] ^= 1;
  network.inject({ local: member.end, remote: server.end, bytes: damaged });
  network.runFor(10);
  t.equal(acksOf(member).length, 3);
});

t.test('§4: also when the push deletes the KEK that protects it', async (t) => {
  for (const immediately of [true, false]) {
    const { network, server, members } = Network.group(3);
    network.runFor(2000);
    server.perform(server.gdoi.removeMembers('G', network.now, immediately));
    network.runFor(3);
    for (const member of members) t.equal(acksOf(member).length, 1);
    t.equal(server.count('gdoi_rekeys_acknowledged'), 3, '§6: the key server keeps that KEK to verify them');
  }
});

t.test('§5: acknowledgements that were not asked for are discarded', async (t) => {
  const { network, server, members } = Network.group(1, { server: { rekeyAcknowledgement: 'cisco' } });
  network.runFor(2000);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(100);
  t.equal(acksOf(members[0]).length, 0, '§4: and none is sent');
  network.inject({ local: server.end, remote: members[0].end, bytes: buildAck(kekOf(server), 1, members[0].address) });
  network.runFor(10);
  t.equal(server.count('gdoi_acks_rejected'), 1);
  t.equal(server.count('gdoi_rekeys_acknowledged'), 0);
});

t.test('§5: duplicates are discarded before they are verified', async (t) => {
  const { network, server, members } = Network.group(1);
  network.runFor(2000);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(100);
  const [ack] = acksOf(members[0]);
  for (let n = 0; n < 10; n++) network.inject({ local: server.end, remote: members[0].end, bytes: ack.bytes });
  network.runFor(10);
  t.equal(server.count('gdoi_ack_duplicates'), 10);
  t.equal(server.count('gdoi_rekeys_acknowledged'), 1);
});

t.test('§6: 10 seconds at least before one is missing; then it is logged, once for all members', async (t) => {
  const { network, server, members } = Network.group(9, { server: { rekeyRetransmitNumber: 1 } });
  network.runFor(2000);
  network.fault = ({ bytes }, from) => (bytes[18] === PushAck && from !== members[0] ? { delays: [] } : null);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(9900);
  t.equal(server.count('gdoi_rekeys_unacknowledged'), 0);
  t.same(server.logged('KS_ACK_MISSING'), []);
  network.runFor(60_000);
  t.equal(server.count('gdoi_rekeys_unacknowledged'), 8);
  t.match(server.logged('KS_ACK_MISSING'), [/Rekey seq # 1 for group G not acknowledged by 8 of 9: 172\.17\.0\.2, .* and 3 more$/]);
});

t.test('§6: a member that never acknowledged is not taken for gone', async (t) => {
  const { network, server, members } = Network.group(2, { lifetimeSeconds: 300 });
  network.runFor(2000);
  network.fault = ({ bytes }, from) => (bytes[18] === PushAck && from === members[0] ? { delays: [] } : null);
  for (let n = 0; n < 6; n++) {
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(60_000);
  }
  t.equal(server.gdoi.serverGroups()[0].members.length, 2);
});
