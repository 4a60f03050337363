// wireguard-go, the build that bench/bootstrap unpacked. Its control socket is at a fixed place under /run, which namespaces share: each
// gets a /run of its own, and `wg` is run in there.

import { join } from 'node:path';
import { Background, run, runChecked, write } from '../machine.js';
import { built } from '../paths.js';
import { other, type Side, sideOf, sides } from '../topology.js';

const port = 51820;
const mtu = 1420; // what wg-quick takes for an IPv4 or IPv6 path of 1500
const device = 'bench0';
const program = `mount -t tmpfs tmpfs /run && LOG_LEVEL=error WG_PROCESS_FOREGROUND=1 exec '${join(built, 'wireguard-go')}' -f ${device}`;

export async function startWireguardGo(): Promise<void> {
  const keys = async (side: Side) => {
    const file = write(`wireguard${side}.key`, await runChecked(['wg', 'genkey']));
    return { file, open: (await runChecked(['sh', '-c', `wg pubkey <'${file}'`])).trim() };
  };
  const keysOf = { A: await keys('A'), B: await keys('B') };
  for (const side of sides) {
    const far = other(side);
    const background = new Background(`gw${side}`, `wireguard${side}`, ['sh', '-c', program]);
    const beside = ['nsenter', '-t', String(background.pid), '-m', '-n'];
    await background.ready(async () => (await run([...beside, 'test', '-S', `/run/wireguard/${device}.sock`])).status === 0);
    const peer = ['peer', keysOf[far].open, 'endpoint', `${sideOf[far].wan}:${port}`, 'allowed-ips', sideOf[far].net];
    await runChecked([...beside, 'wg', 'set', device, 'private-key', keysOf[side].file, 'listen-port', String(port), ...peer]);
    await runChecked([...beside, 'ip', 'link', 'set', device, 'mtu', String(mtu), 'up']);
    await runChecked([...beside, 'ip', 'route', 'add', sideOf[far].net, 'dev', device]);
  }
}
