// PAT: every packet belongs to a session that is there. Which of them comes next is by chance, so that with many sessions none is in a cache.

import type { Env } from '../../dataplane/env.js';
import { global } from '../../test/path/nat/flows.js';
import { ip, ipv4, udp } from '../../test/path/packets.js';
import { dotted, makeRandom } from './random.js';

const Packets = 65536;

/** A flow: no two have destination and port in common, so that each keeps its port. */
function flowOf(i: number): { src: number; sport: number; dst: number } {
  const place = i >>> 8;
  return { src: ip('10.0.1.10') + (place % 200), sport: 1024 + place, dst: ip('198.51.100.0') + (i & 255) };
}

/** @param count up to 2^22 */
export function makeSessions(env: Env, count: number): void {
  for (let i = 0; i < count; i++) {
    const { src, sport, dst } = flowOf(i);
    env.nat.sessions.add(17, src | 0, sport, ip(global) | 0, sport, dst | 0, 2000, 0, Math.floor(env.native.monotonicMs() / 1000));
  }
}

/** @param lengths of the datagrams, over and over */
export function natTraffic(sessions: number, lengths: readonly number[]): Uint8Array[] {
  const random = makeRandom(17);
  return Array.from({ length: Packets }, (_, i) => {
    const { src, sport, dst } = flowOf(random(sessions));
    return ipv4({ src: dotted(src), dst: dotted(dst), payload: udp(sport, 2000, lengths[i % lengths.length] - 28) });
  });
}
