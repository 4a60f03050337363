// Acceptance 2 between two gateways: tshark and scapy decode and decrypt every packet that crossed, with the keys that `export keys wireshark` gives. Tunnel mode, transport
// mode and GRE in ESP at once, each under another transform; made by Quick Mode, and deleted.
//
//   h1 10.1.0.2 [capture] --- g1 10.9.0.1 ------ [capture] 10.9.0.2 g2 --- 10.2.0.2 h2        Tunnel0 192.168.13.1 ==== 192.168.13.2
//
//   h1 :: ping and datagrams to h2   :: tunnel mode: inside is what h1's wire saw, byte for byte but TTL and header checksum
//   g1 :: ping 10.9.0.2              :: transport mode, both checksums right
//   g1 :: ping 192.168.13.2          :: GRE in ESP
//   g2 :: every frame                :: ARP, IKE or ESP; every message of Quick Mode and Informational decrypted, every ICV good

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sumOf } from '../path/packets.js';
import { Netns, until } from '../support/netns.js';
import { readCapture, withoutHopFields, writeCapture } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { countIkeWithScapy, decryptWithScapy, readScapySas } from '../support/scapy.js';
import { SingleRouter } from '../support/single-router.js';
import { capture, decryptWithTshark, readIke } from '../support/tshark.js';

type Node = 'h1' | 'g1' | 'g2';

function routerText(n: 1 | 2): string {
  const other = 3 - n;
  return `hostname G${n}${n === 2 ? '\ncrypto key export wireshark' : ''}
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key a-shared-key address 10.9.0.${other}
crypto ipsec transform-set TUNNEL esp-aes 256 esp-sha256-hmac
crypto engine compliance shield disable
crypto ipsec transform-set HOSTS esp-des esp-md5-hmac
 mode transport
crypto ipsec transform-set GRE esp-gcm 256
 mode transport
crypto ipsec profile P
 set transform-set GRE
 set pfs group19
crypto map M 10 ipsec-isakmp
 set peer 10.9.0.${other}
 set transform-set TUNNEL
 set pfs group14
 match address A
crypto map M 20 ipsec-isakmp
 set peer 10.9.0.${other}
 set transform-set HOSTS
 match address B
ip access-list extended A
 permit ip 10.${n}.0.0 0.0.0.255 10.${other}.0.0 0.0.0.255
ip access-list extended B
 permit icmp host 10.9.0.${n} host 10.9.0.${other}
interface lan
 ip address 10.${n}.0.1 255.255.255.0
interface eth0
 port-driver ${n === 1 ? 'raw' : 'tun'}
 ip address 10.9.0.${n} 255.255.255.0
 crypto map M
interface Tunnel0
 ip address 192.168.13.${n} 255.255.255.252
 tunnel source eth0
 tunnel destination 10.9.0.${other}
 tunnel protection ipsec profile P
ip route 10.${other}.0.0 255.255.255.0 10.9.0.${other}
`;
}

const sendVaried = `
import random, socket
random.seed(2)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(60):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, (n * 4) % 256)
    s.sendto(random.randbytes(n * 23), ('10.2.0.2', 5000 + n))
`;

/** Protocols: of what goes between the hosts in tunnel mode, and between the gateways in transport mode. */
const [Udp, Hosts, Gre] = [17, 1, 47];

/** Exchange, flags, payloads, as tshark finds them (RFC 2408 §3.1), and nothing that it complains about. */
const messages = [
  '2 0x00 1,2,3,13,13 ',
  '2 0x00 4,10,20,20 ',
  '2 0x01 5,8 ',
  '32 0x01 8 ',
  '32 0x01 8,1,2,3,10,4,5,5 ',
  '32 0x01 8,1,2,3,10,5,5 ',
  '5 0x01 8,11 ',
  '5 0x01 8,12 ',
];

/** IKE messages exchange by exchange, each once: tshark keeps one IV for a phase-1 SA, and loses it when exchanges overlap or a message is repeated. */
function exchangesOf(packets: readonly Buffer[]): { messages: Buffer[]; repeated: number } {
  const exchanges = new Map<number, Map<string, Buffer>>();
  for (const ip of packets) {
    const message = ip.subarray(28);
    const id = message.readUInt32BE(20);
    const exchange = exchanges.get(id) ?? new Map<string, Buffer>();
    exchanges.set(id, exchange);
    if (!exchange.has(message.toString('hex'))) exchange.set(message.toString('hex'), ip);
  }
  const messages = [...exchanges.values()].flatMap((exchange) => [...exchange.values()]);
  return { messages, repeated: packets.length - messages.length };
}

function checkInside(t: Test, opened: readonly Buffer[], seen: readonly Buffer[]): void {
  const between = (net: number, protocol: number) => opened.filter((ip) => ip[13] === net && ip[9] === protocol);
  const words = (packets: readonly Buffer[]) => packets.map(withoutHopFields).sort();
  const tunnelled = opened.filter((ip) => ip[13] !== 9);
  const ofHosts = words(seen);
  t.strictSame(
    words(tunnelled.filter((ip) => ip[9] === Udp)),
    words(seen.filter((ip) => ip[9] === Udp)),
    'every datagram of h1, as it was',
  );
  t.ok(
    words(tunnelled).every((packet) => ofHosts.includes(packet)),
    'and nothing that h1 has not seen',
  );
  const hosts = between(9, Hosts);
  t.ok(hosts.length >= 24 && hosts.every((ip) => sumOf(ip.subarray(0, 20)) === 0 && sumOf(ip.subarray(20)) === 0), 'transport mode');
  const gre = between(9, Gre);
  t.ok(gre.length >= 24 && gre.every((ip) => ip.readUInt32BE(20) === 0x0800 && sumOf(ip.subarray(24, 44)) === 0), 'GRE');
  t.ok(
    gre.every((ip) => ip[24 + 12] === 192 && sumOf(ip.subarray(44)) === 0),
    'and what is in it',
  );
}

t.test('every packet of a pairwise run', { skip: process.geteuid?.() === 0 ? false : 'needs root' }, async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('h1', 'g1', 'g2', 'h2');
  await netns.veth('g1', 'eth0', null, 'g2', 'eth0', null);
  for (const n of [1, 2]) {
    await netns.veth(`g${n}`, 'lan', null, `h${n}`, 'eth0', `10.${n}.0.2/24`);
    await netns.sh(`h${n}`, `ip route add default via 10.${n}.0.1; ethtool -K eth0 tx off`); // a capture then holds whole checksums
  }
  const [g1, g2] = ([1, 2] as const).map((n) => SingleRouter.start(netns, `g${n}`, routerText(n), { keyLog: n === 1 }));
  t.teardown(() => Promise.all([g1.stop(), g2.stop()]));
  const place = { directory: g1.directory, spawn: (node: Node, argv: readonly string[]) => netns.spawn(node, argv) };
  const crossing = await capture(place, 'g2', 'eth0');
  await Promise.all([g1.ready(), g2.ready()]);
  const inside = await capture(place, 'h1', 'eth0', 'icmp or udp');

  const ways = [
    ['h1', '10.2.0.2'],
    ['g1', '10.9.0.2'],
    ['g1', '192.168.13.2'],
  ];
  for (const [node, to] of ways) {
    await until(`an answer of ${to}`, async () => / 0% packet loss/.test(await netns.sh(node, `ping -n -c 1 -W 1 ${to} || true`)));
    for (const size of [0, 57, 1200]) await netns.sh(node, `ping ${pings(4).join(' ')} -s ${size} ${to}`);
  }
  await netns.sh('h1', `/usr/bin/python3 -c "${sendVaried}"`);
  await g1.groupwire('exec', 'clear crypto sa');
  await g2.logs(/Crypto session is DOWN/);
  await inside.stop();
  await crossing.stop();
  // Behind the end of all SAs: g2 has kept their keys, and g1, which wrote them down as they came, has the same.
  const keys = join(g1.directory, 'exported');
  await t.rejects(
    g1.groupwire('export', 'keys', 'wireshark', keys),
    /% Keys are not exported: the configuration does not say crypto key export wireshark/,
  );
  t.match(await g2.groupwire('export', 'keys', 'wireshark', keys), /^Keys of \d+ IPsec SAs and \d+ ISAKMP SAs are in /);
  for (const table of ['esp_sa', 'ikev1_decryption_table']) {
    const lines = (directory: string) => readFileSync(join(directory, table), 'utf8').trim().split('\n').sort();
    t.strictSame(lines(keys), lines(g1.keyLogDirectory), table);
  }

  const crossed = readCapture(crossing.file);
  const esp = crossed.filter(({ protocol }) => protocol === 50);
  const ordered = exchangesOf(crossed.filter(({ protocol }) => protocol === 17).map(({ ip }) => ip));
  writeCapture(join(g1.directory, 'ike.pcap'), ordered.messages);
  const ike = await readIke(
    join(g1.directory, 'ike.pcap'),
    ['isakmp.exchangetype', 'isakmp.flags', 'isakmp.typepayload', '_ws.malformed', '_ws.expert.message'],
    keys,
  );
  t.equal(crossed.length, esp.length + ike.length + ordered.repeated, 'IKE and ESP, and nothing else of IP');
  t.equal(await countIkeWithScapy(crossing.file), ike.length + ordered.repeated, 'messages that scapy takes apart');
  const read = ike.map(([exchange, flags, payloads, ...wrong]) => [exchange, flags, payloads, wrong.join('')].join(' '));
  t.strictSame([...new Set(read)].sort(), messages);
  t.equal(read.filter((text) => text === '32 0x01 8 ').length, 3, 'three times message 3 of Quick Mode');

  const sas = readScapySas(keys).map((sa) => ({ ...sa, transport: sa.crypt_algo !== 'AES-CBC' }));
  const opened: Buffer[] = [];
  for (const source of ['10.9.0.1', '10.9.0.2']) {
    const byTshark = await decryptWithTshark(crossing.file, `ip.src == ${source}`, keys);
    const byScapy = await decryptWithScapy(crossing.file, source, sas);
    // Of transport mode tshark has what is behind the header.
    const bodies = byScapy.map((packet) => (packet[13] === 9 ? packet.subarray(20) : packet));
    t.strictSame(
      bodies.map((packet) => packet.toString('hex')),
      byTshark.map((packet) => packet.toString('hex')),
      `${source}: both find the same inside`,
    );
    opened.push(...byScapy);
  }
  t.equal(opened.length, esp.length, 'every ESP packet');
  checkInside(
    t,
    opened,
    readCapture(inside.file).map(({ ip }) => ip),
  );
});
