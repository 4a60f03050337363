// Runs inside its own network namespace (twin-superpackets.test.ts): the kernel as judge of what is gathered and cut.
//
//   tx --> in (10.1.0.254/24) --> the kernel forwards --> out (10.2.0.254/24) --> rx
//
// The kernel takes a superpacket only when its header makes sense, and carries it on whole to a device with offloads, where rx cuts it;
// for a device without, the kernel cuts it. Either way the datagrams must be those that tx was given, a hop older.

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import t from 'tap';
import type { Native } from '../../../../dataplane/native/native.js';
import { fixHeader, sumOf } from '../../../path/packets.js';
import { batches, buildBatch, forwardable, text } from '../../../property/dataplane/native/streams.js';
import { bothNatives, toHex } from './both.js';

const natives = bothNatives();
const count = 64;
const slotBytes = 2048;
const pool = new Uint8Array(new SharedArrayBuffer(count * slotBytes));
const offsets = Int32Array.from({ length: count }, (_, i) => i * slotBytes);
const lengths = new Int32Array(count);
const results = new Int32Array(count);

function sh(line: string): void {
  const { status, stderr } = spawnSync('sh', ['-ec', line], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
}

function openUp(native: Native, name: string, address: string, offloads: boolean): number {
  const fd = native.tunOpen(name, false, offloads);
  sh(`sysctl -qw net.ipv6.conf.${name}.disable_ipv6=1 net.ipv4.conf.${name}.rp_filter=0; ip link set ${name} mtu 2000 up
    ip address add ${address} dev ${name}`);
  return fd;
}

/** Reads until `wanted` datagrams came or nothing comes any more. @param most datagrams a call */
function receive(native: Native, fd: number, wanted: number, most: number): Uint8Array[] {
  const seen: Uint8Array[] = [];
  while (seen.length < wanted && native.poll(Int32Array.of(fd), 1, 2000, new Int32Array(1)) > 0) {
    const got = native.rx(fd, pool, offsets, lengths, most, slotBytes);
    if (got <= 0) break;
    for (let i = 0; i < got; i++) seen.push(pool.slice(offsets[i], offsets[i] + lengths[i]));
  }
  return seen;
}

function send(native: Native, fd: number, datagrams: readonly Uint8Array[]): number {
  for (const [i, datagram] of datagrams.entries()) {
    pool.set(datagram, offsets[i]);
    lengths[i] = datagram.length;
  }
  return native.tx(fd, pool, offsets, lengths, datagrams.length, results.fill(-7));
}

/** One string per flow, its datagrams in order; Identification only where DF is not set (RFC 6864 §4.1). */
function flowsOf(datagrams: readonly Uint8Array[]): string[] {
  const flows = new Map<string, string>();
  for (const datagram of datagrams) {
    const copy = datagram.slice();
    if (sumOf(copy.subarray(0, 20)) !== 0)
      copy[0] = 0; // a wrong header checksum must show
    else if ((copy[6] & 0x40) !== 0) fixHeader(copy.fill(0, 4, 6));
    const key = toHex(copy.subarray(9, 10)) + toHex(copy.subarray(12, 24));
    flows.set(key, `${flows.get(key) ?? ''}\n${toHex(copy)}`);
  }
  return [...flows.entries()].map((entry) => entry.join()).sort();
}

function older(datagram: Uint8Array): Uint8Array {
  const copy = datagram.slice();
  copy[8]--;
  return fixHeader(copy);
}

sh('ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0');
const samples = fc.sample(batches(24, forwardable), 40).map(buildBatch);

for (const writer of natives) {
  for (const reader of natives) {
    for (const offloads of [true, false]) {
      const cutter = offloads ? `${reader.kind} cuts` : `the kernel cuts, ${reader.kind} reads`;
      t.test(`${writer.kind} gathers, ${cutter}`, (t) => {
        const fds = [openUp(writer, 'in', '10.1.0.254/24', true), openUp(reader, 'out', '10.2.0.254/24', offloads)];
        t.teardown(() => [writer.fdClose(fds[0]), reader.fdClose(fds[1])]);
        for (const [number, datagrams] of samples.entries()) {
          if (send(writer, fds[0], datagrams) !== datagrams.length) throw new Error(`results ${results}`);
          // Few datagrams a call: then superpackets go on with the next.
          const seen = flowsOf(receive(reader, fds[1], datagrams.length, number % 2 === 0 ? count : 3));
          const wanted = flowsOf(datagrams.map(older));
          if (seen.join() !== wanted.join()) throw new Error(`batch ${number}: sent ${wanted}\nreceived ${seen}`);
        }
        t.pass();
        t.end();
      });
    }
  }
}

t.test('a superpacket counts as one write', (t) => {
  for (const native of natives) {
    const fds = [openUp(native, 'in', '10.1.0.254/24', true), openUp(native, 'out', '10.2.0.254/24', true)];
    const run = buildBatch(Array.from({ length: 30 }, (_, i) => ({ flow: i % 2, twist: '' as const, delta: 0 })));
    t.equal(send(native, fds[0], run), 30);
    t.equal(receive(native, fds[1], 30, count).length, 30);
    const [link] = JSON.parse(spawnSync('ip', ['-s', '-j', 'link', 'show', 'in'], { encoding: 'utf8' }).stdout);
    t.equal(link.stats64.rx.packets, 2, `${native.kind}: one of TCP, one of UDP`);
    for (const fd of fds) native.fdClose(fd);
  }
  t.end();
});

t.test('checksums that the kernel leaves to its device are completed', async (t) => {
  for (const native of natives) {
    const fd = openUp(native, 'out', '10.2.0.254/24', true);
    const socket = createSocket('udp4');
    const data = text(9, 999);
    await new Promise((resolve) => socket.send(data, 9, '10.2.0.1', resolve));
    const [datagram] = receive(native, fd, 1, count);
    socket.close();
    t.equal(datagram?.length, 1027, native.kind);
    const pseudo = Uint8Array.of(...datagram.subarray(12, 20), 0, 17, ...datagram.subarray(24, 26), ...datagram.subarray(20));
    t.equal(sumOf(pseudo), 0);
    native.fdClose(fd);
  }
});

t.test('a remainder does not outlive its descriptor', (t) => {
  for (const native of natives) {
    const fds = [openUp(native, 'in', '10.1.0.254/24', true), openUp(native, 'out', '10.2.0.254/24', true)];
    send(native, fds[0], buildBatch(Array.from({ length: 9 }, () => ({ flow: 0, twist: '' as const, delta: 0 }))));
    t.equal(receive(native, fds[1], 2, 2).length, 2);
    const ready = new Int32Array(1);
    t.equal(native.poll(Int32Array.of(fds[1]), 1, 0, ready), 1, `${native.kind}: the rest is ready`);
    for (const fd of fds) native.fdClose(fd);
    const again = openUp(native, 'out', '10.2.0.254/24', true);
    t.equal(again, fds[0], 'the kernel gives the lowest number');
    const other = openUp(native, 'in', '10.1.0.254/24', true);
    t.equal(native.poll(Int32Array.of(again, other), 2, 0, new Int32Array(2)), 0, 'nothing waits');
    native.fdClose(again);
    native.fdClose(other);
  }
  t.end();
});

t.test('what needs the addon says so', (t) => {
  const twin = natives[1];
  const none = new Int32Array(0);
  for (const call of [
    () => twin.tunSteer(0, 2),
    () => twin.rawOpen('lo', 0, 0, 1),
    () => twin.packetOpen('lo', none, 0, 0, 1, true),
    () => twin.packetFilter(0, none, 0, 0, 1),
    () => twin.xdpOpen('lo', 0),
  ]) {
    t.throws(call, { code: 'ENOTSUP', message: /needs the addon \(make build\)/ });
  }
  t.end();
});
