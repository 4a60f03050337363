// `ip access-group` on the whole path: port 0 inside 10.0.1.0/24, port 1 outside 172.16.1.2 with a group that encrypts 10.0/16 to 10.0/16.

import t from 'tap';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { AceLog, AclFact } from '../../../dataplane/tables/layout.js';
import type { DataplaneEvent } from '../../../dataplane/tables/message.js';
import { sealByHand, textOf } from '../by-hand.js';
import { datagram, icmp, natTables, sa, segment } from '../nat/flows.js';
import { branchPacket, fixHeader, ip, ipv4, udp } from '../packets.js';
import { type AceSpec, memberTables, Router, type TablesSpec } from '../router.js';

const host = '10.0.1.10';
const server = '198.51.100.7';
const group: AceSpec[] = [{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }];
const any = { src: 'any', dst: 'any' };
const permitAll: AceSpec = { action: 'permit', ...any };

/** @param inside list on what comes by port 0 @param outside lists on port 1, in and out; null = none */
function tables(inside: AceSpec[] | null, outside: { in?: AceSpec[]; out?: AceSpec[] } = {}, more: Partial<TablesSpec> = {}): TablesSpec {
  const acls = [group];
  const add = (list: AceSpec[] | null | undefined) => (list ? { index: acls.push(list) - 1 } : null);
  const [a, b, c] = [add(inside), add(outside.in), add(outside.out)];
  return memberTables(1, sa, {
    ports: [
      { address: '10.0.1.1', ...(a && { filterIn: a.index }) },
      { address: '172.16.1.2', ...(b && { filterIn: b.index }), ...(c && { filterOut: c.index }) },
    ],
    acls,
    ...more,
  });
}

/** Of an ICMP error: type, code, source, and the destination of the packet it quotes. */
function errorOf(packet: Uint8Array | undefined) {
  if (!packet) return null;
  const view = new DataView(packet.buffer, packet.byteOffset);
  return { type: packet[20], code: packet[21], from: view.getUint32(12), to: view.getUint32(16), about: view.getUint32(28 + 16) };
}

t.test('in: what is denied is dropped, and its source is told, twice a second at the most', (t) => {
  const list: AceSpec[] = [{ action: 'deny', protocol: 17, ...any, dport: [53, 53] }, permitAll];
  const router = new Router(tables(list));
  const out = router.forward(0, datagram(host, server, 1000, 53), datagram(host, server, 1001, 53), datagram(host, server, 1002, 80));
  t.equal(out[1].length, 1, 'what is permitted passes');
  t.strictSame(out[0].map(errorOf), [{ type: 3, code: 13, from: ip('10.0.1.1'), to: ip(host), about: ip(server) }]);
  router.nowMs += 500;
  t.equal(router.forward(0, datagram(host, server, 1000, 53))[0].length, 1, 'half a second later again');
  t.strictSame([...router.env.counters.aceHits.subarray(0, 4)], [0, 3, 1, 0]);
  t.strictSame(router.counters(), {
    'path.received_packets': 4,
    'path.sent_packets': 3,
    'path.dropped_packets': 3,
    'path.made_packets': 2,
    'drop.acl_in': 3,
    'port[0].received_packets': 4,
    'port[0].received_bytes': 4 * 61,
    'port[0].sent_packets': 2,
    'port[0].sent_bytes': 2 * (28 + 61),
    'port[0].receive_drops': 3,
    'port[1].sent_packets': 1,
    'port[1].sent_bytes': 61,
  });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('no ip unreachables: nobody is told, of the MTU neither', (t) => {
  const spec = tables([{ action: 'deny', protocol: 17, ...any }, permitAll]);
  spec.ports[0].silent = true;
  spec.ports[1].mtu = 1000;
  const router = new Router(spec);
  const large = ipv4({ src: host, dst: server, protocol: 6, df: true, payload: new Uint8Array(1200) });
  const out = router.forward(0, datagram(host, server, 1000, 53), large, ipv4({ src: host, dst: '192.0.2.1', ttl: 1, protocol: 6 }));
  t.strictSame(out.flat().length, 1, 'what has a way leaves, and that is all');
  t.match(router.counters(), { 'drop.acl_in': 1, 'drop.mtu_exceeded': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('in is asked about packets for the router itself; not about what its programs send, nor twice about what was encrypted', (t) => {
  const espOnly: AceSpec[] = [{ action: 'permit', protocol: 50, ...any }];
  const router = new Router(tables(null, { in: espOnly }));
  t.equal(router.forward(1, datagram(server, '172.16.1.2', 1, 22))[1].length, 1, 'only the error: it is not punted');
  const sealed = sealByHand(sa, {
    seq: 1,
    src: '10.0.2.10',
    dst: host,
    text: textOf(ipv4({ src: '10.0.2.10', dst: host, payload: udp(1, 2, 20) }), 4),
  });
  t.equal(router.forward(1, sealed)[0].length, 1, 'what came as ESP is asked about as ESP alone');
  t.equal(router.forward(1, datagram('172.16.1.2', server, 1, 2))[1].length, 1, 'from the router itself');
  t.match(router.counters(), { 'drop.acl_in': 1, 'path.punted_packets': undefined, 'sa[0].opened_packets': 1 });
  const closed = new Router(tables(null, { in: [{ action: 'deny', protocol: 50, ...any }, permitAll] }));
  t.equal(closed.forward(1, sealed)[0].length, 0, 'and ESP can be denied');
  t.match(closed.counters(), { 'drop.acl_in': 1, 'sa[0].opened_packets': undefined });
  t.equal(router.imbalance() ?? closed.imbalance(), null);
  t.end();
});

t.test('GDOI for the router passes if the list lets it, whatever NAT has on its port', (t) => {
  const spec = natTables();
  const list: AceSpec[] = [{ action: 'permit', protocol: 17, src: `${server}/32`, dst: 'any', sport: [848, 848] }];
  const router = new Router({ ...spec, acls: [...spec.acls, list], ports: [spec.ports[0], { ...spec.ports[1], filterIn: 2 }] });
  router.forward(0, datagram(host, server, 848, 848));
  t.equal(router.env.nat.sessions.length, 1, 'a host inside has a session with the same ports');
  const out = router.forward(1, datagram(server, '172.16.1.2', 848, 848), datagram('198.51.100.8', '172.16.1.2', 848, 848));
  t.strictSame([out[0].length, out[1].length], [0, 2], 'one is punted, one denied and told');
  t.match(router.counters(), { 'path.punted_packets': 1, 'drop.acl_in': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('out: in the clear as it is, encrypted as the ESP that leaves; the router’s own is not asked about', (t) => {
  const list: AceSpec[] = [
    { action: 'deny', protocol: 17, ...any, dport: [53, 53] },
    { action: 'permit', protocol: 50, src: 'any', dst: '10.0.2.0/24' },
    { action: 'permit', protocol: 17, ...any },
  ];
  const router = new Router(tables(null, { out: list }));
  t.equal(router.forward(0, branchPacket(20))[1][0][9], 50, 'to the branch that ESP is permitted to');
  t.strictSame(router.forward(0, ipv4({ src: host, dst: '10.0.3.10', payload: udp(1, 2, 9) })).map((queue) => queue.map(errorOf)[0])[0], {
    type: 3,
    code: 13,
    from: ip('10.0.1.1'),
    to: ip(host),
    about: ip('10.0.3.10'),
  });
  t.equal(router.forward(0, datagram(host, server, 1, 2))[1].length, 1);
  router.nowMs += 1000;
  t.equal(router.forward(0, datagram(host, server, 1, 53))[1].length, 0, 'denied');
  t.equal(router.forward(1, datagram('172.16.1.2', server, 1, 53))[1].length, 1, 'the router’s own');
  t.match(router.counters(), { 'drop.acl_out': 2, 'port[0].send_drops': undefined, 'port[1].send_drops': 2, 'sa[0].sealed_packets': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a fragment of what will be sealed is asked about as the whole ESP packet that it becomes', (t) => {
  const router = new Router(tables(null, { out: [{ action: 'deny', ...any, mask: AclFact.Later, value: AclFact.Later }, permitAll] }));
  const later = { fragmentOffset: 64, payload: new Uint8Array(16) };
  t.equal(router.forward(0, ipv4({ src: host, dst: '10.0.2.10', ...later }))[1].length, 1);
  t.equal(router.forward(0, ipv4({ src: host, dst: server, ...later }))[1].length, 0);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('out sees translated addresses, the error about it names the inside', (t) => {
  const spec = natTables();
  const out: AceSpec[] = [{ action: 'deny', src: '172.16.1.2/32', dst: `${server}/32` }, permitAll];
  const router = new Router({
    ...spec,
    acls: [...spec.acls, out],
    ports: [spec.ports[0], { ...spec.ports[1], nat: NatSide.Outside, filterOut: 2 }],
  });
  const told = router.forward(0, datagram(host, server, 5000, 53));
  t.equal(told[1].length, 0);
  const view = new DataView(told[0][0].buffer);
  t.strictSame([told[0][0][20], told[0][0][21], view.getUint32(16), view.getUint32(28 + 12)], [3, 13, ip(host), ip(host)]);
  t.equal(router.forward(0, datagram(host, '198.51.100.8', 5000, 53))[1].length, 1);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('established, flags, ICMP types, ToS and fragments, each against packets that differ in that alone', (t) => {
  const known = { mask: AclFact.Known, value: AclFact.Known };
  const flags = (mask: number, value: number) => ({
    mask: AclFact.Known | (mask << AclFact.FirstShift),
    value: AclFact.Known | (value << AclFact.FirstShift),
  });
  const passes = (ace: Omit<AceSpec, 'action' | 'src' | 'dst'>, ...packets: Uint8Array[]) => {
    const router = new Router(tables([{ action: 'permit', ...any, ...ace }]));
    const passed = packets.map((packet) => router.forward(0, packet)[1].length);
    if (router.imbalance() !== null) t.fail(router.imbalance() ?? '');
    return passed;
  };
  const tcp = [2, 0x12, 0x10, 4, 1].map((bits) => segment(host, server, 1000, 80, bits)); // SYN, SYN ACK, ACK, RST, FIN
  t.strictSame(passes({ protocol: 6, ...known, anyOf: 0x14 }, ...tcp), [0, 1, 1, 1, 0], 'established');
  t.strictSame(passes({ protocol: 6, ...flags(0x12, 2) }, ...tcp), [1, 0, 0, 0, 0], 'match-all +syn -ack');
  t.strictSame(passes({ protocol: 6, ...known, anyOf: 0x12 | (0x10 << 8) }, ...tcp), [1, 1, 0, 1, 1], 'match-any +syn -ack');
  const echoes = [
    icmp(host, server, 8, 0, 1, new Uint8Array(8)),
    icmp(host, server, 0, 0, 1, new Uint8Array(8)),
    icmp(host, server, 3, 1, 0, branchPacket(9)),
  ];
  const type = (value: number, code?: number) => ({
    mask: AclFact.Known | (255 << AclFact.FirstShift) | (code === undefined ? 0 : 255 << AclFact.SecondShift),
    value: AclFact.Known | (value << AclFact.FirstShift) | ((code ?? 0) << AclFact.SecondShift),
  });
  t.strictSame(passes({ protocol: 1, ...type(8) }, ...echoes), [1, 0, 0], 'echo');
  t.strictSame(passes({ protocol: 1, ...type(3, 1) }, ...echoes), [0, 0, 1], 'host-unreachable');
  t.strictSame(passes({ protocol: 1, ...type(3, 13) }, ...echoes), [0, 0, 0], 'administratively-prohibited');
  const marked = [0, 0xb8, 0xb9, 0xa0].map((tos) => datagram(host, server, 1, 2, { tos }));
  t.strictSame(passes({ mask: 0xfc, value: 46 << 2 }, ...marked), [0, 1, 1, 0], 'dscp ef, whatever its ECN bits');
  t.strictSame(passes({ mask: 0xe0, value: 5 << 5 }, ...marked), [0, 1, 1, 1], 'precedence critical');
  t.strictSame(passes({ mask: 0x1e, value: 12 << 1 }, ...marked), [0, 1, 1, 0], 'tos 12');
  const first = ipv4({ src: host, dst: server, mf: true, payload: udp(1000, 53, 24) });
  const later = ipv4({ src: host, dst: server, fragmentOffset: 32, payload: new Uint8Array(16) });
  t.strictSame(passes({ mask: AclFact.Later, value: AclFact.Later }, first, later), [0, 1], 'fragments');
  t.strictSame(passes({ protocol: 17, dport: [53, 53] }, first, later), [1, 1], 'a permit with ports takes later fragments');
  t.strictSame(passes({ protocol: 17, dport: [54, 54] }, first, later), [0, 1], 'even without knowing theirs, as on IOS');
  const laterTcp = ipv4({ src: host, dst: server, protocol: 6, fragmentOffset: 32, payload: new Uint8Array(16) });
  t.strictSame(passes({ protocol: 6, ...known, anyOf: 0x14 }, laterTcp), [1], 'and a permit with flags too');
  const denied = new Router(tables([{ action: 'deny', protocol: 6, ...any, ...known, anyOf: 0x14 }, permitAll]));
  t.equal(denied.forward(0, laterTcp)[1].length, 1, 'a deny with flags does not');
  t.end();
});

t.test('log: each flow once a second with how many, and what found no place', (t) => {
  const router = new Router(
    tables([
      { action: 'deny', protocol: 17, ...any, log: AceLog.LogInput },
      { action: 'permit', ...any, log: AceLog.Log },
    ]),
  );
  const events: DataplaneEvent[] = [];
  const drain = () => router.env.aclLog.drain(router.nowMs, (event) => events.push(event));
  router.forward(0, datagram(host, server, 1000, 53), datagram(host, server, 1000, 53), icmp(host, server, 8, 0, 1, new Uint8Array(8)));
  drain();
  const base = { kind: 'acl-log', src: ip(host), dst: ip(server) };
  t.same(new Set(events.map((event) => JSON.stringify(event))).size, 2);
  t.match(
    events.find((event) => event.kind === 'acl-log' && event.protocol === 17),
    { ...base, counter: 1, port: 0, sport: 1000, dport: 53, count: 2 },
  );
  t.match(
    events.find((event) => event.kind === 'acl-log' && event.protocol === 1),
    { ...base, counter: 2, port: -1, sport: 8, dport: 0, count: 1 },
  );
  events.length = 0;
  for (let i = 0; i < 2000; i++) router.forward(0, datagram(host, server, 1000 + i, 53));
  drain();
  t.equal(events.length, 0, 'not again within a second');
  router.nowMs += 1000;
  drain();
  const told = events.reduce((sum, event) => sum + ('count' in event ? event.count : 0), 0);
  t.equal(told, 2000, 'told or missed');
  t.ok(events.length <= 257, `${events.length} events: bounded`);
  t.end();
});

t.test('hits stay with their entries when tables change', (t) => {
  const spec = tables([{ action: 'deny', protocol: 17, ...any }, permitAll]);
  const router = new Router(spec);
  router.forward(0, datagram(host, server, 1, 2), segment(host, server, 1, 2, 2));
  router.adopt(spec);
  router.forward(0, segment(host, server, 1, 2, 2));
  const { aceTotals, aceHits } = router.env.counters;
  t.strictSame(
    [1, 2].map((counter) => aceTotals[counter] + aceHits[counter]),
    [1, 2],
    'rows are counters here',
  );
  t.end();
});

t.test('multicast: each copy is asked about at its own way out; links past the kernel are filtered like TUNs', (t) => {
  const spec = tables(null, { out: [{ action: 'deny', protocol: 17, ...any }, permitAll] });
  const ports = [
    { address: '10.0.1.1', link: LinkKind.Groups, filterIn: 2 },
    { ...spec.ports[1], link: LinkKind.Groups },
    { address: '10.9.0.1', link: LinkKind.Groups },
  ];
  const deny: AceSpec[] = [{ action: 'deny', src: '10.0.1.66/32', dst: 'any' }, permitAll];
  const router = new Router({
    ...spec,
    entries: [],
    acls: [...spec.acls, deny],
    ports,
    groups: [{ group: '239.1.1.1', ports: [1, 2] }],
    neighbours: [1, 2].map((port) => ({ port, address: '239.1.1.1', header: '01005e010101020000000001' })),
  });
  const packet = (src: string) => fixHeader(ipv4({ src, dst: '239.1.1.1', payload: udp(1, 2, 9) }));
  router.forward(16, packet(host));
  router.forward(16, packet('10.0.1.66'));
  t.match(router.counters(), { 'drop.acl_out': 1, 'drop.acl_in': 1, 'port[1].sent_packets': undefined, 'port[2].sent_packets': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});
