// A member that is authenticated and hostile: it holds a phase-1 SA and the group's keys, and no more. The key server and the other members
// must not suffer. Numbers are those of the list of bad input that systems of this kind failed on.

import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { writeDeleteAll } from '../../../../control/gdoi/codec/deletion.js';
import { writeGroupIdentity } from '../../../../control/gdoi/codec/group-identity.js';
import type { Kek } from '../../../../control/gdoi/group-policy.js';
import { buildPush } from '../../../../control/gdoi/groupkey-push.js';
import { sealPull } from '../../../../control/gdoi/pull-messages.js';
import { buildAck } from '../../../../control/gdoi/push-ack.js';
import { decodeState } from '../../../../control/gdoi/saved-state.js';
import { sealInformational } from '../../../../control/isakmp/informational.js';
import { MessageCipher } from '../../../../control/isakmp/message-cipher.js';
import { writeDeletion } from '../../../../control/isakmp/notification.js';
import { memberAddress, Network, type Node, type ServerOptions, seededRandom } from './group-network.js';

const Nonce = 10;
const Id = 5;
const Gap = 22;
const random = seededRandom('hostile member');

class HostileMember {
  readonly network: Network;
  readonly server: Node;
  readonly member: Node;
  readonly victim: Node;
  private messageId = 0x1000;

  constructor(options: ServerOptions = { encryption: 'esp-gcm-256' }) {
    const { network, server, members } = Network.group(2, options);
    network.runFor(2000);
    this.network = network;
    this.server = server;
    [this.member, this.victim] = members;
  }

  get sa() {
    return this.member.ike.sas()[0];
  }

  get kek(): Kek {
    const kek = decodeState(this.member.disk as Uint8Array)?.members[0].state.keys.kek;
    if (!kek) throw new Error('the member has the KEK');
    return kek;
  }

  send(bytes: Uint8Array, to = this.server, from = this.member.end): void {
    this.network.inject({ local: to.end, remote: from, bytes });
    this.network.runFor(5);
  }

  /** Message 1 of a PULL with these payloads; its cipher goes on to message 3. */
  pull(payloads: { type: number; body: Uint8Array }[]): { cipher: MessageCipher; messageId: number; answered: boolean } {
    const messageId = this.messageId++;
    const cipher = new MessageCipher(this.sa, messageId);
    const before = this.server.sent.length;
    this.send(sealPull(this.sa, cipher, messageId, [], payloads));
    const answer = this.server.sent.slice(before).find(({ bytes }) => bytes[18] === 32);
    if (answer) cipher.open(answer.bytes, () => undefined);
    return { cipher, messageId, answered: answer !== undefined };
  }

  get state(): string {
    const [{ registrations, senderIdsUsed, teks, members }] = this.server.gdoi.serverGroups();
    return JSON.stringify([registrations, senderIdsUsed, teks.map(({ spi }) => spi), members.map(({ address }) => address)]);
  }
}

const nonce = { type: Nonce, body: random(20) };
const group = { type: Id, body: writeGroupIdentity({ kind: 'number', number: 777 }) };

t.test('1-9, 15: malformed payloads in message 1, well protected: refused, counted, nothing changes', async (t) => {
  const attack = new HostileMember();
  const before = attack.state;
  const identity = (...bytes: number[]) => ({ type: Id, body: Uint8Array.of(...bytes) });
  const cases: Record<string, { type: number; body: Uint8Array }[]> = {
    'no nonce': [group],
    'a nonce of 7 bytes': [{ type: Nonce, body: random(7) }, group],
    'a nonce of 257 bytes': [{ type: Nonce, body: random(257) }, group],
    'two nonces': [nonce, nonce, group],
    'no identity': [nonce],
    'two identities': [nonce, group, group],
    'identity of 0 bytes': [nonce, identity()],
    'identity of 3 bytes': [nonce, identity(11, 0, 0)],
    'group number of 3 octets': [nonce, identity(11, 0, 0, 0, 0, 3, 9)],
    'group number of 5 octets': [nonce, identity(11, 0, 0, 0, 0, 0, 3, 9, 1)],
    'IPv6 identity of 4 octets': [nonce, identity(5, 0, 0, 0, 1, 2, 3, 4)],
    'DER name (CVE-2013-6075)': [nonce, identity(9, 0, 0, 0, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff)],
    'identity type 255': [nonce, identity(255, 0, 0, 0, 0, 0, 3, 9)],
  };
  for (const [name, payloads] of Object.entries(cases)) t.notOk(attack.pull(payloads).answered, name);
  t.equal(attack.server.count('gdoi_malformed') + attack.server.count('ike_malformed'), Object.keys(cases).length);
  t.equal(attack.state, before);
  t.ok(attack.pull([nonce, group]).answered, 'a true one still works');
});

t.test('12: IKE fragments, and payloads that PULL does not have, are never collected', async (t) => {
  const attack = new HostileMember();
  for (let n = 0; n < 300; n++) attack.pull([{ type: 132, body: Uint8Array.of(0, n & 255, n >> 8, 1, ...random(40)) }]);
  t.equal(attack.server.count('gdoi_malformed') + attack.server.count('ike_malformed'), 300);
  t.ok(attack.pull([nonce, group]).answered);
});

t.test('16: message 3 with a wrong hash, of another exchange, or without an exchange gives no keys', async (t) => {
  const attack = new HostileMember();
  const before = attack.state;
  const { cipher, messageId } = attack.pull([nonce, group]);
  attack.send(sealPull(attack.sa, cipher, messageId, [nonce.body, random(20)], []));
  t.equal(attack.server.count('gdoi_pull_auth_failed'), 1, 'the responder nonce is not known');
  attack.send(sealPull(attack.sa, new MessageCipher(attack.sa, 0x7777), 0x7777, [nonce.body, nonce.body], []));
  attack.send(sealPull(attack.sa, new MessageCipher(attack.sa, 0), 0, [], [nonce, group]));
  t.equal(attack.state, before, 'no registration, no sender ID');
});

t.test('17: exchanges that are begun and left do not keep anybody out', async (t) => {
  const attack = new HostileMember();
  for (let n = 0; n < 500; n++) attack.pull([nonce, group]);
  attack.victim.perform(attack.victim.gdoi.clearGroup('G', attack.network.now));
  attack.network.runFor(5000);
  t.match(attack.victim.gdoi.memberGroups(), [{ succeededRegistrations: 2 }]);
});

t.test('19: a request for 65,535 sender IDs gives 16; one for 0 gives one', async (t) => {
  const attack = new HostileMember();
  const used = () => attack.server.gdoi.serverGroups()[0].senderIdsUsed;
  const before = used();
  for (const [value, given] of [
    [65535, 16],
    [0, 1],
  ]) {
    const start = used();
    const messageId = 0x2000 + value;
    const cipher = new MessageCipher(attack.sa, messageId);
    const sent = attack.server.sent.length;
    attack.send(sealPull(attack.sa, cipher, messageId, [], [nonce, group]));
    const answer = attack.server.sent[sent];
    const [, responderNonce] = cipher.open(answer.bytes, () => undefined);
    const gap = { type: Gap, body: Uint8Array.of(0x80, 3, value >> 8, value & 255) };
    attack.send(sealPull(attack.sa, cipher, messageId, [nonce.body, responderNonce.body.slice()], [gap]));
    t.equal(used() - start, given, `${value} asked for`);
  }
  t.equal(used() - before, 17);
});

t.test('19: GAP payloads that lie', async (t) => {
  const attack = new HostileMember();
  const before = attack.state;
  const bodies = [[], [0x80], [0x00, 3, 255, 255, 1], [0x80, 9, 0, 1], [0x80, 3, 0, 1, 0x80, 3, 0, 2], [0x00, 3, 0, 0]];
  for (const [n, body] of bodies.entries()) {
    if (n === 0) continue; // an empty GAP asks for nothing
    const messageId = 0x3000 + n;
    const cipher = new MessageCipher(attack.sa, messageId);
    const sent = attack.server.sent.length;
    attack.send(sealPull(attack.sa, cipher, messageId, [], [nonce, group]));
    const [, responderNonce] = cipher.open(attack.server.sent[sent].bytes, () => undefined);
    attack.send(
      sealPull(attack.sa, cipher, messageId, [nonce.body, responderNonce.body.slice()], [{ type: Gap, body: Uint8Array.from(body) }]),
    );
  }
  t.equal(attack.state, before, 'no registration came of it');
});

t.test('20, 23: a push made with the KEK that every member has, signed with another key', async (t) => {
  const attack = new HostileMember();
  const { kek } = attack;
  const own = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const before = JSON.stringify(attack.victim.gdoi.policyOf('G'));
  for (const [n, to] of [attack.victim, attack.victim, attack.server].entries()) {
    const bytes = buildPush({ ...kek, acknowledge: false }, { sequence: 0xfffffff0 + n, deletions: writeDeleteAll(), policy: null }, own);
    // From its own address, and as if it were the key server.
    attack.send(bytes, to, n === 1 ? attack.server.end : attack.member.end);
  }
  t.equal(attack.victim.count('gdoi_push_rejected_signature'), 2, 'removal by someone who may not');
  t.equal(attack.server.count('gdoi_push_rejected_unknown'), 1, 'a key server takes no pushes');
  t.equal(JSON.stringify(attack.victim.gdoi.policyOf('G')), before, 'the sequence number of a forgery counts for nothing');
  attack.server.perform(attack.server.gdoi.rekey('G', attack.network.now));
  attack.network.runFor(1000);
  t.equal(attack.victim.count('gdoi_rekeys_received'), 1, 'the next true push is taken');
});

t.test("RFC 8263 §3.4: an acknowledgement in another member's name", async (t) => {
  const attack = new HostileMember();
  attack.network.fault = ({ bytes }, from) => (bytes[18] === 35 && from === attack.victim ? { delays: [] } : null);
  attack.server.perform(attack.server.gdoi.rekey('G', attack.network.now));
  attack.network.runFor(100);
  const forged = buildAck(attack.kek, 1, attack.victim.address);
  attack.send(forged);
  t.equal(attack.server.count('gdoi_acks_rejected'), 1, 'from its own address');
  t.equal(attack.server.count('gdoi_rekeys_acknowledged'), 1, 'its own, at the time');
  attack.send(buildAck(attack.kek, 1, memberAddress(77)), attack.server, { address: memberAddress(77), port: 848 });
  t.equal(attack.server.count('gdoi_acks_rejected'), 2, 'of one who is no member');
  attack.send(buildAck(attack.kek, 99, attack.member.address));
  t.equal(attack.server.count('gdoi_rekeys_acknowledged'), 1, 'of a push that never was');
});

t.test('7: deletes of SAs that are not its own, of TEKs and of the KEK, by Informational', async (t) => {
  const attack = new HostileMember();
  const before = attack.state;
  const [other] = attack.victim.ike.sas();
  const cookies = new Uint8Array([...other.initiatorCookie, ...other.responderCookie]);
  for (const body of [
    writeDeletion({ doi: 2, protocol: 1, spiSize: 16, spis: [cookies] }),
    writeDeletion({ doi: 2, protocol: 0, spiSize: 16, spis: [attack.kek.spi] }),
    ...writeDeleteAll(),
  ]) {
    attack.send(sealInformational(attack.sa, random, [{ type: 12, body }]));
  }
  t.equal(attack.server.ike.sas().length, 2);
  t.equal(attack.state, before);
});

t.test('13: whatever it sends, answers are no longer than what was asked for, and hold none of it', async (t) => {
  const attack = new HostileMember();
  for (let n = 0; n < 200; n++) {
    const filler = new Uint8Array(200).fill(0x5a);
    const before = attack.server.sent.length;
    attack.pull([{ type: [1, 4, 8, 11, 12, 13, 15, 22][n % 8], body: filler }, ...(n % 2 ? [nonce] : [])]);
    for (const { bytes } of attack.server.sent.slice(before)) t.notMatch(Buffer.from(bytes).toString('latin1'), 'ZZZZZZZZ');
  }
  t.ok(attack.server.logs.length < 40, `logs are limited: ${attack.server.logs.length}`);
});

t.test('10: pushes and acknowledgements under a KEK that nobody has, before anybody registered', async (t) => {
  const network = new Network();
  const { server } = new HostileMember();
  const outsider = { address: memberAddress(200), port: 848 };
  for (const exchange of [33, 35]) {
    const bytes = random(120);
    bytes.set([8, 0x10, exchange, 1, 0, 0, 0, 0, 0, 0, 0, 120], 16);
    server.perform(server.ike.receive({ local: server.end, remote: outsider, bytes }, network.now));
  }
  t.equal(server.count('gdoi_push_rejected_unknown'), 1);
  t.equal(server.count('gdoi_acks_rejected'), 1);
});
