// What others see of this router: the snapshot, with the meters that go into it (rates of interfaces, CPU of processes, counters since they were cleared).

import type { CounterSet } from './api/counters.js';
import { CpuMeter } from './api/cpu-meter.js';
import type { KeptCounters } from './api/kept-counters.js';
import { RateMeter } from './api/rates.js';
import type { ProcessState, Snapshot } from './api/snapshot.js';
import { readVersion } from './api/version.js';
import type { Captures } from './capture/captures.js';
import type { PacketTraces } from './capture/packet-traces.js';
import { ClearedCounters } from './cleared-counters.js';
import type { DataplaneLink } from './dataplane-link.js';
import { lastKnown } from './last-known.js';
import type { RsaKeys } from './pki/rsa-keys.js';
import type { PathSearches } from './probe/path-searches.js';
import { sampleRates } from './rate-samples.js';
import type { Router } from './router.js';
import { buildSnapshot } from './snapshot/build.js';
import { interfaceStates } from './snapshot/interfaces.js';
import type { Syslog } from './syslog.js';
import { noteVolumes } from './volumes.js';

export interface ObserverParts {
  router: Router;
  link: Pick<DataplaneLink, 'snapshot' | 'connected'>;
  counters: CounterSet;
  keptCounters: KeptCounters;
  rsaKeys: RsaKeys;
  captures: Captures;
  packetTraces: PacketTraces;
  pathSearches: PathSearches;
  log: Syslog;
  instance: string;
  /** Those of this instance, as they are now. */
  processes(): ProcessState[];
  /** Volumes of SAs were noted: one may have to be replaced. */
  changed(): void;
}

export class Observer {
  readonly cleared = new ClearedCounters();
  private readonly rates = new RateMeter();
  private readonly cpu = new CpuMeter();

  private readonly dataplane: ReturnType<typeof lastKnown>;

  constructor(private readonly parts: ObserverParts) {
    this.dataplane = lastKnown(parts.link);
  }

  async snapshot(): Promise<Snapshot> {
    const { router, counters, keptCounters, rsaKeys, captures, packetTraces, pathSearches, log, instance, processes } = this.parts;
    const dataplane = await this.dataplane();
    keptCounters.keep();
    return buildSnapshot({
      router,
      instance,
      version: readVersion(),
      counters,
      rates: this.rates,
      publicKeys: rsaKeys.list(),
      processes: this.cpu.describe(processes()),
      cleared: this.cleared,
      captures: captures.states(),
      packetTrace: packetTraces.state(),
      logging: log.state(),
      pathSearches: pathSearches.states(),
      dataplane,
      now: Date.now(),
    });
  }

  /** To be called every few seconds. */
  async sample(): Promise<void> {
    const { router, link, pathSearches, processes, changed } = this.parts;
    this.cpu.sample(processes(), Date.now());
    const dataplane = await link.snapshot();
    sampleRates(this.rates, router, dataplane, Date.now());
    this.cleared.state(interfaceStates(router.config, router.allocation, dataplane), dataplane?.drops ?? null);
    if (dataplane) pathSearches.observe(dataplane.pathMtus);
    if (router.ipsec.pairs.size === 0) return;
    noteVolumes(router, dataplane, Date.now());
    changed();
  }
}
