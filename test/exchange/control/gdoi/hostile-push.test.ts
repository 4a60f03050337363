// A key server that is authenticated and hostile, in pushes whose protection is right: what stands in them is not. And a member that holds several
// groups' keys and mixes them. Nothing of a refused push is kept, the member goes on. Numbers are those of the list of bad input.

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { writeDeleteAll } from '../../../../control/gdoi/codec/deletion.js';
import { type KeyPacket, writeKd } from '../../../../control/gdoi/codec/kd.js';
import { type GdoiSa, writeSa } from '../../../../control/gdoi/codec/sa.js';
import type { Sak } from '../../../../control/gdoi/codec/sak.js';
import type { Kek, Tek } from '../../../../control/gdoi/group-policy.js';
import { buildPush } from '../../../../control/gdoi/groupkey-push.js';
import { makeTek } from '../../../../control/gdoi/new-keys.js';
import { pseudotimeAt } from '../../../../control/gdoi/pseudotime.js';
import { decodeState } from '../../../../control/gdoi/saved-state.js';
import { describePolicy, packKeys } from '../../../../control/gdoi/sent-policy.js';
import { u32Bytes } from '../../../../control/isakmp/bytes.js';
import { HeaderLength, writeHeader } from '../../../../control/isakmp/header.js';
import { CbcChain } from '../../../../control/isakmp/message-cipher.js';
import { type Payload, writePayloads } from '../../../../control/isakmp/payloads.js';
import { signPush } from '../../../../control/pki/push-signature.js';
import {
  ace,
  memberAddress,
  memberConfig,
  Network,
  type Node,
  rsaKey,
  saPolicy,
  seededRandom,
  serverAddress,
  serverConfig,
} from './group-network.js';

const random = seededRandom('hostile push');
const Seq = 18;
const Delete = 12;
const SaType = 1;
const Kd = 17;

interface Body {
  type: number;
  body: Uint8Array;
}
interface Offer {
  sa: GdoiSa;
  packets: KeyPacket[];
}

function kekOf(server: Node, group = 'G'): Kek {
  const saved = decodeState(server.disk as Uint8Array)?.server.groups.find(({ name }) => name === group);
  if (!saved?.state.keys.kek) throw new Error('the key server has a KEK');
  return saved.state.keys.kek;
}

/** Whatever payloads, signed and encrypted as RFC 6407 §4 wants it. */
function seal(kek: Kek, payloads: Body[]): Uint8Array {
  const header = { initiatorCookie: kek.spi.slice(0, 8), responderCookie: kek.spi.slice(8), exchange: 33, flags: 1, messageId: 0 };
  const chain = writePayloads([...payloads, { type: 9, body: new Uint8Array(128) }]);
  const head = writeHeader({ ...header, nextPayload: payloads[0]?.type ?? 9, length: HeaderLength + chain.length });
  const signature = signPush(
    rsaKey,
    kek.signatureHash,
    [new TextEncoder().encode('rekey'), head, chain.subarray(0, chain.length - 132)],
    'digest-info',
  );
  return new CbcChain(kek.cipher, kek.key, kek.iv).seal(header, [...payloads, { type: 9, body: signature }]);
}

class Attack {
  readonly network: Network;
  readonly server: Node;
  readonly member: Node;

  constructor() {
    const { network, server, members } = Network.group(1, { encryption: 'esp-gcm-256' });
    network.runFor(2000);
    this.network = network;
    this.server = server;
    [this.member] = members;
  }

  get kek(): Kek {
    return kekOf(this.server);
  }
  get state(): string {
    return JSON.stringify(decodeState(this.member.disk as Uint8Array)?.members[0].state.keys);
  }

  tek(lifetimeSeconds = 600, change: Partial<Tek> = {}): Tek {
    return { ...makeTek(saPolicy({ lifetimeSeconds }), random, () => false, this.network.now, this.network.now), ...change };
  }
  /** @param kek a new one */
  offer(teks: Tek[] = [this.tek()], kek: Kek | null = null): Offer {
    const offered = kek && { kek, modulusBits: 1024, source: serverAddress, member: this.member.address };
    return {
      sa: describePolicy({ teks, kek: offered, activationDelaySeconds: null, pseudotimeMs: null }, this.network.now),
      packets: packKeys(teks, kek, null),
    };
  }
  newKek(change: Partial<Kek> = {}): Kek {
    return { ...this.kek, spi: random(16), key: random(16), iv: random(16), sequence: 0, ...change };
  }

  deliver(bytes: Uint8Array): void {
    this.network.inject({ local: this.member.end, remote: this.server.end, bytes });
    this.network.runFor(10);
  }
  push({ sa, packets }: Offer, sequence: number, kek = this.kek): void {
    this.deliver(buildPush(kek, { sequence, deletions: [], policy: { sa, packets } }, rsaKey));
  }
  get rejected(): number {
    return this.member.count('gdoi_push_rejected_malformed') + this.member.count('gdoi_push_rejected_policy');
  }
}

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const sequence = (n: number): Body => ({ type: Seq, body: u32Bytes(n) });
const deletion = (hex: string): Body => ({ type: Delete, body: bytes(hex) });

t.test('2, 3, 7, 9, 12, 19: payloads that do not belong, deletes that lie', async (t) => {
  const attack = new Attack();
  const before = attack.state;
  const { sa, packets } = attack.offer();
  const policy: Body[] = [
    { type: SaType, body: writeSa(sa) },
    { type: Kd, body: writeKd(packets) },
  ];
  const [saPart, kdPart] = policy;
  const cases: Record<string, Body[]> = {
    nothing: [],
    'SEQ alone': [sequence(9)],
    'no SEQ': policy,
    'SEQ behind the policy': [...policy, sequence(9)],
    'two SEQ': [sequence(9), sequence(10), ...policy],
    'SEQ of 3 bytes': [{ type: Seq, body: new Uint8Array(3) }, ...policy],
    'SEQ of 5 bytes': [{ type: Seq, body: new Uint8Array(5) }, ...policy],
    'SA without KD': [sequence(9), saPart],
    'KD without SA': [sequence(9), kdPart],
    'KD in front of SA': [sequence(9), kdPart, saPart],
    'two policies': [sequence(9), ...policy, ...policy],
    'an ID': [sequence(9), { type: 5, body: bytes('0b000000 00000309') }, ...policy],
    'a payload of IKEv2': [sequence(9), { type: 33, body: saPart.body }, kdPart],
    'an unknown payload': [sequence(9), { type: 200, body: new Uint8Array(9) }, ...policy],
    'a fragment': [sequence(9), { type: 132, body: bytes('00010101') }, ...policy],
    '70 vendor IDs': [sequence(9), ...Array.from({ length: 70 }, () => ({ type: 13, body: new Uint8Array(1) })), ...policy],
    'KD of 0 bytes': [sequence(9), saPart, { type: Kd, body: new Uint8Array(0) }],
    'KD that counts 65,535 packets': [sequence(9), saPart, { type: Kd, body: new Uint8Array([255, 255, ...kdPart.body.slice(2)]) }],
    'SA payload of 11 bytes': [sequence(9), { type: SaType, body: saPart.body.slice(0, 11) }, kdPart],
    'delete: body of 7 bytes': [sequence(9), { type: Delete, body: new Uint8Array(7) }],
    'delete: two SPIs said, one there': [sequence(9), deletion('00000002 0104 0002 00000000')],
    'delete: one SPI said, two there': [sequence(9), deletion('00000002 0104 0001 00000000 00000000')],
    'delete: no SPI': [sequence(9), deletion('00000002 0104 0000')],
    'delete: 65,535 SPIs of 0 bytes': [sequence(9), deletion('00000002 0100 ffff')],
    'delete: TEK SPI of 16 bytes': [sequence(9), deletion(`00000002 0110 0001 ${'00'.repeat(16)}`)],
    'delete: KEK SPI of 4 bytes that is not zero': [sequence(9), deletion('00000002 0004 0001 00000001')],
    'delete: KEK SPI of 8 bytes': [sequence(9), deletion(`00000002 0008 0001 ${'00'.repeat(8)}`)],
    'delete: DOI 1': [sequence(9), deletion('00000001 0104 0001 00000000')],
    'delete: protocol 255': [sequence(9), deletion('00000002 ff04 0001 00000000')],
    'a good delete of everything, a bad one behind it': [
      sequence(9),
      ...writeDeleteAll().map((body) => ({ type: Delete, body })),
      deletion('00000002 0104 0002 00000000'),
    ],
    'a good delete of everything, a policy that is none behind it': [
      sequence(9),
      ...writeDeleteAll().map((body) => ({ type: Delete, body })),
      saPart,
      { type: Kd, body: new Uint8Array(4) },
    ],
  };
  for (const [name, payloads] of Object.entries(cases)) {
    const rejected = attack.rejected;
    attack.deliver(seal(attack.kek, payloads));
    t.equal(attack.rejected, rejected + 1, name);
    t.equal(attack.state, before, `${name}: all is as it was`);
  }
  attack.deliver(seal(attack.kek, [sequence(1), ...policy]));
  t.equal(attack.member.count('gdoi_rekeys_received'), 1, 'a good one by the same pen is taken');
});

t.test('14, 30: transforms without integrity, or with a short tag', async (t) => {
  const attack = new Attack();
  const before = attack.state;
  const forms: Record<string, [transform: number, keyLength: number | null, authentication: number | null]> = {
    'GCM with a tag of 8 bytes': [18, 256, null],
    'GCM with a tag of 12 bytes': [19, 256, null],
    'GMAC: no encryption (libreswan#1665)': [21, 256, null],
    'GCM with a second integrity': [20, 256, 5],
    'GCM without a key length': [20, null, null],
    'GCM with a key of 0 bits': [20, 0, null],
    'GCM with a key of 65,535 bits': [20, 65_535, null],
    'CCM with a tag of 8 bytes': [14, 256, null],
    'counter mode without integrity': [13, 256, null],
    'NULL without integrity': [11, null, null],
    'NULL with a key of 256 bits': [11, 256, 5],
    'CBC without integrity': [12, 256, null],
    'CBC with integrity algorithm 0': [12, 256, 0],
    'CBC with DES-MAC': [12, 256, 3],
    'CBC with integrity algorithm 65,535': [12, 256, 65_535],
    DES: [2, null, 2],
  };
  for (const [n, [name, [transform, keyLength, authentication]]] of Object.entries(forms).entries()) {
    const offer = attack.offer();
    Object.assign(offer.sa.sats[0], { transform, keyLength, authentication });
    // With the keys that it would want, so that nothing but the transform is wrong.
    const algorithmKey = transform === 11 ? null : new Uint8Array(transform === 20 ? 36 : 32).fill(3);
    Object.assign(offer.packets[0], { algorithmKey, integrityKey: authentication === 5 ? new Uint8Array(32).fill(4) : null });
    const rejected = attack.rejected;
    attack.push(offer, 10 + n);
    t.equal(attack.rejected, rejected + 1, name);
    t.equal(attack.state, before, `${name}: keys are the old ones`);
  }
});

t.test('19, 22, 27: a new KEK that is none', async (t) => {
  const attack = new Attack();
  const before = attack.state;
  const jwk = createPublicKey(rsaKey).export({ format: 'jwk' });
  const modulus = Buffer.from(jwk.n as string, 'base64url');
  const key = (n: Buffer, e: number[]): Uint8Array => {
    const form = { kty: 'RSA', n: n.toString('base64url'), e: Buffer.from(e).toString('base64url') };
    return new Uint8Array(createPublicKey({ key: form, format: 'jwk' }).export({ type: 'spki', format: 'der' }));
  };
  const spki = new Uint8Array(createPublicKey(rsaKey).export({ type: 'spki', format: 'der' }));
  const even = Buffer.from(modulus);
  even[127] &= 0xfe;
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
  const sak = (change: Partial<Sak>) => (offer: Offer) => void Object.assign(offer.sa.sak as Sak, change);
  const packet = (change: object) => (offer: Offer) => void Object.assign(offer.packets[0], change);
  const spoilers: Record<string, (offer: Offer) => void> = {
    'lifetime 0': sak({ lifetimeSeconds: 0 }),
    'algorithm 0': sak({ algorithm: 0 }),
    'algorithm 65,535': sak({ algorithm: 65_535 }),
    'AES of 0 bits': sak({ keyLength: 0 }),
    'AES of 512 bits': sak({ keyLength: 512 }),
    'signatures by DSS': sak({ signatureAlgorithm: 2 }),
    'signature hash 0': sak({ signatureHash: 0 }),
    'no signature hash': sak({ signatureHash: null }),
    'signature hash 255': sak({ signatureHash: 255 }),
    'a source that is IPv6': sak({ source: { type: 5, port: 848, data: new Uint8Array(16) } }),
    'a destination of 3 bytes': sak({ destination: { type: 1, port: 848, data: Uint8Array.of(1, 2, 3) } }),
    'key packet of another SPI': packet({ spi: new Uint8Array(16) }),
    'no key packet': ({ packets }) => packets.shift(),
    'two key packets': ({ packets }) => packets.unshift({ ...packets[0] }),
    'a key without its IV': packet({ algorithmKey: new Uint8Array(16) }),
    'a key of 0 bytes': packet({ algorithmKey: new Uint8Array(0) }),
    'a key of 60,000 bytes': packet({ algorithmKey: new Uint8Array(60_000) }),
    'signature key: empty': packet({ signatureKey: new Uint8Array(0) }),
    'signature key: cut short': packet({ signatureKey: spki.slice(0, 90) }),
    'signature key: a byte behind it': packet({ signatureKey: new Uint8Array([...spki, 0]) }),
    'signature key: nested without end': packet({ signatureKey: new Uint8Array(4000).fill(0x30) }),
    'signature key: elliptic curve': packet({ signatureKey: new Uint8Array(curve) }),
    'signature key: 512 bits': packet({ signatureKey: key(modulus.subarray(64), [3]) }),
    'signature key: even modulus': packet({ signatureKey: key(even, [1, 0, 1]) }),
    'signature key: modulus 0': packet({ signatureKey: key(Buffer.from([0]), [1, 0, 1]) }),
    'signature key: exponent 0': packet({ signatureKey: key(modulus, [0]) }),
    'signature key: exponent 1, under which a signature is its own message': packet({ signatureKey: key(modulus, [1]) }),
    'signature key: exponent as long as the modulus': packet({ signatureKey: key(modulus, [...modulus.subarray(0, 128)]) }),
  };
  for (const [n, [name, spoil]] of Object.entries(spoilers).entries()) {
    const offer = attack.offer([attack.tek()], attack.newKek());
    spoil(offer);
    const rejected = attack.rejected;
    attack.push(offer, 10 + n);
    t.equal(attack.rejected, rejected + 1, name);
    t.equal(attack.state, before, `${name}: the old KEK and the old TEK stay`);
  }
  attack.push(attack.offer([attack.tek()], attack.newKek()), 1);
  t.equal(attack.member.count('gdoi_rekeys_received'), 1, 'the unspoilt one is taken');
});

t.test('20: the same sequence number again, with other contents', async (t) => {
  const attack = new Attack();
  attack.push(attack.offer(), 5);
  const after = attack.state;
  attack.push(attack.offer(), 5);
  attack.push(attack.offer(), 4);
  attack.push(attack.offer(), 0);
  t.equal(attack.member.count('gdoi_push_rejected_sequence'), 3);
  t.equal(attack.state, after);
  attack.push(attack.offer(), 6);
  t.equal(attack.member.count('gdoi_rekeys_received'), 2, 'the next number is taken');
});

t.test('22: reserved SPIs, with a key each', async (t) => {
  const attack = new Attack();
  const before = attack.state;
  for (const [n, spi] of [0, 1, 255].entries()) {
    attack.push(attack.offer([attack.tek(600, { spi })]), 10 + n);
    t.equal(attack.member.count('gdoi_push_rejected_policy'), n + 1, `SPI ${spi}`);
    t.equal(attack.state, before);
  }
  attack.push(attack.offer([attack.tek(600, { spi: 256 })]), 20);
  t.equal(attack.member.count('gdoi_rekeys_received'), 1, 'SPI 256');
});

t.test('20: the old KEK', async (t) => {
  const attack = new Attack();
  const old = attack.kek;
  attack.push(attack.offer([attack.tek()], attack.newKek()), 1);
  const after = attack.state;
  attack.push(attack.offer(), 2, old);
  attack.push(attack.offer(), 0xffffffff, old);
  attack.deliver(buildPush(old, { sequence: 3, deletions: writeDeleteAll(), policy: null }, rsaKey));
  t.equal(attack.member.count('gdoi_push_rejected_unknown'), 3, 'is nobody’s any more');
  t.equal(attack.state, after);
});

function twoGroups(): { network: Network; server: Node; member: Node } {
  const network = new Network();
  const groups = [
    { name: 'H', number: 888 },
    { name: 'G', number: 777 },
  ];
  const server = network.add(serverAddress, serverConfig({ groups }));
  server.start();
  const config = memberConfig(888, undefined, 'H');
  config.gdoiGroups.set('G', memberConfig().gdoiGroups.get('G') as NonNullable<ReturnType<typeof config.gdoiGroups.get>>);
  const member = network.add(memberAddress(1), config);
  member.start();
  network.runFor(3000);
  return { network, server, member };
}

t.test('20: a push of one group, put under the KEK of another by a member of both', async (t) => {
  const { network, server, member } = twoGroups();
  server.perform(server.gdoi.rekey('H', network.now));
  network.runFor(100);
  // Both groups are signed by one key. Who is in both can decrypt H's push and encrypt what is in it, signature and all, for G.
  const push = server.sent.find(({ bytes: sent }) => sent[18] === 33)?.bytes as Uint8Array;
  const [of, to] = [kekOf(server, 'H'), kekOf(server)];
  const payloads = new CbcChain(of.cipher, of.key, of.iv).open(push).map(({ type, body }: Payload) => ({ type, body }));
  const header = { initiatorCookie: to.spi.slice(0, 8), responderCookie: to.spi.slice(8), exchange: 33, flags: 1, messageId: 0 };
  const before = JSON.stringify(member.gdoi.policyOf('G'));
  network.inject({ local: member.end, remote: server.end, bytes: new CbcChain(to.cipher, to.key, to.iv).seal(header, payloads) });
  network.runFor(10);
  t.equal(member.count('gdoi_push_rejected_signature'), 1, 'the signature names the KEK that it was made for');
  t.equal(JSON.stringify(member.gdoi.policyOf('G')), before);
});

t.test('22: a KEK SPI that is another group’s: that group’s pushes still arrive', async (t) => {
  const { network, server, member } = twoGroups();
  const [h, g] = [kekOf(server, 'H'), kekOf(server)];
  // The key server of H gives its members a KEK with the SPI that it has seen in G's pushes.
  const kek = { ...h, spi: g.spi, key: random(16), iv: random(16) };
  const offered = { kek, modulusBits: 1024, source: serverAddress, member: member.address };
  const sa = describePolicy({ teks: [], kek: offered, activationDelaySeconds: null, pseudotimeMs: null }, network.now);
  const policy = { sa, packets: packKeys([], kek, null) };
  network.inject({ local: member.end, remote: server.end, bytes: buildPush(h, { sequence: 1, deletions: [], policy }, rsaKey) });
  network.runFor(10);
  const received = member.count('gdoi_rekeys_received');
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(1000);
  t.equal(member.count('gdoi_rekeys_received'), received + 1, 'G is rekeyed');
  t.equal(member.gdoi.policyOf('G').teks.length, 2);
});

t.test('21, 22: keys without end: a member holds as many as two policies have, those of its last push among them', async (t) => {
  const attack = new Attack();
  const tooMany = Array.from({ length: 33 }, () => attack.tek());
  attack.push(attack.offer(tooMany), 1);
  t.equal(attack.member.count('gdoi_push_rejected_policy'), 1, '33 TEKs in one push');
  let last: Tek[] = [];
  for (let n = 0; n < 20; n++) {
    last = Array.from({ length: 32 }, (_, i) => attack.tek(30 * 86_400, { sa: 100 * n + i }));
    attack.push(attack.offer(last), 2 + n);
  }
  t.equal(attack.member.count('gdoi_rekeys_received'), 20);
  const held = () => attack.member.gdoi.policyOf('G').teks;
  t.ok(held().length <= 64, `${held().length} TEKs after 640`);
  const spis = new Set(held().map(({ spi }) => spi));
  t.ok(
    last.every(({ spi }) => spis.has(spi)),
    'the newest are there',
  );
  for (let n = 0; n < 8; n++) {
    const entries = Array.from({ length: 400 }, (_, i) => ({ ...ace({ source: (n << 16) | (i << 8), sourceWildcard: 0xff }), line: 1 }));
    attack.push(attack.offer([attack.tek(30 * 86_400, { entries })]), 100 + n);
  }
  t.equal(attack.member.count('gdoi_rekeys_received'), 28);
  const lists = new Set(held().map(({ entries }) => JSON.stringify(entries)));
  const entries = [...lists].reduce((sum, list) => sum + (JSON.parse(list) as unknown[]).length, 0);
  t.ok(entries <= 2000, `${entries} different ACEs after 3,200`);
});

t.test('22: lifetimes of one second and of 2^32-1, of both kinds of key', async (t) => {
  const attack = new Attack();
  attack.push(attack.offer([attack.tek(0xffffffff)], attack.newKek({ expiresAt: attack.network.now + 0xffffffff * 1000 })), 1);
  const limit = attack.network.now + 30 * 86_400_000;
  const [status] = attack.member.gdoi.memberGroups();
  t.ok((status.kek?.expiresAt ?? Number.POSITIVE_INFINITY) <= limit, 'a KEK of 136 years is one of 30 days');
  t.ok(
    attack.member.gdoi.policyOf('G').teks.every(({ expiresAt }) => expiresAt <= limit),
    'a TEK too',
  );

  const short = new Attack();
  short.push(short.offer([short.tek(1)], short.newKek({ expiresAt: short.network.now + 1000 })), 1);
  t.equal(short.member.count('gdoi_rekeys_received'), 1, 'one second is a lifetime');
  const attempts = () => short.member.gdoi.memberGroups()[0].attemptedRegistrations;
  const before = attempts();
  short.network.runFor(60_000);
  t.ok(attempts() - before <= 30, `${attempts() - before} registrations in a minute: no storm`);
  t.ok(short.member.registered, 'and it is back');
});

t.test('24: pseudotimes that jump, wrap and are no number', async (t) => {
  const timed = serverConfig({ encryption: 'esp-gcm-256' });
  for (const item of timed.gdoiGroups.get('G')?.server?.sas.values() ?? []) item.replay = { method: 'time', windowSeconds: 5 };
  const network = new Network();
  const server = network.add(serverAddress, timed);
  server.start();
  network.runFor(100_000);
  const member = network.add(memberAddress(1), memberConfig());
  member.start();
  network.runFor(2000);
  const clock = (): number => {
    const { pseudotime } = member.gdoi.policyOf('G');
    if (!pseudotime) throw new Error('there is a pseudotime');
    return pseudotimeAt(pseudotime, network.now);
  };
  let number = 1;
  /** @param time body of the GAP payload that says it */
  const push = (gap: Uint8Array): void => {
    const tek = makeTek(saPolicy({ replaySeconds: 5 }), random, () => false, network.now, network.now);
    const body = writeSa(describePolicy({ teks: [tek], kek: null, activationDelaySeconds: null, pseudotimeMs: 1 }, network.now));
    // DOI, situation, first payload: 12 bytes; then GAP with 4 + 12 bytes.
    const rest = body.slice(12 + 16);
    const inner = new Uint8Array([16, 0, 0, gap.length + 4, ...gap, ...rest]);
    const payloads = [
      { type: Seq, body: u32Bytes(number++) },
      { type: SaType, body: new Uint8Array([...body.slice(0, 12), ...inner]) },
      { type: Kd, body: writeKd(packKeys([tek], null, null)) },
    ];
    network.inject({ local: member.end, remote: server.end, bytes: seal(kekOf(server), payloads) });
    network.runFor(1);
  };
  const says = (high: number, low: number): Uint8Array => new Uint8Array([0, 128, 0, 8, ...u32Bytes(high), ...u32Bytes(low)]);
  const rejected = () => member.count('gdoi_push_rejected_malformed') + member.count('gdoi_push_rejected_policy');
  const bad: Record<string, Uint8Array> = {
    '2^64-1': says(0xffffffff, 0xffffffff),
    '2^63: negative to some': says(0x80000000, 0),
    'a NaN to who reads floats': says(0x7ff80000, 1),
    '2^53 ms': says(2 ** 21, 0),
    '7 bytes': Uint8Array.of(0, 128, 0, 7, 0, 0, 0, 0, 0, 0, 1),
    '9 bytes': Uint8Array.of(0, 128, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    'the short form': Uint8Array.of(0x80, 128, 0, 1),
    twice: new Uint8Array([...says(0, 100_000), ...says(0, 200_000)]),
    'none, where SAs need one': Uint8Array.of(0x80, 1, 0, 1),
  };
  for (const [name, gap] of Object.entries(bad)) {
    const [before, at, count] = [clock(), network.now, rejected()];
    push(gap);
    t.equal(rejected(), count + 1, name);
    t.equal(clock() - before, network.now - at, `${name}: the clock goes on`);
  }
  number = 1;
  const [before, at] = [clock(), network.now];
  push(says(0, 0));
  t.equal(clock() - before, network.now - at, 'back by all it has: the keys are taken, the clock stays');
  t.match(member.logged('PSEUDO_TIME_TOO_OLD'), [/allowable_skew/]);
  push(says(0, before + 3_600_000));
  t.ok(Math.abs(clock() - before - 3_600_000) < 1000, 'an hour ahead: followed, and said');
  t.match(member.logged('PSEUDO_TIME_LARGE'), [/larger than expected/]);
  push(says(2 ** 20 - 1, 0xffffffff));
  t.ok(Number.isSafeInteger(clock()), 'to the end of what it may be: still a number');
});

t.test('16: pushes before there is a KEK', async (t) => {
  const network = new Network();
  const server = network.add(serverAddress, serverConfig());
  const member = network.add(memberAddress(1), memberConfig());
  network.fault = () => ({ delays: [] });
  server.start();
  member.start();
  network.runFor(100);
  const attack = new Attack();
  for (const kek of [attack.kek, { ...attack.kek, spi: new Uint8Array(16) }])
    network.inject({
      local: member.end,
      remote: server.end,
      bytes: buildPush(kek, { sequence: 1, deletions: [], policy: attack.offer() }, rsaKey),
    });
  network.runFor(10);
  t.equal(member.count('gdoi_push_rejected_unknown'), 2);
  t.same(member.gdoi.policyOf('G'), { teks: [], senderIds: null, pseudotime: null, localAcl: null });
});

t.test('31: groups with the names of JavaScript’s own properties', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const groups = names.map((name, n) => ({ name, number: 900 + n }));
  const network = new Network();
  const server = network.add(serverAddress, serverConfig({ groups }));
  server.start();
  const config = memberConfig(900, undefined, '__proto__');
  for (const { name, number } of groups) {
    const group = memberConfig(number, undefined, name).gdoiGroups.get(name);
    if (group) config.gdoiGroups.set(name, group);
  }
  const member = network.add(memberAddress(1), config);
  member.start();
  network.runFor(5000);
  t.same(
    member.gdoi.memberGroups().map((status) => [status.name, status.registered]),
    names.map((name) => [name, true]),
    'each registers, as itself',
  );
  const spis = names.map((name) =>
    member.gdoi
      .policyOf(name)
      .teks.map(({ spi }) => spi)
      .join(),
  );
  t.equal(new Set(spis).size, names.length, 'with keys of its own');
  server.restart();
  member.restart();
  network.runFor(2000);
  t.same(
    names.map((name) =>
      member.gdoi
        .policyOf(name)
        .teks.map(({ spi }) => spi)
        .join(),
    ),
    spis,
    'which a restart brings back',
  );
  t.same([Object.keys(Object.prototype), ({} as { teks?: unknown }).teks], [[], undefined], 'and nothing else has them');
});
