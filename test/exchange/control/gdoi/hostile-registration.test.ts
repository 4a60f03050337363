// A key server that is authenticated and hostile, in registrations: every message is well protected, what it says is not (bad-input 19, 21,
// 22; CVE-2023-20109). The member refuses the policy whole, keeps what it has, ends phase 1 (RFC 6407 §3.3) and goes on.

import t from 'tap';
import type { Action, Ms } from '../../../../control/actions.js';
import { writeKd } from '../../../../control/gdoi/codec/kd.js';
import { writeSa } from '../../../../control/gdoi/codec/sa.js';
import { writeSequence } from '../../../../control/gdoi/codec/sequence.js';
import type { Kek } from '../../../../control/gdoi/group-policy.js';
import { makeTek } from '../../../../control/gdoi/new-keys.js';
import { nonceOf, openPull, sealPull } from '../../../../control/gdoi/pull-messages.js';
import { describePolicy, packKeys } from '../../../../control/gdoi/sent-policy.js';
import type { IsakmpHeader } from '../../../../control/isakmp/header.js';
import { IkeEngine, type IkeUser } from '../../../../control/isakmp/ike-engine.js';
import { MessageCipher } from '../../../../control/isakmp/message-cipher.js';
import type { Phase1Sa } from '../../../../control/isakmp/phase1-sa.js';
import { fuzzKek } from '../../../fuzz/gdoi-messages.js';
import { Network, type Node, saPolicy, seededRandom } from './group-network.js';

const random = seededRandom('hostile registration');
const Nonce = 10;
const SaType = 1;
const Kd = 17;
const Seq = 18;

interface Offer {
  /** Message 2, behind HASH. */
  second: { type: number; body: Uint8Array }[];
  /** Message 4, behind HASH. */
  fourth: { type: number; body: Uint8Array }[];
}

/** A registration that a member takes. */
function goodOffer(now: Ms): Offer {
  const tek = makeTek(saPolicy(), random, () => false, now, now);
  const kek: Kek = { ...fuzzKek, spi: random(16), createdAt: now, expiresAt: now + 3_600_000 };
  const sa = describePolicy(
    { teks: [tek], kek: { kek, modulusBits: 1024, source: 1, member: 2 }, activationDelaySeconds: 0, pseudotimeMs: null },
    now,
  );
  return {
    second: [
      { type: Nonce, body: random(20) },
      { type: SaType, body: writeSa(sa) },
    ],
    fourth: [
      { type: Seq, body: writeSequence(0) },
      { type: Kd, body: writeKd(packKeys([tek], kek, { bits: 24, values: [5] })) },
    ],
  };
}

/** Answers PULLs with what it is told to. */
class HostileServer implements IkeUser {
  offer: Offer | null = null;
  private readonly pulls = new Map<number, { cipher: MessageCipher; initiatorNonce: Uint8Array; responderNonce: Uint8Array }>();

  pullMessage(sa: Phase1Sa, message: Uint8Array, { messageId }: IsakmpHeader): Action[] {
    const { offer } = this;
    if (!offer) return [];
    const known = this.pulls.get(messageId);
    const send = (bytes: Uint8Array): Action[] => [{ kind: 'send', datagram: { local: sa.local, remote: sa.remote, bytes } }];
    if (!known) {
      const cipher = new MessageCipher(sa, messageId);
      const [nonce] = openPull(sa, cipher, message, messageId, []);
      const initiatorNonce = nonceOf(nonce);
      const responderNonce = offer.second.find(({ type }) => type === Nonce)?.body ?? new Uint8Array(0);
      this.pulls.set(messageId, { cipher, initiatorNonce, responderNonce });
      return send(sealPull(sa, cipher, messageId, [initiatorNonce], offer.second));
    }
    const nonces = [known.initiatorNonce, known.responderNonce];
    openPull(sa, known.cipher, message, messageId, nonces);
    return send(sealPull(sa, known.cipher, messageId, nonces, offer.fourth));
  }
  phase1Up = () => [];
  phase1Failed = () => [];
  phase1Deleted = () => [];
  pushMessage = () => [];
  notification = () => [];
}

/** A member that is registered with a good key server, which then becomes a hostile one. */
function attack(): { network: Network; member: Node; hostile: HostileServer; register(offer: Offer): void } {
  const { network, server, members } = Network.group(1, { encryption: 'esp-gcm-256' });
  network.runFor(20_000);
  const [member] = members;
  const hostile = new HostileServer();
  const { isakmpPolicies: policies, isakmpKeys: keys } = server.config;
  server.ike = new IkeEngine({ policies, keys, random, user: hostile, acceptInbound: true });
  const register = (offer: Offer): void => {
    hostile.offer = offer;
    member.perform(member.gdoi.clearGroup('G', network.now));
    network.runFor(15_000);
  };
  return { network, member, hostile, register };
}

function bodyOf(payloads: Offer['second'], type: number): Uint8Array {
  const found = payloads.find((payload) => payload.type === type);
  if (!found) throw new Error(`no payload of type ${type}`);
  return found.body;
}

const cut = (bytes: Uint8Array, length: number) => bytes.subarray(0, Math.max(0, length));
const put = (bytes: Uint8Array, at: number, ...values: number[]) => bytes.set(values, at);

/** Each spoils a good offer. Offsets: SA body = DOI 4, situation 4, SA attribute 2, reserved 2, then SAK; KD body = count 2, reserved 2, packets. */
const spoilers: Record<string, (offer: Offer) => void> = {
  'a nonce of 7 bytes': ({ second }) => (second[0].body = new Uint8Array(7)),
  'a nonce of 300 bytes': ({ second }) => (second[0].body = new Uint8Array(300)),
  'no nonce': ({ second }) => second.shift(),
  'two nonces': ({ second }) => second.unshift({ ...second[0] }),
  'no SA payload': ({ second }) => second.pop(),
  'two SA payloads': ({ second }) => second.push({ ...second[1] }),
  'SA payload of 3 bytes': ({ second }) => (second[1].body = cut(second[1].body, 3)),
  'SA payload without attributes': ({ second }) => (second[1].body = cut(second[1].body, 12)),
  'DOI 1': ({ second }) => put(second[1].body, 0, 0, 0, 0, 1),
  'a situation': ({ second }) => put(second[1].body, 4, 0, 0, 0, 1),
  'SAK behind nothing': ({ second }) => put(second[1].body, 8, 0, 99),
  'SAK length 0': ({ second }) => put(second[1].body, 14, 0, 0),
  'SAK length 65,535': ({ second }) => put(second[1].body, 14, 255, 255),
  'SAK pointing to itself': ({ second }) => put(second[1].body, 12, 15),
  'SAK source of 255 bytes': ({ second }) => put(second[1].body, 20, 255),
  'no key download': ({ fourth }) => fourth.pop(),
  'two key downloads': ({ fourth }) => fourth.push({ ...fourth[1] }),
  'no SEQ beside a KEK': ({ fourth }) => fourth.shift(),
  'two SEQ': ({ fourth }) => fourth.unshift({ ...fourth[0] }),
  'SEQ of 3 bytes': ({ fourth }) => (fourth[0].body = new Uint8Array(3)),
  'KD that counts 65,535 packets': ({ fourth }) => put(fourth[1].body, 0, 255, 255),
  'KD that counts 0 packets': ({ fourth }) => put(fourth[1].body, 0, 0, 0),
  'KD of 2 bytes': ({ fourth }) => (fourth[1].body = new Uint8Array(2)),
  'a key packet of length 0': ({ fourth }) => put(fourth[1].body, 6, 0, 0),
  'a key packet of length 65,535': ({ fourth }) => put(fourth[1].body, 6, 255, 255),
  'a key packet with an SPI of 255 bytes': ({ fourth }) => put(fourth[1].body, 8, 255),
  'a key packet of an unknown type': ({ fourth }) => put(fourth[1].body, 4, 77),
  'an attribute of 65,535 bytes': ({ fourth }) => put(fourth[1].body, 27, 255, 255),
  'a public key that is none': ({ fourth }) => {
    const body = fourth[1].body;
    const at = Buffer.from(body).indexOf(Buffer.from(fuzzKek.publicKey));
    put(body, at, 0xff, 0xff, 0xff);
  },
};

t.test('what is refused as a whole', async (t) => {
  for (const [name, spoil] of Object.entries(spoilers)) {
    const { member, network, register } = attack();
    const before = JSON.stringify(member.gdoi.policyOf('G'));
    const offer = goodOffer(network.now);
    spoil(offer);
    register(offer);
    const [status] = member.gdoi.memberGroups();
    t.equal(JSON.stringify(member.gdoi.policyOf('G')), before, `${name}: the old policy stays whole`);
    t.equal(status.succeededRegistrations, 1, `${name}: not registered`);
    t.ok(member.count('gdoi_registration_failures') > 0, `${name}: counted`);
    t.match(status.lastFailure, /./, `${name}: said`);
    t.ok(member.logs.length < 60, `${name}: ${member.logs.length} log lines`);
  }
});

t.test('the unspoilt offer is taken: what is refused above is refused for its fault', async (t) => {
  const { member, network, register } = attack();
  register(goodOffer(network.now));
  t.match(member.gdoi.memberGroups(), [{ succeededRegistrations: 2, registered: true }]);
});

t.test('every byte of the SA and KD payload changed: taken or refused, never half', async (t) => {
  const { member, network, register } = attack();
  for (const [part, type] of [
    ['second', SaType],
    ['fourth', Kd],
  ] as const) {
    const length = bodyOf(goodOffer(network.now)[part], type).length;
    for (let at = 0; at < length; at += 3) {
      const offer = goodOffer(network.now);
      const body = bodyOf(offer[part], type);
      body[at] ^= 1 << (at % 8);
      const before = JSON.stringify(member.gdoi.policyOf('G').teks.map(({ spi }) => spi));
      const succeeded = member.gdoi.memberGroups()[0].succeededRegistrations;
      register(offer);
      const after = JSON.stringify(member.gdoi.policyOf('G').teks.map(({ spi }) => spi));
      const taken = member.gdoi.memberGroups()[0].succeededRegistrations > succeeded;
      if (!taken) t.equal(after, before, `${part} byte ${at}`);
      for (const tek of member.gdoi.policyOf('G').teks)
        t.equal(tek.encryptionKey.length + tek.salt.length, 36, `${part} byte ${at}: a whole key`);
    }
  }
});

t.test('bytes that are not protected are not echoed (CVE-2016-6415)', async (t) => {
  const { member, network, hostile } = attack();
  const sent = member.sent.length;
  const secret = new Uint8Array(64).fill(0x5a);
  for (const exchange of [2, 4, 5, 32, 33, 35]) {
    const bytes = new Uint8Array(28 + secret.length);
    bytes.set(secret, 28);
    bytes[17] = 0x10;
    bytes[18] = exchange;
    bytes[27] = bytes.length;
    network.inject({ local: member.end, remote: { address: 0xac100402, port: 848 }, bytes });
  }
  network.runFor(100);
  t.equal(hostile.offer, null);
  for (const { bytes } of member.sent.slice(sent)) t.notMatch(Buffer.from(bytes).toString('latin1'), 'ZZZZ');
});
