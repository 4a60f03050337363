// Searches for path MTUs without ICMP (RFC 8899): one for each destination that gets long packets with DF out of an interface with `crypto ipsec path-mtu-discovery probe`, as the
// packet path tells. Sends by the link to the dataplane, whose table of path MTUs learns what is found. The only I/O of a search is here. Does not: states (path-search.ts).

import { randomBytes } from 'node:crypto';
import type { DataplaneEvent, SnapshotHead } from '../../dataplane/tables/message.js';
import type { ToPathSearch } from '../../dataplane/tables/probe.js';
import type { CounterSet } from '../api/counters.js';
import type { PathSearchState } from '../api/snapshot-path.js';
import { formatIpv4 } from '../config/addresses.js';
import type { SystemLog } from '../log.js';
import type { Router } from '../router.js';
import { type Moment, PathSearch, type SearchAction } from './path-search.js';

export const pathSearchCounters = [
  { name: 'mtu_probes_sent', help: 'Probes of path MTU discovery without ICMP sent (RFC 8899)' },
  { name: 'mtu_probes_answered', help: 'Of them, those that a member or gateway has answered' },
  { name: 'mtu_probes_unmatched', help: 'Answers to no probe that was waited for: late, or made up' },
  { name: 'mtu_black_holes', help: 'Path MTUs that were confirmed and are not any more' },
  { name: 'mtu_searches_refused', help: 'Destinations that were not searched because as many are as may be' },
];

/** Destinations at a time. */
const MostSearches = 256;
/** A row of the packet path lives so long without being confirmed. */
const KeptSeconds = 900;

type Unknown = Extract<DataplaneEvent, { kind: 'path-unknown' }>;

interface Entry {
  target: Unknown;
  /** Its number may be another's when tables change; null = an SA between two gateways. */
  group: string | null;
  search: PathSearch;
}

export interface PathSearchMeans {
  router: Pick<Router, 'config' | 'interfaceOf' | 'tables'>;
  counters: CounterSet;
  log: Pick<SystemLog, 'write'>;
  send(message: ToPathSearch): void;
  /** Milliseconds, monotonic. */
  now(): Moment;
}

export class PathSearches {
  private readonly entries = new Map<string, Entry>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly means: PathSearchMeans) {}

  receive(event: DataplaneEvent): void {
    if (event.kind === 'path-unknown') this.begin(event);
    else if (event.kind === 'mtu-answer') this.answered(event.nonce);
    else if (event.kind === 'interface') this.limit(event.port, event.mtu);
  }

  /** What the packet path has in its table: which destinations are in use, and what routers have told. */
  observe(rows: SnapshotHead['pathMtus']): void {
    const { now } = this.means;
    for (const [key, { target, search }] of this.entries) {
      const row = rows.find(({ destination, port }) => port === null && destination === target.destination);
      if (row?.usedAgoSeconds != null) search.used(now() - row.usedAgoSeconds * 1000);
      if (row && row.router !== 0) search.tooBig(row.mtu);
      if (search.isIdle(now()) || !this.isWanted(target.port)) this.entries.delete(key);
    }
    this.schedule();
  }

  /** The dataplane is gone: what it comes back with is new. */
  clear(): void {
    this.entries.clear();
    this.schedule();
  }

  states(): PathSearchState[] {
    return [...this.entries.values()].map(({ target, search: { state, mtu, counts } }) => ({
      destination: formatIpv4(target.destination),
      interface: this.means.router.interfaceOf(target.port) ?? '',
      state,
      mtu,
      ...counts,
    }));
  }

  private isWanted(port: number): boolean {
    return this.means.router.config.interfaces.get(this.means.router.interfaceOf(port) ?? '')?.searchPathMtu === true;
  }

  private get groups(): readonly string[] {
    return this.means.router.tables?.head.groups ?? [];
  }

  private begin(target: Unknown): void {
    const key = `${target.port} ${target.destination}`;
    const group = target.group === null ? null : (this.groups[target.group] ?? '');
    const known = this.entries.get(key);
    if (known) {
      Object.assign(known, { target, group });
      known.search.used(this.means.now());
      return;
    }
    if (!this.isWanted(target.port)) return;
    if (this.entries.size >= MostSearches) {
      this.means.counters.add('mtu_searches_refused');
      return;
    }
    const makeNonce = (): string => randomBytes(8).toString('hex');
    const entry = { target, group, search: new PathSearch(target.mtu, makeNonce, this.means.now()) };
    this.entries.set(key, entry);
    this.perform(entry, entry.search.begin(this.means.now()));
    this.schedule();
  }

  private answered([high, low]: readonly [number, number]): void {
    const nonce = [high, low].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
    for (const entry of this.entries.values()) {
      const actions = entry.search.answered(nonce, this.means.now());
      if (actions === null) continue;
      this.means.counters.add('mtu_probes_answered');
      this.perform(entry, actions);
      this.schedule();
      return;
    }
    this.means.counters.add('mtu_probes_unmatched');
  }

  private limit(port: number, mtu: number): void {
    for (const entry of this.entries.values())
      if (entry.target.port === port) this.perform(entry, entry.search.limit(mtu, this.means.now()));
    this.schedule();
  }

  private perform({ target, group: name, search }: Entry, actions: readonly SearchAction[]): void {
    const { destination, port, peerPort } = target;
    const group = name === null ? null : this.groups.indexOf(name);
    const { counters, log, send } = this.means;
    for (const action of actions) {
      if (action.kind === 'probe') {
        if (group === -1) continue; // the group is gone: so is what was sealed for it
        counters.add('mtu_probes_sent');
        const bytes = Buffer.from(action.nonce, 'hex');
        const nonce: [number, number] = [bytes.readInt32BE(0), bytes.readInt32BE(4)];
        send({ type: 'mtu-probe', port, group, destination, peerPort, size: action.size, nonce });
      } else if (action.kind === 'use') {
        send({ type: 'mtu-found', destination, mtu: action.mtu, seconds: KeptSeconds });
      } else {
        counters.add('mtu_black_holes');
        const text = `path MTU ${action.mtu} to ${formatIpv4(destination)} is lost, ${search.mtu} until a new one is found`;
        log.write('CRYPTO', 4, 'MTU_BLACK_HOLE', text);
      }
    }
  }

  private tick(): void {
    for (const entry of this.entries.values()) this.perform(entry, entry.search.tick(this.means.now()));
    this.schedule();
  }

  private schedule(): void {
    if (this.timer) clearTimeout(this.timer);
    const deadlines = [...this.entries.values()].map(({ search }) => search.deadline);
    const wait = Math.max(1, Math.ceil(Math.min(...deadlines) - this.means.now()));
    this.timer = deadlines.length === 0 ? null : setTimeout(() => this.tick(), wait);
    this.timer?.unref();
  }
}
