// Transport mode in UDP 4500, one end behind a translator: checksums that were made with other addresses are mended (RFC 3948 §3.1.2).

import t from 'tap';
import { CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { summed, withPseudo } from '../nat/flows.js';
import { fixHeader, hex, ip, ipv4, sumOf, udp } from '../packets.js';
import { Router, type TablesSpec, type TransformName, transforms } from '../router.js';

const names = Object.keys(transforms) as TransformName[];
/** By gateway: its own address, and the one by which the other knows it. The second is behind a translator. */
const own = ['', '172.16.1.2', '192.168.7.2'];
const seen = ['', '172.16.1.2', '203.0.113.9'];
const ports = [0, 4500, 33_000];
const spis = [0, 0x1111, 0x2222];

function gateway(n: 1 | 2, transform: TransformName): TablesSpec {
  const other = 3 - n;
  const ends = { local: own[n], peer: seen[other], peerPort: ports[other], transform };
  const flags = SaFlag.Pairwise | SaFlag.Transport;
  return {
    ports: [{ address: '10.0.0.1' }, { address: own[n] }],
    acls: [
      [{ action: 'permit', src: `${own[n]}/32`, dst: `${seen[other]}/32` }],
      [{ action: 'permit', src: `${seen[other]}/32`, dst: `${own[n]}/32` }],
    ],
    entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 7 }],
    sas: [
      { ...ends, spi: spis[other], keySeed: other, acl: 0, sids: [0], sidBits: 8, flags: flags | SaFlag.Outbound },
      {
        ...ends,
        spi: spis[n],
        keySeed: n,
        acl: 1,
        sidBits: 0,
        flags: flags | SaFlag.Inbound,
        originals: { local: seen[n], peer: own[other] },
      },
    ],
    routes: [{ prefix: '0.0.0.0/0', port: 1, via: own[n] }],
    locals: [own[n]],
  };
}

/** A datagram with a right checksum, or none. */
function segment(src: string, dst: string, protocol: number, size: number, sumAt: number): Uint8Array {
  const body = udp(1000, 2000, size + 20);
  if (sumAt === 0) return ipv4({ src, dst, protocol, payload: body });
  body.fill(0, sumAt, sumAt + 2);
  return summed({ src, dst, protocol }, body, sumAt);
}

/** What the translator does: addresses and ports of the outer headers. */
function translate(packet: Uint8Array, which: 'source' | 'destination', address: string, port: number): Uint8Array {
  const copy = packet.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(which === 'source' ? 12 : 16, ip(address));
  view.setUint16(which === 'source' ? 20 : 22, port);
  return fixHeader(copy);
}

/** The datagram as the other end should have it: other addresses, and whatever checksum is right then. */
function expected(packet: Uint8Array, src: string, dst: string, sumAt: number): string {
  const copy = packet.slice();
  const view = new DataView(copy.buffer);
  view.setUint32(12, ip(src));
  view.setUint32(16, ip(dst));
  if (sumAt > 0) {
    view.setUint16(20 + sumAt, 0);
    view.setUint16(20 + sumAt, sumOf(withPseudo(copy)) || 0xffff);
  }
  return hex(fixHeader(copy));
}

const Tcp = { protocol: 6, sumAt: 16 };
const Udp = { protocol: 17, sumAt: 6 };
const kinds = [Tcp, Udp, { protocol: 17, sumAt: 0 }, { protocol: 47, sumAt: 0 }, { protocol: 1, sumAt: 0 }];

for (const transform of names) {
  t.test(`${transform}: there and back`, (t) => {
    const [a, b] = [new Router(gateway(1, transform)), new Router(gateway(2, transform))];
    for (const { protocol, sumAt } of kinds)
      for (const size of [0, 1, 33, 1200]) {
        const out = segment(own[2], seen[1], protocol, size, sumAt);
        const [sealed] = b.forward(1, out)[1];
        t.strictSame([sealed[9], sumOf(sealed.subarray(0, 20))], [17, 0], 'UDP, in a header that is right');
        const [opened] = a.forward(1, translate(sealed, 'source', seen[2], ports[2]))[1];
        t.equal(hex(opened), expected(out, seen[2], own[1], sumAt), `protocol ${protocol}, ${size} bytes, from behind the translator`);
        const back = segment(own[1], seen[2], protocol, size, sumAt);
        const [answer] = a.forward(1, back)[1];
        const [taken] = b.forward(1, translate(answer, 'destination', own[2], 4500))[1];
        t.equal(hex(taken), expected(back, seen[1], own[2], sumAt), 'to it');
      }
    for (const router of [a, b]) t.equal(router.imbalance(), null);
    t.match(a.counters(), { 'sa[1].opened_packets': 20, 'path.punted_packets': 20 });
    t.end();
  });
}

t.test('a checksum that was wrong stays wrong', (t) => {
  const [a, b] = [new Router(gateway(1, 'gcm-256')), new Router(gateway(2, 'gcm-256'))];
  const out = segment(own[2], seen[1], Tcp.protocol, 100, Tcp.sumAt);
  out[60] ^= 1;
  const [sealed] = b.forward(1, out)[1];
  const [opened] = a.forward(1, translate(sealed, 'source', seen[2], ports[2]))[1];
  t.not(sumOf(withPseudo(opened)), 0);
  t.end();
});
