// Runs inside its own network namespace (superpacket.test.ts): TCP and UDP of two kernels through rx and tx. On our side the TUN has
// offloads, on the other it has none, so what crosses the other one is complete: tcpdump takes it there, tshark checks every sum.
//
//   [kernel 10.9.0.1] gws0 (offloads) == us == gws1 (none) [kernel 10.9.1.1, another namespace]

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { loadNative } from '../../../../dataplane/native/native.js';
import { fault } from './datagrams.js';
import { command, ip } from './station.js';

const native = loadNative();
const slots = 256;
const slotBytes = 2048;
const pool = new Uint8Array(new SharedArrayBuffer(slots * slotBytes));
const offsets = Int32Array.from({ length: slots }, (_, i) => i * slotBytes);
const lengths = new Int32Array(slots);
const results = new Int32Array(slots);
const ready = new Int32Array(2);
const size = native.kind === 'addon' ? 4_000_000 : 400_000;
const datagramSize = 1200;

const common = `import hashlib, random, socket
def give(c, seed):
    data = random.Random(seed).randbytes(${size})
    c.sendall(data)
    return hashlib.sha256(data).hexdigest()
def take(c):
    data = b''
    while len(data) < ${size}:
        part = c.recv(1 << 20)
        if not part: break
        data += part
    return hashlib.sha256(data).hexdigest()
`;
const server = `${common}
l = socket.create_server(('10.9.1.1', 80))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
u.bind(('10.9.1.1', 80))
print('ready', flush=True)
c, _ = l.accept()
print(take(c), give(c, 2), flush=True)
print(*[len(u.recv(2000)) for i in range(100)], flush=True)
`;
const client = `${common}
c = socket.create_connection(('10.9.1.1', 80))
print(give(c, 1), take(c), flush=True)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.setsockopt(socket.IPPROTO_UDP, 103, ${datagramSize}) # UDP_SEGMENT
for i in range(5): u.sendto(bytes(20 * ${datagramSize}), ('10.9.1.1', 80))
`;

function python(script: string, ...before: string[]): { child: ChildProcess; text: () => string; ended: () => boolean } {
  const [file, ...args] = [...before, '/usr/bin/python3', '-u', '-c', script];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  let isClosed = false; // it has ended, and all that it printed is here
  child.once('close', () => {
    isClosed = true;
  });
  return { child, text: () => text, ended: () => isClosed };
}

/** Packets that the kernel gave to and took from a device here; a superpacket is one. */
function counts(name: string): { received: number; sent: number } {
  const line = readFileSync('/proc/thread-self/net/dev', 'utf8')
    .split('\n')
    .find((text) => text.trim().startsWith(`${name}:`));
  const numbers = line?.split(':')[1].trim().split(/\s+/).map(Number) ?? [];
  return { received: numbers[1], sent: numbers[9] };
}

t.test(native.kind, async (t) => {
  command('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'gws1.pcap');
  const fds = Int32Array.of(native.tunOpen('gws0', false, true), native.tunOpen('gws1', false, false));
  t.teardown(() => {
    for (const fd of fds) native.fdClose(fd);
  });
  const apart = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec sleep 300'], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => apart.kill('SIGKILL'));
  await new Promise((resolve) => apart.stdout.once('data', resolve));
  const inside = ['nsenter', '-t', String(apart.pid), '-n'];
  ip('link', 'set', 'gws1', 'netns', String(apart.pid));
  command(...inside, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
  command(...inside, 'sh', '-c', 'ip addr add 10.9.1.1/24 dev gws1; ip link set gws1 txqueuelen 4000 up; ip route add default dev gws1');
  ip('addr', 'add', '10.9.0.1/24', 'dev', 'gws0');
  ip('link', 'set', 'gws0', 'txqueuelen', '4000', 'up');
  ip('route', 'add', 'default', 'dev', 'gws0');
  // In immediate mode a slot of the kernel's ring is as long as the snap length: 2048 makes room for all.
  const dumping = ['tcpdump', '-Z', 'root', '-U', '--immediate-mode', '-B', '65536', '-s', '2048', '-n', '-i', 'gws1', '-w', file];
  const [program, ...args] = [...inside, ...dumping];
  const dump = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  process.on('exit', () => dump.kill('SIGKILL'));
  await new Promise((resolve) => dump.stderr.once('data', resolve));

  const there = python(server, ...inside);
  while (!there.text().startsWith('ready')) await turn();
  const here = python(client);
  const crossed = [0, 0];
  const faults = new Set<string>();
  const deadline = performance.now() + 30_000;
  while (!(there.ended() && here.ended()) && performance.now() < deadline) {
    native.poll(fds, 2, 10, ready);
    for (const from of [0, 1]) {
      if (ready[from] === 0) continue;
      const count = native.rx(fds[from], pool, offsets, lengths, slots, slotBytes);
      for (let i = 0; i < count; i++) faults.add(fault(pool.subarray(offsets[i], offsets[i] + lengths[i])));
      crossed[from] += count;
      if (native.tx(fds[1 - from], pool, offsets, lengths, count, results) !== count) faults.add('not all sent');
    }
    await turn();
  }
  t.strictSame([...faults], [''], 'every datagram that rx gave is right');
  const [gave, took] = here.text().trim().split(' ');
  const [, stream, datagrams] = there.text().trim().split('\n');
  t.equal(stream, `${gave} ${took}`, 'both ends saw the same bytes');
  t.equal(datagrams, Array(100).fill(datagramSize).join(' '), 'UDP');
  const { received, sent } = counts('gws0');
  t.ok(sent < crossed[0] / 2, `the kernel gave ${sent} packets, rx made ${crossed[0]} of them`);
  t.ok(received < crossed[1], `tx made ${received} packets of ${crossed[1]}`);

  await new Promise((resolve) => setTimeout(resolve, 300));
  let said = '';
  dump.stderr.on('data', (part) => {
    said += part;
  });
  dump.kill('SIGINT');
  await new Promise((resolve) => dump.once('close', resolve));
  apart.kill('SIGKILL');
  t.match(said, /\n0 packets dropped by kernel/, 'the capture is whole');
  const checks = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
  const good = 'ip.checksum.status == 1 && (tcp.checksum.status == 1 || udp.checksum.status == 1)';
  const show = (filter: string) => command('tshark', '-n', '-r', file, ...checks, '-Y', filter).split('\n').length - 1;
  t.ok(show('ip.src == 10.9.0.1') >= 100 + size / 1448, 'tshark saw what we wrote');
  t.equal(show(`!(${good})`), 0, 'tshark finds every checksum right');
});
