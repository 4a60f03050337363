// An outsider: whoever can send datagrams to a key server, and has no key. Whatever it sends leaves no state and changes none, is counted once, gets
// no answer, and the true member registers all the same. Numbers are those of the list of bad input that systems of this kind failed on.

import t from 'tap';
import { startDh } from '../../../../control/isakmp/keying-material.js';
import { buildMessage } from '../../../../control/isakmp/payloads.js';
import { agreed, memberAndServer, memberEnd, Network, Peer, policy, serverEnd } from './two-engines.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const outsider = { address: 0x0a000063, port: 848 };
const Sa = 1;
const Ke = 4;
const Id = 5;
const Nonce = 10;
const Notification = 11;
const Delete = 12;
const Vendor = 13;
const Fragment = 132;
const nonce = { type: Nonce, body: new Uint8Array(20).fill(7) };
/** AES-128, SHA-256, PSK, group 19, one hour: what the server has. */
const attributes = '80010007 80020004 80030001 80040013 800b0001 800c0e10 800e0080';
const transform = (text: string): string => {
  const length = text.replaceAll(' ', '').length / 2 + 8;
  return `0000${length.toString(16).padStart(4, '0')} 01010000 ${text}`;
};
const saBody = (text = transform(attributes), count = 1): Uint8Array => {
  const length = text.replaceAll(' ', '').length / 2 + 8;
  return bytes(`00000002 00000000 0000${length.toString(16).padStart(4, '0')} 010100${count.toString(16).padStart(2, '0')} ${text}`);
};

interface Form {
  exchange?: number;
  flags?: number;
  messageId?: number;
  initiator?: Uint8Array;
  responder?: Uint8Array;
}

let cookie = 1;
function message(payloads: { type: number; body: Uint8Array }[], form: Form = {}): Uint8Array {
  const initiatorCookie = form.initiator ?? new Uint8Array(8).fill(cookie++ % 255 || 1);
  const { responder: responderCookie = new Uint8Array(8), exchange = 2, flags = 0, messageId = 0 } = form;
  return buildMessage({ initiatorCookie, responderCookie, exchange, flags, messageId }, payloads);
}

function changed(source: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const out = source.slice();
  out.set(values, at);
  return out;
}

const offer = (): Uint8Array => message([{ type: Sa, body: saBody() }]);
const raw = (first: number, hex: string): Uint8Array => {
  const chain = bytes(hex);
  const out = message([]);
  return changed(new Uint8Array([...out, ...chain]), 16, first, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, (28 + chain.length) >> 8, 28 + chain.length);
};

type Counter = 'ike_malformed' | 'ike_unexpected' | 'ike_no_sa' | 'ike_no_proposal' | 'ike_undecryptable' | 'ike_unprotected_notifications';
const cases: [item: number, name: string, counter: Counter, datagram: Uint8Array][] = [
  [1, 'nothing', 'ike_malformed', new Uint8Array(0)],
  [1, 'a header cut short', 'ike_malformed', offer().slice(0, 27)],
  [1, 'length 0', 'ike_malformed', changed(offer(), 24, 0, 0, 0, 0)],
  [1, 'length 27', 'ike_malformed', changed(offer(), 24, 0, 0, 0, 27)],
  [1, 'length beyond the datagram', 'ike_malformed', changed(offer(), 24, 0, 0, 1, 0)],
  [1, 'length 2^32-1', 'ike_malformed', changed(offer(), 24, 255, 255, 255, 255)],
  [1, 'length of the header alone, payloads behind it', 'ike_malformed', changed(offer(), 24, 0, 0, 0, 28)],
  [2, 'a payload whose next payload is itself, for ever', 'ike_malformed', raw(13, '0d000004'.repeat(300))],
  [2, 'two payloads that name each other', 'ike_malformed', raw(13, '0a0000040d000004'.repeat(100))],
  [2, 'a next payload beyond the end', 'ike_malformed', raw(1, '0d000004')],
  [3, 'payload length 0', 'ike_malformed', raw(1, '00000000')],
  [3, 'payload length 1', 'ike_malformed', raw(1, '00000001')],
  [3, 'payload length 2', 'ike_malformed', raw(1, '00000002')],
  [3, 'payload length 3', 'ike_malformed', raw(1, '00000003')],
  [3, 'payload length beyond the message', 'ike_malformed', raw(1, '0000000d 00000002 00000000')],
  [3, 'payload length 65,535', 'ike_malformed', raw(1, '0000ffff 00000002 00000000')],
  [4, 'an SA payload of 3 bytes', 'ike_malformed', message([{ type: Sa, body: new Uint8Array(3) }])],
  [4, 'no proposal', 'ike_malformed', message([{ type: Sa, body: bytes('0000000200000000') }])],
  [4, 'two transforms promised, one there', 'ike_malformed', message([{ type: Sa, body: saBody(undefined, 2) }])],
  [4, '255 transforms promised', 'ike_malformed', message([{ type: Sa, body: saBody(undefined, 255) }])],
  [4, 'SPI size 255', 'ike_malformed', message([{ type: Sa, body: changed(saBody(), 14, 255) }])],
  [4, 'SPI size that eats the transform', 'ike_malformed', message([{ type: Sa, body: changed(saBody(), 14, 16) }])],
  [4, 'proposal longer than the SA', 'ike_malformed', message([{ type: Sa, body: changed(saBody(), 10, 255, 255) }])],
  [4, 'transform longer than its proposal', 'ike_malformed', message([{ type: Sa, body: changed(saBody(), 18, 255, 255) }])],
  [
    5,
    'a life duration of 0xfd20 bytes that are not there',
    'ike_malformed',
    message([{ type: Sa, body: saBody(transform('80010007 000cfd20 00000001')) }]),
  ],
  [
    5,
    'a life duration of 0xfd20 bytes that are there',
    'ike_malformed',
    message([{ type: Sa, body: saBody(transform(`${attributes.replace('800c0e10', '')} 000cfd20${'00'.repeat(0xfd20)}`)) }]),
  ],
  [5, 'a life duration of 0 bytes', 'ike_malformed', message([{ type: Sa, body: saBody(transform('800b0001 000c0000')) }])],
  [5, 'an attribute cut short', 'ike_malformed', message([{ type: Sa, body: saBody(transform(`${attributes} 8001`)) }])],
  [8, 'a notification of 7 bytes, in clear', 'ike_malformed', message([{ type: Notification, body: new Uint8Array(7) }], { exchange: 5 })],
  [
    8,
    'a notification shorter than its SPI, in clear',
    'ike_malformed',
    message([{ type: Notification, body: bytes('0000000201ff000e0000') }], { exchange: 5 }),
  ],
  [8, 'no notification in an informational message', 'ike_unprotected_notifications', message([], { exchange: 5, messageId: 9 })],
  [7, 'a delete in clear', 'ike_unprotected_notifications', message([{ type: Delete, body: bytes('00000002011000ff') }], { exchange: 5 })],
  [9, 'IKEv2: IKE_SA_INIT', 'ike_malformed', changed(message([{ type: 33, body: saBody() }], { exchange: 34 }), 17, 0x20)],
  [9, 'version 1.1', 'ike_malformed', changed(offer(), 17, 0x11)],
  [9, 'version 0.0', 'ike_malformed', changed(offer(), 17, 0)],
  [9, 'payloads of IKEv2 in version 1.0 (CVE-2015-3991)', 'ike_malformed', message([33, 34, 40].map((type) => ({ type, body: saBody() })))],
  [
    9,
    'an unknown payload in front of the SA',
    'ike_malformed',
    message([
      { type: 200, body: nonce.body },
      { type: Sa, body: saBody() },
    ]),
  ],
  [9, 'a KEK payload in phase 1', 'ike_malformed', message([{ type: 15, body: nonce.body }])],
  [
    10,
    'protected R-U-THERE of an SA that never was',
    'ike_no_sa',
    message([nonce], { exchange: 5, flags: 1, messageId: 7, responder: nonce.body.slice(0, 8) }),
  ],
  [10, 'message 5 of an exchange that never was', 'ike_no_sa', message([nonce], { flags: 1, responder: nonce.body.slice(0, 8) })],
  [
    10,
    'R-U-THERE in clear',
    'ike_unprotected_notifications',
    message([{ type: Notification, body: bytes('00000001 0110 8d28'.concat('00'.repeat(20))) }], { exchange: 5 }),
  ],
  [
    11,
    'group 1025 (CVE-2014-9221)',
    'ike_no_proposal',
    message([{ type: Sa, body: saBody(transform(attributes.replace('80040013', '80040401'))) }]),
  ],
  [12, 'a fragment, index 1 of none', 'ike_malformed', message([{ type: Fragment, body: bytes('0001 01 01'.concat('00'.repeat(40))) }])],
  [12, 'a fragment, index 0', 'ike_malformed', message([{ type: Fragment, body: bytes('0001 00 00'.concat('00'.repeat(40))) }])],
  [12, 'a fragment without contents', 'ike_malformed', message([{ type: Fragment, body: new Uint8Array(0) }])],
  [
    12,
    'a last fragment before all others',
    'ike_malformed',
    message([{ type: Fragment, body: bytes('0001 ff 01'.concat('00'.repeat(40))) }]),
  ],
  [
    12,
    'two fragments in one message',
    'ike_malformed',
    message([1, 2].map((n) => ({ type: Fragment, body: Uint8Array.of(0, 1, n, 0, 9) }))),
  ],
  [14, 'AES without a key length', 'ike_no_proposal', message([{ type: Sa, body: saBody(transform(attributes.replace('800e0080', ''))) }])],
  [
    14,
    'AES with a key of 0 bits',
    'ike_no_proposal',
    message([{ type: Sa, body: saBody(transform(attributes.replace('800e0080', '800e0000'))) }]),
  ],
  [14, 'no hash', 'ike_no_proposal', message([{ type: Sa, body: saBody(transform(attributes.replace('80020004', ''))) }])],
  [16, 'PULL', 'ike_no_sa', message([nonce], { exchange: 32, flags: 1, messageId: 5, responder: nonce.body.slice(0, 8) })],
  [16, 'a zero initiator cookie', 'ike_malformed', message([{ type: Sa, body: saBody() }], { initiator: new Uint8Array(8) })],
  [16, 'message 1, encrypted', 'ike_malformed', message([{ type: Sa, body: saBody() }], { flags: 1 })],
  [18, 'aggressive mode where it is off', 'ike_unexpected', message([{ type: Sa, body: saBody() }, nonce], { exchange: 4 })],
  [25, 'a non-ESP marker where there is none', 'ike_malformed', new Uint8Array([0, 0, 0, 0, ...offer()])],
  [25, 'a NAT keepalive on port 848', 'ike_malformed', Uint8Array.of(0xff)],
  [25, 'two bytes', 'ike_malformed', Uint8Array.of(0, 0)],
];

for (const [item, name, counter, datagram] of cases) {
  t.test(`${item}: ${name}`, async (t) => {
    const { member, server, network } = memberAndServer();
    network.inject(outsider, server, datagram);
    // An offer that can be read is a request too, whatever comes of it.
    const counted = [...server.counts].filter(([name]) => name !== 'ike_requests_received');
    t.same(counted, [[counter, 1]], 'counted once, as nothing else');
    t.same([server.engine.sas(), server.engine.nextTick()], [[], null], 'no state, no timer');
    // RFC 2408 §5.4: only an offer that was read and does not fit is answered, with its cookies and a number.
    const answers = network.sent.map(({ bytes: answer }) => answer.length);
    t.same(answers, counter === 'ike_no_proposal' ? [40] : [], 'no answer');
    t.ok(server.logs.length <= 1 && (server.logs[0] ?? '').length < 250, 'a line of bounded length');
    network.initiate(member, server);
    network.run(1000);
    t.ok(agreed(member, server), 'the true member is up');
  });
}

t.test('the good offer is answered: what is refused above is refused for its fault', async (t) => {
  const { server, network } = memberAndServer();
  network.inject(outsider, server, offer());
  t.match(server.engine.sas(), [{ state: 'MM_SA_SETUP' }]);
  // Payload types that nobody has defined are ignored behind the SA, as vendor IDs are.
  network.inject(
    outsider,
    server,
    message([
      { type: Sa, body: saBody() },
      { type: Vendor, body: nonce.body },
      { type: 200, body: nonce.body },
    ]),
  );
  t.equal(server.engine.sas().length, 2);
});

t.test('the same, under the cookies of a member that is up: it stays up', async (t) => {
  const { member, server, network } = memberAndServer();
  network.initiate(member, server);
  network.run(1000);
  const [sa] = server.up;
  const before = JSON.stringify(sa);
  const sent = network.sent.length;
  for (const [item, name, , datagram] of cases) {
    if (datagram.length < 28) continue;
    const forged = changed(datagram, 0, ...sa.initiatorCookie, ...sa.responderCookie);
    network.inject(memberEnd, server, forged);
    t.equal(JSON.stringify(sa), before, `${item}: ${name}: the SA is as it was`);
  }
  t.same(server.engine.sas(), [sa], 'nothing beside it');
  t.equal(network.sent.length, sent, 'no answer');
  network.perform(member, member.engine.notify(member.up[0], 40_000, new Uint8Array(1)));
  network.run(100);
  t.equal(server.notifications.length, 1, 'and it still works');
});

t.test('11, 16: message 3 with a bad public value in front of the true one', async (t) => {
  // Each is a key exchange that the gate counts (admission.test.ts): it is wide open here.
  const { member, server, network } = memberAndServer({}, { registrationRate: 1000 });
  const point = startDh(19).publicValue;
  const values: Record<string, Uint8Array> = {
    '0': new Uint8Array(64),
    '1': changed(new Uint8Array(64), 63, 1),
    'all ones': new Uint8Array(64).fill(255),
    'a point that is not on the curve': changed(point, 63, point[63] ^ 1),
    'one byte short': point.slice(1),
    'one byte long': new Uint8Array([...point, 0]),
    empty: new Uint8Array(0),
    '65,000 bytes': new Uint8Array(65_000),
  };
  const forged = (responder: Uint8Array, initiator: Uint8Array, payloads: { type: number; body: Uint8Array }[]): void =>
    network.inject(memberEnd, server, message(payloads, { initiator, responder }));
  network.fault = ({ bytes: copy }, n) => {
    if (n !== 2) return [{ delay: 1, bytes: copy }];
    const [sa] = server.engine.sas();
    const discovery = [20, 20].map((type) => ({ type, body: new Uint8Array(32) }));
    for (const [name, body] of Object.entries(values)) {
      const before = server.count('ike_bad_public_value');
      forged(sa.responderCookie, sa.initiatorCookie, [{ type: Ke, body }, nonce, ...discovery]);
      t.equal(server.count('ike_bad_public_value'), before + 1, name);
    }
    const refused = server.count('ike_malformed');
    const good = { type: Ke, body: point };
    for (const payloads of [
      [nonce],
      [good],
      [good, good, nonce, ...discovery],
      [good, nonce, nonce, ...discovery],
      [good, { type: Nonce, body: new Uint8Array(7) }, ...discovery],
      [good, { type: Nonce, body: new Uint8Array(257) }, ...discovery],
      [good, nonce, discovery[0]],
      [good, nonce, { type: 20, body: new Uint8Array(3) }, discovery[0]],
      [{ type: Fragment, body: Uint8Array.of(0, 1, 1, 1) }],
    ])
      forged(sa.responderCookie, sa.initiatorCookie, payloads);
    t.equal(server.count('ike_malformed'), refused + 9, 'no KE, no nonce, two, of wrong lengths, too few NAT-D, a fragment');
    const unexpected = server.count('ike_unexpected');
    network.inject(memberEnd, server, changed(copy, 18, 4));
    network.inject(memberEnd, server, changed(copy, 19, 1));
    t.equal(server.count('ike_unexpected'), unexpected + 2, 'the true one under the number of the other mode, or as if encrypted');
    t.match(sa, { state: 'MM_SA_SETUP', key: { length: 0 } }, 'the exchange is as it was');
    return [{ delay: 1, bytes: copy }];
  };
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'the true message 3 does it');
  t.equal(member.count('ike_retransmits'), 0, 'at once');
});

t.test('6: aggressive mode: an ID that does not fit its type, from anybody', async (t) => {
  const server = new Peer({
    end: serverEnd,
    keys: [{ line: 1, key: 'k', address: outsider.address, mask: 0xffffffff }],
    settings: { aggressiveMode: true },
  });
  const network = new Network([server]);
  const ke = { type: Ke, body: startDh(19).publicValue };
  const begin = (...ids: string[]): Uint8Array =>
    message([{ type: Sa, body: saBody() }, ke, nonce, ...ids.map((id) => ({ type: Id, body: bytes(id) }))], { exchange: 4 });
  const bad: Record<string, Uint8Array> = {
    none: begin(),
    two: begin('01110350 0a000063', '01110350 0a000063'),
    '0 bytes': begin(''),
    '3 bytes': begin('011103'),
    'an address of 0 bytes': begin('01110350'),
    'an address of 3 bytes': begin('01110350 0a0000'),
    'an address of 5 bytes': begin('01110350 0a00006301'),
    'IPv6 of 4 bytes': begin('05110350 0a000063'),
    'an IPv6 subnet of 17 bytes (ikev1_id_ipv6_addr_subnet-oobr)': begin(`06110350 ${'00'.repeat(17)}`),
    'a name of 0 bytes': begin('02110350'),
  };
  for (const [name, datagram] of Object.entries(bad)) {
    const before = server.count('ike_malformed');
    network.inject(outsider, server, datagram);
    t.equal(server.count('ike_malformed'), before + 1, name);
  }
  // A DER name is read by nobody here: without a key of its own it is a stranger (CVE-2013-6075).
  network.inject(outsider, server, begin('09110350 3084ffffffff'));
  t.equal(server.count('ike_no_key'), 1);
  t.same([server.engine.sas(), network.sent], [[], []], 'no state, not a word');
  network.inject(outsider, server, begin('01110350 0a000063'));
  t.match(server.engine.sas(), [{ state: 'AG_INIT_EXCH' }], 'the good one is answered');
});

t.test('12: fragments without end are never collected', async (t) => {
  const { member, server, network } = memberAndServer();
  for (let n = 0; n < 5000; n++) {
    const head = Uint8Array.of(n >> 8, n, n % 256, n % 7 === 0 ? 1 : 0);
    const fragment = { type: Fragment, body: new Uint8Array([...head, ...new Uint8Array(100)]) };
    network.inject({ ...outsider, address: outsider.address + (n % 9) }, server, message([fragment], { exchange: n % 2 ? 2 : 4 }));
  }
  t.equal(server.count('ike_malformed') + server.count('ike_unexpected'), 5000, 'each is counted');
  t.same([server.engine.sas(), server.engine.nextTick(), network.sent], [[], null, []], 'no state, no timer, no answer');
  t.ok(server.logs.length <= 10, `${server.logs.length} lines`);
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'the true member is up');
});

t.test('17: a cookie used again: by another address it is another exchange, by the same it begins none', async (t) => {
  const { member, server, network } = memberAndServer({}, { policies: [policy()] });
  network.initiate(member, server);
  const first = network.sent[0].bytes;
  network.run(1000);
  const [sa] = server.up;
  network.inject(memberEnd, server, changed(first, first.length - 1, first[first.length - 1] ^ 1));
  t.same(server.engine.sas(), [sa], 'the SA stays, and nothing begins beside it');
  network.inject(outsider, server, first);
  t.match(server.engine.sas(), [{ state: 'GDOI_IDLE' }, { state: 'MM_SA_SETUP' }], 'somebody else’s cookie is his own business');
  t.ok(agreed(member, server), 'the SA is as it was');
});

t.test('24: exchange types that we do not have, cooperative key servers’ among them', async (t) => {
  const server = new Peer({ end: serverEnd });
  const network = new Network([server]);
  const ours = new Set([2, 4, 5, 32, 33, 35]);
  const others = Array.from({ length: 256 }, (_, n) => n).filter((n) => !ours.has(n));
  for (const exchange of others) network.inject(outsider, server, message([nonce], { exchange, messageId: 1 }));
  t.same([...server.counts], [['ike_malformed', others.length]], 'each is counted');
  t.same([server.engine.sas(), network.sent, server.pulls, server.pushes], [[], [], [], []], 'and is nobody’s');
});
