// Fragments through NAT, in any order, both ways (RFC 4787 REQ-14), and those of an attacker (bad input 41): each is accounted for, under its reason.

import fc from 'fast-check';
import t from 'tap';
import { FragmentShape } from '../../../dataplane/mem/fragments.js';
import { ip, ipv4, sumOf, udp } from '../packets.js';
import { Router } from '../router.js';
import { Workers } from '../workers.js';
import { global, host, icmp, natTables, read, server, summed } from './flows.js';

/** Bytes from..to of a datagram's payload as a fragment of it. */
function piece(of: Uint8Array, from: number, to: number, more = to < of.length - 20): Uint8Array {
  const view = new DataView(of.buffer);
  const [src, dst] = [12, 16].map((at) => [...of.subarray(at, at + 4)].join('.'));
  return ipv4({ src, dst, id: view.getUint16(4), protocol: of[9], mf: more, fragmentOffset: from, payload: of.slice(20 + from, 20 + to) });
}

/** Puts fragments together, whatever their order. */
function join(fragments: readonly Uint8Array[]): Uint8Array {
  const offset = (packet: Uint8Array) => (new DataView(packet.buffer).getUint16(6) & 0x1fff) * 8;
  const sorted = [...fragments].sort((a, b) => offset(a) - offset(b));
  const view = new DataView(sorted[0].buffer);
  const [src, dst] = [12, 16].map((at) => [...sorted[0].subarray(at, at + 4)].join('.'));
  const payload = Uint8Array.from(sorted.flatMap((packet) => [...packet.subarray(20)]));
  return ipv4({ src, dst, id: view.getUint16(4), protocol: sorted[0][9], payload });
}

const whole = (id: number, sport = 5000): Uint8Array => summed({ src: host, dst: server, id }, udp(sport, 53, 184), 6);
const cuts: [number, number][] = [
  [0, 64],
  [64, 128],
  [128, 192],
];

t.test('every order of three fragments: each comes out once, translated, the later ones behind the first in order of arrival', (t) => {
  const router = new Router(natTables());
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  orders.forEach((order, i) => {
    const sent = whole(100 + i);
    // One at a time, and all in one pass.
    const pieces = order.map((at) => piece(sent, ...cuts[at]));
    const out = i % 2 === 0 ? router.forward(0, ...pieces)[1] : pieces.flatMap((packet) => router.forward(0, packet)[1]);
    const first = order.indexOf(0);
    const wanted = [0, ...order.slice(0, first), ...order.slice(first + 1)].map((at) => cuts[at][0]);
    t.strictSame(
      out.map((packet) => (new DataView(packet.buffer).getUint16(6) & 0x1fff) * 8),
      wanted,
      `order ${order}`,
    );
    for (const packet of out) t.equal(sumOf(packet.subarray(0, 20)), 0);
    t.strictSame(read(t, join(out)), { src: ip(global), dst: ip(server), ports: [5000, 53] });
    const answer = summed({ src: server, dst: global, id: 200 + i }, udp(53, 5000, 184), 6);
    const back = router.forward(1, ...order.map((at) => piece(answer, ...cuts[at])))[0];
    t.strictSame(read(t, join(back)), { src: ip(server), dst: ip(host), ports: [53, 5000] });
    t.equal(router.imbalance(), null);
  });
  t.equal(router.counters()['path.held_packets'], undefined);
  t.equal(router.counters()['path.dropped_packets'], undefined);
  t.end();
});

t.test('an echo and its reply in fragments, backwards', (t) => {
  const router = new Router(natTables());
  const data = Uint8Array.from({ length: 180 }, (_, i) => i);
  const request = icmp(host, server, 8, 0, 0x4d2_0001, data);
  const out = router.forward(0, piece(request, 96, 188), piece(request, 0, 96))[1];
  t.equal(read(t, join(out)).src, ip(global));
  const reply = icmp(server, global, 0, 0, 0x4d2_0001, data);
  const back = router.forward(1, piece(reply, 96, 188), piece(reply, 0, 96))[0];
  t.equal(read(t, join(back)).dst, ip(host));
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('ESP and GRE have no ports: their fragments wait for nothing', (t) => {
  const router = new Router(natTables());
  for (const protocol of [50, 47]) {
    const sent = ipv4({ src: host, dst: server, protocol, id: protocol, payload: Uint8Array.from({ length: 192 }, (_, i) => i) });
    const out = router.forward(0, piece(sent, 64, 192), piece(sent, 0, 64))[1];
    t.equal(out.length, 2);
    for (const packet of out) t.equal(new DataView(packet.buffer).getUint32(12), ip(global));
    const answer = ipv4({ src: server, dst: global, protocol, id: protocol, payload: new Uint8Array(192) });
    const back = router.forward(1, piece(answer, 64, 192), piece(answer, 0, 64))[0];
    t.equal(back.length, 2);
    for (const packet of back) t.equal(new DataView(packet.buffer).getUint32(16), ip(host));
  }
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a first that never comes: what waited is dropped after its time, also when nothing else passes', (t) => {
  const router = new Router(natTables());
  router.forward(0, piece(whole(7), 64, 128), piece(whole(7), 128, 192));
  t.match(router.counters(), { 'path.held_packets': 2 });
  t.equal(router.imbalance(), null, 'what is held is accounted for');
  router.nowMs += FragmentShape.TimeoutMs;
  router.pass();
  t.match(router.counters(), { 'drop.fragment_timeout': 2 });
  t.equal(router.counters()['path.held_packets'], undefined);
  t.equal(router.forward(0, piece(whole(7), 0, 64))[1].length, 1, 'a first that comes later passes');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('later fragments fare as their first: not translated, or refused', (t) => {
  const exempt = natTables({
    acls: [
      [{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }],
      [
        { action: 'deny', src: 'any', dst: 'any', protocol: 17, dport: [53, 53] },
        { action: 'permit', src: '10.0.1.0/24', dst: 'any' },
      ],
    ],
  });
  const router = new Router(exempt);
  const out = router.forward(0, piece(whole(1), 64, 192), piece(whole(1), 0, 64))[1];
  t.equal(out.length, 2);
  for (const packet of out)
    t.equal(new DataView(packet.buffer).getUint32(12), ip(host), 'a list with ports judges the datagram by its first');
  const full = new Router(natTables({ natSessions: 0 }));
  t.equal(full.forward(0, piece(whole(1), 64, 192), piece(whole(1), 0, 64))[1].length, 0);
  t.match(full.counters(), { 'drop.nat_full': 1, 'drop.nat_fragment': 1 });
  t.end();
});

t.test('bad input 41: overlap (teardrop), two ends, copies, tiny firsts, beyond 65,535: dropped under their reasons', (t) => {
  const cases: { name: string; send: Uint8Array[]; passes: number; drops: Record<string, number> }[] = [
    {
      name: 'teardrop: the second begins inside the first',
      send: [piece(whole(1), 0, 64), piece(whole(1), 24, 48), piece(whole(1), 56, 128), piece(whole(1), 128, 192)],
      passes: 1,
      drops: { 'drop.fragment_duplicate': 1, 'drop.fragment_overlap': 2 },
    },
    {
      name: 'overlap while they wait',
      send: [piece(whole(2), 64, 128), piece(whole(2), 120, 192), piece(whole(2), 0, 64)],
      passes: 0,
      drops: { 'drop.fragment_overlap': 3 },
    },
    {
      name: 'beyond the last',
      send: [piece(whole(3), 64, 128, false), piece(whole(3), 128, 192), piece(whole(3), 0, 64)],
      passes: 0,
      drops: { 'drop.fragment_overlap': 3 },
    },
    {
      name: 'a second first: other ports than those that were judged',
      send: [piece(whole(4), 0, 64), piece(whole(4, 6000), 0, 64), piece(whole(4), 64, 192)],
      passes: 2,
      drops: { 'drop.fragment_duplicate': 1 },
    },
    {
      name: 'copies',
      send: [piece(whole(5), 0, 64), piece(whole(5), 64, 128), piece(whole(5), 64, 128), piece(whole(5), 0, 64)],
      passes: 2,
      drops: { 'drop.fragment_duplicate': 2 },
    },
    {
      name: 'TCP: a first without its flags, a later one that would write over them (RFC 1858, RFC 3128)',
      send: [
        ipv4({ src: host, dst: server, protocol: 6, id: 6, mf: true, payload: new Uint8Array(8) }),
        ipv4({ src: host, dst: server, protocol: 6, id: 6, fragmentOffset: 8, payload: new Uint8Array(32) }),
      ],
      passes: 0,
      drops: { 'drop.ip_malformed': 2 },
    },
    {
      name: 'empty, not a multiple of 8, beyond 65,535',
      send: [
        ipv4({ src: host, dst: server, id: 7, fragmentOffset: 64, payload: new Uint8Array(0) }),
        ipv4({ src: host, dst: server, id: 7, mf: true, payload: new Uint8Array(12) }),
        ipv4({ src: host, dst: server, id: 7, fragmentOffset: 65528, payload: new Uint8Array(100) }),
      ],
      passes: 0,
      drops: { 'drop.ip_malformed': 3 },
    },
  ];
  for (const { name, send, passes, drops } of cases) {
    const router = new Router(natTables());
    t.equal(router.forward(0, ...send)[1].length, passes, name);
    const counters = Object.entries(router.counters()).filter(([key]) => key.startsWith('drop.'));
    t.strictSame(Object.fromEntries(counters), drops, name);
    t.equal(router.imbalance(), null, name);
  }
  t.end();
});

t.test('bad input 41: a flood of fragments without first (FragmentSmack): bounded, and what comes in order is not touched', (t) => {
  const router = new Router(natTables());
  for (let i = 0; i < 3000; i++) {
    router.inputs[0].push(ipv4({ src: '10.0.1.66', dst: server, id: i, fragmentOffset: 64, payload: new Uint8Array(64) }));
    router.inputs[1].push(ipv4({ src: `203.0.${i >> 8}.${i & 255}`, dst: global, id: i, fragmentOffset: 64, payload: new Uint8Array(64) }));
    if (i % 500 !== 0) continue;
    const out = router.forward(0, piece(whole(i), 0, 64), piece(whole(i), 64, 192));
    t.equal(out[1].length, 2);
  }
  router.forward(0);
  const held = router.counters()['path.held_packets'];
  t.ok(held <= FragmentShape.Held, `${held} held`);
  t.equal(router.imbalance(), null);
  router.nowMs += FragmentShape.TimeoutMs;
  router.pass();
  t.equal(router.counters()['path.held_packets'], undefined);
  t.equal(router.counters()['drop.fragment_timeout'] + router.counters()['drop.fragment_limit'], 6000);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('one identification from two hosts, and from one host to two: never mixed up (CVE-2024-37151)', (t) => {
  const router = new Router(natTables());
  const pairs = [
    ['10.0.1.10', server],
    ['10.0.1.11', server],
    ['10.0.1.10', '198.51.100.8'],
  ];
  const sent = pairs.map(([src, dst], i) => summed({ src, dst, id: 9 }, udp(5000 + i, 53, 184), 6));
  const out = router.forward(0, ...sent.map((packet) => piece(packet, 64, 192)), ...sent.map((packet) => piece(packet, 0, 64)))[1];
  t.equal(out.length, 6);
  for (let i = 0; i < 3; i++) {
    const { dst, ports } = read(t, join(out.slice(2 * i, 2 * i + 2)));
    t.strictSame([dst, ports[0]], [ip(pairs[i][1]), 5000 + i]);
  }
  t.end();
});

t.test('a router without NAT passes fragments as they come', (t) => {
  const router = new Router(natTables({ nat: [], ports: [{ address: '10.0.1.1' }, { address: global }] }));
  const out = router.forward(0, piece(whole(1), 64, 192), piece(whole(1), 64, 192), piece(whole(1), 0, 64))[1];
  t.equal(out.length, 3);
  t.end();
});

t.test('several workers: fragments meet, whichever worker reads them, in any order, both ways', (t) => {
  const shuffled = fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.shuffledSubarray([0, 1, 2], { minLength: 3 })), {
    minLength: 1,
    maxLength: 8,
  });
  const workers = new Workers(3, natTables());
  let id = 0;
  fc.assert(
    fc.property(shuffled, (datagrams) => {
      for (const [from, host, order] of datagrams) {
        id++;
        const source = `10.0.1.${10 + host}`;
        const sent = summed({ src: source, dst: server, id }, udp(5000 + host, 53, 184), 6);
        order.forEach((at, i) => {
          workers.all[(from + i) % 3].inputs[0].push(piece(sent, ...cuts[at]));
          workers.run();
        });
      }
      return workers.imbalance() === null && workers.all.every(({ env }) => env.counters.path[8] >= 0);
    }),
    { numRuns: 30 },
  );
  for (let i = 0; i < 12; i++) {
    const source = `10.0.1.${10 + i}`;
    const sent = summed({ src: source, dst: server, id: 7000 + i }, udp(6000, 53, 184), 6);
    const out: Uint8Array[] = [];
    for (const at of [2, 0, 1]) {
      workers.all[(i + at) % 3].inputs[0].push(piece(sent, ...cuts[at]));
      out.push(...workers.run().flat());
    }
    const { ports } = read(t, join(out));
    const answer = summed({ src: server, dst: global, id: 8000 + i }, udp(53, ports[0], 184), 6);
    const back: Uint8Array[] = [];
    for (const at of [1, 2, 0]) {
      workers.all[(2 * i + at) % 3].inputs[1].push(piece(answer, ...cuts[at]));
      back.push(...workers.run(0).flat());
    }
    t.strictSame(read(t, join(back)), { src: ip(server), dst: ip(source), ports: [53, 6000] });
    t.equal(workers.imbalance(), null);
  }
  t.end();
});

t.test('several workers: ESP and GRE through NAT, whole and in fragments', (t) => {
  const workers = new Workers(3, natTables());
  for (let i = 0; i < 9; i++) {
    const peer = `198.51.100.${20 + i}`;
    workers.all[i % 3].inputs[0].push(ipv4({ src: host, dst: peer, protocol: 47, payload: new Uint8Array(24) }));
    t.equal(new DataView(workers.run().flat()[0].buffer).getUint32(12), ip(global));
    const answer = ipv4({ src: peer, dst: global, protocol: 47, payload: new Uint8Array(192) });
    workers.all[(i + 1) % 3].inputs[1].push(answer);
    workers.all[(i + 2) % 3].inputs[1].push(piece(answer, 64, 192), piece(answer, 0, 64));
    const back = workers.run(0).flat();
    t.equal(back.length, 3);
    for (const packet of back) t.equal(new DataView(packet.buffer).getUint32(16), ip(host));
  }
  t.equal(workers.imbalance(), null);
  t.end();
});
