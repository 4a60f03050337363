// scapy's IPsec layer, which we did not write, opens what we seal and seals what we open.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SenderKind, SenderState } from '../../../dataplane/mem/sender-state.js';
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

interface Question {
  sa: SaSpec;
  what: 'open' | 'seal';
  packets: Uint8Array[];
  ivs?: string[];
  /** Whole extended sequence numbers, of an SA that has them. */
  sequences?: number[];
}

function jobOf({ sa, what, packets, ivs, sequences }: Question): object {
  const isTransport = ((sa.flags ?? 0) & SaFlag.Transport) !== 0;
  const { cipher, cipherKeyLen, authKeyLen } = transforms[sa.transform];
  const keys = keysOf(sa);
  // Cipher key and salt are neighbours only for 32-byte keys.
  const salt = isCombined(cipher) ? hex(keys.subarray(SaKey.Salt, SaKey.Salt + 4)) : '';
  return {
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
    ...(sequences
      ? { sequences: sequences.map((number) => number % 2 ** 32), highs: sequences.map((number) => Math.floor(number / 2 ** 32)) }
      : {}),
  };
}

/** All at once: scapy takes a second to start. @returns what it made of the packets, null where an ICV is wrong */
function ask(questions: Question[]): (string[] | null)[] {
  const run = spawnSync('/usr/bin/python3', [judge], { input: JSON.stringify(questions.map(jobOf)), encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as (string[] | null)[];
}

function bytesOf(texts: string[] | null): Uint8Array[] {
  return (texts ?? []).map((text) => Uint8Array.from(Buffer.from(text, 'hex')));
}

function ivsFor(transform: TransformName, packets: Uint8Array[]): string[] | undefined {
  return isCombined(transforms[transform].cipher) ? packets.map((_, i) => hex(ivOf(3, i))) : undefined;
}

const probe = spawnSync('/usr/bin/python3', ['-c', 'import scapy.layers.ipsec'], { encoding: 'utf8' });
const skip = probe.status === 0 ? false : 'python3-scapy is not installed (scripts/bootstrap installs it)';

t.test('scapy', { skip }, (t) => {
  const packets = [0, 1, 13, 14, 100, 1300].map((size) => branchPacket(size, { tos: 0x28 }));
  const list = Object.keys(names) as TransformName[];
  const questions = list.flatMap((transform): Question[] => {
    const sa: SaSpec = { spi: 0xb001, transform };
    const sealed = new Router(memberTables(1, { ...sa, sids: [1] })).forward(0, ...packets)[1];
    return [
      { sa, what: 'open', packets: sealed },
      { sa, what: 'seal', packets, ivs: ivsFor(transform, packets) },
    ];
  });
  const answers = ask(questions);
  list.forEach((transform, i) => {
    t.strictSame(answers[2 * i], packets.map(hex), `${transform}: scapy opens ours`);
    const router = new Router(memberTables(2, { ...questions[2 * i].sa, sids: [2] }));
    t.strictSame(router.forward(1, ...bytesOf(answers[2 * i + 1]))[0].map(hex), packets.map(hex), `${transform}: we open scapy's`);
  });
  t.end();
});

interface Pair {
  name: string;
  router: Router;
  out: SaSpec;
  into: SaSpec;
  /** Ports: of what we seal, and of what we opened. */
  inside: number;
  from: string;
  to: string;
}

function pairOf(transform: TransformName, mode: 'tunnel' | 'transport', more = 0): Pair {
  const ends = { local: '172.16.1.2', peer: '172.16.2.2' };
  const flags = SaFlag.Pairwise | (mode === 'transport' ? SaFlag.Transport : 0) | more;
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
  const [from, to] = mode === 'tunnel' ? ['10.0.1.10', '10.0.2.10'] : [ends.local, ends.peer];
  return { name: `${mode}, ${transform}`, router, out, into, inside: mode === 'tunnel' ? 0 : 1, from, to };
}

const datagrams = (src: string, dst: string) =>
  [0, 1, 13, 14, 100, 1300].map((size) => ipv4({ src, dst, tos: 0x28, payload: udp(1, 2, size) }));

t.test('scapy, as the other of two gateways', { skip }, (t) => {
  const pairs = (['tunnel', 'transport'] as const).flatMap((mode) =>
    (['aes-sha1', 'gcm-256'] as const).map((transform) => pairOf(transform, mode)),
  );
  const answers = ask(
    pairs.flatMap(({ router, out, into, inside, from, to }): Question[] => [
      { sa: out, what: 'open', packets: router.forward(inside, ...datagrams(from, to))[1] },
      { sa: into, what: 'seal', packets: datagrams(to, from), ivs: ivsFor(into.transform, datagrams(to, from)) },
    ]),
  );
  // Of transport mode scapy's identification and checksum are its own.
  const apart = (text: string): string => text.slice(0, 16) + text.slice(24);
  pairs.forEach(({ name, router, inside, from, to }, i) => {
    const expected = datagrams(from, to).map((packet) => apart(hex(packet)));
    t.strictSame(answers[2 * i]?.map(apart), expected, `${name}: scapy opens ours`);
    const taken = router.forward(1, ...bytesOf(answers[2 * i + 1]))[inside];
    t.strictSame(taken.map(hex), datagrams(to, from).map(hex), `${name}: we open scapy's`);
  });
  t.end();
});

t.test('scapy, with extended sequence numbers over the edge of 2^32', { skip }, (t) => {
  const first = 2 ** 32 - 3;
  const contiguous = datagrams('10.0.1.10', '10.0.2.10').map((_, i) => first + i);
  // For scapy a lower half of 0 is none: it leaves 2^32 out.
  const sequences = contiguous.map((number) => (number < 2 ** 32 ? number : number + 1));
  const pairs = (['aes-sha256', 'null-sha1', 'gcm-128', 'gcm-256', 'chacha20'] as const).map((name) =>
    pairOf(name, 'tunnel', SaFlag.Extended),
  );
  const answers = ask(
    pairs.flatMap(({ router, out, into, from, to }): Question[] => {
      const { senders } = router.env;
      senders.numbers[SenderState.numberAt(senders.take(SenderKind.Sequence, out.spi, 0, () => true))] = first;
      const sealed = router.forward(0, ...datagrams(from, to))[1];
      return [
        { sa: out, what: 'open', packets: sealed, sequences: contiguous },
        { sa: out, what: 'open', packets: sealed, sequences: contiguous.map((number) => number + 2 ** 32) },
        { sa: into, what: 'seal', packets: datagrams(to, from), ivs: ivsFor(into.transform, sealed), sequences },
      ];
    }),
  );
  pairs.forEach(({ name, router, from, to }, i) => {
    t.strictSame(answers[3 * i], datagrams(from, to).map(hex), `${name}: scapy opens ours`);
    t.equal(answers[3 * i + 1], null, `${name}: with another upper half it does not`);
    router.env.replay.mark(1, 0, first - 1, 64);
    t.strictSame(router.forward(1, ...bytesOf(answers[3 * i + 2]))[0].map(hex), datagrams(to, from).map(hex), `${name}: we open scapy's`);
  });
  t.end();
});
