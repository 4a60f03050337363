// Writes the idle bank and publishes it (mem/shared.ts has the protocol). Keys live in the shared banks for as short as can be: the
// workers hand them to their crypto contexts when they take a bank over, after that they are wiped from both banks.

import { NatShape } from '../mem/nat-sessions.js';
import { startMeters } from '../mem/qos-meters.js';
import {
  type Bank,
  BankCount,
  bankOf,
  Ctl,
  controlWords,
  GroupRow,
  MaxLocalAddresses,
  type NatSide,
  NeighbourRow,
  PortFragments,
  PortRow,
  portCryptoOf,
  type SharedState,
} from '../mem/shared.js';
import { TunnelWord, tunnelWordsOf } from '../mem/tunnel-words.js';
import { buildClassifier } from '../proto/classifier-build.js';
import { buildFib, type FibRoute } from '../proto/fib.js';
import {
  Ace,
  Cap,
  type CryptoDf,
  CryptoEntry,
  NatClause,
  NatLimit,
  NatPool,
  NatPortTimeout,
  NatRange,
  NatSeconds,
  NatStatic,
  PolicyClause,
  PolicyEntry,
  QosClass,
  QosTest,
  Tunnel,
  TunnelMode,
} from '../tables/layout.js';
import type { InterfaceRow, TablesHead, TablesRows } from '../tables/message.js';
import { describeSoloNat } from './nat-aliases.js';
import type { WorkerSet } from './worker-set.js';

export interface PortState {
  port: number;
  up: boolean;
  /** Bytes, IP datagram. */
  mtu: number;
  /** Primary address, 0 = none. */
  address: number;
  nat: NatSide;
  /** ACE rows of the lists on the interface, null = none. */
  filterIn: { first: number; count: number } | null;
  filterOut: { first: number; count: number } | null;
  /** ICMP unreachables are sent. */
  unreachables: boolean;
  /** Bytes; null = any. */
  adjustMss: number | null;
  /** DF of what is sealed, and whether that is cut rather than what is inside. */
  cryptoDf: CryptoDf;
  cutSealed: boolean;
  searchMtu: boolean;
  fragments?: InterfaceRow['fragments'];
}

/** Everything a bank holds. */
export interface BankContent {
  rows: TablesRows;
  ports: readonly PortState[];
  routes: readonly FibRoute[];
  localAddresses: readonly number[];
  /** {@link NeighbourRow} */
  neighbours: Int32Array;
  /** {@link GroupRow} */
  groups: Int32Array;
  nat: TablesHead['nat'];
  /** {@link Tunnel} of each port; empty = there is none. */
  tunnels: Int32Array;
  /** {@link PolicyHopRow} */
  policyHops: Int32Array;
}

export class Publisher {
  private readonly control: Int32Array;
  private readonly banks: readonly [Bank, Bank];
  /** Of each bank: a neighbour comes and goes more often than a route, and a full table takes long to build. */
  private readonly routes: [BankContent['routes'] | null, BankContent['routes'] | null] = [null, null];

  /** {@link TunnelWord} of each port, and the rows that they belong to. */
  private readonly tunnelWords: Int32Array;
  private readonly tunnels = new Int32Array(Cap.Ports * Tunnel.Words);

  private qosClasses: Int32Array = new Int32Array(0);

  /** @param nowMs the workers' clock */
  constructor(
    private readonly shared: SharedState,
    private readonly workers: WorkerSet,
    private readonly nowMs: () => number,
  ) {
    this.control = controlWords(shared);
    this.tunnelWords = tunnelWordsOf(shared);
    this.banks = [bankOf(shared, 0), bankOf(shared, 1)];
  }

  /**
   * Publishes, waits until every worker uses it, and wipes the keys, those in `content` too. @returns one line per thing that did not fit; without room for the FIB the
   * bank is published with the routes of the host's own addresses only, never with half a table
   */
  async publish(content: BankContent): Promise<string[]> {
    await this.workers.waitAcknowledged();
    const epoch = Atomics.load(this.control, Ctl.Epoch) + 1;
    const bank = this.banks[epoch & 1];
    this.startTunnels(content.tunnels);
    this.startMeters(content.rows.qosClasses);
    const errors = writeBank(bank, content);
    errors.push(...describeSoloNat(content.rows.natClauses, content.nat.pools, this.workers.count));
    if (this.routes[epoch & 1] !== content.routes) writeFib(bank, content.routes, errors);
    this.routes[epoch & 1] = content.routes;
    Atomics.store(this.control, Ctl.Epoch, epoch);
    this.workers.wakeAll();
    await this.workers.waitAcknowledged();
    // Every worker has keyed its contexts. A later publication with the same serials needs no keys.
    for (const { saKeys } of this.banks) saKeys.fill(0);
    content.rows.saKeys.fill(0);
    return errors;
  }

  /** Policers of classes that are others begin with full buckets. */
  private startMeters(classes: Int32Array): void {
    if (isSameRows(classes, this.qosClasses)) return;
    startMeters(this.shared, classes, Math.floor(this.nowMs() * 1000));
    this.qosClasses = classes;
  }

  /** A tunnel that is another one than before counts its sequence numbers from 0 (RFC 2890 §2.2). */
  private startTunnels(tunnels: Int32Array): void {
    for (let port = 0; port < Cap.Ports; port++) {
      const isSame = [Tunnel.Mode, Tunnel.Source, Tunnel.Destination, Tunnel.Flags, Tunnel.Key].every(
        (word) => (tunnels[port * Tunnel.Words + word] ?? 0) === this.tunnels[port * Tunnel.Words + word],
      );
      if (isSame) continue;
      const at = port * TunnelWord.Count;
      for (let word = 0; word < TunnelWord.Count; word++) Atomics.store(this.tunnelWords, at + word, 0);
    }
    fillRows(this.tunnels, tunnels);
  }
}

/** Words of PortRow from PortRow.Fragments on. */
function fragmentWords(fragments: PortState['fragments']): number[] {
  if (!fragments) return [PortFragments.Pass, 0, 0, 0];
  const { drop, maxDatagrams, maxFragments, timeoutSeconds } = fragments;
  return [drop ? PortFragments.Drop : PortFragments.Check, maxDatagrams, maxFragments, timeoutSeconds * 1000];
}

/** Everything but the FIB. @returns what did not fit */
function writeBank(bank: Bank, { rows, ports, localAddresses, neighbours, groups, nat, policyHops, tunnels }: BankContent): string[] {
  const errors: string[] = [];
  fillRows(bank.aces, rows.aces);
  fillRows(bank.cryptoEntries, rows.cryptoEntries);
  fillRows(bank.sas, rows.sas);
  bank.saKeys.fill(0);
  bank.saKeys.set(rows.saKeys);
  bank.ports.fill(0);
  for (let port = 0; port < Cap.Ports; port++) bank.ports.set([0, -1, 0, -1], port * PortRow.Words + PortRow.InFirst);
  bank.counts[BankCount.Filters] = 0;
  bank.counts[BankCount.MssLimits] = 0;
  for (const { port, up, mtu, address, nat, unreachables, filterIn, filterOut, ...rest } of ports) {
    const lists = [filterIn, filterOut].flatMap((rows) => [rows?.first ?? 0, rows?.count ?? -1]);
    const { adjustMss, cryptoDf, cutSealed, searchMtu, fragments } = rest;
    const ends = [adjustMss ?? 0, cryptoDf, Number(cutSealed), Number(searchMtu), ...fragmentWords(fragments)];
    bank.ports.set([up ? 1 : 0, mtu, address | 0, 0, nat, unreachables ? 0 : 1, ...lists, ...ends], port * PortRow.Words);
    bank.counts[BankCount.MssLimits] += Number(adjustMss !== null);
    bank.counts[BankCount.Filters] += Number(filterIn !== null) + Number(filterOut !== null);
  }
  for (let at = 0; at < rows.cryptoEntries.length; at += CryptoEntry.Words) {
    const place = rows.cryptoEntries[at + CryptoEntry.Port] * PortRow.Words + PortRow.HasCryptoMap;
    bank.ports[place] |= portCryptoOf(rows.cryptoEntries[at + CryptoEntry.Flags]);
  }
  if (localAddresses.length > MaxLocalAddresses) errors.push(`${localAddresses.length} own addresses: only ${MaxLocalAddresses} fit`);
  const own = localAddresses.slice(0, MaxLocalAddresses);
  bank.localAddresses.fill(0);
  bank.localAddresses.set(own.map((address) => address | 0));
  fillRows(bank.neighbours, neighbours);
  bank.counts[BankCount.Neighbours] = neighbours.length / NeighbourRow.Words;
  fillRows(bank.groups, groups);
  bank.counts[BankCount.Groups] = groups.length / GroupRow.Words;
  bank.counts[BankCount.Aces] = rows.aces.length / Ace.Words;
  bank.counts[BankCount.CryptoEntries] = rows.cryptoEntries.length / CryptoEntry.Words;
  bank.counts[BankCount.Sas] = Cap.Sas; // indexed by slot: holes have serial 0
  bank.counts[BankCount.LocalAddresses] = own.length;
  fillRows(bank.natClauses, rows.natClauses);
  bank.counts[BankCount.NatClauses] = rows.natClauses.length / NatClause.Words;
  bank.counts[BankCount.NatSessions] = nat.maxEntries === 0 ? NatShape.Capacity : Math.min(nat.maxEntries, NatShape.Capacity);
  fillRows(bank.natStatics, nat.statics);
  bank.counts[BankCount.NatStatics] = nat.statics.length / NatStatic.Words;
  fillRows(bank.natPools, nat.pools);
  bank.counts[BankCount.NatPools] = nat.pools.length / NatPool.Words;
  fillRows(bank.natRanges, nat.ranges);
  bank.counts[BankCount.NatRanges] = nat.ranges.length / NatRange.Words;
  fillRows(bank.natLimits, nat.limits);
  bank.counts[BankCount.NatLimits] = nat.limits.length / NatLimit.Words;
  fillRows(bank.natPortTimeouts, nat.portTimeouts);
  bank.counts[BankCount.NatPortTimeouts] = nat.portTimeouts.length / NatPortTimeout.Words;
  bank.natTimeouts.set(nat.timeouts.map((seconds) => (seconds === 0 ? NatSeconds.Never : seconds)));
  fillRows(bank.tunnels, tunnels);
  bank.counts[BankCount.Tunnels] = countTunnels(tunnels);
  fillRows(bank.policyEntries, rows.policyEntries);
  bank.counts[BankCount.PolicyEntries] = rows.policyEntries.length / PolicyEntry.Words;
  fillRows(bank.policyClauses, rows.policyClauses);
  bank.counts[BankCount.PolicyClauses] = rows.policyClauses.length / PolicyClause.Words;
  fillRows(bank.policyHops, policyHops);
  fillRows(bank.qosUses, rows.qosUses);
  fillRows(bank.qosTests, rows.qosTests);
  bank.counts[BankCount.QosTests] = rows.qosTests.length / QosTest.Words;
  fillRows(bank.qosClasses, rows.qosClasses);
  bank.counts[BankCount.QosClasses] = rows.qosClasses.length / QosClass.Words;
  fillRows(bank.qosReds, rows.qosReds);
  buildClassifier(bank);
  return errors;
}

function countTunnels(tunnels: Int32Array): number {
  let count = 0;
  for (let at = 0; at < tunnels.length; at += Tunnel.Words) if (tunnels[at + Tunnel.Mode] !== TunnelMode.None) count++;
  return count;
}

function fillRows(to: Int32Array, from: ArrayLike<number>): void {
  to.fill(0);
  to.set(from);
}

function writeFib(bank: Bank, routes: readonly FibRoute[], errors: string[]): void {
  try {
    buildFib(bank, routes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    errors.push(`forwarding table: ${error.message}; nothing is forwarded until routes are removed`);
    buildFib(
      bank,
      routes.filter((route) => route.kind === 'local' && route.prefixLength === 32),
    );
  }
}

function isSameRows(x: Int32Array, y: Int32Array): boolean {
  return x.length === y.length && x.every((word, i) => word === y[i]);
}

/** Is it the same bank content, keys aside? A serial names its keys (layout.ts). */
export function isSameContent(a: BankContent, b: BankContent): boolean {
  return (
    isSameRows(a.rows.aces, b.rows.aces) &&
    isSameRows(a.rows.cryptoEntries, b.rows.cryptoEntries) &&
    isSameRows(a.rows.sas, b.rows.sas) &&
    isSameRows(a.neighbours, b.neighbours) &&
    isSameRows(a.groups, b.groups) &&
    isSameRows(a.tunnels, b.tunnels) &&
    isSameRows(a.rows.natClauses, b.rows.natClauses) &&
    isSameRows(a.rows.policyEntries, b.rows.policyEntries) &&
    isSameRows(a.rows.policyClauses, b.rows.policyClauses) &&
    isSameRows(a.rows.qosUses, b.rows.qosUses) &&
    isSameRows(a.rows.qosTests, b.rows.qosTests) &&
    isSameRows(a.rows.qosClasses, b.rows.qosClasses) &&
    isSameRows(a.rows.qosReds, b.rows.qosReds) &&
    isSameRows(a.policyHops, b.policyHops) &&
    isSameList([a.ports, a.localAddresses, a.nat], [b.ports, b.localAddresses, b.nat]) &&
    isSameList(a.routes, b.routes)
  );
}

export function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
