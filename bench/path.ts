// What one packet costs in the pipeline, by stage, with I/O in memory: forward, seal, open. One core, no kernel. Numbers are for
// comparing two versions of this code on one machine; what I/O adds is measured elsewhere.
//   node dist/bench/path.js [packet bytes]

import type { Env } from '../dataplane/env.js';
import { makeRx } from '../dataplane/path/10-rx.js';
import { makeIpInput } from '../dataplane/path/15-ip-input.js';
import { makeEspOpen } from '../dataplane/path/25-esp-open.js';
import { makePolicyIn } from '../dataplane/path/27-policy-in.js';
import { makeRoute } from '../dataplane/path/40-route.js';
import { makeCryptoMap } from '../dataplane/path/55-crypto-map.js';
import { makePmtu } from '../dataplane/path/60-pmtu.js';
import { makeEspSeal } from '../dataplane/path/70-esp-seal.js';
import { makeTx } from '../dataplane/path/90-tx.js';
import { makeLocal } from '../dataplane/path/95-local.js';
import { branchPacket, ipv4, udp } from '../test/path/packets.js';
import { memberTables, Router, type SaSpec } from '../test/path/router.js';

const Batch = 64;
const WarmUpPasses = 3000;
const Passes = 10000;

type Stage = [name: string, run: () => unknown];

function stagesOf(env: Env): Stage[] {
  return [
    ['10-rx', makeRx(env)],
    ['15-ip-input', makeIpInput(env)],
    ['25-esp-open', makeEspOpen(env)],
    ['27-policy-in', makePolicyIn(env)],
    ['40-route', makeRoute(env)],
    ['55-crypto-map', makeCryptoMap(env)],
    ['60-pmtu', makePmtu(env)],
    ['70-esp-seal', makeEspSeal(env)],
    ['90-tx', makeTx(env)],
    ['95-local', makeLocal(env)],
  ];
}

/** Reads the same packets again and again without copying more than a device would; forgets what is written. */
function feed(router: Router, packets: readonly Uint8Array[]): void {
  const native = router.env.native;
  native.rx = (fd, pool, offsets, lengths, count) => {
    if (fd !== 100) return 0;
    const read = Math.min(count, packets.length);
    for (let i = 0; i < read; i++) {
      pool.set(packets[i], offsets[i]);
      lengths[i] = packets[i].length;
    }
    return read;
  };
  native.tx = (_fd, _pool, _offsets, _lengths, count, results) => {
    results.fill(0, 0, count);
    return count;
  };
}

function measure(name: string, router: Router, packets: readonly Uint8Array[]): void {
  feed(router, packets);
  const stages = stagesOf(router.env);
  const spent = new Float64Array(stages.length);
  const { ipInput, route } = router.env.vec;
  let packetsSeen = 0;
  const pass = (timed: boolean) => {
    let start = 0;
    do {
      for (let i = start; i < stages.length; i++) {
        const before = performance.now();
        stages[i][1]();
        if (timed) spent[i] += performance.now() - before;
        if (i === 0 && timed) packetsSeen += ipInput.length;
      }
      start = 1;
    } while (ipInput.length + route.length > 0);
  };
  for (let i = 0; i < WarmUpPasses; i++) pass(false);
  for (let i = 0; i < Passes; i++) pass(true);
  const each = (ms: number) => ((ms * 1e6) / packetsSeen).toFixed(0).padStart(6);
  const sum = spent.reduce((a, b) => a + b, 0);
  console.log(`\n${name}: ${each(sum)} ns a packet, ${Math.round(packetsSeen / sum)} kpps`);
  stages.forEach(([stage], i) => {
    console.log(`  ${stage.padEnd(14)} ${each(spent[i])}`);
  });
}

const size = Number(process.argv[2] ?? 100);
const only = process.argv[3];
const sa: SaSpec = { spi: 0x1001, transform: 'gcm-256', window: 0 };
const plain = Array.from({ length: Batch }, () => branchPacket(Math.max(size - 28, 0)));

const runs: Record<string, () => void> = {
  forward: () => {
    const clear = Array.from({ length: Batch }, () =>
      ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: udp(1, 2, Math.max(size - 28, 0)) }),
    );
    measure(`forward, ${size} bytes`, new Router(memberTables(1, { ...sa, sids: [1] })), clear);
  },
  seal: () => measure(`seal AES-256-GCM, ${size} bytes`, new Router(memberTables(1, { ...sa, sids: [1] })), plain),
  open: () => {
    const sealed = new Router(memberTables(1, { ...sa, sids: [1] })).forward(0, ...plain)[1];
    // Port 0 is read, so it is the outside here; window 0, because the same packets come again and again.
    const tables = memberTables(
      2,
      { ...sa, sids: [2] },
      { entries: [{ port: 0, acl: 0, sa: 0 }], routes: [{ prefix: '0.0.0.0/0', port: 1 }] },
    );
    measure(`open AES-256-GCM, ${size} bytes`, new Router(tables), sealed);
  },
};
// Each run in a process of its own, when named: factories called twice in one isolate lose their constants.
for (const [name, run] of Object.entries(runs)) if (only === undefined || only === name) run();
