// What carries packets without a VPN: the kernel, a forwarding loop in C, and the C bound of packet I/O.

import { join } from 'node:path';
import { Background, shell, until } from '../machine.js';
import { built } from '../paths.js';
import { routeHosts } from '../topology.js';

export const startKernel = routeHosts;

/** hostA -> lan -> loop0 -> program -> loop1 -> wan, and back; gwB forwards in the kernel. */
export async function startLoop(): Promise<void> {
  await routeHosts();
  const background = new Background('gwA', 'loop', [join(built, 'loop'), 'loop0', 'loop1']);
  await until(`the loop's TUNs (${background.tail()})`, async () => (await shell('gwA', 'ls /sys/class/net')).includes('loop1'));
  for (const [device, inside, table] of [
    ['loop0', 'lan', 100],
    ['loop1', 'wan', 101],
  ]) {
    await shell('gwA', `ip link set ${device} mtu 1500 txqueuelen 1000 up && ip route add default dev ${device} table ${table}`);
    await shell('gwA', `ip rule add pref ${table} iif ${inside} lookup ${table}`);
  }
}
