// scapy's IPsec layer, which we did not write, opens what we seal and seals what we open.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { isCombined } from '../../../dataplane/proto/esp.js';
import { CryptoFlag, SaFlag, SaKey } from '../../../dataplane/tables/layout.js';
import { ivOf } from '../by-hand.js';
import { branchPacket, hex, ipv4, udp } from '../packets.js';
import { keysOf, memberTables, Router, type SaSpec, type TransformName, transforms } from '../router.js';

// Compiled tests lie one folder deeper than their sources.
const here = dirname(fileURLToPath(import.meta.url));
const judge = [join(here, 'judge.py'), join(here, '../../../../test/path/scapy/judge.py')].find((path) => existsSync(path)) ?? '';

/** GMAC is not in scapy: pycryptodome judges it (test/vectors/aead). */
const names: Record<Exclude<TransformName, 'gmac-128'>, [string, string]> = {
  '3des-sha1': ['3DES', 'HMAC-SHA1-96'],
  'aes-sha1': ['AES-CBC', 'HMAC-SHA1-96'],
  'aes-sha256': ['AES-CBC', 'SHA2-256-128'],
  'gcm-128': ['AES-GCM', 'NULL'],
  'gcm-256': ['AES-GCM', 'NULL'],
  chacha20: ['CHACHA20-POLY1305', 'NULL'],
  'null-sha1': ['NULL', 'HMAC-SHA1-96'],
};

function ask(sa: SaSpec, what: 'open' | 'seal', packets: Uint8Array[], ivs?: string[]): string[] {
  const isTransport = ((sa.flags ?? 0) & SaFlag.Transport) !== 0;
  const { cipherKeyLen, authKeyLen } = transforms[sa.transform];
  const keys = keysOf(sa);
  // Cipher key and salt are neighbours only for 32-byte keys.
  const salt = isCombined(transforms[sa.transform].cipher) ? hex(keys.subarray(SaKey.Salt, SaKey.Salt + 4)) : '';
  const input = {
    do: what,
    spi: sa.spi,
    crypt: names[sa.transform as keyof typeof names][0],
    auth: names[sa.transform as keyof typeof names][1],
    cryptKey: hex(keys.subarray(SaKey.Cipher, SaKey.Cipher + cipherKeyLen)) + salt,
    authKey: hex(keys.subarray(SaKey.Auth, SaKey.Auth + authKeyLen)),
    src: sa.peer ?? '10.0.1.10',
    dst: sa.local ?? '10.0.2.10',
    transport: isTransport,
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
  for (const transform of Object.keys(names) as TransformName[]) {
    const sa: SaSpec = { spi: 0xb001, transform };
    const packets = [0, 1, 13, 14, 100, 1300].map((size) => branchPacket(size, { tos: 0x28 }));
    const sealed = new Router(memberTables(1, { ...sa, sids: [1] })).forward(0, ...packets)[1];
    t.strictSame(ask(sa, 'open', sealed), packets.map(hex), `${transform}: scapy opens ours`);
    const ivs = isCombined(transforms[transform].cipher) ? packets.map((_, i) => hex(ivOf(3, i))) : undefined;
    const theirs = ask(sa, 'seal', packets, ivs).map((text) => Uint8Array.from(Buffer.from(text, 'hex')));
    const router = new Router(memberTables(2, { ...sa, sids: [2] }));
    t.strictSame(router.forward(1, ...theirs)[0].map(hex), packets.map(hex), `${transform}: we open scapy's`);
  }
  t.end();
});

t.test('scapy, as the other of two gateways', { skip }, (t) => {
  const ends = { local: '172.16.1.2', peer: '172.16.2.2' };
  for (const mode of ['tunnel', 'transport'] as const)
    for (const transform of ['aes-sha1', 'gcm-256'] as const) {
      const flags = SaFlag.Pairwise | (mode === 'transport' ? SaFlag.Transport : 0);
      const out: SaSpec = { ...ends, spi: 0xb001, transform, acl: 0, sids: [0], sidBits: 8, flags: flags | SaFlag.Outbound };
      const into: SaSpec = { ...ends, spi: 0xb002, transform, acl: 1, sidBits: 0, keySeed: 2, flags: flags | SaFlag.Inbound };
      const [mine, theirs] = mode === 'tunnel' ? ['10.0.1.0/24', '10.0.2.0/24'] : ['172.16.1.2/32', '172.16.2.2/32'];
      const router = new Router(
        memberTables(1, null, {
          acls: [[{ action: 'permit', src: mine, dst: theirs }], [{ action: 'permit', src: theirs, dst: mine }]],
          entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 1 }],
          sas: [out, into],
        }),
      );
      const inside = (src: string, dst: string) =>
        [0, 1, 13, 14, 100, 1300].map((size) => ipv4({ src, dst, tos: 0x28, payload: udp(1, 2, size) }));
      const [from, to] = mode === 'tunnel' ? ['10.0.1.10', '10.0.2.10'] : [ends.local, ends.peer];
      const sealed = router.forward(mode === 'tunnel' ? 0 : 1, ...inside(from, to))[1];
      const opened = ask(out, 'open', sealed).map((text) => text.slice(0, 16) + text.slice(24));
      t.strictSame(
        opened,
        inside(from, to).map((packet) => hex(packet).slice(0, 16) + hex(packet).slice(24)),
        `${mode}, ${transform}: scapy opens ours`,
      );
      const packets = inside(to, from);
      const ivs = isCombined(transforms[transform].cipher) ? packets.map((_, i) => hex(ivOf(3, i))) : undefined;
      const theirPackets = ask(into, 'seal', packets, ivs).map((text) => Uint8Array.from(Buffer.from(text, 'hex')));
      const taken = router.forward(1, ...theirPackets)[mode === 'tunnel' ? 0 : 1];
      t.strictSame(taken.map(hex), packets.map(hex), `${mode}, ${transform}: we open scapy's`);
    }
  t.end();
});
