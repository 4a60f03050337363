// OpenVPN 2.6 in userspace (no DCO), TLS with two self-signed certificates that know each other's fingerprint.

import { join } from 'node:path';
import { Background, runChecked, runDirectory } from '../machine.js';
import { other, type Side, sideOf, sides } from '../topology.js';

const port = '1194';
const common = [
  '--dev-type',
  'tun',
  '--proto',
  'udp',
  '--port',
  port,
  '--disable-dco',
  '--verb',
  '3',
  '--dh',
  'none',
  '--reneg-sec',
  '0',
  '--ping',
  '10',
];
const cipher = ['--data-ciphers', 'AES-256-GCM', '--cipher', 'AES-256-GCM'];
const tuning = ['--fast-io', '--sndbuf', '1048576', '--rcvbuf', '1048576', '--txqueuelen', '1000'];
const inner: Record<Side, string> = { A: '10.9.0.1', B: '10.9.0.2' };

export async function startOpenvpn(): Promise<void> {
  const path = (side: Side, what: string) => join(runDirectory(), `openvpn${side}.${what}`);
  const fingerprint = { A: '', B: '' };
  for (const side of sides) {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path(side, 'key')];
    await runChecked(['openssl', 'req', '-x509', ...key, '-out', path(side, 'crt'), '-subj', `/CN=${side}`, '-days', '2']);
    const text = await runChecked(['openssl', 'x509', '-in', path(side, 'crt'), '-noout', '-fingerprint', '-sha256']);
    fingerprint[side] = text.trim().split('=')[1];
  }
  for (const side of [...sides].reverse()) {
    const far = other(side);
    const role = side === 'A' ? ['--tls-client', '--remote', sideOf[far].wan] : ['--tls-server'];
    const identity = ['--cert', path(side, 'crt'), '--key', path(side, 'key'), '--peer-fingerprint', fingerprint[far]];
    const network = sideOf[far].net.split('/')[0];
    const addresses = ['--dev', `ovpn${side}`, '--ifconfig', inner[side], inner[far], '--route', network, '255.255.0.0'];
    new Background(`gw${side}`, `openvpn${side}`, ['openvpn', ...common, ...cipher, ...tuning, ...role, ...identity, ...addresses]);
  }
}
