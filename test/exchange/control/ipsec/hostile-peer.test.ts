// What a peer that has phase 1's key may send as Quick Mode, and what it must not achieve (facts/bad-input 4-7, 11, 14-16): refused under a counter, told
// why by a notification, old pairs unchanged, and the true message taken afterwards.

import t from 'tap';
import type { Datagram } from '../../../../control/actions.js';
import { type EspProposal, offerOf } from '../../../../control/ipsec/esp-proposal.js';
import type { FlowPolicy } from '../../../../control/ipsec/flow-policy.js';
import { deleteEsp } from '../../../../control/ipsec/peer-messages.js';
import { sealInformational } from '../../../../control/isakmp/informational.js';
import { exchangeHash, MessageCipher, saHeader } from '../../../../control/isakmp/message-cipher.js';
import { NotifyType, writeNotification } from '../../../../control/isakmp/notification.js';
import { writePayloads } from '../../../../control/isakmp/payloads.js';
import { writeSa } from '../../../../control/isakmp/sa-payload.js';
import { seededRandom } from '../isakmp/two-engines.js';
import { mismatch, twoGateways } from './two-gateways.js';

type Body = { type: number; body: Uint8Array };
const [Sa, Ke, Id, Nonce, Oa] = [1, 4, 5, 10, 21];
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const suite: EspProposal = {
  encryption: 'esp-aes-128',
  authentication: 'esp-sha-hmac',
  mode: 'tunnel',
  udp: false,
  group: null,
  lifetimeSeconds: 3600,
  lifetimeKilobytes: null,
};
const offer = (change: Partial<EspProposal> = {}, spi = 0x1000): Body => ({
  type: Sa,
  body: writeSa(offerOf([{ ...suite, ...change }], spi)),
});
const nonce: Body = { type: Nonce, body: new Uint8Array(20).fill(5) };
const ids: Body[] = [hex('04000000 0a010000 ffffff00'), hex('04000000 0a020000 ffffff00')].map((body) => ({ type: Id, body }));

function connected(b: Partial<FlowPolicy> = {}) {
  const pair = twoGateways({}, b);
  pair.wire.demand(pair.a);
  pair.wire.run(1000);
  const [sa] = pair.a.ike.sas();
  const [saOfB] = pair.b.ike.sas();
  let messageId = 0x5000;
  /** To b. @returns what b answers */
  const send = (payloads: Body[], id = messageId++): Datagram[] => {
    const hash = exchangeHash(sa, id, writePayloads(payloads));
    const bytes = new MessageCipher(sa, id).seal(saHeader(sa, 32, id), [{ type: 8, body: hash }, ...payloads]);
    const before = pair.wire.sent.length;
    pair.wire.perform(pair.b, pair.b.ike.receive({ local: saOfB.local, remote: saOfB.remote, bytes }, pair.wire.now));
    return pair.wire.sent.slice(before);
  };
  return { ...pair, sa, send };
}

/** A transform of AES-128 and SHA-1 with other attributes; the proposal around it says `count` transforms. */
function transform(attributes: string, count = 1): Body {
  const body = hex(`01 0c 0000 ${attributes}`);
  const inner = hex(`0000 ${(body.length + 4).toString(16).padStart(4, '0')}`);
  const proposal = new Uint8Array([1, 3, 4, count, 0, 0, 0x10, 0, ...inner, ...body]);
  const outer = hex(`0000 ${(proposal.length + 4).toString(16).padStart(4, '0')}`);
  return { type: Sa, body: new Uint8Array([0, 0, 0, 1, 0, 0, 0, 1, ...outer, ...proposal]) };
}
const aes = '80060080 80050002';
const tunnel = '80040001';

const refused: [name: string, payloads: Body[], counter: string][] = [
  ['no SA payload', [nonce, ...ids], 'ipsec_quick_mode_malformed'],
  ['two SA payloads', [offer(), offer(), nonce, ...ids], 'ike_malformed'],
  ['no nonce', [offer(), ...ids], 'ike_malformed'],
  ['a nonce of 7 bytes', [offer(), { type: Nonce, body: new Uint8Array(7) }, ...ids], 'ipsec_quick_mode_malformed'],
  ['a nonce of 257 bytes', [offer(), { type: Nonce, body: new Uint8Array(257) }, ...ids], 'ipsec_quick_mode_malformed'],
  ['one identity', [offer(), nonce, ids[0]], 'ipsec_quick_mode_malformed'],
  ['three identities', [offer(), nonce, ...ids, ids[0]], 'ipsec_quick_mode_malformed'],
  ['an identity short for its type', [offer(), nonce, ids[0], { type: Id, body: hex('04000000 0a020000 ffff') }], 'ike_malformed'],
  ['a mask with holes', [offer(), nonce, ids[0], { type: Id, body: hex('04000000 0a020000 ff00ff00') }], 'ipsec_no_flow'],
  ['a range that is no prefix', [offer(), nonce, ids[0], { type: Id, body: hex('07000000 0a020000 0a020005') }], 'ipsec_no_flow'],
  ['an IPv6 prefix', [offer(), nonce, ids[0], { type: Id, body: hex(`06000000 ${'00'.repeat(32)}`) }], 'ipsec_no_flow'],
  ['identities of other protocols', [offer(), nonce, ids[0], { type: Id, body: hex('04060000 0a020000 ffffff00') }], 'ipsec_no_flow'],
  ['a port without a protocol', [offer(), nonce, ids[0], { type: Id, body: hex('04000050 0a020000 ffffff00') }], 'ipsec_no_flow'],
  ['everything', [offer(), nonce, ...[0, 0].map(() => ({ type: Id, body: hex('04000000 00000000 00000000') }))], 'ipsec_no_flow'],
  ['the sides exchanged', [offer(), nonce, ids[1], ids[0]], 'ipsec_no_flow'],
  ['no identities, where hosts are not permitted', [offer(), nonce], 'ipsec_no_flow'],
  ['an SPI below 256', [offer({}, 255), nonce, ...ids], 'ipsec_quick_mode_malformed'],
  ['DOI 2', [{ type: Sa, body: hex('00000002 00000000') }, nonce, ...ids], 'ike_malformed'],
  ['a situation with labels', [{ type: Sa, body: hex('00000001 00000003') }, nonce, ...ids], 'ike_malformed'],
  ['KE without a group', [offer(), nonce, { type: Ke, body: new Uint8Array(64) }, ...ids], 'ipsec_quick_mode_malformed'],
  ['a group without KE', [offer({ group: 19 }), nonce, ...ids], 'ipsec_quick_mode_malformed'],
  ['a point off the curve', [offer({ group: 19 }), nonce, { type: Ke, body: new Uint8Array(64).fill(1) }, ...ids], 'ike_bad_public_value'],
  ['public value 0', [offer({ group: 14 }), nonce, { type: Ke, body: new Uint8Array(256) }, ...ids], 'ike_bad_public_value'],
  [
    'public value of another length',
    [offer({ group: 14 }), nonce, { type: Ke, body: new Uint8Array(255).fill(9) }, ...ids],
    'ike_bad_public_value',
  ],
  ['a reserved group', [transform(`${tunnel} 80030401 ${aes}`), nonce, ...ids], 'ipsec_no_proposal'],
  ['a life duration of 0xfd20 bytes', [transform(`${tunnel} 80010001 0002fd20 ${aes}`), nonce, ...ids], 'ike_malformed'],
  ['a duration without a type', [transform(`${tunnel} 80020e10 ${aes}`), nonce, ...ids], 'ipsec_no_proposal'],
  ['a duration of 0', [transform(`${tunnel} 80010001 80020000 ${aes}`), nonce, ...ids], 'ipsec_no_proposal'],
  ['encryption without integrity', [transform(`${tunnel} 80060080`), nonce, ...ids], 'ipsec_no_proposal'],
  ['AES without a key length', [transform(`${tunnel} 80050002`), nonce, ...ids], 'ipsec_no_proposal'],
  ['no encapsulation mode', [transform(aes), nonce, ...ids], 'ipsec_no_proposal'],
  ['UDP encapsulation without a translator', [offer({ udp: true }), nonce, ...ids], 'ipsec_no_proposal'],
  ['extended sequence numbers', [transform(`${tunnel} 800b0001 ${aes}`), nonce, ...ids], 'ipsec_no_proposal'],
  ['one NAT-OA payload', [offer(), nonce, ...ids, { type: Oa, body: hex('01000000 c0000201') }], 'ipsec_quick_mode_malformed'],
  [
    'NAT-OA payloads that are no IPv4 addresses',
    [offer(), nonce, ...ids, ...['01000000 c0000201', '04000000 c0000200 ffffff00'].map((body) => ({ type: Oa, body: hex(body) }))],
    'ipsec_quick_mode_malformed',
  ],
  ['a NAT-OA payload that is cut short', [offer(), nonce, ...ids, { type: Oa, body: hex('01000000 c00002') }], 'ike_malformed'],
  ['transforms that are not there', [transform(`${tunnel} ${aes}`, 2), nonce, ...ids], 'ike_malformed'],
];

const dynamic = { dynamic: { name: 'D', sequence: 10 }, peers: [] };
/** What a dynamic map without an access list lets peers ask for. */
const forAnything = ['everything', 'the sides exchanged', 'no identities, where hosts are not permitted'];
const responders: [name: string, policy: Partial<FlowPolicy>, cases: typeof refused][] = [
  ['message 1', {}, refused],
  ['message 1 to a dynamic map', dynamic, refused],
  [
    'message 1 to a dynamic map without an access list',
    { ...dynamic, entries: null },
    refused.filter(([name]) => !forAnything.includes(name)),
  ],
];
for (const [title, policy, cases] of responders)
  t.test(title, async (t) => {
    const { a, b, wire, send } = connected(policy);
    const [pair] = b.pairs;
    for (const [name, payloads, counter] of cases) {
      const before = b.count(counter);
      const answers = send(payloads);
      t.equal(b.count(counter), before + 1, `${name}: ${counter}`);
      t.same([b.pairs, answers.map(({ bytes }) => bytes[18])], [[pair], [5]], `${name}: told, and nothing else`);
    }
    t.equal(send([offer(), nonce, ...ids]).length, 1, 'a good one is answered');
    t.equal(mismatch(a.pairs[0], pair), null, 'the old pair is as it was');
    wire.run(120_000);
    t.same(b.pairs, [pair], 'without message 3 nothing stays');
  });

t.test('AH, IPComp and bundles are passed over, not refused with the rest', async (t) => {
  const { b, send } = connected();
  const { proposals } = offerOf([suite, suite, suite], 0x1000);
  const sa = {
    doi: 1,
    situation: 1,
    proposals: [
      { ...proposals[0], protocol: 2 },
      { ...proposals[1], number: 1 },
      { ...proposals[2], number: 7 },
    ],
  };
  t.equal(send([{ type: Sa, body: writeSa(sa) }, nonce, ...ids]).length, 1);
  t.equal(b.pairs.length, 2, 'the third is taken');
});

t.test('a flood of exchanges: sixteen at once, and few pairs', async (t) => {
  const { b, wire, send } = connected();
  for (let i = 0; i < 500; i++) send([offer({}, 0x2000 + i), nonce, ...ids]);
  t.ok(b.pairs.length <= 5, `${b.pairs.length} pairs`);
  wire.run(1000);
  t.equal(b.pairs.filter(({ established }) => established).length, 1);
});

t.test('flows without end of a dynamic map: sixteen, and nothing stays of what is not finished', async (t) => {
  const { a, b, wire, send } = connected({ ...dynamic, entries: null });
  for (let i = 0; i < 300; i++) {
    const other = { type: Id, body: hex(`04000000 0a09${i.toString(16).padStart(4, '0')} ffffffff`) };
    send([offer({}, 0x2000 + i), nonce, other, ids[1]]);
  }
  t.ok(b.pairs.length <= 17 && b.count('ipsec_too_many') > 0, `${b.pairs.length} pairs`);
  wire.run(120_000);
  t.equal(b.pairs.length, 1);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
});

t.test('message 1 again under its number: answered, not computed again', async (t) => {
  const { b, send } = connected();
  const first = send([offer(), nonce, ...ids], 77);
  const again = send([offer(), nonce, ...ids], 77);
  t.same(again[0].bytes, first[0].bytes, 'byte for byte');
  for (let i = 0; i < 20; i++) send([offer(), nonce, ...ids], 77);
  t.equal(b.count('ipsec_quick_mode_retransmits'), 5, 'five times');
  t.equal(send([offer({}, 0x9999), nonce, ...ids], 77).length, 0, 'another one under it is none');
});

t.test('deletes and notifications: of SAs that it has with us, once', async (t) => {
  const { a, b, wire, sa } = connected();
  const random = seededRandom('hostile');
  const tell = (payload: Body): void => wire.inject(sa.local, b, sealInformational(sa, random, [payload]));
  const notify = (type: number, spi: number[], protocol = 3): void =>
    tell({ type: 11, body: writeNotification({ doi: 1, protocol, spi: new Uint8Array(spi), type, data: new Uint8Array(0) }) });
  tell(deleteEsp([1, 2, 0xffffffff]));
  tell({ type: 12, body: hex('00000001 03040002 00001000') });
  tell({ type: 12, body: hex('00000001 02040001 00001000') });
  tell({ type: 12, body: hex('00000001 03080001 0000100000001000') });
  notify(NotifyType.InvalidSpi, [0, 0, 16, 0]);
  notify(NotifyType.InvalidSpi, []);
  notify(NotifyType.NoProposalChosen, [0, 0, 16, 0]);
  notify(NotifyType.InvalidSpi, [1, 2, 3], 2);
  t.equal(b.pairs.length, 1, 'nothing of it hits');
  const [{ inboundSpi }] = a.pairs;
  tell(deleteEsp([inboundSpi, inboundSpi]));
  tell(deleteEsp([inboundSpi]));
  t.same([b.pairs, b.count('ipsec_sas_deleted')], [[], 1], 'its own does, once');
});

t.test('Quick Mode before phase 1 is up, in clear, or without a number', async (t) => {
  const { a, b, wire, sa } = connected();
  const before = b.pairs.length;
  const cleartext = saHeader(sa, 32, 9);
  wire.inject(
    sa.local,
    b,
    hex(
      `${Buffer.from(sa.initiatorCookie).toString('hex')}${Buffer.from(sa.responderCookie).toString('hex')} 08 10 20 00 00000009 0000001c`,
    ),
  );
  t.equal(cleartext.exchange, 32);
  const [first] = a.ike
    .initiate({ address: a.local, port: 500 }, { address: b.local, port: 500 }, wire.now)
    .flatMap((action) => (action.kind === 'send' ? [action.datagram.bytes] : []));
  wire.inject({ address: a.local, port: 500 }, b, first);
  const half = b.ike.sas().at(-1);
  const early = new Uint8Array(28 + 16);
  early.set(half?.initiatorCookie ?? []);
  early.set(half?.responderCookie ?? [], 8);
  early.set([8, 0x10, 32, 1, 0, 0, 0, 9, 0, 0, 0, 44], 16);
  wire.inject({ address: a.local, port: 500 }, b, early);
  t.same([b.pairs.length, b.count('ike_unexpected')], [before, 2]);
});
