// Tables as the Internet's (lengths as in potaroo.net's reports: six of ten are /24), with host routes of one's own, some hundred next hops; the
// destination of a packet is any host of any route, so that long prefixes are met more often than in life.

import type { FibRoute } from '../../dataplane/proto/fib.js';
import { ip, ipv4, udp } from '../../test/path/packets.js';
import { dotted, makeRandom } from './random.js';

const Packets = 65536;
const NextHops = 300;
/** Prefix length, routes of a thousand. */
const lengths: readonly [number, number][] = [
  [24, 598],
  [22, 112],
  [23, 100],
  [21, 51],
  [20, 45],
  [19, 26],
  [32, 20],
  [16, 14],
  [18, 14],
  [17, 9],
  [15, 3],
  [14, 3],
  [13, 2],
  [12, 1],
  [10, 1],
  [8, 1],
];
/** Every length above, a thousand times, as frequent as it is. */
const drawn = lengths.flatMap(([length, of]) => Array.from({ length: of }, () => length));

/** A default route, then `count - 1` different ones in 1.0.0.0 to 223.255.255.255 without 10/8, which holds our own networks. */
export function fibRoutes(count: number): FibRoute[] {
  const random = makeRandom(99);
  const seen = new Set<number>();
  const routes: FibRoute[] = [{ prefix: 0, prefixLength: 0, kind: 'unicast', port: 1, nextHop: ip('172.16.1.1') }];
  while (routes.length < count) {
    const prefixLength = drawn[random(drawn.length)];
    const first = 1 + random(223);
    if (first === 10 || first === 127) continue;
    const prefix = (first * 2 ** 24 + random(2 ** 24)) & (-1 << (32 - prefixLength));
    const name = (prefix >>> 0) * 64 + prefixLength;
    if (seen.has(name)) continue;
    seen.add(name);
    routes.push({ prefix, prefixLength, kind: 'unicast', port: 1, nextHop: ip('172.16.1.1') + random(NextHops) });
  }
  return routes;
}

export function fibTraffic(routes: readonly FibRoute[]): Uint8Array[] {
  const random = makeRandom(3);
  return Array.from({ length: Packets }, () => {
    const { prefix, prefixLength } = routes[random(routes.length)];
    const dst = prefixLength === 0 ? ip('198.51.100.1') + random(256) : prefix + random(2 ** (32 - prefixLength));
    return ipv4({ src: '10.0.1.10', dst: dotted(dst), payload: udp(1000, 2000, 36) });
  });
}
