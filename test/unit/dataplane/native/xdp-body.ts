// Runs inside its own network namespace (xdp.test.ts): the xdp driver against scapy at both ends of a veth pair.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { isTaken, randomFrames, takenOf } from './random-frames.js';
import { datagramOf, ip, makePair, native, ourMac, rxAll, rxCount, rxOnce, Station, sleep, tx } from './station.js';

const host = await makePair('numrxqueues', '2', 'numtxqueues', '2');
host.command('ethtool', '-K', 'host0', 'txvlan', 'off');
host.command('ethtool', '-L', 'host0', 'tx', '1');
const kernel = await Station.start('gw0', false);
const { errno } = constants;
const ready = new Int32Array(1);

/** 100 batches of 64 datagrams of 120 bytes; behind the IPv4 header the descriptor and a number. What a full ring refused is not counted. */
const sendingThread = `
const { parentPort, workerData: { module, by } } = require('node:worker_threads');
import(module).then(({ loadNative }) => {
  const native = loadNative();
  const pool = new Uint8Array(64 * 256), view = new DataView(pool.buffer);
  const offsets = Int32Array.from({ length: 64 }, (_, i) => i * 256 + 64), lengths = new Int32Array(64).fill(120), results = new Int32Array(64);
  let sent = 0;
  for (let round = 0; round < 100; round++) {
    for (const [i, at] of offsets.entries()) {
      pool.set(Buffer.from('0200000000020200000000010800' + '45000078000000004032' + '0000' + '0a0900010a090002', 'hex'), at - 14);
      view.setInt32(at + 20, by);
      view.setInt32(at + 24, round * 64 + i);
    }
    sent += native.tx(by, pool, offsets, lengths, 64, results);
  }
  parentPort.postMessage(sent);
});
`;

/** Datagrams made by scapy. */
async function datagrams(expression: string): Promise<string[]> {
  return (await host.run(`result = [bytes(packet).hex() for packet in ${expression}]`)) as string[];
}

function esp(id: number, dst = '10.9.0.1'): string {
  return `Ether(dst='${ourMac}')/IP(src='10.9.0.2', dst='${dst}', id=${id})/ESP(spi=1, seq=${id})`;
}

/** 500 frames that differ in their last bytes: scapy is too slow to make as many. */
function numbered(first: number): string {
  return `(lambda base: [base + struct.pack('!I', i) for i in range(${first}, ${first + 500})])(bytes(${esp(7)}/bytes(4))[:-4])`;
}

function attached(): { id?: number; mode?: number } {
  const [link] = JSON.parse(ip('-d', '-j', 'link', 'show', 'gw0')) as { xdp?: { mode: number; prog: { id: number } } }[];
  return link.xdp === undefined ? {} : { id: link.xdp.prog.id, mode: link.xdp.mode };
}

t.teardown(async () => {
  await kernel.end();
  await host.end();
});

t.test('ESP is taken from the kernel, fragments too, everything else is left to it', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  t.equal(native.poll(Int32Array.of(fd), 1, 0, ready), 0, 'nothing waits at first');
  t.same(rxOnce(fd)?.lengths, []);
  await kernel.listen();
  const left = [
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP()/b'udp'`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=51)/bytes(40)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, ihl=4)/bytes(64)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, version=5)/bytes(64)`,
    `Ether(dst='${ourMac}', type=0x0801)/IP(dst='10.9.0.1', proto=50)/bytes(64)`,
    `Ether(dst='${ourMac}')/Dot1Q(vlan=7)/IP(dst='10.9.0.1', proto=50)/bytes(64)`,
    `Ether(dst='${ourMac}')/IPv6(dst='2001:db8::1', nh=50)/bytes(64)`,
    `Ether(dst='02:00:00:00:00:09')/IP(dst='10.9.0.1', proto=50)/bytes(64)`,
    `Ether(dst='03:00:00:00:00:01')/IP(dst='10.9.0.1', proto=50)/bytes(64)`,
    `Ether(dst='ff:ff:ff:ff:ff:ff')/IP(dst='10.9.0.1', proto=50)/bytes(64)`,
    `Ether(dst='${ourMac}')/Raw(bytes([69]) + bytes(18))`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP(sport=4500, dport=4500)/bytes(40)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP(sport=4500, dport=4500)/b'\\xff'`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP(sport=4500, dport=4500)/b'abc'`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP(sport=4500, dport=4501)/(b'a' * 40)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', options=[IPOption_NOP()] * 4)/UDP(sport=4500, dport=4500)/(b'a' * 40)`,
  ];
  const taken = [
    esp(1),
    esp(2, '192.0.2.1'),
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, flags='DF')/bytes(1480)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, options=[IPOption_NOP()] * 40)/bytes(40)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, flags='MF')/bytes(64)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, frag=8)/bytes(64)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50, frag=4096)/bytes(64)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50)/b'short'/Padding(bytes(21))`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP(sport=33000, dport=4500, chksum=0)/ESP(spi=1, seq=1, data=bytes(40))`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.2', flags='DF')/UDP(sport=4500, dport=4500)/ESP(spi=0xff000000, seq=1, data=bytes(1400))`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/UDP(sport=4500, dport=4500)/b'1234'`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.1', flags='MF')/UDP(sport=4500, dport=4500)/(b'a' * 40)`,
    `Ether(dst='${ourMac}')/IP(dst='10.9.0.9', proto=17, frag=8)/bytes(64)`,
  ];
  const leftFrames = await host.send(`[${left.join(', ')}]`);
  const takenFrames = await host.send(`[${taken.join(', ')}]`);
  t.same(rxCount(fd, taken.length), takenFrames.map(datagramOf), 'each once, without padding');
  const snippet =
    'result = [tap.recv(2000).hex() for i in range(count)]\ntap.settimeout(0.2)\ntry: result.append(tap.recv(2000).hex())\nexcept TimeoutError: pass';
  const seen = (await kernel.run(snippet, { count: left.length })) as string[];
  const withoutTag = (frame: string) => (frame.slice(24, 28) === '8100' ? frame.slice(0, 24) + frame.slice(32) : frame);
  t.same(seen.map(withoutTag), leftFrames.map(withoutTag), 'the kernel sees the others and only those');
});

t.test('random frames: the program is the rule', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  for (let seed = 0; seed < 8; seed++) {
    const frames = randomFrames(seed, 500);
    const taken = frames.filter(isTaken);
    await host.sendHex(frames);
    t.same(rxCount(fd, taken.length), taken.map(takenOf), `seed ${seed}: ${taken.length} of ${frames.length}`);
  }
});

t.test('slots: a read of any size, a datagram longer than the slot, and nothing behind it', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  const sent = await host.send(`[Ether(dst='${ourMac}')/IP(dst='10.9.0.1', id=i + 1)/ESP(data=bytes(i)) for i in range(100)]`);
  t.same(rxAll(fd, 7), sent.map(datagramOf));
  await host.send(`[Ether(dst='${ourMac}')/IP(dst='10.9.0.1')/ESP(data=bytes(n - 28)) for n in (99, 100, 101, 400)]`);
  native.poll(Int32Array.of(fd), 1, 10_000, ready);
  t.same(rxOnce(fd, 8, 100)?.lengths, [99, 100, 101, 101]);
});

t.test('more than the rings hold, in both directions', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  for (let round = 0; round < 12; round++) {
    const sent = await host.send(numbered(round * 500));
    t.same(rxCount(fd, 500, 512), sent.map(datagramOf), `received: round ${round}`);
    const out = sent.map(datagramOf);
    t.same(tx(fd, out), { sent: 500, results: out.map(() => 0) });
    t.same((await host.receive(500)).map(datagramOf), out, `sent: round ${round}`);
  }
});

t.test('more than fits comes, then as before', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  const count = Number(await host.run(`frame = bytes(${esp(1)})\nfor i in range(6000): tap.send(frame)\nresult = 6000`));
  await sleep(50);
  const got = rxAll(fd);
  t.ok(got.length >= 1024 && got.length < count, `${got.length} of ${count}`);
  for (let round = 0; round < 6; round++) {
    const sent = await host.send(numbered(round * 500));
    t.same(rxCount(fd, 500), sent.map(datagramOf), 'every chunk is there again');
  }
});

t.test('datagrams leave behind their Ethernet header, byte for byte', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const out = await datagrams(
    `[IP(src='10.1.%d.1' % (i & 255), dst='10.7.0.1', id=i + 1)/ESP(seq=i)/bytes(i * 3 % 1472) for i in range(512)]`,
  );
  t.same(tx(fd, out), { sent: 512, results: out.map(() => 0) });
  const frames = await host.receive(512);
  t.same(frames.map(datagramOf), out);
  t.ok(
    frames.every((frame) => frame.startsWith('0200000000020200000000010800')),
    'Ethernet header',
  );
  const long = Buffer.alloc(2048 - 14 + 1, 0x45).toString('hex');
  t.same(tx(fd, [out[0], long.slice(2), long, out[1]]).results, [0, 0, errno.EMSGSIZE, 0], 'a frame fits a chunk or not');
});

t.test('two threads send by one queue: each datagram once, in the order of its thread', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  const sender = native.xdpSender(fd);
  t.teardown(() => native.fdClose(sender));
  t.throws(() => native.xdpSender(sender), RangeError, 'a sender has no sender');
  t.equal(native.rx(sender, new Uint8Array(9), new Int32Array(1), new Int32Array(1), 1, 9), 0);
  await host.listen();
  const module = new URL('../../../../dataplane/native/native.js', import.meta.url).href;
  const threads = [fd, sender].map((by) => new Worker(sendingThread, { eval: true, workerData: { module, by } }));
  const sent = await Promise.all(threads.map((thread) => once(thread, 'message').then(([count]) => count as number)));
  native.fdClose(fd);
  t.ok(Math.min(...sent) > 5000, `${sent} of 6400 each`);
  const frames = await host.receive(sent[0] + sent[1]);
  for (const [i, by] of [fd, sender].entries()) {
    const numbers = frames
      .filter((frame) => Number.parseInt(frame.slice(68, 76), 16) === by)
      .map((frame) => Number.parseInt(frame.slice(76, 84), 16));
    t.equal(numbers.length, sent[i]);
    t.same(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
    );
  }
  // The socket lives on in what still sends, and its queue is nobody's.
  const [out] = await datagrams("[IP(dst='10.7.0.1')/ESP()/b'after']");
  t.equal(tx(sender, [out]).sent, 1);
  t.same((await host.receive(1)).map(datagramOf), [out]);
  t.same(attached(), {}, 'what comes goes to the kernel');
});

t.test('without a carrier and down: dropped, and nothing is stuck afterwards', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  t.teardown(() => native.fdClose(fd));
  const out = await datagrams(`[IP(dst='10.7.0.1', id=i + 1)/ESP(seq=i) for i in range(512)]`);
  host.command('ip', 'link', 'set', 'host0', 'down');
  for (let round = 0; round < 5; round++) t.equal(tx(fd, out).sent, 512, 'no carrier: the netdev drops them');
  host.command('ip', 'link', 'set', 'host0', 'up');
  ip('link', 'set', 'gw0', 'down');
  tx(fd, out);
  const { sent, results } = tx(fd, out);
  t.same([sent, results[0], results[511]], [0, errno.ENETDOWN, errno.ENETDOWN]);
  t.same(rxOnce(fd)?.lengths, [], 'down is not gone');
  ip('link', 'set', 'gw0', 'up');
  await host.listen();
  for (let round = 0; round < 5; round++) t.equal(tx(fd, out).sent, 512);
  t.same((await host.receive(2560)).slice(-512).map(datagramOf), out);
  const [frame] = await host.send(`[${esp(3)}]`);
  t.same(rxCount(fd, 1), [datagramOf(frame)]);
});

t.test('two queues share a program, which goes with the last; a queue without socket is left to the kernel', async (t) => {
  host.command('ethtool', '-L', 'host0', 'tx', '2');
  t.same(attached(), {}, 'none is left from before');
  t.throws(() => native.xdpOpen('gw0', 2), { code: 'EINVAL', message: /no such queue/ });
  t.same(attached(), {}, 'nor of an open that failed');
  const fds = [native.xdpOpen('gw0', 0)];
  const { id } = attached();
  t.ok(id);
  t.throws(() => native.xdpOpen('gw0', 0), { code: 'EBUSY' }, 'the queue is taken');
  await kernel.listen();
  const flows = `[Ether(dst='${ourMac}')/IP(src='10.9.%d.2' % i, dst='10.9.0.1', id=i + 1)/ESP(spi=i + 1) for i in range(100)]`;
  const sent = (await host.send(flows)).map(datagramOf);
  const first = rxAll(fds[0]);
  t.ok(first.length > 0 && first.length < 100, `${first.length} of 100 came to queue 0`);
  const passed = (await kernel.receive(100 - first.length)).map(datagramOf);
  t.same([...first, ...passed].sort(), [...sent].sort(), 'the others to the kernel');
  fds.push(native.xdpOpen('gw0', 1));
  t.equal(attached().id, id, 'the same program');
  await host.send(flows);
  t.same([...rxAll(fds[0]), ...rxAll(fds[1])].sort(), [...sent].sort(), 'both queues');
  native.fdClose(fds[0]);
  t.equal(attached().id, id);
  native.fdClose(fds[1]);
  t.same(attached(), {});
  host.command('ethtool', '-L', 'host0', 'tx', '1');
});

t.test('closing, and opening in vain, leave nothing behind', (t) => {
  const left = () => [
    readdirSync('/proc/self/fd').length,
    readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => line.includes('socket:')).length,
  ];
  const before = left();
  for (let round = 0; round < 5; round++) {
    const own = Int32Array.of(1);
    const fds = [native.rawOpen('gw0', 0, 0, 1), native.packetOpen('gw0', own, 1, 0, 1, true), native.xdpOpen('gw0', 0)];
    t.equal(left()[0], before[0] + 7, 'two of raw, two of packet, three of xdp');
    for (const fd of fds) native.fdClose(fd);
    t.throws(() => native.xdpOpen('gw0', 5));
    t.throws(() => native.packetOpen('lo', own, 1, 0, 1, true));
    t.throws(() => native.rawOpen('nosuch0', 0, 0, 1));
    t.same(left(), before);
  }
  t.end();
});

t.test('a killed process leaves no program', async (t) => {
  const module = new URL('../../../../dataplane/native/native.js', import.meta.url);
  const script = `const native = (await import('${module}')).loadNative(); native.xdpOpen('gw0', 0); console.log('open'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  t.ok(attached().id);
  t.throws(() => native.xdpOpen('gw0', 0), { code: 'EBUSY', message: /^gw0: / });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  for (let tries = 0; attached().id !== undefined && tries < 100; tries++) await sleep(20);
  t.same(attached(), {});
});

t.test('frames too large for the native mode: generic mode, larger chunks', async (t) => {
  for (const [mtu, mode] of [
    [1778, 1],
    [1779, 1],
    [3826, 2], // XDP_ATTACHED_SKB: veth's native mode takes a page at most
  ]) {
    ip('link', 'set', 'gw0', 'mtu', String(mtu));
    host.command('ip', 'link', 'set', 'host0', 'mtu', String(mtu));
    const fd = native.xdpOpen('gw0', 0);
    await host.listen();
    const [frame] = await host.send(`[Ether(dst='${ourMac}')/IP(dst='10.9.0.1', proto=50)/bytes(${mtu - 20})]`);
    native.poll(Int32Array.of(fd), 1, 10_000, ready);
    t.same(rxOnce(fd, 1, 1000)?.lengths, [1001], `MTU ${mtu}`);
    t.equal(attached().mode, mode);
    const out = datagramOf(frame).slice(0, 3000);
    t.equal(tx(fd, [out]).sent, 1);
    t.same((await host.run('result = tap.recv(5000).hex()[28:]')) as string, out);
    native.fdClose(fd);
  }
  ip('link', 'set', 'gw0', 'mtu', '3827');
  t.throws(() => native.xdpOpen('gw0', 0), { code: 'EMSGSIZE', message: /MTU to 3826/ });
  ip('link', 'set', 'gw0', 'mtu', '1500');
});

t.test('gone', async (t) => {
  const fd = native.xdpOpen('gw0', 0);
  const [out] = await datagrams("[IP(dst='10.7.0.1')/ESP()]");
  ip('link', 'del', 'gw0');
  t.equal(rxOnce(fd), undefined);
  t.equal(rxOnce(fd), undefined, 'and stays so');
  tx(fd, [out]);
  t.not(tx(fd, [out]).results[0], 0);
  native.fdClose(fd);
  t.throws(() => native.xdpOpen('gw0', 0), { code: 'ENODEV' });
  t.throws(() => native.xdpOpen('lo', 0), { code: 'EOPNOTSUPP' });
  t.throws(() => native.xdpOpen('lo', 64), RangeError);
});
