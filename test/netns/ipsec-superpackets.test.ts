// ESP in UDP in superpackets (UDP_SEGMENT's kin on a TUN): counted by the kernels on the way. The core shows the gateways a translator by another
// source port than 500 in phase 1, and leaves port 4500 alone.
//
//   h1 10.1.0.2 --- g1 10.9.1.1 --- 10.9.1.2 core 10.9.2.2 --- 10.9.2.1 g2 --- 10.2.0.2 h2
//                          to1              to2
//
//   h1 :: iperf3 to h2, a second   :: g1 seals N datagrams
//   core :: rx_packets of to1      :: far less than N: they left g1 in superpackets
//   g2 :: port-driver tun          :: tx_packets of its TUN likewise: they came in superpackets, through the kernel
//   g2 :: xdp, the default         :: tx_packets of its TUN next to none: past the kernel

import t from 'tap';
import { Netns, until } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

function routerText(n: 1 | 2, driver: string): string {
  const other = 3 - n;
  return `hostname G${n}
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key a-shared-key address 10.9.${other}.1
crypto ipsec transform-set T esp-gcm 256
crypto map M 10 ipsec-isakmp
 set peer 10.9.${other}.1
 set transform-set T
 match address A
 reverse-route static
ip access-list extended A
 permit ip 10.${n}.0.0 0.0.0.255 10.${other}.0.0 0.0.0.255
interface lan
 ip address 10.${n}.0.1 255.255.255.0
interface eth0
 port-driver ${driver}
 ip address 10.9.${n}.1 255.255.255.0
 crypto map M
ip route 0.0.0.0 0.0.0.0 10.9.${n}.2
`;
}

interface IpsecShown {
  ipsec: { flows: { encapsulated: number; decapsulated: number; outbound: { udp: boolean }[] }[] }[];
}

for (const driver of ['xdp', 'tun'])
  t.test(`port-driver ${driver}`, { skip: process.geteuid?.() === 0 ? false : 'needs root' }, async (t) => {
    const netns = new Netns();
    t.teardown(() => netns.remove());
    await netns.add('h1', 'g1', 'core', 'g2', 'h2');
    for (const [n, device] of [
      [1, 'to1'],
      [2, 'to2'],
    ] as const) {
      await netns.veth(`g${n}`, 'eth0', null, 'core', device, `10.9.${n}.2/24`);
      await netns.veth(`g${n}`, 'lan', null, `h${n}`, 'eth0', `10.${n}.0.2/24`);
      await netns.sh(`g${n}`, 'ip link set eth0 up; ip link set lan up');
      await netns.sh(`h${n}`, `ip route add default via 10.${n}.0.1`);
    }
    const there = 'ip saddr 10.9.1.1 udp sport 500 udp sport set 1500';
    const back = 'ip daddr 10.9.1.1 udp dport 1500 udp dport set 500';
    const rules = `table ip t { chain f { type filter hook forward priority 0; ${there}; ${back}; }; }`;
    await netns.sh('core', `sysctl -qw net.ipv4.ip_forward=1; nft '${rules}'`);
    const routers = ([1, 2] as const).map((n) => SingleRouter.start(netns, `g${n}`, routerText(n, driver)));
    t.teardown(() => Promise.all(routers.map((router) => router.stop())));
    for (const router of routers) await router.ready();
    await until('an answer', async () => / 0% packet loss/.test(await netns.sh('h1', 'ping -c 1 -W 1 10.2.0.2 || true')));

    const shown = async (n: 1 | 2) => ((await routers[n - 1].show('crypto ipsec sa')) as IpsecShown).ipsec[0].flows[0];
    const count = async (node: string, device: string, what: string) =>
      Number(await netns.sh(node, `cat /sys/class/net/${device}/statistics/${what}`));
    const read = async () => ({
      sealed: (await shown(1)).encapsulated,
      opened: (await shown(2)).decapsulated,
      wire: await count('core', 'to1', 'rx_packets'),
      tun: await count('g2', 'gw-eth0', 'tx_packets'),
    });
    t.match(await shown(1), { outbound: [{ udp: true }] });
    const before = await read();
    const server = netns.spawn('h2', ['iperf3', '-s', '-1', '--forceflush']);
    await server.says(/listening/);
    await netns.sh('h1', 'iperf3 -c 10.2.0.2 -t 1');
    await server.ended;
    const after = await read();
    const sealed = after.sealed - before.sealed;
    const wire = after.wire - before.wire;
    const tun = after.tun - before.tun;
    t.ok(sealed > 1000, `${sealed} datagrams sealed`);
    t.ok(after.opened - before.opened > sealed * 0.9, `${after.opened - before.opened} of ${sealed} opened`);
    // A kernel before 6.2 has no superpackets of UDP.
    const joins = /tx-udp-segmentation: on/.test(await netns.sh('g1', 'ethtool -k gw-eth0'));
    t.equal(wire * 4 < sealed, joins, `${sealed} datagrams left in ${wire} frames`);
    if (driver === 'tun') t.equal(tun * 4 < sealed, joins, `${sealed} datagrams came in ${tun} frames`);
    else t.ok(tun < 20, `${tun} frames came through the kernel`);
  });
