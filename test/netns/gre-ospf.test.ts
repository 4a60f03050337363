// FRR's OSPF over a tunnel, bare and under `tunnel protection`: the netdev is one that routing protocols take for what it is.
//
//   h1 10.0.1.10 -- r1 172.16.0.1 ==Tunnel0, OSPF== r3 172.16.0.3 -- h3 10.0.3.10        beside it: `ip route ... 200`
//
//   r1, r3 :: zebra, ospfd :: adjacency full over Tunnel0, the branches are routed by it
//   h1 :: ping h3 :: answered, by the tunnel; GRE, or ESP, is lost :: after the dead interval by the other route

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type Background, type Netns, until } from '../support/netns.js';
import { type Site, tunnelLab } from './gre-lab.js';

const floating = (_own: Site, other: Site) => `ip route 10.0.${other}.0 255.255.255.0 172.16.0.${other} 200\n`;

const ospf = (own: number) => `interface Tunnel0
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
interface lan
 ip ospf passive
router ospf
 ospf router-id 0.0.0.${own}
 network 192.168.13.0/30 area 0
 network 10.0.${own}.0/24 area 0
`;

function startFrr(netns: Netns, node: string, own: number, folder: string): Background[] {
  const directory = join(folder, node);
  mkdirSync(directory);
  chmodSync(directory, 0o777); // the daemons run as the package's user
  writeFileSync(join(directory, 'zebra'), `hostname ${node}\n`);
  writeFileSync(join(directory, 'ospfd'), ospf(own));
  return ['zebra', 'ospfd'].map((daemon) => {
    const files = ['-f', join(directory, daemon), '-i', join(directory, `${daemon}.pid`), '--vty_socket', directory];
    const zserv = ['-z', join(directory, 'zserv')];
    return netns.spawn(node, [`/usr/lib/frr/${daemon}`, ...files, ...zserv, '--log', 'stdout']);
  });
}

const protection = (own: Site, other: Site) => ` tunnel protection ipsec profile P
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key between-the-two address 172.16.0.${other}
crypto ipsec transform-set T esp-gcm 256
 mode transport
crypto ipsec profile P
 set transform-set T
${floating(own, other)}`;

const cases = [
  { protocol: 'gre', more: floating },
  { protocol: 'esp', more: protection },
];
for (const { protocol, more } of cases)
  t.test(`OSPF over a tunnel, ${protocol} on the wire`, { skip: process.geteuid?.() === 0 ? false : 'needs root' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'groupwire-frr-'));
    chmodSync(folder, 0o755);
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const { netns, r1 } = await tunnelLab(t, more);
    const daemons = [...startFrr(netns, 'r1', 1, folder), ...startFrr(netns, 'r3', 3, folder)];
    t.teardown(() => Promise.all(daemons.map((daemon) => daemon.stop())));

    const route = () => netns.sh('r1', 'ip route show 10.0.3.0/24');
    const answer = (what: string) =>
      until(what, async () => (await netns.sh('h1', 'ping -n -c 1 -W 2 10.0.3.10 || true')).includes(' 1 received'));
    const sent = async () => {
      const { interfaces } = (await r1.show('interfaces')) as { interfaces: { name: string; counters: { sentPackets: number } }[] };
      return interfaces.find(({ name }) => name === 'Tunnel0')?.counters.sentPackets ?? 0;
    };
    await until('the route by OSPF', async () => /192\.168\.13\.2 dev Tunnel0 proto ospf/.test(await route()));
    const before = await sent();
    await netns.sh('h1', 'ping -n -c 20 -i 0.05 -W 10 10.0.3.10');
    t.ok((await sent()) - before >= 20, 'what is routed goes through the tunnel');

    await netns.sh(
      'r3',
      `nft 'table netdev lost { chain c { type filter hook ingress device wan priority -500; ip protocol ${protocol} drop; }; }'`,
    );
    await until('the route to be gone', async () => !(await route()).includes('Tunnel0'));
    t.match(await route(), /via 172\.16\.0\.3 dev wan/);
    await until('the other side', async () => !(await netns.sh('r3', 'ip route show 10.0.1.0/24')).includes('Tunnel0'));
    await answer('an answer by the other way');
    await netns.sh('r3', 'nft delete table netdev lost');
    await until('the adjacency again', async () => (await route()).includes('Tunnel0'));
  });
