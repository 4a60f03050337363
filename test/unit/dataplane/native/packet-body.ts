// Runs inside its own network namespace (packet.test.ts): the packet driver against scapy's frames and real TCP and UDP senders.

import { constants } from 'node:os';
import t from 'tap';
import { ownerOf } from '../../../../dataplane/native/native.js';
import { isTransit, randomFrames, takenOf } from './random-frames.js';
import { command, datagramOf, ip, makePair, native, ourMac, rxAll, rxCount, rxOnce, sleep, tx } from './station.js';

const host = await makePair();
const { errno } = constants;
const address = (text: string) => text.split('.').reduce((value, part) => (value << 8) | Number(part), 0);
const ours = Int32Array.of(address('10.9.0.1'), address('10.9.0.255'));

function open(own = ours, offloads = true, worker = 0, workers = 1): number {
  return native.packetOpen('gw0', own, own.length, worker, workers, offloads);
}

/** Datagrams made by scapy. */
async function datagrams(expression: string): Promise<string[]> {
  return (await host.run(`result = [bytes(packet).hex() for packet in ${expression}]`)) as string[];
}

/** What scapy makes of them when it fills in lengths and checksums itself. */
async function recomputed(all: readonly string[]): Promise<string[]> {
  const snippet = `
result = []
for datagram in datagrams:
    packet = IP(bytes.fromhex(datagram))
    del packet.chksum
    del packet.len
    if packet.haslayer(UDP): del packet[UDP].len
    if packet.haslayer(TCP) or packet.haslayer(UDP): del packet.payload.chksum
    result.append(bytes(packet).hex())`;
  return (await host.run(snippet, { datagrams: all })) as string[];
}

/** What the netdev counts, a superpacket as one. */
function framesReceived(): number {
  return (JSON.parse(ip('-s', '-j', 'link', 'show', 'gw0')) as { stats64: { rx: { packets: number } } }[])[0].stats64.rx.packets;
}

t.teardown(() => host.end());

t.test('only IPv4 in transit is taken', async (t) => {
  const fd = open();
  t.teardown(() => native.fdClose(fd));
  command('ip', 'link', 'set', 'gw0', 'promisc', 'on');
  host.command('ethtool', '-K', 'host0', 'txvlan', 'off');
  const ether = "Ether(dst='02:00:00:00:00:01')";
  const plain = "IP(src='10.9.0.2', dst='10.2.0.1')/UDP()/b'never'";
  const never = [
    `${ether}/IP(src='10.9.0.2', dst='10.9.0.1')/UDP()/b'own'`,
    `${ether}/IP(src='10.9.0.2', dst='10.9.0.255')/UDP()/b'own broadcast'`,
    `${ether}/IP(src='10.9.0.2', dst='10.2.0.1', ttl=1)/UDP()/b'ttl 1'`,
    `${ether}/IP(src='10.9.0.2', dst='10.2.0.1', ttl=0)/UDP()/b'ttl 0'`,
    `${ether}/IP(src='10.9.0.2', dst='224.0.0.1')/UDP()/b'multicast'`,
    `${ether}/IP(src='10.9.0.2', dst='239.255.255.255')/UDP()/b'multicast'`,
    `${ether}/IP(src='10.9.0.2', dst='255.255.255.255')/UDP()/b'broadcast'`,
    `${ether}/Dot1Q(vlan=7)/${plain}`,
    `${ether}/Dot1Q(vlan=0)/${plain}`,
    `${ether}/Dot1AD(vlan=7)/Dot1Q(vlan=8)/${plain}`,
    `${ether}/ARP(psrc='10.9.0.2', pdst='10.9.0.1')`,
    `${ether}/IPv6(dst='2001:db8::1')/UDP()/b'v6'`,
    `${ether}/Raw(b'E' + bytes(18))`,
    `Ether(dst='02:00:00:00:00:09')/${plain}`,
    `Ether(dst='ff:ff:ff:ff:ff:ff')/${plain}`,
    `Ether(dst='01:00:5e:00:00:01')/${plain}`,
  ];
  await host.send(`[${never.join(', ')}]`);
  const sent = await host.send(`[${ether}/IP(src='10.9.0.2', dst='10.2.0.1', ttl=2)/UDP()/b'ttl 2',
    ${ether}/IP(src='10.9.0.2', dst='10.9.0.3')/TCP(), ${ether}/IP(src='10.9.0.2', dst='10.9.0.0')/ICMP(), ${ether}/IP(dst='223.255.255.255', proto=50)/b'x',
    ${ether}/IP(dst='240.0.0.1', proto=89)/b'x', ${ether}/IP(dst='10.2.0.1', options=[IPOption_NOP()])/UDP(), ${ether}/IP(dst='10.2.0.1', flags='MF')/bytes(64)]`);
  t.same(rxCount(fd, sent.length), sent.map(datagramOf), 'just these, each once');
  command('ip', 'link', 'set', 'gw0', 'promisc', 'off');
});

t.test('random frames: the filter is the rule', async (t) => {
  const fd = open(ours, true, 0, 2);
  t.teardown(() => native.fdClose(fd));
  for (let seed = 0; seed < 8; seed++) {
    const frames = randomFrames(seed, 500);
    const taken = frames.filter((frame) => isTransit(frame, ['0a090001', '0a0900ff']));
    await host.sendHex(frames);
    t.same(rxCount(fd, taken.length), taken.map(takenOf), `seed ${seed}: ${taken.length} of ${frames.length}`);
  }
});

t.test('what was read ahead is known to poll', async (t) => {
  const fd = open();
  t.teardown(() => native.fdClose(fd));
  const ready = new Int32Array(1);
  const poll = () => native.poll(Int32Array.of(fd), 1, 0, ready);
  const sent = await host.send(`[Ether(dst='${ourMac}')/IP(src='10.9.0.2', dst='10.2.0.1', id=i + 1)/UDP() for i in range(3)]`);
  for (const frame of sent) {
    t.equal(poll(), 1);
    t.same(rxOnce(fd, 1)?.datagrams, [datagramOf(frame)]);
  }
  t.equal(poll(), 0);
});

t.test('another list of own addresses', async (t) => {
  const fd = open(Int32Array.from({ length: 256 }, (_, i) => address(`10.3.0.${i}`)));
  t.teardown(() => native.fdClose(fd));
  const frames = (id: number) =>
    `[Ether(dst='${ourMac}')/IP(src='10.9.0.2', dst=dst, id=${id})/UDP() for dst in ('10.3.0.0', '10.3.0.255', '10.4.0.1')]`;
  const first = await host.send(frames(1));
  t.same(rxCount(fd, 1), [datagramOf(first[2])], '256 addresses');
  native.packetFilter(fd, Int32Array.of(address('10.4.0.1')), 1, 0, 1);
  const second = await host.send(frames(2));
  t.same(rxCount(fd, 2), second.slice(0, 2).map(datagramOf), 'and no more of the first');
  native.packetFilter(fd, Int32Array.of(address('10.4.0.1')), 0, 0, 1);
  const third = await host.send(frames(3));
  t.same(rxCount(fd, 3), third.map(datagramOf), 'ownCount, not the length of own');
  t.throws(() => native.packetFilter(fd, ours, 3, 0, 1), RangeError);
  t.throws(() => native.packetFilter(fd, new Int32Array(257), 257, 0, 1), RangeError);
  t.throws(() => native.packetFilter(1, ours, 2, 0, 1), RangeError, 'not a packet descriptor');
});

t.test('workers: each source belongs to one of them', async (t) => {
  const fds = [0, 1, 2].map((worker) => open(ours, true, worker, 3));
  t.teardown(() => fds.map((fd) => native.fdClose(fd)));
  const sent = await host.send(
    `[Ether(dst='${ourMac}')/IP(src=str(RandIP('0.0.0.0/0')), dst='10.2.0.1', id=i + 1)/ICMP() for i in range(300)]`,
  );
  const owner = (datagram: string) => ownerOf(Number.parseInt(datagram.slice(24, 32), 16), 3);
  for (const [worker, fd] of fds.entries()) {
    const own = sent.map(datagramOf).filter((datagram) => owner(datagram) === worker);
    t.ok(own.length > 50, `worker ${worker} has ${own.length} of 300`);
    t.same(rxCount(fd, own.length), own);
  }
});

t.test('a real TCP sender: superpackets come cut, with checksums, and nothing is lost between reads of any size', async (t) => {
  for (const [count, offloads] of [
    [512, true],
    [7, true],
    [1, true],
    [64, false],
  ] as const) {
    // The kernel at 10.9.0.1 takes the stream; the driver, which does not call that address its own, sees a copy.
    const fd = open(new Int32Array(), offloads);
    const before = framesReceived();
    const text = Array.from({ length: 40_000 }, (_, i) => String(i)).join(',');
    const server = `import socket
s = socket.create_server(('10.9.0.1', 7000), reuse_port=True)
print('ready', flush=True)
c = s.accept()[0]
n = 0
while n < ${text.length}: n += len(c.recv(1 << 20))
c.close()`;
    const serving = command(
      'timeout',
      '20',
      'bash',
      '-c',
      `coproc S { exec /usr/bin/python3 -c "${server}"; }; read -r line <&"\${S[0]}"
      nsenter --net=/proc/${host.pid}/ns/net /usr/bin/python3 -c "import socket
c = socket.create_connection(('10.9.0.1', 7000))
c.sendall(','.join(str(i) for i in range(40000)).encode())
c.recv(1)"; wait`,
    );
    t.equal(serving, '');
    const frames = framesReceived() - before;
    const datagrams = rxAll(fd, count).filter((datagram) => datagram.slice(18, 20) === '06');
    const seen = new Map<number, Buffer>();
    let first = 0;
    for (const datagram of datagrams) {
      const tcp = Buffer.from(datagram.slice(40), 'hex');
      if ((tcp[13] & 2) !== 0) first = tcp.readUInt32BE(4) + 1;
      const payload = tcp.subarray((tcp[12] >> 4) * 4);
      if (payload.length > 0) seen.set((tcp.readUInt32BE(4) - first) >>> 0, payload);
    }
    const inOrder = [...seen.keys()].sort((a, b) => a - b);
    t.ok(Buffer.concat(inOrder.map((at) => seen.get(at) ?? Buffer.alloc(0))).toString() === text, `${count} at a time: the stream`);
    t.ok(
      datagrams.every((datagram) => datagram.length <= 3000),
      'cut to the MTU',
    );
    t.ok(datagrams.length > frames, `${datagrams.length} datagrams came in ${frames} frames`);
    t.same(await recomputed(datagrams), datagrams, 'scapy computes the same');
    native.fdClose(fd);
  }
});

t.test('a real UDP sender leaves the checksum to its device', async (t) => {
  const fd = open(new Int32Array());
  t.teardown(() => native.fdClose(fd));
  await host.run(`s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(0, 1473, 16): s.sendto(bytes([n & 255] * n), ('10.9.0.1', 7001))`);
  const got = rxAll(fd);
  t.equal(got.length, 93);
  t.same(await recomputed(got), got);
});

t.test('datagrams leave behind their Ethernet header, byte for byte', async (t) => {
  const fd = open();
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const out = await datagrams(
    `[IP(src='10.1.%d.1' % (i & 255), dst='10.7.0.1', id=i + 1)/UDP(sport=i + 1, dport=i + 1)/bytes(i * 3 % 1472) for i in range(512)]`,
  );
  t.same(tx(fd, out), { sent: 512, results: out.map(() => 0) });
  const frames = await host.receive(512);
  t.same(frames.map(datagramOf), out);
  t.ok(
    frames.every((frame) => frame.startsWith('0200000000020200000000010800')),
    'Ethernet header',
  );
});

const stream = `[IP(src='10.1.0.1', dst='10.7.0.1', flags='DF', id=1 + i)/TCP(sport=9, dport=8, seq=1000 + 1400 * i, flags='A')/(bytes([i]) * 1400) for i in range(90)]`;
const flow = `[IP(src='10.1.0.1', dst='10.7.0.1', id=1 + i)/UDP(sport=9, dport=8)/(bytes([i]) * 1200) for i in range(90)]`;

t.test('a stream leaves in superpackets, which the kernel cuts to the same datagrams', async (t) => {
  const fd = open();
  t.teardown(() => native.fdClose(fd));
  const withoutId = (datagram: string) => datagram.slice(0, 8) + datagram.slice(12, 20) + datagram.slice(24);
  for (const [name, expression] of [
    ['TCP', stream],
    ['UDP', flow],
  ]) {
    const out = await datagrams(expression);
    command('ethtool', '-K', 'gw0', 'tx', 'on', 'tso', 'on', 'gso', 'on', 'tx-udp-segmentation', 'on');
    await host.listen();
    t.same(
      tx(fd, out).results,
      out.map(() => 0),
      name,
    );
    let bytes = 0;
    let count = 0;
    for (; bytes < out.length * (name === 'TCP' ? 1400 : 1200); count++) {
      const [frame] = await host.receive(1);
      if (frame === undefined) break;
      bytes += frame.length / 2 - 14 - (name === 'TCP' ? 40 : 28);
    }
    t.ok(count > 0 && count <= 4, `${name}: ${out.length} datagrams in ${count} frames`);
    command('ethtool', '-K', 'gw0', 'tx', 'off', 'tso', 'off', 'gso', 'off', 'tx-udp-segmentation', 'off');
    t.same(
      tx(fd, out).results,
      out.map(() => 0),
      name,
    );
    const frames = (await host.receive(90)).map(datagramOf);
    t.same(frames.map(withoutId), out.map(withoutId), `${name}: as they were but for the id, which DF makes meaningless`);
    t.same(await recomputed(frames), frames, `${name}: checksums`);
  }
  command('ethtool', '-K', 'gw0', 'tx', 'on', 'tso', 'on', 'gso', 'on', 'tx-udp-segmentation', 'on');
});

t.test('without offloads a stream leaves as it came', async (t) => {
  const fd = open(ours, false);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const out = await datagrams(stream);
  t.equal(tx(fd, out).sent, 90);
  t.same((await host.receive(90)).map(datagramOf), out);
});

t.test('what is refused fails alone', async (t) => {
  const fd = open(ours, false);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const [small, fits, large] = await datagrams(`[IP(dst='10.7.0.1')/ICMP()/bytes(n) for n in (1, 1472, 1477)]`);
  const { sent, results } = tx(fd, [small, large, fits, small]);
  t.same([sent, results], [3, [0, errno.EMSGSIZE, 0, 0]]);
  const from = await host.run('result = []\nwhile len(result) < 3: result.append(tap.recv(2000)[14:].hex())');
  t.same(from, [small, fits, small]);
});

t.test('a full queueing discipline: what was sent arrives, the rest is known', async (t) => {
  const fd = open(ours, false);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  command('tc', 'qdisc', 'add', 'dev', 'gw0', 'root', 'tbf', 'rate', '20mbit', 'burst', '3000', 'limit', '60000');
  const out = await datagrams("[IP(dst='10.7.0.1', id=i + 1)/UDP()/bytes(1000) for i in range(200)]");
  const { sent, results } = tx(fd, out);
  t.ok(sent >= 50 && sent < 200, `${sent} of 200`);
  t.ok(results.every((result) => result === 0 || result === errno.ENOBUFS));
  const expected = out.filter((_, i) => results[i] === 0);
  t.equal(expected.length, sent);
  t.same((await host.receive(sent)).map(datagramOf), expected);
  command('tc', 'qdisc', 'del', 'dev', 'gw0', 'root');
});

t.test('down and up again, then gone', async (t) => {
  const fd = open();
  ip('link', 'set', 'gw0', 'down');
  t.equal(rxOnce(fd)?.lengths.length, 0, 'down is not gone');
  const [out] = await datagrams("[IP(dst='10.7.0.1')/UDP()]");
  t.same(tx(fd, [out]).results, [errno.ENETDOWN]);
  ip('link', 'set', 'gw0', 'up');
  await sleep(0);
  const [frame] = await host.send(`[Ether(dst='${ourMac}')/IP(src='10.9.0.2', dst='10.2.0.1')/UDP()/b'again']`);
  t.same(rxCount(fd, 1), [datagramOf(frame)]);
  ip('link', 'del', 'gw0');
  t.equal(native.poll(Int32Array.of(fd), 1, 10_000, new Int32Array(1)), 1, 'poll returns');
  t.equal(rxOnce(fd), undefined);
  t.equal(rxOnce(fd), undefined, 'and stays so');
  t.not(tx(fd, [out]).results[0], 0);
  native.fdClose(fd);
});

t.test('arguments', (t) => {
  t.throws(() => native.packetOpen('nosuch0', ours, 2, 0, 1, true), { code: 'ENODEV' });
  t.throws(() => native.packetOpen('lo', ours, 2, 0, 1, true), { code: 'EOPNOTSUPP', message: /^lo: .*: not an Ethernet netdev/ });
  t.throws(() => native.packetOpen('lo', ours, 3, 0, 1, true), RangeError);
  t.throws(() => native.packetOpen('lo', ours, 2, 0, 1, 1 as never), TypeError);
  t.throws(() => native.packetOpen('lo', ours, 2, 1, 1, true), RangeError);
  t.end();
});
