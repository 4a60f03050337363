// A member in memory, for benches of the path: real tables, stages and counters, with datagrams in memory in place of devices.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adoptBank, type Env, makeEnv } from '../dataplane/env.js';
import { Clock } from '../dataplane/mem/clock.js';
import { LinkKind } from '../dataplane/mem/links.js';
import { SenderState } from '../dataplane/mem/sender-state.js';
import { allocateShared, bankOf } from '../dataplane/mem/shared.js';
import { loadNative, type Native } from '../dataplane/native/native.js';
import { buildFib } from '../dataplane/proto/fib.js';
import { bootId, Now, writeBank } from '../test/path/router.js';
import type { Workload } from './cases/index.js';

const SmallWords = 16;

/** Datagrams in memory in place of devices: each call reads the next ones, and what is sent is forgotten. */
function feedOf(packets: readonly Uint8Array[]): Pick<Native, 'rx' | 'tx'> {
  // Small ones are copied by words from one array: as little of the cache as a device would take.
  const words = new Int32Array(packets.length * SmallWords);
  const small = packets.map((packet, i) => {
    if (packet.length <= SmallWords * 4) new Uint8Array(words.buffer, i * SmallWords * 4).set(packet);
    return packet.length <= SmallWords * 4 ? packet.length : 0;
  });
  const smallLengths = Int32Array.from(small);
  let poolWords: Int32Array = new Int32Array(0);
  let next = 0;
  return {
    rx(fd, pool, offsets, lengths, count) {
      if (fd !== 100) return 0;
      if (poolWords.buffer !== pool.buffer) poolWords = new Int32Array(pool.buffer);
      for (let i = 0; i < count; i++) {
        lengths[i] = smallLengths[next];
        if (lengths[i] > 0) {
          const to = offsets[i] >> 2;
          const from = next * SmallWords;
          for (let word = 0; word < SmallWords; word++) poolWords[to + word] = words[from + word];
        } else {
          const packet = packets[next];
          pool.set(packet, offsets[i]);
          lengths[i] = packet.length;
        }
        next = next + 1 === packets.length ? 0 : next + 1;
      }
      return count;
    },
    tx(_fd, _pool, _offsets, _lengths, count, results) {
      for (let i = 0; i < count; i++) results[i] = 0;
      return count;
    },
  };
}

export function makeMember({ tables, routes, packets, prepare }: Workload): { env: Env; feed: Pick<Native, 'rx' | 'tx'>; buildMs: number } {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const feed = feedOf(packets);
  const native: Native = { ...loadNative(), ...feed, bound: undefined };
  const shared = allocateShared(1);
  const env = makeEnv({ index: 0, shared, native, senders: SenderState.open(native, join(folder, 'senders.0'), bootId) });
  env.clock[Clock.Seconds] = Now;
  tables.ports.forEach(({ tunnel }, port) => {
    env.links.open(port, [{ fd: 100 + port, kind: tunnel ? LinkKind.Tunnel : LinkKind.Tun }]);
  });
  writeBank(shared, 1, tables);
  const before = performance.now();
  if (routes !== undefined) buildFib(bankOf(shared, 1), routes);
  const buildMs = performance.now() - before;
  const errors = adoptBank(env, shared, 1);
  if (errors.length > 0) throw new Error(errors.join('; '));
  prepare?.(env);
  return { env, feed, buildMs };
}
