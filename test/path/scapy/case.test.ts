// scapy's IPsec layer, which we did not write, opens what we seal and seals what we open.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SaKey } from '../../../dataplane/tables/layout.js';
import { ivOf } from '../by-hand.js';
import { branchPacket, hex } from '../packets.js';
import { keysOf, memberTables, Router, type SaSpec, type TransformName, transforms } from '../router.js';

// Compiled tests lie one folder deeper than their sources.
const here = dirname(fileURLToPath(import.meta.url));
const judge = [join(here, 'judge.py'), join(here, '../../../../test/path/scapy/judge.py')].find((path) => existsSync(path)) ?? '';

const names: Record<TransformName, [string, string]> = {
  '3des-sha1': ['3DES', 'HMAC-SHA1-96'],
  'aes-sha1': ['AES-CBC', 'HMAC-SHA1-96'],
  'aes-sha256': ['AES-CBC', 'SHA2-256-128'],
  'gcm-128': ['AES-GCM', 'NULL'],
  'gcm-256': ['AES-GCM', 'NULL'],
  'null-sha1': ['NULL', 'HMAC-SHA1-96'],
};

function ask(sa: SaSpec, what: 'open' | 'seal', packets: Uint8Array[], ivs?: string[]): string[] {
  const { cipherKeyLen, authKeyLen } = transforms[sa.transform];
  const keys = keysOf(sa);
  // Cipher key and salt are neighbours only for 32-byte keys.
  const salt = sa.transform.startsWith('gcm') ? hex(keys.subarray(SaKey.Salt, SaKey.Salt + 4)) : '';
  const input = {
    do: what,
    spi: sa.spi,
    crypt: names[sa.transform][0],
    auth: names[sa.transform][1],
    cryptKey: hex(keys.subarray(SaKey.Cipher, SaKey.Cipher + cipherKeyLen)) + salt,
    authKey: hex(keys.subarray(SaKey.Auth, SaKey.Auth + authKeyLen)),
    src: '10.0.1.10',
    dst: '10.0.2.10',
    packets: packets.map(hex),
    ...(ivs ? { ivs } : {}),
  };
  const run = spawnSync('/usr/bin/python3', [judge], { input: JSON.stringify(input), encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as string[];
}

const probe = spawnSync('/usr/bin/python3', ['-c', 'import scapy.layers.ipsec'], { encoding: 'utf8' });
const skip = probe.status === 0 ? false : 'python3-scapy is not installed (scripts/bootstrap installs it)';

t.test('scapy', { skip }, (t) => {
  for (const transform of Object.keys(transforms) as TransformName[]) {
    const sa: SaSpec = { spi: 0xb001, transform };
    const packets = [0, 1, 13, 14, 100, 1300].map((size) => branchPacket(size, { tos: 0x28 }));
    const sealed = new Router(memberTables(1, { ...sa, sids: [1] })).forward(0, ...packets)[1];
    t.strictSame(ask(sa, 'open', sealed), packets.map(hex), `${transform}: scapy opens ours`);
    const ivs = transform.startsWith('gcm') ? packets.map((_, i) => hex(ivOf(3, i))) : undefined;
    const theirs = ask(sa, 'seal', packets, ivs).map((text) => Uint8Array.from(Buffer.from(text, 'hex')));
    const router = new Router(memberTables(2, { ...sa, sids: [2] }));
    t.strictSame(router.forward(1, ...theirs)[0].map(hex), packets.map(hex), `${transform}: we open scapy's`);
  }
  t.end();
});
