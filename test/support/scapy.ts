// scapy as judge and as foreign sender: runs Python with Debian's scapy, input and output as JSON.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from './lab.js';
import { runChecked } from './netns.js';

const prelude = `
import json, logging, socket, sys
logging.getLogger('scapy').setLevel(logging.ERROR)
from scapy.all import *
from scapy.layers.ipsec import *
arguments = json.loads(sys.argv[1])
`;

export interface Where {
  lab: Lab;
  node: Parameters<Lab['sh']>[0];
}

/** Runs a snippet that finds its input in \`arguments\` and prints one JSON value. @throws Error with Python's message */
export async function runScapy(snippet: string, input: unknown, where?: Where): Promise<unknown> {
  const argv = ['/usr/bin/python3', '-c', prelude + snippet, JSON.stringify(input)];
  const inside = where === undefined ? [] : ['ip', 'netns', 'exec', where.lab.namespace(where.node)];
  const text = await runChecked([...inside, ...argv]);
  return text.trim() === '' ? null : JSON.parse(text);
}

/** An SA in scapy's words, made from a line of the key log's esp_sa table. */
export interface ScapySa {
  spi: number;
  crypt_algo: string;
  crypt_key: string;
  auth_algo: string | null;
  auth_key: string;
  /** Else tunnel mode. */
  transport?: boolean;
}

const encryptions: [prefix: string, name: string][] = [
  ['AES-GCM', 'AES-GCM'],
  ['AES-CBC', 'AES-CBC'],
  ['DES-CBC', 'DES'],
  ['TripleDES', '3DES'],
  ['NULL', 'NULL'],
];
const authentications: [prefix: string, name: string | null][] = [
  ['NULL', null],
  ['HMAC-MD5-96', 'HMAC-MD5-96'],
  ['HMAC-SHA-1-96', 'HMAC-SHA1-96'],
  ['HMAC-SHA-256-128', 'SHA2-256-128'],
  ['HMAC-SHA-384-192', 'SHA2-384-192'],
  ['HMAC-SHA-512-256', 'SHA2-512-256'],
];

function translate<T>(table: [string, T][], text: string): T {
  const found = table.find(([prefix]) => text.startsWith(prefix));
  if (found === undefined) throw new Error(`scapy knows no ${text}`);
  return found[1];
}

/** @param keys key log directory @returns one SA per line of esp_sa */
export function readScapySas(keys: string): ScapySa[] {
  const lines = readFileSync(join(keys, 'esp_sa'), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [, , , spi, encryption, key, authentication, authKey] = line.slice(1, -1).split('","');
      return {
        spi: Number(spi),
        crypt_algo: translate(encryptions, encryption),
        crypt_key: key.slice(2),
        auth_algo: translate(authentications, authentication),
        auth_key: authKey.slice(2),
      };
    });
}

/** Python: `sas`, SecurityAssociation by SPI, from `arguments['sas']`. */
const makeSas = `
def unhex(text): return bytes.fromhex(text) or None
sas = {s['spi']: SecurityAssociation(ESP, spi=s['spi'], crypt_algo=s['crypt_algo'], crypt_key=unhex(s['crypt_key']),
    auth_algo=s['auth_algo'], auth_key=unhex(s['auth_key']), tunnel_header=None if s.get('transport') or arguments.get('transport') else IP()) for s in arguments['sas']}
`;

/** Inner packets of all ESP from \`source\` in a capture, in its order, as scapy decrypts them. @throws Error when one does not verify */
export async function decryptWithScapy(file: string, source: string, sas: readonly ScapySa[], transport = false): Promise<Buffer[]> {
  const snippet = `${makeSas}
out = []
for packet in PcapReader(arguments['file']):
    if IP in packet and ESP in packet and packet[IP].src == arguments['source']:
        outer = IP(bytes(packet[IP])[:packet[IP].len])
        out.append(bytes(sas[outer[ESP].spi].decrypt(outer)).hex())
print(json.dumps(out))
`;
  const packets = (await runScapy(snippet, { file, source, sas, transport })) as string[];
  return packets.map((hex) => Buffer.from(hex, 'hex'));
}

/** Whether scapy takes every IKE message of a capture apart, and makes the same bytes of what it found. @returns how many */
export async function countIkeWithScapy(file: string): Promise<number> {
  const snippet = `
count = 0
for packet in PcapReader(arguments['file']):
    if UDP not in packet or 500 not in (packet[UDP].sport, packet[UDP].dport): continue
    message = bytes(packet[UDP])[8:packet[UDP].len]
    apart = ISAKMP(message)
    if apart.length != len(message) or bytes(apart) != message: raise ValueError('scapy reads another message: ' + message.hex())
    count += 1
print(json.dumps(count))
`;
  return (await runScapy(snippet, { file })) as number;
}

export interface ForeignPacket {
  source: string;
  destination: string;
  /** UDP, to this port. */
  port: number;
  payload: string;
  sequence: number;
  /** Explicit IV (hex) for counter modes; scapy chooses one when it is absent. */
  iv?: string;
  /** Outer source when it must differ from the inner one. */
  outerSource?: string;
}

/** Seals packets with scapy (tunnel mode, addresses preserved) and sends each, in order, from a node. */
export async function sendSealed(where: Where, sa: ScapySa, packets: readonly ForeignPacket[]): Promise<void> {
  const snippet = `${makeSas}
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
sa = sas[arguments['sas'][0]['spi']]
for p in arguments['packets']:
    inner = IP(src=p['source'], dst=p['destination']) / UDP(sport=40000, dport=p['port']) / p['payload'].encode()
    sa.tunnel_header = IP(src=p.get('outerSource', p['source']), dst=p['destination'])
    sealed = sa.encrypt(inner, seq_num=p['sequence'], iv=bytes.fromhex(p['iv']) if 'iv' in p else None)
    raw.sendto(bytes(sealed), (p['destination'], 0))
`;
  await runScapy(snippet, { sas: [sa], packets }, where);
}
