// Probes of path MTU discovery without ICMP (RFC 8899): how long they are on the wire, who answers, and what is no probe.
import fc from 'fast-check';
import t from 'tap';
import { Clock } from '../../../dataplane/mem/clock.js';
import { MtuProbe, mtuProbeKind, ProbeKind, writeMtuProbe } from '../../../dataplane/proto/mtu-probe.js';
import { CryptoDf, CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import type { DataplaneEvent } from '../../../dataplane/tables/message.js';
import { sealByHand, textOf } from '../by-hand.js';
import { branchPacket, ip, ipv4 } from '../packets.js';
import { memberTables, Router, type SaSpec, type TablesSpec, type TransformName } from '../router.js';

const view = (packet: Uint8Array) => new DataView(packet.buffer, packet.byteOffset);
const sid = (member: 1 | 2) => ({ sids: [member] });
const groupSa = (transform: TransformName, member: 1 | 2): SaSpec => ({
  spi: 0x6201,
  transform,
  ...(/gcm|gmac|chacha/.test(transform) ? sid(member) : {}),
});

function outside(member: 1 | 2, more: Partial<TablesSpec['ports'][number]> = {}): TablesSpec['ports'] {
  return [{ address: `10.0.${member}.1` }, { address: `172.16.${member}.2`, searchMtu: true, ...more }];
}

/** Events and answers since the last time. */
function told(router: Router): DataplaneEvent[] {
  const events: DataplaneEvent[] = [];
  router.env.events.drain(router.env.clock[Clock.Ms], (event) => events.push(event));
  router.env.mtuProbes.drain((event) => events.push(event));
  return events;
}

/** One probe of that size to the host behind the other member. @returns what leaves */
function ask(router: Router, size: number, group = 0, to = '10.0.2.10', peerPort = 0): Uint8Array[] {
  router.env.mtuProbes.ask(ProbeKind.Ask, 1, group, ip(to) | 0, peerPort, size, 0x11223344, -5);
  router.pass();
  return router.take()[1];
}

t.test('a group: as long as asked, whatever is known; the member in front of the host answers', (t) => {
  for (const transform of ['3des-sha1', 'aes-sha256', 'gcm-256', 'null-sha1'] as const) {
    const one = new Router(memberTables(1, groupSa(transform, 1), { ports: outside(1) }));
    const two = new Router(memberTables(2, groupSa(transform, 2), { ports: outside(2) }));
    one.env.pathMtus.learn(ip('10.0.2.10') | 0, 600, 0, Math.floor(one.nowMs / 1000), 600);
    const [probe] = ask(one, 1400);
    t.ok(probe.length <= 1400 && probe.length > 1400 - 16, `${transform}: ${probe.length}`);
    t.strictSame([...probe.subarray(12, 20)], [172, 16, 1, 2, 10, 0, 2, 10], 'to the host whose path it is');
    t.equal(view(probe).getUint16(6) & 0x4000, 0x4000, 'DF');
    const [inside, [answer]] = two.forward(1, probe);
    t.equal(inside.length, 0, 'nothing of it goes on');
    t.ok(answer.length < 160, 'the answer is short');
    t.strictSame([...answer.subarray(12, 20)], [172, 16, 2, 2, 172, 16, 1, 2]);
    t.equal(one.forward(1, answer).flat().length, 0);
    t.strictSame(told(one), [{ kind: 'mtu-answer', from: ip('172.16.2.2'), size: 1400, nonce: [0x11223344, -5] }]);
    t.match(one.counters(), { 'path.made_packets': 1, 'drop.mtu_probe': 1, 'sa[0].sealed_packets': 1 });
    t.match(two.counters(), { 'path.made_packets': 1, 'drop.mtu_probe': 1, 'path.sent_packets': 1 });
    t.equal(two.forward(1, probe).flat().length, 0, 'sent again it is a replay');
    t.match(two.counters(), { 'drop.esp_replay': 1 });
    for (const router of [one, two]) t.equal(router.imbalance(), null);
  }
  t.end();
});

const pair = (own: 1 | 2, flags: number, spi: number, peerPort: number): SaSpec => ({
  spi,
  transform: 'aes-sha1',
  flags: SaFlag.Pairwise | flags,
  local: `172.16.${own}.2`,
  peer: `172.16.${3 - own}.2`,
  peerPort,
});
/** Gateways with an SA in each direction. */
const gateway = (own: 1 | 2, mode: number, peerPort = 0): Router => {
  const out = pair(own, SaFlag.Outbound | mode, own, peerPort);
  const into = pair(own, SaFlag.Inbound | mode, 3 - own, peerPort);
  const entries = [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 1 }];
  return new Router(memberTables(own, null, { ports: outside(own), entries, sas: [out, into] }));
};

t.test('between two gateways: tunnel mode, transport mode, in UDP', (t) => {
  for (const [mode, peerPort] of [
    [0, 0],
    [SaFlag.Transport, 0],
    [0, 4500],
  ]) {
    const [one, two] = [gateway(1, mode, peerPort), gateway(2, mode, peerPort)];
    const [probe] = ask(one, 1400, -1, '172.16.2.2', peerPort);
    t.ok(probe.length <= 1400 && probe.length > 1400 - 16, `${probe.length}`);
    const answer = two.forward(1, probe)[1];
    one.forward(1, ...answer);
    t.match(told(one), [{ kind: 'mtu-answer', size: 1400 }]);
    t.equal(ask(one, 1400, -1, '172.16.9.9').length, 0, 'no SA with that one');
    for (const router of [one, two]) t.equal(router.imbalance(), null);
  }
  t.end();
});

t.test('control is told of long packets with DF to where nothing is known', (t) => {
  const router = new Router(memberTables(1, groupSa('aes-sha1', 1), { ports: outside(1) }));
  router.forward(0, branchPacket(400, { df: true }), branchPacket(1300));
  t.same(told(router), [], 'short, or without DF');
  router.forward(0, branchPacket(1300, { df: true }), branchPacket(1310, { df: true }));
  t.strictSame(told(router), [{ kind: 'path-unknown', destination: ip('10.0.2.10'), port: 1, group: 0, peerPort: 0, mtu: 1500 }]);
  router.env.pathMtus.learn(ip('10.0.2.10') | 0, 1400, 0, Math.floor(router.nowMs / 1000), 600);
  router.nowMs += 2000;
  router.forward(0, branchPacket(1300, { df: true }));
  t.same(told(router), [], 'known');
  t.match(router.env.pathMtus.list(Math.floor(router.nowMs / 1000)), [{ mtu: 1400, usedAgoSeconds: 0 }]);
  router.forward(0, ...Array.from({ length: 40 }, (_, i) => branchPacket(1300, { df: true, dst: `10.0.2.${100 + i}` })));
  t.equal(told(router).length, 16, 'some at a time');

  for (const [cryptoDf, df, count] of [
    [CryptoDf.Clear, true, 0],
    [CryptoDf.Set, false, 1],
  ] as const) {
    const other = new Router(memberTables(1, groupSa('aes-sha1', 1), { ports: outside(1, { cryptoDf }) }));
    other.forward(0, branchPacket(1300, { df }));
    t.equal(told(other).length, count, 'the outer DF counts');
  }
  const without = new Router(memberTables(1, groupSa('aes-sha1', 1)));
  without.forward(0, branchPacket(1300, { df: true }));
  t.same(told(without), [], 'without the line');
  const peer = gateway(1, 0);
  peer.forward(0, branchPacket(1300, { df: true }));
  t.match(told(peer), [{ kind: 'path-unknown', destination: ip('172.16.2.2'), group: null }], 'by the gateway');
  t.end();
});

t.test('a flood of probes is answered within bounds', (t) => {
  const sa = groupSa('aes-sha1', 2);
  const router = new Router(memberTables(2, { ...sa, window: 0 }, { ports: outside(2) }));
  const probes = Array.from({ length: 300 }, (_, i) => sealProbe(sa, i + 1));
  const answers = router.forward(1, ...probes)[1].length;
  t.ok(answers <= 64, `${answers}`);
  t.match(router.counters(), { 'drop.mtu_probe': answers, 'drop.mtu_probe_flood': 300 - answers });
  t.equal(router.imbalance(), null);
  t.end();
});

function sealProbe(sa: SaSpec, seq: number, payload = payloadOf(ProbeKind.Ask)): Uint8Array {
  const inner = ipv4({ src: '172.16.1.2', dst: '10.0.2.10', protocol: MtuProbe.Protocol, df: true, payload });
  return sealByHand(sa, { seq, text: textOf(inner, 16), src: '172.16.1.2', dst: '10.0.2.10' });
}

function payloadOf(kind: ProbeKind): Uint8Array {
  const payload = new Uint8Array(100);
  writeMtuProbe(view(payload), 0, kind, 1400, 1, 2);
  return payload;
}

t.test('what looks like a probe and is none is judged by the list like anything else', (t) => {
  const sa = groupSa('aes-sha1', 2);
  const router = new Router(memberTables(2, sa, { ports: outside(2) }));
  const changed = (at: number, value: number) => Uint8Array.from(payloadOf(ProbeKind.Ask), (byte, i) => (i === at ? value : byte));
  const cases = [changed(0, 0), changed(4, 0), changed(4, 3), changed(5, 1), payloadOf(ProbeKind.Ask).slice(0, 15)];
  for (const [i, payload] of cases.entries()) router.forward(1, sealProbe(sa, i + 1, payload));
  t.match(router.counters(), { 'drop.esp_policy': cases.length });
  t.notMatch(router.counters(), { 'drop.mtu_probe': Number });
  // In the clear it is nothing at all.
  const clear = ipv4({ src: '172.16.1.2', dst: '10.0.2.10', protocol: MtuProbe.Protocol, payload: payloadOf(ProbeKind.Ask) });
  t.equal(router.forward(1, clear)[0].length, 1);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('what is written is read', async (t) => {
  const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
  fc.assert(
    fc.property(fc.constantFrom(ProbeKind.Ask, ProbeKind.Answer), fc.nat(65535), word, word, (kind, size, high, low) => {
      const bytes = new Uint8Array(MtuProbe.Length);
      writeMtuProbe(view(bytes), 0, kind, size, high, low);
      if (mtuProbeKind(view(bytes), MtuProbe.Protocol, 0, bytes.length) !== kind) throw new Error('another kind');
      if (view(bytes).getInt32(MtuProbe.NonceHigh) !== high || view(bytes).getUint16(MtuProbe.Size) !== size)
        throw new Error('other words');
    }),
  );
  t.pass();
});
