// A list as a firewall has it, on the crypto map: hosts and networks, any, ports, ranges. Every row denies, so that the packets stay in the clear
// and only the list differs. Nine packets of ten match a row, each row as likely as another; the tenth matches none.

import { ip, ipv4, udp } from '../../test/path/packets.js';
import type { AceSpec, TablesSpec } from '../../test/path/router.js';
import { tablesFor } from './member.js';
import { dotted, makeRandom } from './random.js';

const Packets = 65536; // more than a branch predictor remembers
const wellKnown = [22, 25, 53, 80, 123, 161, 443, 3389, 8080, 8443];

interface Shape {
  srcLength: number;
  dstLength: number;
  protocol: number;
}

/** Rows of a kind that are as frequent as they stand here. Servers in 203.0.0.0/16, clients of ten sites, 10.1.0.0/16 and on. */
const shapes: readonly Shape[] = [
  { srcLength: 0, dstLength: 32, protocol: 6 },
  { srcLength: 0, dstLength: 32, protocol: 17 },
  { srcLength: 16, dstLength: 32, protocol: 6 },
  { srcLength: 24, dstLength: 32, protocol: 6 },
  { srcLength: 24, dstLength: 28, protocol: 17 },
  { srcLength: 32, dstLength: 24, protocol: 6 },
  { srcLength: 24, dstLength: 24, protocol: -1 },
  { srcLength: 32, dstLength: 0, protocol: -1 },
];

function rowsOf(count: number): AceSpec[] {
  const random = makeRandom(count + 1);
  return Array.from({ length: count }, (_, i) => {
    const { srcLength, dstLength, protocol } = shapes[i % shapes.length];
    const src = (ip('10.1.0.0') + random(10) * 65536 + random(65536)) & (srcLength === 0 ? 0 : -1 << (32 - srcLength));
    const dst = (ip('203.0.0.0') + random(65536)) & (dstLength === 0 ? 0 : -1 << (32 - dstLength));
    const low = random(4) === 0 ? 1024 + random(60000) : wellKnown[random(wellKnown.length)];
    const high = random(8) === 0 ? low + random(500) : low;
    return {
      action: 'deny',
      protocol,
      src: `${dotted(src)}/${srcLength}`,
      dst: `${dotted(dst)}/${dstLength}`,
      ...(protocol === -1 ? {} : { dport: [low, high] as [number, number] }),
    };
  });
}

export function aclTables(count: number): TablesSpec {
  return { ...tablesFor('clear'), acls: [rowsOf(count)] };
}

export function aclTraffic(count: number): Uint8Array[] {
  const random = makeRandom(7);
  const rows = rowsOf(count);
  const within = (prefix: string, side: string) => {
    const [address, length] = prefix.split('/');
    const free = length === '32' ? 0 : random(2 ** 31) & (2 ** (32 - Math.max(Number(length), 2)) - 1);
    return dotted(length === '0' ? ip(side) + (free & 0xffff) : ip(address) + free);
  };
  return Array.from({ length: Packets }, () => {
    const { src, dst, protocol, dport } = rows[random(rows.length)];
    const misses = random(10) === 0;
    const port = misses ? 9 : dport === undefined ? 5000 + random(1000) : dport[0] + random(dport[1] - dport[0] + 1);
    const from = within(src, '198.18.0.0');
    const to = misses ? `198.19.${random(256)}.${random(256)}` : within(dst, '198.51.0.0');
    return ipv4({ src: from, dst: to, protocol: protocol === 6 ? 6 : 17, payload: udp(1024 + random(60000), port, 36) });
  });
}
