// Runs inside its own network namespace (superpacket.test.ts), for the implementation that GROUPWIRE_NATIVE selects. The kernel forwards
// between two TUNs: what we gather it cuts, what it gathers we cut. So the kernel is the judge in both directions.
//
//   us == gws0 (offloads) 10.9.0.1 [kernel] 10.9.1.1 gws1 (none, or offloads) == us

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { loadNative, ownerOf } from '../../../../dataplane/native/native.js';
import { afterHop, build, type Fields, type Flow, fault, sum } from './datagrams.js';
import { command, ip } from './station.js';

const native = loadNative();
const slots = 512;
const slotBytes = 2048;
const pool = new Uint8Array(new SharedArrayBuffer(slots * slotBytes));
const offsets = Int32Array.from({ length: slots }, (_, i) => i * slotBytes);
const lengths = new Int32Array(slots);
const results = new Int32Array(slots);
const ready = new Int32Array(1);

command('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0');
command('sysctl', '-qw', 'net.ipv4.conf.default.rp_filter=0', 'net.ipv4.conf.default.accept_source_route=1');

function openUp(name: string, address: string, offloads: boolean): number {
  const fd = native.tunOpen(name, false, offloads);
  ip('addr', 'add', address, 'dev', name);
  ip('link', 'set', name, 'txqueuelen', '2000', 'up');
  return fd;
}

/** Packets that the kernel took from a device; a superpacket is one. */
function received(name: string): number {
  const line = readFileSync('/proc/thread-self/net/dev', 'utf8')
    .split('\n')
    .find((text) => text.trim().startsWith(`${name}:`));
  return Number(line?.split(':')[1].trim().split(/\s+/)[1]);
}

function send(fd: number, packets: readonly Uint8Array[]): void {
  for (const [i, packet] of packets.entries()) {
    pool.set(packet, offsets[i]);
    lengths[i] = packet.length;
  }
  results.fill(-7);
  const sent = native.tx(fd, pool, offsets, lengths, packets.length, results);
  if (sent !== packets.length) throw new Error(`sent ${sent} of ${packets.length}: ${results.subarray(0, packets.length)}`);
}

/** @param few how many slots a read gets @returns as many as expected, or what came until nothing came for a second */
function receive(fd: number, expected: number, few = slots): Uint8Array[] {
  const packets: Uint8Array[] = [];
  while (packets.length < expected && native.poll(Int32Array.of(fd), 1, 1000, ready) === 1) {
    const count = native.rx(fd, pool, offsets, lengths, few, slotBytes);
    for (let i = 0; i < count; i++) packets.push(pool.slice(offsets[i], offsets[i] + lengths[i]));
  }
  return packets;
}

const bytes = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff);
const tcp: Flow = { protocol: 6, source: '10.9.0.2', destination: '10.9.1.2', ports: [1000, 80] };
const udp: Flow = { ...tcp, protocol: 17 };
const esp: Flow = { ...udp, ports: [4500, 33_000] };
const bare = { checksum: 0 };
const timestamps = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8];

/** Segments of a stream or datagrams of a flow, with one thing changed in number `at`. */
function run(flow: Flow, count: number, size: number, at = -1, change: Partial<Fields> = {}, all: Partial<Fields> = {}): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const payload = bytes(i === at && change.payload !== undefined ? change.payload.length : size, i);
    const tcpOptions = flow.protocol === 6 ? timestamps : [];
    return build(flow, { id: 0xfff0 + i, seq: 0xffffff00 + i * size, tcpOptions, ...all, ...(i === at ? change : {}), payload });
  });
}

const two = (a: Uint8Array[], b: Uint8Array[]) => a.flatMap((packet, i) => [packet, b[i]]);
const other: Flow = { ...tcp, ports: [1001, 80] };
const short = { payload: bytes(50, 0) };
const open = { fragment: 0 };
/** What, datagrams, messages; what comes out when it is not the same. */
const cases: [string, Uint8Array[], number, Uint8Array[]?][] = [
  ['TCP: 40 segments', run(tcp, 40, 1000), 1],
  ['TCP: beyond 64 KB', run(tcp, 100, 1400), 3],
  ['TCP: odd sizes', run(tcp, 33, 777), 1],
  ['TCP: two streams in turn', two(run(tcp, 20, 1000), run(other, 20, 1000)), 2],
  ['TCP: a shorter one ends it', run(tcp, 5, 1000, 2, short), 2],
  ['TCP: PSH ends it', run(tcp, 6, 500, 2, { flags: 0x18 }), 2],
  ['TCP: FIN ends it', run(tcp, 3, 500, 2, { flags: 0x11 }), 1],
  ['TCP: SYN stays alone', run(tcp, 3, 500, 1, { flags: 0x12 }), 3],
  ['TCP: RST stays alone', run(tcp, 3, 500, 1, { flags: 0x14 }), 3],
  ['TCP: URG stays alone', run(tcp, 3, 500, 1, { flags: 0x30 }), 3],
  ['TCP: CWR stays alone', run(tcp, 3, 500, 1, { flags: 0x90 }), 3],
  ['TCP: CWR in all', run(tcp, 3, 500, -1, {}, { flags: 0x90 }), 3],
  ['TCP: ECE in one', run(tcp, 4, 500, 1, { flags: 0x50 }), 3],
  ['TCP: another acknowledgement', run(tcp, 4, 500, 2, { ack: 0x01020305 }), 3],
  ['TCP: another window', run(tcp, 4, 500, 2, { window: 511 }), 3],
  ['TCP: another time stamp', run(tcp, 4, 500, 2, { tcpOptions: [...timestamps.slice(0, 11), 9] }), 3],
  ['TCP: other options', run(tcp, 4, 500, 2, { tcpOptions: [] }), 3],
  ['TCP: a gap', run(tcp, 4, 500, 2, { seq: 7 }), 3],
  ['TCP: another ToS', run(tcp, 4, 500, 2, { tos: 3 }), 3],
  ['TCP: another TTL', run(tcp, 4, 500, 2, { ttl: 63 }), 3],
  ['TCP: a pure acknowledgement between', [...run(tcp, 2, 500), ...run(tcp, 1, 0), ...run(tcp, 2, 500)], 3],
  ['TCP: without DF, Identification counts', run(tcp, 10, 500, -1, {}, open), 1],
  ['TCP: without DF, Identification jumps', run(tcp, 4, 500, 2, { id: 9 }, open), 3],
  ['TCP: with DF, Identification means nothing', run(tcp, 4, 500, 2, { id: 9 }), 1],
  ['TCP: a fragment of another flow between', [...run(tcp, 2, 500), ...run(tcp, 1, 496, 0, { fragment: 0x2000 }), ...run(tcp, 2, 500)], 3],
  ['TCP: a wrong checksum stays alone', run(tcp, 5, 500, 2, { checksum: 0x1234 }), 3],
  ['TCP: a wrong checksum at first', run(tcp, 5, 500, 0, { checksum: 0x1234 }), 2],
  ['TCP: IPv4 options', run(tcp, 3, 500, -1, {}, { ipOptions: [1, 1, 1, 0] }), 3],
  ['UDP: 40 datagrams', run(udp, 40, 1200), 1],
  ['UDP: at most 64', run(udp, 70, 100), 2],
  ['UDP: a shorter one ends it', run(udp, 5, 1000, 2, short), 2],
  ['UDP: a longer one', run(udp, 4, 500, 2, { payload: bytes(600, 0) }), 2],
  ['UDP: without checksum', run(udp, 4, 500, 2, { checksum: 0 }), 3],
  ['UDP: a wrong checksum', run(udp, 4, 500, 2, { checksum: 0x1234 }), 3],
  ['UDP: beside TCP with the same ports', two(run(tcp, 8, 300), run(udp, 8, 300)), 2],
  ['UDP: empty', run(udp, 3, 0), 3],
  ['ESP in UDP: without checksum', run(esp, 40, 1200, -1, {}, bare), 1, run(esp, 40, 1200)],
  [
    'ESP in UDP: without DF, a shorter one at the end',
    run(esp, 9, 1200, 8, short, { ...bare, ...open }),
    1,
    run(esp, 9, 1200, 8, short, open),
  ],
  ['ESP in UDP: with checksum', run(esp, 5, 600), 1],
  ['ESP in UDP: with one of the two', run(esp, 4, 500, 2, bare), 3],
  ['ESP in UDP: IKE between', run(esp, 3, 500, -1, {}, bare).map((packet, i) => (i === 1 ? packet.fill(0, 28, 32) : packet)), 3],
  ['ESP in UDP: to port 4500 alone it is somebody else’s', run({ ...udp, ports: [33_000, 4500] }, 3, 500, -1, {}, bare), 3],
];

const in0 = openUp('gws0', '10.9.0.1/24', true);

for (const offloads of [false, true]) {
  t.test(`gathered, then cut by ${offloads ? 'us: the kernel hands the superpackets on' : 'the kernel'}`, (t) => {
    const out = openUp('gws1', '10.9.1.1/24', offloads);
    t.teardown(() => native.fdClose(out));
    for (const [label, packets, messages, expected = packets] of cases) {
      const before = received('gws0');
      send(in0, packets);
      const got = receive(out, packets.length, offloads ? 7 : slots);
      t.equal(received('gws0') - before, messages, `${label}: messages`);
      t.strictSame(sorted(got), sorted(expected), `${label}: datagrams`);
      const wrong = expected.filter((packet) => fault(packet) !== '').length;
      t.equal(got.filter((packet) => fault(packet) !== '').length, wrong, `${label}: checksums`);
    }
    t.equal(native.poll(Int32Array.of(out), 1, 0, ready), 0, 'nothing is left');
    t.end();
  });
}

/** Per flow in order, flows in the order of their names. */
function sorted(packets: readonly Uint8Array[]): string[] {
  const flows = new Map<string, string[]>();
  for (const packet of packets) {
    const ports = (packet[6] & 0x3f) === 0 ? Buffer.from(packet.subarray(20, 24)).toString('hex') : '';
    const name = `${packet[9]} ${ports}`;
    flows.set(name, [...(flows.get(name) ?? []), afterHop(packet, 63)]);
  }
  return [...flows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, texts]) => texts);
}

t.test('the kernel sends UDP superpackets: cut into however few slots there are', (t) => {
  for (const [label, option] of [
    ['plain', ''],
    ['with IPv4 options', 's.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([1, 1, 1, 0]))'],
  ]) {
    const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
${option}
s.setsockopt(socket.IPPROTO_UDP, 103, 1000) # UDP_SEGMENT
for i in range(3): s.sendto(bytes((k * 7 + i) & 255 for k in range(20500)), ('10.9.0.9', 9))`;
    command('/usr/bin/python3', '-c', script);
    const packets = receive(in0, 63, 4);
    t.strictSame([...new Set(packets.map(fault))], [''], `${label}: every datagram is right`);
    const header = (packets[0][0] & 15) * 4 + 8;
    t.equal(header, option === '' ? 28 : 32);
    t.strictSame(
      packets.map((packet) => packet.length - header),
      [0, 1, 2].flatMap(() => [...Array(20).fill(1000), 500]),
      `${label}: 3 times 20 and a shorter one`,
    );
    const payload = Buffer.concat(packets.slice(21, 42).map((packet) => packet.subarray(header)));
    t.ok(
      payload.every((byte, k) => byte === ((k * 7 + 1) & 255)),
      `${label}: payload`,
    );
    t.equal(native.poll(Int32Array.of(in0), 1, 0, ready), 0, 'nothing is left');
  }
  t.end();
});

t.test('random batches pass as they are', (t) => {
  const out = openUp('gws1', '10.9.1.1/24', false);
  t.teardown(() => native.fdClose(out));
  let state = 1;
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
  const oddities: (() => Partial<Fields>)[] = [
    () => ({ payload: bytes(below(1400), 5) }),
    () => ({ flags: below(256) & ~0x02 }),
    () => ({ tos: below(256) & ~3 }),
    () => ({ ttl: 10 + below(3) }),
    () => ({ id: below(65536) }),
    () => ({ fragment: 0 }),
    () => ({ window: below(4) }),
    () => ({ ack: below(4) }),
    () => ({ seq: below(4) }),
    () => ({ checksum: below(3) }),
    () => ({ tcpOptions: [1, 1, 1, 1] }),
    () => ({ ipOptions: [1, 1, 1, 0] }),
  ];
  for (let turn = 0; turn < 60; turn++) {
    const flows: { flow: Flow; size: number; seq: number; id: number }[] = Array.from({ length: 1 + below(20) }, (_, i) => ({
      flow: { ...(below(2) === 0 ? tcp : udp), ports: [2000 + i, 80] },
      size: 1 + below(1400),
      seq: below(2) * 0xfffff000,
      id: below(65536),
    }));
    const packets = Array.from({ length: 1 + below(300) }, () => {
      const next = flows[below(flows.length)];
      const fields: Fields = { id: next.id++, seq: next.seq, payload: bytes(next.size, next.id), fragment: 0x4000 };
      if (below(10) === 0) Object.assign(fields, oddities[below(oddities.length)]());
      next.seq += fields.payload.length;
      return build(next.flow, fields);
    });
    const ttlOf = (packet: Uint8Array) => packet[8];
    const before = received('gws0');
    send(in0, packets);
    const got = receive(out, packets.length);
    t.equal(got.filter((packet) => sum(packet, 0, (packet[0] & 15) * 4) !== 0xffff).length, 0, 'IPv4 checksums');
    const text = (list: Uint8Array[], hop: number) =>
      flows.flatMap(({ flow }) =>
        list.filter((p) => ((p[(p[0] & 15) * 4] << 8) | p[(p[0] & 15) * 4 + 1]) === flow.ports[0]).map((p) => afterHop(p, ttlOf(p) - hop)),
      );
    t.strictSame(text(got, 0), text(packets, 1), `turn ${turn}`);
    t.ok(received('gws0') - before <= packets.length);
  }
  t.end();
});

t.test('what is no link, and more than a batch', (t) => {
  const wake = native.wakeOpen();
  t.teardown(() => native.fdClose(wake));
  t.throws(() => native.rx(wake, pool, offsets, lengths, 1, slotBytes), RangeError);
  t.throws(() => native.tx(wake, pool, offsets, lengths, 1, results), RangeError);
  const many = new Int32Array(513);
  t.throws(() => native.rx(in0, pool, many, many, 513, slotBytes), RangeError);
  t.throws(() => native.tx(in0, pool, many, many.slice().fill(20), 513, many.slice()), RangeError);
  t.end();
});

t.test('who joins UDP: with offloads, where the kernel has them', (t) => {
  const plain = native.tunOpen('gws3', false, false);
  const full = native.tunOpen('gws4', false, true);
  const hasUso = /tx-udp-segmentation: on/.test(spawnSync('ethtool', ['-k', 'gws4'], { encoding: 'utf8' }).stdout);
  t.equal(native.joinsUdp(plain), false);
  t.equal(native.joinsUdp(full), hasUso, 'as ethtool has it');
  for (const fd of [plain, full]) native.fdClose(fd);
  for (const fd of [-1, full, 0x7fffffff]) t.throws(() => native.joinsUdp(fd), RangeError, `fd ${fd}`);
  t.throws(() => native.joinsUdp('3' as never), TypeError);
  t.end();
});

t.test('steering: each source in the queue of its owner', { skip: native.kind === 'twin' }, (t) => {
  const queues = [0, 1, 2].map(() => native.tunOpen('gws2', true, true));
  t.teardown(() => queues.map((fd) => native.fdClose(fd)));
  ip('addr', 'add', '10.9.2.1/24', 'dev', 'gws2');
  ip('link', 'set', 'gws2', 'up');
  native.tunSteer(queues[1], 3);
  const sources = Array.from({ length: 60 }, (_, i) => [10, 9, 16 + i, 1 + i * 3]);
  for (const source of sources) ip('addr', 'add', `${source.join('.')}/32`, 'dev', 'lo');
  const script = `import socket, sys
for source in sys.argv[1:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0))
    s.sendto(b'x', ('10.9.2.9', 9))`;
  command('/usr/bin/python3', '-c', script, ...sources.map((source) => source.join('.')));
  for (const [queue, fd] of queues.entries()) {
    const mine = sources.filter(([a, b, c, d]) => ownerOf((a << 24) | (b << 16) | (c << 8) | d, 3) === queue);
    t.ok(mine.length > 5, `queue ${queue} has a share`);
    const got = receive(fd, mine.length).map((packet) => [...packet.subarray(12, 16)]);
    t.strictSame(got, mine, `queue ${queue}`);
    t.equal(native.poll(Int32Array.of(fd), 1, 0, ready), 0, 'and no more');
  }
  t.throws(() => native.tunSteer(queues[0], 0), RangeError);
  const wake = native.wakeOpen();
  t.teardown(() => native.fdClose(wake));
  t.throws(() => native.tunSteer(wake, 2), RangeError);
  t.equal(spawnSync('ip', ['link', 'show', 'gws2']).status, 0);
  t.end();
});
