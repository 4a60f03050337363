// Narrow paths between two gateways of ours: ESP, ESP in UDP behind a translator, and GRE in ESP, all beside NAT, with datagrams of 1 to 65,507 bytes without DF; the exact inner MTU of each.
//
//   h1 10.0.1.10 -- r1 172.16.1.2 --- 172.16.1.1 core 172.16.2.1 ==1500, 1400, 576== 172.16.2.2 r2 -- 10.0.2.10 h2        core [translates r1, or not]
//      10.9.1.10       Tunnel0 --------------------------------------------------------- Tunnel0         10.9.2.10
//
//   h1 -> h2 :: datagrams of all sizes arrive whole (hashes); r1 has cut, r2 has put together what the core has cut
//   h1 :: ping -M do with the largest size, and one byte more, tracepath; r1 :: show crypto ipsec sa :: the same number

import t from 'tap';
import { Netns, run } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';
import { type Nodes, udpWhole } from './mtu-lab.js';

type Node = 'h1' | 'r1' | 'core' | 'r2' | 'h2';

/** What a lab gives, over namespaces alone. */
class Namespaces extends Netns implements Nodes<Node> {
  run(node: Node, argv: readonly string[]) {
    return run(['ip', 'netns', 'exec', this.of(node), ...argv]);
  }
}

/** @param peer as this router sees it */
function configuration(own: 1 | 2, peer: string): string {
  const other = 3 - own;
  return `hostname r${own}
crypto isakmp policy 10
 encr aes
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key a-shared-key address 0.0.0.0
crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac
crypto map M 10 ipsec-isakmp
 set peer ${peer}
 set transform-set T
 match address A
ip access-list extended A
 permit ip 10.0.${own}.0 0.0.0.255 10.0.${other}.0 0.0.0.255
ip access-list extended NAT
 deny ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255
 permit ip any any
ip nat inside source list NAT interface GigabitEthernet0/0 overload
interface GigabitEthernet0/0
 linux-device wan
 ip address 172.16.${own}.2 255.255.255.252
 ip nat outside
 crypto map M
interface GigabitEthernet0/1
 linux-device lan
 ip address 10.0.${own}.1 255.255.255.0
 ip nat inside
interface Tunnel0
 ip address 192.168.12.${own} 255.255.255.252
 tunnel source GigabitEthernet0/1
 tunnel destination 10.0.${other}.1
ip route 10.9.${other}.0 255.255.255.0 192.168.12.${other}
ip route 10.9.${own}.0 255.255.255.0 10.0.${own}.10
ip route 0.0.0.0 0.0.0.0 172.16.${own}.1
`;
}

interface Shown {
  traffic: { reassembled: number; fragmented: number };
  ipsec: { flows: { plaintextMtu: number; outbound: { udp?: boolean }[] }[] }[];
}

for (const isTranslated of [false, true]) {
  t.test(isTranslated ? 'ESP in UDP' : 'ESP', { skip: process.geteuid?.() === 0 ? false : 'needs root' }, async (t) => {
    const netns = new Namespaces();
    t.teardown(() => netns.remove());
    await netns.add('h1', 'r1', 'core', 'r2', 'h2');
    await netns.veth('r1', 'wan', null, 'core', 'r1', '172.16.1.1/30');
    await netns.veth('r2', 'wan', null, 'core', 'r2', '172.16.2.1/30');
    for (const [own, other] of [
      [1, 2],
      [2, 1],
    ]) {
      await netns.veth(`h${own}`, 'eth0', `10.0.${own}.10/24`, `r${own}`, 'lan', null);
      const more = `ip address add 10.9.${own}.10/32 dev eth0; ip route add 10.9.${other}.0/24 via 10.0.${own}.1 src 10.9.${own}.10`;
      await netns.sh(`h${own}`, `ip route add default via 10.0.${own}.1; ${more}`);
    }
    await netns.sh('core', 'sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0');
    if (isTranslated) {
      const rules = 'add table ip t; add chain ip t o { type nat hook postrouting priority srcnat; }; add rule ip t o oif r2 masquerade';
      await netns.sh('core', `nft "${rules}"`);
    }
    const routers = [
      SingleRouter.start(netns, 'r1', configuration(1, '172.16.2.2')),
      SingleRouter.start(netns, 'r2', configuration(2, isTranslated ? '172.16.2.1' : '172.16.1.2')),
    ];
    t.teardown(() => Promise.all(routers.map((router) => router.stop())));
    for (const router of routers) await router.ready();
    const [r1, r2] = routers;
    const ping = (size: number, words = '-M do') => netns.run('h1', ['sh', '-c', `ping -n -c 1 -W 2 ${words} -s ${size - 28} 10.0.2.10`]);
    t.equal((await netns.run('h1', ['ping', '-c', '3', '-w', '20', '10.0.2.10'])).status, 0, 'the SAs are there');
    const { ipsec } = (await r1.show('crypto ipsec sa')) as Shown;
    t.equal(ipsec[0].flows[0].outbound[0].udp === true, isTranslated);

    // 1500 - 20 - 8 - 16 - 16, less 8 in UDP, rounded to 16, less 2.
    const largest = isTranslated ? 1422 : 1438;
    t.equal((await ping(largest)).status, 0, 'the largest');
    const told = await ping(largest + 1);
    t.match(told.stdout + told.stderr, new RegExp(`mtu ?= ?${largest}\\b`), 'and a byte more');
    t.match(await netns.sh('h1', 'tracepath -n -m 5 10.0.2.10'), new RegExp(`Resume: pmtu ${largest} `));
    t.equal(ipsec[0].flows[0].plaintextMtu, largest, 'show crypto ipsec sa');

    for (const mtu of [1500, 1400, 576]) {
      await netns.sh('core', `ip link set r2 mtu ${mtu}`);
      for (const [what, address] of [
        ['in tunnel mode', '10.0.2.10'],
        ['GRE in it', '10.9.2.10'],
      ]) {
        const counted = async () => {
          const [cut, put] = await Promise.all(routers.map(async (router) => ((await router.show('ip traffic')) as Shown).traffic));
          return { cut: cut.fragmented, put: put.reassembled };
        };
        await netns.sh('h1', 'ip route flush cache'); // or its kernel would cut by what it has been told
        const before = await counted();
        const { sent, arrived } = await udpWhole(netns, ['h1', 'h2'], address);
        t.equal(arrived, sent, `${mtu}, ${what}: ${arrived === sent ? '' : await r2.groupwire('show', 'drops')}`);
        const after = await counted();
        t.ok(after.cut > before.cut, `${mtu}, ${what}: r1 has cut`);
        t.equal(after.put > before.put, mtu < 1500 || address === '10.9.2.10', `${mtu}, ${what}: r2 has put together`);
      }
    }
  });
}
