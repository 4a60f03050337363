// `clear counters` and five-minute rates in the snapshot: they outlive a dataplane that does not answer, and begin anew with one that did.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CounterSet } from '../../../../control/api/counters.js';
import { RateMeter } from '../../../../control/api/rates.js';
import { ClearedCounters } from '../../../../control/cleared-counters.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { RsaKeys } from '../../../../control/pki/rsa-keys.js';
import { sampleRates } from '../../../../control/rate-samples.js';
import { Router } from '../../../../control/router.js';
import { buildSnapshot, type SnapshotParts } from '../../../../control/snapshot/build.js';
import { interfaceStates } from '../../../../control/snapshot/interfaces.js';
import { SealedStore } from '../../../../control/store/sealed-store.js';
import { PortCount } from '../../../../dataplane/counters/declare.js';
import { emptySnapshot } from '../../cli/show/sample.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-cleared-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const store = await SealedStore.open(folder);
const counters = new CounterSet();
const { config } = parseConfig('interface eth0\n ip address 10.0.0.1 255.255.255.0\n');
const router = new Router(
  config,
  {
    log: { write: () => undefined },
    counters,
    store,
    rsaKeys: new RsaKeys(store),
    keyLog: null,
    send: () => true,
    publish: () => undefined,
    join: () => undefined,
  },
  0,
);

/** A dataplane that has received and dropped so many packets on every port. */
function dataplane(packets: number): SnapshotParts['dataplane'] {
  const port = new Array<number>(PortCount.Count).fill(0);
  port[PortCount.RxPackets] = packets;
  const ports = new Array<number[]>(64).fill(port);
  const rest = { interfaces: [], aceHits: [], routes: [], sas: [], qos: { classes: [], waits: [], reds: [] }, pathMtus: [], workers: 1 };
  return { ...rest, ports, drops: [packets], path: [], nat: [] } as unknown as SnapshotParts['dataplane'];
}

t.test('no answer is no restart', (t) => {
  const cleared = new ClearedCounters();
  const { instance, version, logging, processes } = emptySnapshot();
  const rest = { router, instance, version, logging, processes, counters, rates: new RateMeter(), publicKeys: [], cleared, now: 2000 };
  const look = (at: SnapshotParts['dataplane']) => buildSnapshot({ ...rest, dataplane: at }).cleared;
  t.equal(look(dataplane(9)), undefined, 'never cleared');
  cleared.clear(interfaceStates(config, router.allocation, dataplane(9)), [9], [], 1000);
  const baseline = { at: 1000, interfaces: [{ name: 'eth0', counters: { receivedPackets: 9 } }], drops: [9] };
  t.match(look(dataplane(10)), baseline);
  t.strictSame(look(null), { at: 1000, interfaces: [], drops: [], dropCells: [] }, 'zeros are shown as zeros');
  t.match(look(dataplane(11)), baseline, 'and it goes on');
  t.strictSame(look(dataplane(3)), { at: 1000, interfaces: [], drops: [], dropCells: [] }, 'began anew');
  t.strictSame(look(dataplane(12)), { at: 1000, interfaces: [], drops: [], dropCells: [] });
  t.end();
});

t.test('an answer that is missing leaves the rates as they are', (t) => {
  const rates = new RateMeter();
  const look = (packets: number | null, now: number): number | undefined => {
    sampleRates(rates, router, packets === null ? null : dataplane(packets), now);
    return rates.rates('eth0')?.receivedPacketsPerSecond;
  };
  t.equal(look(1_000_000, 0), undefined);
  const steady = look(1_000_500, 5000) ?? 0;
  t.ok(steady > 0 && steady < 100, `${steady}`);
  t.equal(look(null, 10_000), steady, 'one time-out');
  const next = look(1_001_500, 15_000) ?? 0;
  t.ok(next > steady && next < 100, `100 packets/s all along, and the average nears that: ${next}`);
  t.equal(look(7, 20_000), undefined, 'a dataplane that began anew is one');
  t.end();
});
