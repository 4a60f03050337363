// wireguard-go, the build that bench/bootstrap unpacked.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Background, removeFileAtExit, runChecked, runDirectory, shell, tag, write } from '../machine.js';
import { built } from '../paths.js';
import { other, type Side, sideOf, sides } from '../topology.js';

const port = 51820;
const mtu = 1420; // what wg-quick takes for an IPv4 or IPv6 path of 1500

export async function startWireguardGo(): Promise<void> {
  const privateKey = { A: '', B: '' };
  const publicKey = { A: '', B: '' };
  for (const side of sides) {
    privateKey[side] = write(`wireguard${side}.key`, await runChecked(['wg', 'genkey']));
    publicKey[side] = (await runChecked(['sh', '-c', `wg pubkey <'${privateKey[side]}'`])).trim();
  }
  for (const side of sides) {
    const far = other(side);
    const device = deviceOf(side);
    const socket = `/var/run/wireguard/${device}.sock`;
    removeFileAtExit(socket);
    const environment = { LOG_LEVEL: 'error', WG_PROCESS_FOREGROUND: '1' };
    const background = new Background(`gw${side}`, `wireguard${side}`, [join(built, 'wireguard-go'), '-f', device], environment);
    await background.ready(() => existsSync(socket));
    const peer = `peer ${publicKey[far]} endpoint ${sideOf[far].wan}:${port} allowed-ips ${sideOf[far].net}`;
    await shell(`gw${side}`, `wg set ${device} private-key ${join(runDirectory(), `wireguard${side}.key`)} listen-port ${port} ${peer}`);
    await shell(`gw${side}`, `ip link set ${device} mtu ${mtu} up && ip route add ${sideOf[far].net} dev ${device}`);
  }
}

/** Its socket lies in /var/run, which namespaces share: the name carries the run's pid. */
const deviceOf = (side: Side): string => `w${tag.split('x')[0]}${side}`;
