// What carries packets without a VPN: the kernel, a forwarding loop in C, and the C bound of packet I/O.

import { join } from 'node:path';
import { Background, shell } from '../machine.js';
import { built } from '../paths.js';
import { other, routeHosts, sideOf, sides } from '../topology.js';

export const startKernel = routeHosts;

/** hostA -> lan -> loop0 -> program -> loop1 -> wan, and back; gwB forwards in the kernel. */
export async function startLoop(): Promise<void> {
  await routeHosts();
  const background = new Background('gwA', 'loop', [join(built, 'loop'), 'loop0', 'loop1']);
  await background.ready(async () => (await shell('gwA', 'ls /sys/class/net')).includes('loop1'));
  for (const [device, inside, table] of [
    ['loop0', 'lan', 100],
    ['loop1', 'wan', 101],
  ]) {
    await shell('gwA', `ip link set ${device} mtu 1500 txqueuelen 1000 up && ip route add default dev ${device} table ${table}`);
    await shell('gwA', `ip rule add pref ${table} iif ${inside} lookup ${table}`);
  }
}

const macOf = async (node: string, device: string) => (await shell(node, `cat /sys/class/net/${device}/address`)).trim();

/** The C bound on both gateways; the kernel's copy of what it takes from the LAN is dropped at ingress. */
export async function startBound(): Promise<void> {
  await routeHosts();
  for (const side of sides) {
    const node = `gw${side}`;
    const far = sideOf[other(side)].net;
    const rules = `table netdev bound { chain lan { type filter hook ingress device lan priority 0; ip daddr ${far} drop; }; }`;
    await shell(node, `nft '${rules}'`);
    const network = far.startsWith('10.1.') ? '0a01' : '0a02';
    const neighbours = [await macOf(`host${side}`, 'eth0'), await macOf('core', `to${side}`)];
    const background = new Background(node, `bound${side}`, [join(built, 'bound'), 'lan', 'wan', network, ...neighbours]);
    await background.ready(() => background.tail() === 'ready');
  }
}
