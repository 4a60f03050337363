// Two forwarding workers per member: both forward, what comes to the wrong one is handed over, and on the wire no IV and no sequence number
// of a sender ID is there twice.
//
//   h1 10.1.1.10 .. .41 -- in r1 out -- c1 core c2 -- out r2 in -- 10.1.2.10 .. .41 h2
//
//   h1 -> h2, h2 -> h1, 32 flows each :: every datagram once, in order within the replay window
//   core                              :: (SPI, IV) and (SPI, sender ID, sequence) unique; both workers' bits in IVs
//   r1, r2 :: snapshot                :: received + made = sent + dropped + punted; handed over = taken over, and at rest no passes
//   lab, --workers 2                  :: a sender ID for each worker; show version tells

import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Drop, dropTexts, PathCount } from '../../dataplane/counters/declare.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import { Lab } from '../support/lab.js';
import { type CapturedPacket, readCapture } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { skipReason as skip, sleep, until } from './dataplane-lab.js';
import { DriverLab, type Drivers } from './driver-case.js';

const Flows = 32;
const Datagrams = 6400;
const hostAddress = (net: number, flow: number) => `10.1.${net}.${10 + flow}`;

/** Arguments: network of the sender, of the receiver, flows, datagrams. One datagram in turn from each address, to the receiver's of the same flow. */
const sender = `
import socket, struct, sys, time
own, other, flows, total = map(int, sys.argv[1:])
sockets = []
for flow in range(flows):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('10.1.%d.%d' % (own, 10 + flow), 0))
    s.connect(('10.1.%d.%d' % (other, 10 + flow), 7200))
    sockets.append(s)
begin = time.monotonic()
for n in range(total):
    try: sockets[n % flows].send(struct.pack('!II', n % flows, n // flows) + b'x' * (n * 7 % 1200))
    except ConnectionRefusedError: pass
    wait = begin + n / 2000 - time.monotonic()
    if wait > 0: time.sleep(wait)
`;
/** Prints how many different datagrams came, how many twice, and by how much the latest was late within its flow. */
const receiver = `
import socket, struct, sys
total = int(sys.argv[1])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20) # SO_RCVBUFFORCE
s.bind(('0.0.0.0', 7200))
print('ready', flush=True)
seen = set(); doubled = 0; late = 0; top = {}
s.settimeout(15)
try:
    while True:
        flow, n = struct.unpack('!II', s.recv(65536)[:8])
        doubled += (flow, n) in seen
        seen.add((flow, n))
        late = max(late, top.get(flow, 0) - n)
        top[flow] = max(top.get(flow, 0), n)
        s.settimeout(3 if len(seen) < total else 0.3)
except socket.timeout: pass
print(len(seen), doubled, late, flush=True)
`;

async function flows(made: DriverLab, from: 1 | 2, to: 1 | 2): Promise<{ received: number; doubled: number; late: number }> {
  const sink = made.lab.start(`h${to}`, ['/usr/bin/python3', '-c', receiver, String(Datagrams)]);
  let out = '';
  sink.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  await until('the receiver listens', () => out.includes('ready'));
  const ended = new Promise((resolve) => sink.once('close', resolve));
  made.lab.start(`h${from}`, ['/usr/bin/python3', '-c', sender, ...[from, to, Flows, Datagrams].map(String)]);
  await ended;
  const [received, doubled, late] = out.trim().split('\n')[1].split(' ').map(Number);
  return { received, doubled, late };
}

function namedDrops({ drops }: SnapshotHead): string[] {
  return dropTexts.flatMap(({ name }, i) => (drops[i] > 0 ? [`${name} ${drops[i]}`] : []));
}

/** DESIGN §3, at rest: nothing is held. @returns packets handed over */
async function checkBalance(t: Test, made: DriverLab, member: 1 | 2): Promise<number> {
  await sleep(300);
  const snapshot = await made.controls[member].snapshot();
  const { path } = snapshot;
  const into = path[PathCount.Received] + path[PathCount.Made];
  t.equal(into, path[PathCount.Sent] + path[PathCount.Dropped] + path[PathCount.Punted], `r${member}: what came in went out`);
  t.equal(path[PathCount.HandedOver], path[PathCount.TakenOver], `r${member}: nothing is held`);
  for (const drop of [Drop.HandOverFull, Drop.EspReplay, Drop.EspIntegrity, Drop.IvExhausted, Drop.NoSa])
    t.equal(snapshot.drops[drop], 0, `r${member}: drops: ${namedDrops(snapshot).join(', ')}`);
  const passes = async () => (await made.controls[member].snapshot()).path[PathCount.Passes];
  const before = await passes();
  await sleep(1000);
  const idle = (await passes()) - before;
  t.ok(idle < 100, `r${member}: at rest workers sleep: ${idle} passes in a second`);
  return path[PathCount.HandedOver];
}

/** What must be unique on the wire is. @returns worker bits per source network */
function checkWire(t: Test, esp: readonly CapturedPacket[]): Map<string, Set<number>> {
  const seen = new Set<string>();
  const workers = new Map<string, Set<number>>();
  const tops = new Map<string, number>();
  let repeats = 0;
  let latest = 0;
  for (const { ip, source } of esp) {
    const spi = ip.toString('hex', 20, 24);
    const iv = ip.toString('hex', 28, 36);
    const senderId = iv.slice(0, 6);
    const sequence = ip.readUInt32BE(24);
    for (const key of [`IV ${spi} ${iv}`, `sequence ${spi} ${senderId} ${sequence}`]) {
      if (seen.has(key)) repeats++;
      seen.add(key);
    }
    const top = tops.get(senderId) ?? 0;
    latest = Math.max(latest, top - sequence);
    tops.set(senderId, Math.max(top, sequence));
    const net = source.split('.')[2];
    workers.set(net, (workers.get(net) ?? new Set()).add(ip[31] >> 4));
  }
  t.equal(repeats, 0, 'IVs and sequence numbers that came twice');
  t.ok(latest < 64, `a sequence number is at most ${latest} behind its sender's highest`);
  return workers;
}

async function twoWorkers(t: Test, drivers: Drivers): Promise<{ handedOver: number[]; bits: Map<string, Set<number>> }> {
  const made = await DriverLab.up(t, { workers: 2, ...drivers });
  const { lab } = made;
  for (const net of [1, 2]) for (let flow = 1; flow < Flows; flow++) lab.address(`h${net}`, 'eth0', `${hostAddress(net, flow)}/24`);
  t.equal(lab.ping('h1', '10.1.2.10', 3).received, 3, 'neighbours are known');
  const file = join(lab.folder, 'core.pcap');
  const dump = lab.start('core', ['tcpdump', '-n', '-i', 'any', '-Q', 'in', '-B', '16384', '-s', '128', '-w', file, 'ip proto 50']);
  await new Promise((resolve) => dump.stderr?.once('data', resolve));
  const expected = { received: Datagrams, doubled: 0 };
  for (const result of await Promise.all([flows(made, 1, 2), flows(made, 2, 1)])) {
    t.match(result, expected, 'every datagram once');
    t.ok(result.late < 64, `late by ${result.late} at the most`);
  }
  t.equal(await lab.tcpEcho('h1', 'h2', '10.1.2.10', 500_000), 'same', 'TCP');
  const closed = new Promise((resolve) => dump.once('close', resolve));
  dump.kill('SIGINT');
  await closed;
  const esp = readCapture(file);
  t.ok(esp.length >= 2 * Datagrams, `seen on the core: ${esp.length}`);
  const bits = checkWire(t, esp);
  const handedOver = [await checkBalance(t, made, 1), await checkBalance(t, made, 2)];
  await made.end(t);
  return { handedOver, bits };
}

const both = new Map(['1', '2'].map((net) => [net, new Set([0, 1])]));

t.test('xdp with one receive queue: the other worker gets its share by the ring', { skip }, async (t) => {
  const { handedOver, bits } = await twoWorkers(t, { outside: 'xdp', inside: 'tun', offloads: false, senderIds: 2 });
  t.same(bits, both, 'both workers of both members seal');
  for (const count of handedOver) t.ok(count > Datagrams / 10, `handed over: ${count}`);
});

t.test('steered queues: every packet comes to its owner', { skip }, async (t) => {
  const { handedOver, bits } = await twoWorkers(t, { outside: 'tun', inside: 'tun', senderIds: 2 });
  t.same(bits, both);
  t.same(handedOver, [0, 0], 'nothing to hand over');
});

t.test('one sender ID for two workers: one of them seals', { skip }, async (t) => {
  const { handedOver, bits } = await twoWorkers(t, { outside: 'raw', inside: 'tun', offloads: false });
  t.same(bits, new Map(['1', '2'].map((net) => [net, new Set([0])])));
  for (const count of handedOver) t.ok(count > Datagrams / 10, `handed over: ${count}`);
});

t.test('groupwire run --workers 2: a sender ID for each, and show says so', { skip }, async (t) => {
  const lab = await Lab.up({ workers: 2, start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/);
  t.match(await lab.show('r1', 'version'), { workers: 2 });
  t.match(await lab.groupwire('r1', 'show', 'version'), /2 forwarding workers, \d+ packets handed over, \d+ taken over/);
  const socket = `/run/groupwire-lab/${lab.name}/r1/control.sock`;
  const { gdoiMembers } = JSON.parse(await lab.sh('r1', `curl -s --unix-socket ${socket} http://x/snapshot`));
  t.equal(gdoiMembers[0].senderIds.length, 2);
});
