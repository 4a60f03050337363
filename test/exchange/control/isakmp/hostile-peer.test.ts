// A peer that has the pre-shared key and is hostile, in phase 1: an initiator with its message 5, a key server with its messages 2, 4 and 6, and both
// afterwards. What it says is well protected and wrong. It is refused and counted, nothing changes, and the true message that follows is
// taken. Keys and hashes are computed here from the text of RFC 2409. Numbers are those of the list of bad input.

import { createHmac } from 'node:crypto';
import t from 'tap';
import { sealInformational } from '../../../../control/isakmp/informational.js';
import { startDh } from '../../../../control/isakmp/keying-material.js';
import { CbcChain, hashOf, MessageCipher, saHeader } from '../../../../control/isakmp/message-cipher.js';
import { buildMessage, type Payload, readPayloads } from '../../../../control/isakmp/payloads.js';
import type { Phase1Sa } from '../../../../control/isakmp/phase1-sa.js';
import { agreed, memberAndServer, memberEnd, type Network, type Peer, policy, seededRandom, serverEnd } from './two-engines.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const random = seededRandom('hostile peer');
const Id = 5;
const Hash = 8;
const Fragment = 132;
const ownId = bytes('01110350 0a000001');

interface Body {
  type: number;
  body: Uint8Array;
}

function bodyOf(message: Uint8Array, type: number): Uint8Array {
  const found = readPayloads(message[16], message.subarray(28)).find((payload: Payload) => payload.type === type);
  if (!found) throw new Error(`no payload ${type}`);
  return found.body;
}

const prf = (key: Uint8Array, ...parts: Uint8Array[]): Uint8Array =>
  new Uint8Array(createHmac('sha256', key).update(Buffer.concat(parts)).digest());

/** What both sides know after message 4: the cipher chain and the two hashes (RFC 2409 §5, §5.4, App. B). */
function knowledge(network: Network, sa: Phase1Sa) {
  const [first, , third, fourth] = network.sent.map((datagram) => datagram.bytes);
  const [gi, gr] = [bodyOf(third, 4), bodyOf(fourth, 4)];
  const skeyid = prf(new TextEncoder().encode('a shared secret'), bodyOf(third, 10), bodyOf(fourth, 10));
  const chain = () => new CbcChain(sa.cipher, sa.key, hashOf('sha256', gi, gr).slice(0, 16));
  const header = { initiatorCookie: sa.initiatorCookie, responderCookie: sa.responderCookie, exchange: 2, flags: 0, messageId: 0 };
  return {
    seal: (payloads: Body[]) => chain().seal(header, payloads),
    clear: (payloads: Body[]) => buildMessage(header, payloads),
    hashI: (id: Uint8Array) => ({
      type: Hash,
      body: prf(skeyid, gi, gr, sa.initiatorCookie, sa.responderCookie, bodyOf(first, 1), id),
    }),
    hashR: (id: Uint8Array) => ({
      type: Hash,
      body: prf(skeyid, gr, gi, sa.responderCookie, sa.initiatorCookie, bodyOf(first, 1), id),
    }),
  };
}

const idOf = (body: Uint8Array): Body => ({ type: Id, body });

/** @returns the counters that a message adds to */
function counted(network: Network, to: Peer, message: Uint8Array): string[] {
  const before = new Map(to.counts);
  network.inject(to.end.address === serverEnd.address ? memberEnd : serverEnd, to, message);
  return [...to.counts].filter(([name, value]) => value !== (before.get(name) ?? 0)).map(([name]) => name);
}

t.test('6, 8, 9, 12, 15, 16: message 5', async (t) => {
  const { member, server, network } = memberAndServer();
  network.fault = ({ bytes: copy }, n) => (n < 4 ? [{ delay: 1, bytes: copy }] : []);
  network.initiate(member, server);
  network.run(500);
  const [sa] = server.engine.sas();
  const known = knowledge(network, sa);
  const id = idOf(ownId);
  const good = [id, known.hashI(ownId)];
  const malformed: Record<string, Uint8Array> = {
    'no ID': known.seal([good[1]]),
    'two IDs': known.seal([id, ...good]),
    'ID of 3 bytes': known.seal([idOf(new Uint8Array(3)), good[1]]),
    'no HASH: nothing proves it (CVE-2014-2338)': known.seal([id]),
    'two HASHs': known.seal([...good, good[1]]),
    'a SIG in place of HASH': known.seal([id, { type: 9, body: good[1].body }]),
    fragments: known.seal([{ type: Fragment, body: Uint8Array.of(0, 1, 0, 1) }]),
    'no payload': known.seal([{ type: 13, body: new Uint8Array(0) }]),
  };
  for (const [type, length] of [
    [1, 3],
    [1, 5],
    [4, 4],
    [5, 4],
    [6, 17],
    [7, 4],
    [8, 16],
    [2, 0],
    [9, 0],
    [11, 0],
  ]) {
    const body = new Uint8Array(4 + length).fill(1);
    body[0] = type;
    // With its right HASH, so that nothing but the length is wrong.
    malformed[`ID type ${type} of ${length} bytes`] = known.seal([idOf(body), known.hashI(body)]);
  }
  for (const [name, message] of Object.entries(malformed)) t.same(counted(network, server, message), ['ike_malformed'], name);
  const unproved: Record<string, Uint8Array> = {
    'a HASH of 0 bytes': known.seal([id, { type: Hash, body: new Uint8Array(0) }]),
    'a HASH cut short': known.seal([id, { type: Hash, body: good[1].body.slice(0, 31) }]),
    'a HASH with a byte more': known.seal([id, { type: Hash, body: new Uint8Array([...good[1].body, 0]) }]),
    'a HASH of zeros': known.seal([id, { type: Hash, body: new Uint8Array(32) }]),
    'the responder’s own HASH, sent back': known.seal([id, known.hashR(ownId)]),
    'the HASH of another ID': known.seal([idOf(bytes('01110350 0a000009')), good[1]]),
  };
  for (const [name, message] of Object.entries(unproved)) t.same(counted(network, server, message), ['ike_auth_failed'], name);
  t.same(counted(network, server, known.clear(good)), ['ike_unexpected'], 'in clear');
  const sealed = known.seal(good);
  const undecryptable = [sealed.slice(0, 44), sealed.slice(0, 28)].map((cut) => {
    new DataView(cut.buffer).setUint32(24, cut.length);
    return cut;
  });
  for (const message of undecryptable) t.same(counted(network, server, message), ['ike_undecryptable'], `cut to ${message.length} bytes`);
  t.match(server.engine.sas(), [{ state: 'MM_KEY_EXCH', peerId: null }], 'the exchange waits as before');
  t.same([server.up.length, network.sent.filter(({ local }) => local.address === serverEnd.address).length], [0, 2], 'no SA, no answer');
  t.same(counted(network, server, sealed), ['ike_main_mode_completed'], 'the good one, by the same pen, is taken');
  t.equal(server.up.length, 1, 'up');
});

t.test('16: a peer that is up: main mode is over, whatever comes', async (t) => {
  const { member, server, network } = memberAndServer();
  network.initiate(member, server);
  network.run(1000);
  const [sa] = server.up;
  const before = JSON.stringify(sa);
  const known = knowledge(network, sa);
  const sent = network.sent.map((datagram) => datagram.bytes);
  for (const message of [
    sent[0],
    sent[2],
    known.seal([idOf(ownId), known.hashI(ownId)]),
    known.clear([{ type: 4, body: startDh(19).publicValue }]),
  ])
    network.inject(memberEnd, server, message);
  t.equal(JSON.stringify(sa), before, 'its keys and its lifetime are what they were');
  t.same([server.up.length, server.engine.sas().length], [1, 1], 'the user hears of one');
});

/** Runs main mode up to the server's n-th message (0, 1, 2), shows the member others in its place, then the true one. */
function hostileServer(n: number, act: (pair: ReturnType<typeof memberAndServer>, message: Uint8Array) => void) {
  const pair = memberAndServer({ policies: [policy(), policy({ priority: 20, encryption: 'aes-256', hash: 'sha512' })] });
  pair.network.fault = ({ bytes: copy }, i) => {
    if (i === 2 * n + 1) act(pair, copy.slice());
    return [{ delay: 1, bytes: copy }];
  };
  pair.network.initiate(pair.member, pair.server);
  pair.network.run(1000);
  return pair;
}

t.test('4, 5, 14: message 2: another choice than was offered', async (t) => {
  const { member, server } = hostileServer(0, ({ member, network }, message) => {
    const choice = Buffer.from(message).toString('hex');
    const swap = (from: string, to: string): Uint8Array => {
      if (!choice.includes(from) || from.length !== to.length) throw new Error(`no ${from} in ${choice}`);
      return bytes(choice.replace(from, to));
    };
    const notOffered: Record<string, Uint8Array> = {
      'AES-192': swap('800e0080', '800e00c0'),
      'AES of 0 bits': swap('800e0080', '800e0000'),
      'a key length that is another attribute': swap('800e0080', '800d0080'),
      'DES with a key length': swap('80010007', '80010001'),
      'a cipher of one offer with the hash of the other (libreswan#1665)': swap('80020004', '80020006'),
      'no hash that we know': swap('80020004', '800200ff'),
      'group 1025 (CVE-2014-9221)': swap('80040013', '80040401'),
      'group 14': swap('80040013', '8004000e'),
      'no authentication': swap('80030001', '80030000'),
      XAUTH: swap('80030001', '8003fde9'),
      'a longer lifetime': swap('800c0e10', '800cffff'),
      'a lifetime of 0': swap('800c0e10', '800c0000'),
      'an attribute twice': swap('800b0001', '80010007'),
    };
    for (const [name, changed] of Object.entries(notOffered)) t.same(counted(network, member, changed), ['ike_no_proposal'], name);
    const malformed: Record<string, Uint8Array> = {
      'a life duration of 0x0e10 bytes': swap('800c0e10', '000c0e10'),
      'two transforms promised': swap('01010001', '01010002'),
      'SPI size 255': swap('01010001', '0101ff01'),
      'DOI 3': swap('0000000200000000', '0000000300000000'),
      'a situation with labels': swap('0000000200000000', '0000000200000004'),
    };
    for (const [name, changed] of Object.entries(malformed)) t.same(counted(network, member, changed), ['ike_malformed'], name);
    const uncookied = message.slice();
    uncookied.fill(0, 8, 16);
    t.same(counted(network, member, uncookied), ['ike_unexpected'], 'no cookie of the responder');
    t.match(member.engine.sas(), [{ state: 'MM_NO_STATE', responderCookie: new Uint8Array(8) }], 'nothing was taken');
  });
  t.ok(agreed(member, server), 'the true one is');
  t.match(member.up, [{ cipher: 'aes-128', hash: 'sha256' }]);
});

t.test('11: message 4: bad public values', async (t) => {
  const { member, server } = hostileServer(1, ({ member, network }, message) => {
    const at = Buffer.from(message).indexOf(Buffer.from(bodyOf(message, 4)));
    const put = (body: Uint8Array): Uint8Array => {
      const out = message.slice();
      out.set(body, at);
      return out;
    };
    const off = bodyOf(message, 4).slice();
    off[63] ^= 1;
    const values = { '0': new Uint8Array(64), 'all ones': new Uint8Array(64).fill(255), 'not on the curve': off };
    for (const [name, value] of Object.entries(values)) t.same(counted(network, member, put(value)), ['ike_bad_public_value'], name);
    t.match(member.engine.sas(), [{ state: 'MM_SA_SETUP', key: { length: 0 } }], 'nothing was computed');
  });
  t.ok(agreed(member, server), 'the true one is taken');
});

t.test('6, 16: message 6', async (t) => {
  const { member, server } = hostileServer(2, ({ member, network }) => {
    const [sa] = member.engine.sas();
    const known = knowledge(network, sa);
    // Message 5 stands between: the chain goes on from its last block.
    const last = network.sent[4].bytes.slice(-16);
    const header = { initiatorCookie: sa.initiatorCookie, responderCookie: sa.responderCookie, exchange: 2, flags: 0, messageId: 0 };
    const seal = (payloads: Body[]): Uint8Array => new CbcChain(sa.cipher, sa.key, last).seal(header, payloads);
    const theirs = bytes('01110350 0a000002');
    const short = bytes('05110350 0a000002');
    t.same(counted(network, member, seal([idOf(theirs)])), ['ike_malformed'], 'no HASH (CVE-2014-2338)');
    t.same(counted(network, member, seal([known.hashR(theirs)])), ['ike_malformed'], 'no ID');
    t.same(counted(network, member, seal([idOf(short), known.hashR(short)])), ['ike_malformed'], 'IPv6 of 4 bytes');
    t.same(counted(network, member, seal([idOf(theirs), known.hashI(theirs)])), ['ike_auth_failed'], 'HASH_I, sent back');
    t.same(
      counted(network, member, seal([idOf(theirs), { type: Hash, body: new Uint8Array(0) }])),
      ['ike_auth_failed'],
      'a HASH of 0 bytes',
    );
    t.same(counted(network, member, known.clear([idOf(theirs), known.hashR(theirs)])), ['ike_unexpected'], 'in clear');
    t.same(counted(network, member, network.sent[4].bytes), ['ike_undecryptable'], 'its own message 5, sent back');
    t.same([member.up, member.engine.sas()[0].state], [[], 'MM_KEY_EXCH'], 'not up');
  });
  t.ok(agreed(member, server), 'the true one is taken');
});

t.test('2, 3, 7, 8, 12, 13: any payload under an SA that is up', async (t) => {
  const { member, server, network } = memberAndServer();
  network.initiate(member, server);
  network.run(1000);
  const [sa] = member.up;
  const [kept] = server.engine.sas();
  const sent = network.sent.length;
  const cookies = Buffer.concat([sa.initiatorCookie, sa.responderCookie]).toString('hex');
  const head = (text: string): Uint8Array => bytes(text);
  const malformed: Record<string, Body[]> = {
    'delete: body of 7 bytes': [{ type: 12, body: new Uint8Array(7) }],
    'delete: SPI of 16 bytes, one less there': [{ type: 12, body: head(`00000002 0110 0001 ${cookies.slice(2)}`) }],
    'delete: two SPIs said, one there': [{ type: 12, body: head(`00000002 0110 0002 ${cookies}`) }],
    'delete: one SPI said, two there': [{ type: 12, body: head(`00000002 0110 0001 ${cookies}${cookies}`) }],
    'delete: 65,535 SPIs of 0 bytes (libreswan CVE-2023-38712)': [{ type: 12, body: head('00000002 0100 ffff') }],
    'delete: 0 SPIs of 16 bytes': [{ type: 12, body: head('00000002 0110 0000') }],
    'delete: SPI of 255 bytes': [{ type: 12, body: head(`00000002 01ff 0001 ${cookies}`) }],
    'notification: body of 7 bytes': [{ type: 11, body: new Uint8Array(7) }],
    'notification: SPI of 255 bytes': [{ type: 11, body: head(`00000002 01ff 8d28 ${cookies}`) }],
    'a good delete, and a bad one behind it': [
      { type: 12, body: head(`00000002 0110 0001 ${cookies}`) },
      { type: 12, body: new Uint8Array(3) },
    ],
  };
  for (const [name, payloads] of Object.entries(malformed))
    t.same(counted(network, server, sealInformational(sa, random, payloads)), ['ike_malformed'], name);
  for (let n = 0; n < 300; n++) {
    const fragment = { type: Fragment, body: new Uint8Array([n >> 8, n, n % 3, n % 2, ...new Uint8Array(80).fill(0x5a)]) };
    network.inject(memberEnd, server, sealInformational(sa, random, [fragment]));
  }
  const looped = new MessageCipher(sa, 77).seal(saHeader(sa, 5, 77), [{ type: 8, body: new Uint8Array(32) }]);
  t.same(counted(network, server, looped), ['ike_auth_failed'], 'a HASH of zeros over nothing');
  t.same(server.engine.sas(), [kept], 'the SA stays: a message is taken whole or not at all');
  t.same([server.notifications, network.sent.length - sent], [[], 0], 'the user hears nothing, no answer');
  t.ok(server.logs.length <= 10, `${server.logs.length} lines`);
});

t.test('10: R-U-THERE that comes late: of an SA that expired, was deleted, or is not up yet (CVE-2009-0790)', async (t) => {
  const { member, server, network } = memberAndServer();
  network.fault = ({ bytes: copy }, n) => (n === 4 ? [{ delay: 60, bytes: copy }] : [{ delay: 1, bytes: copy }]);
  network.initiate(member, server);
  network.run(30);
  const half = server.engine.sas()[0];
  t.equal(half.state, 'MM_KEY_EXCH');
  const early = new MessageCipher({ ...half, lastIv: new Uint8Array(16) }, 9).seal(saHeader(half, 5, 9), [
    { type: 8, body: new Uint8Array(32) },
  ]);
  t.same(counted(network, server, early), ['ike_unexpected'], 'not up yet');
  network.run(1000);
  const [sa] = member.up;
  const spi = Buffer.concat([sa.initiatorCookie, sa.responderCookie]).toString('hex');
  const ask = (n: number): Uint8Array =>
    sealInformational(sa, random, [{ type: 11, body: bytes(`00000001 0110 8d28 ${spi} 000000${n.toString(16).padStart(2, '0')}`) }]);
  t.same(counted(network, server, ask(1)), ['ike_dpd_answered'], 'up: answered');
  network.perform(server, server.engine.deleteSa(server.up[0], network.now));
  const sent = network.sent.length;
  t.same(counted(network, server, ask(2)), ['ike_no_sa'], 'deleted: counted');
  t.same([server.engine.sas(), network.sent.length], [[], sent], 'no state, no answer');
});
