// The header Host of whoever asks the metrics listener: an address, localhost or one of the router's names, as the platform's own parser of URLs
// understands it, or the answer is no.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isForUs } from '../../control/page/guard.js';

const names = ['R1', 'r1.example.net'];

export function fuzz(bytes: Uint8Array): void {
  const host = Buffer.from(bytes).toString('latin1');
  if (!isForUs({ headers: { host } } as IncomingMessage, names)) return;
  if (!URL.canParse(`http://${host}/`)) return; // no browser can ask for it
  const { hostname } = new URL(`http://${host}/`);
  const name = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(name) === 0 && !['localhost', 'r1', 'r1.example.net'].includes(name))
    throw new Error(`'${host}' is answered, and is ${hostname}`);
}

const hosts = [
  '127.0.0.1:9848',
  'localhost',
  '[::1]:9848',
  'R1.',
  'r1.example.net:80',
  'r1@attacker.example',
  '127.0.0.1.attacker.example:9848',
  'a:b@[::1]:1',
];
export const seeds: readonly Uint8Array[] = hosts.map((host) => new TextEncoder().encode(host));
