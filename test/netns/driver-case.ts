// Two members with one SA, over any pair of port drivers; what every driver must do, as functions that a case calls.
//
//   h1 10.1.1.10 -- in r1 out 172.16.1.1 -- c1 core c2 -- 172.16.2.1 out r2 in -- 10.1.2.10 h2
//
// The core watches: ESP with the hosts' addresses crosses it and nothing else. (A capture on an `xdp` port itself sees no ESP.)

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { dropTexts } from '../../dataplane/counters/declare.js';
import type { InterfaceRow, PortDriver, SnapshotHead } from '../../dataplane/tables/message.js';
import {
  AceAction,
  aceRow,
  groupRows,
  interfaceRow,
  ip,
  Lab,
  sleep,
  type TestControl,
  TestDataplane,
  tablesHead,
  until,
} from './dataplane-lab.js';

export interface Drivers {
  outside: PortDriver;
  inside: PortDriver;
  offloads?: boolean;
  workers?: number;
  /** Sender IDs of each member: member n has n, n + 2, … Default 1. */
  senderIds?: number;
}

type Member = 1 | 2;
const members: readonly Member[] = [1, 2];
const aces = [aceRow(AceAction.Permit, '10.1.1.0/24', '10.1.2.0/24'), aceRow(AceAction.Permit, '10.1.2.0/24', '10.1.1.0/24')];
const protectedTraffic = 'proto 50 and src net 10.1.0.0/16 and dst net 10.1.0.0/16';

export class DriverLab {
  readonly lab = new Lab();
  readonly dataplanes: Record<Member, TestDataplane>;
  readonly controls = {} as Record<Member, TestControl>;
  private readonly key = randomBytes(36);
  private generation = 0;

  private constructor(drivers: Drivers) {
    const { lab } = this;
    for (const node of ['h1', 'r1', 'core', 'r2', 'h2']) lab.addNode(node);
    lab.mustRun('core', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    for (const n of members) {
      lab.link(`h${n}`, 'eth0', `r${n}`, 'in');
      lab.link(`r${n}`, 'out', 'core', `c${n}`);
      lab.address(`h${n}`, 'eth0', `10.1.${n}.10/24`);
      lab.address('core', `c${n}`, `172.16.${n}.2/30`);
      lab.defaultRoute(`h${n}`, `10.1.${n}.1`);
      lab.mustRun('core', 'ip', 'route', 'add', `10.1.${n}.0/24`, 'via', `172.16.${n}.1`);
    }
    const options = ['--workers', String(drivers.workers ?? 1)];
    this.dataplanes = { 1: new TestDataplane(lab, 'r1', {}, options), 2: new TestDataplane(lab, 'r2', {}, options) };
  }

  /** Brings both members up; ends with the test. */
  static async up(t: Test, drivers: Drivers): Promise<DriverLab> {
    const made = new DriverLab(drivers);
    t.teardown(() => made.lab.remove());
    for (const member of members) {
      await made.start(member);
      t.same(await made.publish(member, drivers), [], `r${member}: applied`);
      t.same(made.dataplanes[member].log.match(/PORT_DRIVER.*/g) ?? [], [], `r${member}: as wanted`);
    }
    return made;
  }

  async start(member: Member): Promise<void> {
    this.controls[member] = await this.dataplanes[member].start();
  }

  /** @returns what could not be applied */
  publish(member: Member, { outside, inside, offloads = true, senderIds = 1 }: Drivers): Promise<string[]> {
    const other = member === 1 ? 2 : 1;
    const inward: Partial<InterfaceRow> = { driver: inside, offloads };
    const interfaces = [
      interfaceRow(0, 'in', `10.1.${member}.1/24`, inward),
      interfaceRow(1, 'out', `172.16.${member}.1/30`, { driver: outside, offloads }),
    ];
    const hop = ip(`172.16.${member}.2`);
    const route = (prefix: string, prefixLength: number) => ({
      prefix: ip(prefix),
      prefixLength,
      nextHop: hop,
      interface: null,
      distance: 1,
    });
    const routes = [route(`10.1.${other}.0`, 24), route(`172.16.${other}.0`, 30)];
    const sids = Array.from({ length: senderIds }, (_, i) => member + 2 * i);
    const rows = groupRows(1, aces, { spi: 0x12345678, sid: sids, key: this.key });
    return this.controls[member].publish(tablesHead(++this.generation, interfaces, routes), rows);
  }

  /** The port's driver and offloads, as `show interfaces` would tell them. */
  async inUse(member: Member): Promise<string[]> {
    const { interfaces } = (await this.controls[member].snapshot()) as SnapshotHead;
    return interfaces.map(({ driver, offloads }) => `${driver} ${offloads ? 'on' : 'off'}`);
  }

  /** Runs `work` while the core watches; nothing but ESP may cross it meanwhile. */
  async watched(t: Test, work: () => Promise<void>): Promise<void> {
    const clear = await this.dump(`ip and not (${protectedTraffic})`);
    const esp = await this.dump(protectedTraffic, '-c', '10');
    await work();
    await sleep(200); // for what is on its way
    clear.child.kill('SIGINT');
    await clear.ended;
    esp.child.kill('SIGINT');
    await esp.ended;
    t.equal(clear.text().trim(), '', 'nothing in the clear on the core');
    t.match(esp.text(), /10\.1\.[12]\.10 > 10\.1\.[12]\.10: ESP\(spi=0x12345678/, 'ESP with the addresses of the hosts');
  }

  private async dump(filter: string, ...more: string[]): Promise<{ child: ChildProcess; ended: Promise<unknown>; text: () => string }> {
    const child = this.lab.start('core', ['tcpdump', '-n', '-i', 'any', '-Q', 'in', '-l', '-t', ...more, filter]);
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await new Promise((resolve) => child.stderr?.once('data', resolve));
    return { child, ended, text: () => text };
  }

  /** @param count packets a second apart by a thousandth */
  async datagrams(from: string, to: string, address: string, count: number): Promise<{ received: number; doubled: number }> {
    const sink = this.lab.start(to, ['/usr/bin/python3', '-c', receiver, String(count)]);
    let out = '';
    sink.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    await until('the receiver listens', () => out.includes('ready'));
    const source = this.lab.start(from, ['/usr/bin/python3', '-c', sender, address, String(count)]);
    await new Promise((resolve) => source.once('exit', resolve));
    await new Promise((resolve) => sink.once('close', resolve));
    const [received, doubled] = out.trim().split('\n')[1].split(' ').map(Number);
    return { received, doubled };
  }

  /** @returns bytes that arrived */
  async iperf(seconds: number, streams = 1): Promise<number> {
    const server = this.lab.start('h2', ['iperf3', '-s', '-1', '--forceflush']);
    await new Promise((resolve) => server.stdout?.once('data', resolve));
    const client = this.lab.start('h1', ['iperf3', '-c', '10.1.2.10', '-t', String(seconds), '-P', String(streams), '-J']);
    let out = '';
    client.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    await new Promise((resolve) => client.once('close', resolve));
    server.kill('SIGKILL');
    return JSON.parse(out).end?.sum_received?.bytes ?? 0;
  }

  /** Runs a shell line in a member without failing. */
  see(member: Member, line: string): string {
    return this.lab.run(`r${member}`, 'sh', '-c', line).out;
  }

  /** For a failure line: what the members dropped, and what the hosts' kernels could not put together. */
  async losses(): Promise<string> {
    const told: string[] = [];
    for (const member of members) {
      const { drops } = (await this.controls[member].snapshot()) as SnapshotHead;
      const named = dropTexts.flatMap(({ name }, reason) => (drops[reason] > 0 ? [`${name} ${drops[reason]}`] : []));
      told.push(`r${member}: ${named.join(', ') || 'no drop'}`);
      const { out } = this.lab.run(`h${member}`, 'nstat', '-as', 'IpReasmFails', 'IpReasmReqds', 'IpReasmOKs');
      told.push(`h${member}: ${out.split('\n').slice(1).join(' ').replace(/\s+/g, ' ').trim()}`);
    }
    return told.join('; ');
  }

  async end(t: Test): Promise<void> {
    for (const member of members) t.equal(await this.dataplanes[member].end('SIGTERM'), 0, this.dataplanes[member].log);
  }
}

const sender = `
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin = time.monotonic()
for n in range(int(sys.argv[2])):
    s.sendto(struct.pack('!I', n) + b'x' * (n % 1300), (sys.argv[1], 7100))
    wait = begin + n / 1000 - time.monotonic()
    if wait > 0: time.sleep(wait)
`;
const receiver = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20) # SO_RCVBUFFORCE: a busy machine may leave it waiting for a tenth of a second
s.bind(('0.0.0.0', 7100))
print('ready', flush=True)
seen = set(); doubled = 0
s.settimeout(6)
try:
    while True:
        n = struct.unpack('!I', s.recv(65536)[:4])[0]
        doubled += n in seen
        seen.add(n)
        s.settimeout(1 if len(seen) < int(sys.argv[1]) else 0.3)
except socket.timeout: pass
print(len(seen), doubled, flush=True)
`;

/** Ping, TCP and numbered datagrams from host to host, with nothing but ESP between. */
export async function checkTraffic(t: Test, made: DriverLab, seconds = 5): Promise<void> {
  const { lab } = made;
  await made.watched(t, async () => {
    const through = lab.ping('h1', '10.1.2.10', 5);
    t.equal(through.received, 5, through.out);
    t.match(through.out, /ttl=62/, 'each router is one hop');
    const { received } = lab.ping('h2', '10.1.1.10', 2, '-s', '3000');
    t.equal(received, 2, received === 2 ? 'fragments' : `fragments: ${await made.losses()}`);
    t.equal(await lab.tcpEcho('h1', 'h2', '10.1.2.10', 1_000_000), 'same', 'TCP');
    const count = 2000;
    t.same(await made.datagrams('h1', 'h2', '10.1.2.10', count), { received: count, doubled: 0 }, 'each datagram once');
    if (seconds > 0) t.ok((await made.iperf(seconds)) > 1_000_000, 'TCP at full speed');
  });
}

/** What is for the router itself, through its inner port. */
export async function checkOwnTraffic(t: Test, made: DriverLab): Promise<void> {
  const { lab } = made;
  t.equal(lab.ping('h1', '10.1.1.1', 3).received, 3, 'ping to the router');
  t.equal(lab.ping('r1', '10.1.1.10', 3).received, 3, 'ping from the router');
  t.equal(await lab.tcpEcho('h1', 'r1', '10.1.1.1', 300_000), 'same', 'TCP to the router');
  t.same(await made.datagrams('h1', 'r1', '10.1.1.1', 200), { received: 200, doubled: 0 }, 'datagrams to the router, each once');
  lab.mustRun('h1', 'ip', 'neigh', 'flush', 'all');
  t.equal(lab.ping('h1', '10.1.1.1').received, 1, 'the router answers ARP');
  t.equal(lab.ping('h1', '172.16.1.2', 2).received, 2, 'what no policy protects goes in the clear');
  const expired = lab.ping('h1', '10.1.2.10', 1, '-t', '1');
  t.match(expired.out, /From 10\.1\.1\.1 .*Time to live exceeded/, 'TTL 1 ends at the router');
}

/** The dataplane of r1 is killed: nothing of the driver stays, nothing leaks, and it comes back. */
export async function checkKill(t: Test, made: DriverLab, drivers: Drivers): Promise<void> {
  const { lab } = made;
  await made.watched(t, async () => {
    const pings = spawn('ip', ['netns', 'exec', lab.namespace('h1'), 'ping', '-n', '-i', '0.02', '10.1.2.10'], { stdio: 'ignore' });
    t.teardown(() => pings.kill('SIGKILL'));
    await sleep(300);
    await made.dataplanes[1].end('SIGKILL');
    const traces = () => `${made.see(1, 'nft list tables')}${made.see(1, 'ip -d link show out | grep -o xdp')}`;
    await until('nft table and xdp program are gone', () => traces() === '');
    t.equal(lab.ping('h1', '10.1.2.10', 3).received, 0, 'nobody forwards what must be protected');
    t.equal(lab.ping('h1', '10.1.1.1').received, 1, 'the router itself is reached');
    await made.start(1);
    t.same(await made.publish(1, drivers), [], 'applied again');
    await until('traffic resumes', () => lab.ping('h1', '10.1.2.10').received === 1);
    pings.kill('SIGKILL');
  });
}
