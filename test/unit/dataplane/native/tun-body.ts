// Runs inside its own network namespace (tun.test.ts): a TUN device against the kernel's own IP stack, for the implementation that
// GROUPWIRE_NATIVE selects. The kernel is 10.9.0.1, we are 10.9.0.2.

import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { loadNative } from '../../../../dataplane/native/native.js';
import { pings } from '../../../support/ping.js';

const native = loadNative();
const slotBytes = 2048;
const pool = new Uint8Array(new SharedArrayBuffer(8 * slotBytes));
const offsets = Int32Array.from({ length: 8 }, (_, i) => i * slotBytes);
const lengths = new Int32Array(8);
const results = new Int32Array(8);
const ready = new Int32Array(1);

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** Opens a device with the kernel's end up. IPv6 is off, so that nothing but the tests' packets is sent. */
function openUp(name: string): number {
  const fd = native.tunOpen(name, false, false);
  spawnSync('sysctl', ['-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
  ip('addr', 'add', '10.9.0.1/24', 'dev', name);
  ip('link', 'set', name, 'up');
  return fd;
}

function close(fd: number): void {
  native.fdClose(fd);
}

function ping(...args: string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn('ping', [...args, '10.9.0.2']);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (status) => resolve({ status, output }));
  });
}

function checksum(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** An echo request from us to the kernel. */
function echoRequest(sequence: number): Uint8Array {
  const packet = new Uint8Array(32);
  packet.set([0x45, 0, 0, 32, 0, 0, 0, 0, 64, 1, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1, 8, 0, 0, 0, 0x12, 0x34, 0, sequence, 1, 2, 3, 4]);
  const header = checksum(packet, 0, 20);
  packet.set([header >> 8, header & 0xff], 10);
  const icmp = checksum(packet, 20, 32);
  packet.set([icmp >> 8, icmp & 0xff], 22);
  return packet;
}

/** Puts packets into the pool's slots and writes them. @returns how many were sent */
function send(fd: number, ...packets: Uint8Array[]): number {
  for (const [i, packet] of packets.entries()) {
    pool.set(packet, offsets[i]);
    lengths[i] = packet.length;
  }
  results.fill(-7);
  return native.tx(fd, pool, offsets, lengths, packets.length, results);
}

t.test('we ping the kernel: a batch out, a batch in', (t) => {
  const fd = openUp('gwt0');
  t.teardown(() => close(fd));
  t.equal(native.poll(Int32Array.of(fd), 1, 0, ready), 0, 'nothing waits at first');
  t.equal(native.rx(fd, pool, offsets, lengths, 8, slotBytes), 0, 'rx reads nothing');
  t.equal(send(fd, ...[1, 2, 3, 4, 5].map(echoRequest)), 5);
  t.same([...results], [0, 0, 0, 0, 0, -7, -7, -7], 'five sent, the rest untouched');
  t.equal(native.poll(Int32Array.of(fd), 1, 5000, ready), 1);
  t.equal(native.rx(fd, pool, offsets, lengths, 3, slotBytes), 3, 'count bounds a read');
  const first = [0, 1, 2].map((i) => [...pool.slice(offsets[i] + 12, offsets[i] + 28)]);
  t.equal(native.rx(fd, pool, offsets, lengths, 8, slotBytes), 2, 'the rest');
  const all = [...first, ...[0, 1].map((i) => [...pool.slice(offsets[i] + 12, offsets[i] + 28)])];
  for (const [i, bytes] of all.entries()) {
    t.same(bytes.slice(0, 9), [10, 9, 0, 1, 10, 9, 0, 2, 0], `reply ${i + 1} is an echo reply from the kernel`);
    t.equal(bytes[15], i + 1, 'in order');
  }
  t.same([...lengths.slice(0, 2)], [32, 32]);
  t.end();
});

t.test('the kernel pings us: a worker answers on the descriptor that this thread opened', async (t) => {
  const fd = openUp('gwt1');
  t.teardown(() => close(fd));
  const wake = native.wakeOpen();
  t.teardown(() => close(wake));
  const worker = new Worker(new URL('./tun-answer.js', import.meta.url), { workerData: { tun: fd, wake } });
  const answered = new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  const { status, output } = await ping(...pings(20), '-s', '1000');
  native.wakeSignal(wake);
  t.equal(status, 0, output);
  t.match(output, '20 received', output);
  t.equal(await answered, 20);
});

t.test('a datagram longer than maxLength is cut and says so; the next slot stays', async (t) => {
  const fd = openUp('gwt2');
  t.teardown(() => close(fd));
  for (const [size, maxLength, seen] of [
    [400, 100, 101],
    [72, 100, 100],
    [73, 100, 101],
    [71, 100, 99],
  ]) {
    // On a busy machine the kernel switches a new device's queue on late, and drops what is sent before: again until one comes.
    let read = 0;
    for (let tries = 0; tries < 25 && read === 0; tries++) {
      pool.fill(0xee);
      await ping('-c', '1', '-s', String(size), '-W', '0.2');
      read = native.rx(fd, pool, Int32Array.of(0, 100), lengths, 2, maxLength);
    }
    t.equal(read, 1);
    t.equal(lengths[0], seen, `a datagram of ${size + 28} bytes`);
    t.equal(pool[0], 0x45);
    t.same([...pool.slice(100, 104)], [0xee, 0xee, 0xee, 0xee], 'beyond maxLength nothing is written');
  }
});

t.test('a packet that the kernel refuses fails alone', (t) => {
  const fd = openUp('gwt3');
  t.teardown(() => close(fd));
  t.equal(send(fd, echoRequest(1), new Uint8Array(20), echoRequest(2)), 2);
  t.same([...results.slice(0, 3)], [0, constants.errno.EINVAL, 0], 'version 0 is refused');
  t.equal(native.poll(Int32Array.of(fd), 1, 5000, ready), 1);
  t.equal(native.rx(fd, pool, offsets, lengths, 8, slotBytes), 2, 'both good ones are answered');
  ip('link', 'set', 'gwt3', 'down');
  t.equal(send(fd, echoRequest(1)), 0);
  t.equal(results[0], constants.errno.EIO, 'the device is down');
  t.end();
});

t.test('a device that was deleted is gone', (t) => {
  const fd = openUp('gwt4');
  t.teardown(() => close(fd));
  ip('link', 'del', 'gwt4');
  t.equal(native.poll(Int32Array.of(fd), 1, 5000, ready), 1, 'poll returns');
  t.equal(ready[0], 1);
  t.equal(native.rx(fd, pool, offsets, lengths, 8, slotBytes), -1);
  t.equal(send(fd, echoRequest(1)), 0);
  t.not(results[0], 0, 'tx fails');
  t.end();
});

t.test('queues: one device, several descriptors; without them a second open is refused', (t) => {
  const fds = [native.tunOpen('gwt5', true, false), native.tunOpen('gwt5', true, false)];
  t.not(fds[0], fds[1]);
  t.throws(() => native.tunOpen('gwt5', false, false), { code: 'EINVAL', message: /^gwt5: / }, 'not the same kind');
  const single = native.tunOpen('gwt6', false, false);
  t.throws(() => native.tunOpen('gwt6', false, false), { code: 'EBUSY', message: /^gwt6: .*: another process uses this device$/ });
  t.equal(spawnSync('ip', ['link', 'show', 'gwt5']).status, 0, 'the device is there');
  for (const fd of [...fds, single]) close(fd);
  t.not(spawnSync('ip', ['link', 'show', 'gwt5']).status, 0, 'closing the last descriptor removes the device');
  t.not(spawnSync('ip', ['link', 'show', 'gwt6']).status, 0);
  t.end();
});

t.test('names', (t) => {
  for (const name of ['', 'sixteen-letters!', 'a234567890123456', 'a b', 'a/b', 'tun%d', 'a\0b', 'a:b', 'ä']) {
    t.throws(() => native.tunOpen(name, false, false), RangeError, JSON.stringify(name));
  }
  t.throws(() => native.tunOpen(7 as never, false, false), TypeError);
  t.throws(() => native.tunOpen('gwt7', 1 as never, false), TypeError);
  t.throws(() => native.tunOpen('gwt7', false, 1 as never), TypeError);
  const fd = native.tunOpen('a23456789012345', false, false);
  t.equal(spawnSync('ip', ['link', 'show', 'a23456789012345']).status, 0, '15 bytes');
  close(fd);
  t.throws(() => native.fdClose(fd), { code: 'EBADF' }, 'closing twice');
  t.end();
});

t.test('without the right, the error says what to do', (t) => {
  const module = new URL('../../../../dataplane/native/native.js', import.meta.url);
  const script = `const native = (await import('${module}')).loadNative();
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    try { native.tunOpen('gwt8', false, false); } catch (error) { console.log(error.code, error.message); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.match(
    stdout,
    /^(EACCES|EPERM) (\/dev\/net\/tun|gwt8): (permission denied|operation not permitted): run as root or grant CAP_NET_ADMIN\n$/,
    stderr,
  );
  t.end();
});

t.test('arguments that do not fit throw before a packet moves', (t) => {
  const fd = openUp('gwt9');
  t.teardown(() => close(fd));
  send(fd, echoRequest(1));
  t.equal(native.poll(Int32Array.of(fd), 1, 5000, ready), 1);
  const small = new Uint8Array(100);
  const one = Int32Array.of(0);
  const rx = (offset: number, count: number, maxLength: number) => () => native.rx(fd, small, Int32Array.of(offset), one, count, maxLength);
  for (const [label, call] of [
    ['offset -1', rx(-1, 1, 50)],
    ['one byte beyond', rx(51, 1, 50)],
    ['maxLength beyond', rx(0, 1, 101)],
    ['maxLength 0', rx(0, 1, 0)],
    ['maxLength 65536', rx(0, 1, 65536)],
    ['count beyond offsets', rx(0, 2, 50)],
    ['count -1', rx(0, -1, 50)],
  ] as const) {
    t.throws(call, RangeError, `rx: ${label}`);
  }
  t.equal(native.rx(fd, small, Int32Array.of(50), one, 1, 50), 1, 'the packet is still there, and an exact fit is right');
  const tx = (offset: number, length: number, count: number) => () =>
    native.tx(fd, small, Int32Array.of(offset), Int32Array.of(length), count, new Int32Array(1));
  for (const [label, call] of [
    ['offset -1', tx(-1, 20, 1)],
    ['one byte beyond', tx(81, 20, 1)],
    ['length 0', tx(0, 0, 1)],
    ['length -1', tx(50, -1, 1)],
    ['overflow', tx(0x7fffffff, 0x7fffffff, 1)],
    ['count beyond offsets', tx(0, 20, 2)],
  ] as const) {
    t.throws(call, RangeError, `tx: ${label}`);
  }
  t.throws(() => native.rx(fd, one as never, one, one, 1, 4), TypeError, 'rx: pool of words');
  t.throws(() => native.tx(fd, small, [0] as never, one, 1, one), TypeError, 'tx: an array');
  t.throws(() => native.rx(-1, small, one, one, 1, 4), RangeError, 'rx: fd -1');
  t.end();
});
