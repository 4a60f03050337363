// Two routers with a tunnel between them, a host behind each; what tests of tunnels have in common.
//
//   h1 10.0.1.10 -- lan r1 wan 172.16.0.1 ==Tunnel0 192.168.13.1/30== 192.168.13.2 wan 172.16.0.3 r3 lan -- h3 10.0.3.10

import type { Test } from 'tap';
import { Netns } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

export type Site = 1 | 3;

function configuration(own: Site, other: Site, more: string): string {
  return `hostname r${own}
interface GigabitEthernet0/0
 linux-device lan
 ip address 10.0.${own}.1 255.255.255.0
interface GigabitEthernet0/1
 linux-device wan
 ip address 172.16.0.${own} 255.255.255.0
interface Tunnel0
 ip address 192.168.13.${own === 1 ? 1 : 2} 255.255.255.252
 tunnel source GigabitEthernet0/1
 tunnel destination 172.16.0.${other}
${more}`;
}

/** Brings both up; ends with the test. @param more lines below `interface Tunnel0`, and others behind them */
export async function tunnelLab(t: Test, more: (own: Site, other: Site) => string): Promise<{ netns: Netns; r1: SingleRouter }> {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('h1', 'r1', 'r3', 'h3');
  await netns.veth('h1', 'eth0', '10.0.1.10/24', 'r1', 'lan', null);
  await netns.veth('r1', 'wan', null, 'r3', 'wan', null);
  await netns.veth('h3', 'eth0', '10.0.3.10/24', 'r3', 'lan', null);
  await netns.sh('h1', 'ip route add default via 10.0.1.1');
  await netns.sh('h3', 'ip route add default via 10.0.3.1');
  const start = (own: Site, other: Site) => SingleRouter.start(netns, `r${own}`, configuration(own, other, more(own, other)));
  const [r1, r3] = [start(1, 3), start(3, 1)];
  t.teardown(() => Promise.all([r1.stop(), r3.stop()]));
  await Promise.all([r1.ready(), r3.ready()]);
  return { netns, r1 };
}
