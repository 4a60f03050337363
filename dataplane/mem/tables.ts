// The worker's view of the current bank. Rows are copied at adoption (some 100 KB, well under a millisecond, a few times a minute): stages
// capture one set of arrays for ever and never ask which bank is current. What is large, the FIB and the compiled access lists, is read in the bank itself; `counts` says
// where. Keys are not copied: adoption hands them to the crypto contexts and forgets them.

import {
  Ace,
  Cap,
  CryptoEntry,
  FilterList,
  NatClause,
  NatLimit,
  NatPool,
  NatPortTimeout,
  NatRange,
  NatState,
  NatStatic,
  PolicyClause,
  PolicyEntry,
  QosCap,
  QosClass,
  QosRed,
  QosTest,
  QosUse,
  Sa,
  Tunnel,
} from '../tables/layout.js';
import { fillLocalSet, fillSpiMap, HashShape } from './hash.js';
import {
  type Bank,
  BankCount,
  type CounterBlocks,
  GroupRow,
  halvesOf,
  MaxGroups,
  MaxLocalAddresses,
  PolicyHopRow,
  PortRow,
  pairOf,
  type SharedState,
} from './shared.js';

function isOther(a: Int32Array, b: Int32Array): boolean {
  return a.some((word, at) => word !== b[at]);
}

export class Tables {
  readonly counts = new Int32Array(BankCount.Words);
  readonly aces = new Int32Array(Cap.Aces * Ace.Words);
  readonly cryptoEntries = new Int32Array(Cap.CryptoEntries * CryptoEntry.Words);
  readonly sas = new Int32Array(Cap.Sas * Sa.Words);
  readonly ports = new Int32Array(Cap.Ports * PortRow.Words);
  readonly entryLists = new Int32Array(Cap.CryptoEntries);
  readonly saLists = new Int32Array(Cap.Sas);
  readonly filterLists = new Int32Array(Cap.Ports * FilterList.Words);
  readonly localAddresses = new Int32Array(MaxLocalAddresses);
  readonly groups = new Int32Array(MaxGroups * GroupRow.Words);
  readonly natClauses = new Int32Array(Cap.NatClauses * NatClause.Words);
  readonly natLists = new Int32Array(Cap.NatClauses);
  readonly natTimeouts = new Int32Array(NatState.Count);
  readonly tunnels = new Int32Array(Cap.Ports * Tunnel.Words);
  readonly natStatics = new Int32Array(Cap.NatStatics * NatStatic.Words);
  readonly natPools = new Int32Array(Cap.NatPools * NatPool.Words);
  readonly natLimits = new Int32Array(Cap.NatLimits * NatLimit.Words);
  readonly natPortTimeouts = new Int32Array(Cap.NatPortTimeouts * NatPortTimeout.Words);
  readonly natRanges = new Int32Array(Cap.NatRanges * NatRange.Words);
  readonly policyEntries = new Int32Array(Cap.PolicyEntries * PolicyEntry.Words);
  readonly policyClauses = new Int32Array(Cap.PolicyClauses * PolicyClause.Words);
  readonly policyLists = new Int32Array(Cap.PolicyClauses);
  readonly policyHops = new Int32Array(Cap.PolicyHops * PolicyHopRow.Words);
  readonly qosUses = new Int32Array(Cap.Ports * 2 * QosUse.Words);
  readonly qosTests = new Int32Array(QosCap.Tests * QosTest.Words);
  readonly qosLists = new Int32Array(QosCap.Tests);
  readonly qosClasses = new Int32Array(QosCap.Classes * QosClass.Words);
  readonly qosReds = new Int32Array(QosCap.Reds * QosRed.Words);

  /** Of both banks; the current one's root begins at counts[BankCount.FibRoot], all else is reached from there. */
  readonly fibRoot: Int32Array;
  readonly fibNodes: Int32Array;
  readonly fibHalves: Uint16Array;
  readonly fibLeaves: Int32Array;
  /** Of both banks; entryLists and saLists say where. */
  readonly aclWords: Int32Array;

  /** Derived: see mem/hash.ts. */
  readonly localSet = new Int32Array(HashShape.LocalPlaces);
  readonly spiMap = new Int32Array(HashShape.SpiPlaces * 2);
  /** Derived: a port's crypto entries are neighbours (layout.ts). */
  readonly entryFirst = new Int32Array(Cap.Ports);
  readonly entryCount = new Int32Array(Cap.Ports);
  /** Derived: likewise those of route-maps; the last place is the host's own (PolicyEntry.Port). */
  readonly policyFirst = new Int32Array(Cap.Ports + 1);
  readonly policyCount = new Int32Array(Cap.Ports + 1);

  /** The bank that was copied last has other service-policies than the one before. */
  hasNewQos = false;

  constructor(shared: SharedState) {
    this.fibRoot = pairOf(shared, 'fibRoot');
    this.fibNodes = pairOf(shared, 'fibNodes');
    this.fibHalves = halvesOf(this.fibNodes);
    this.fibLeaves = pairOf(shared, 'fibLeaves');
    this.aclWords = pairOf(shared, 'aclWords');
  }

  /** Copies a bank. @returns true when the entries of policy routing are not what they were: their hit counters start again */
  copyFrom(bank: Bank): boolean {
    const aces = Math.max(bank.counts[BankCount.Aces], this.counts[BankCount.Aces]) * Ace.Words;
    this.aces.set(bank.aces.subarray(0, aces));
    this.counts.set(bank.counts);
    this.cryptoEntries.set(bank.cryptoEntries);
    this.sas.set(bank.sas);
    this.ports.set(bank.ports);
    this.localAddresses.set(bank.localAddresses);
    this.groups.set(bank.groups);
    this.entryLists.set(bank.entryLists);
    this.saLists.set(bank.saLists);
    this.filterLists.set(bank.filterLists);
    this.natClauses.set(bank.natClauses);
    this.natLists.set(bank.natLists);
    this.natTimeouts.set(bank.natTimeouts);
    this.tunnels.set(bank.tunnels);
    this.natStatics.set(bank.natStatics);
    this.natPools.set(bank.natPools);
    this.natRanges.set(bank.natRanges);
    this.natLimits.set(bank.natLimits);
    this.natPortTimeouts.set(bank.natPortTimeouts);
    const policies = isOther(this.policyEntries, bank.policyEntries);
    this.policyEntries.set(bank.policyEntries);
    this.policyClauses.set(bank.policyClauses);
    this.policyLists.set(bank.policyLists);
    this.policyHops.set(bank.policyHops);
    this.copyQos(bank);
    fillLocalSet(this.localSet, this.localAddresses, this.counts[BankCount.LocalAddresses]);
    fillSpiMap(this.spiMap, this.sas);
    this.findEntries();
    return policies;
  }

  private copyQos(bank: Bank): void {
    this.hasNewQos =
      isOther(this.qosUses, bank.qosUses) || isOther(this.qosClasses, bank.qosClasses) || isOther(this.qosReds, bank.qosReds);
    this.qosUses.set(bank.qosUses);
    this.qosTests.set(bank.qosTests);
    this.qosLists.set(bank.qosLists);
    this.qosClasses.set(bank.qosClasses);
    this.qosReds.set(bank.qosReds);
  }

  private findEntries(): void {
    this.entryFirst.fill(0);
    this.entryCount.fill(0);
    for (let entry = 0; entry < this.counts[BankCount.CryptoEntries]; entry++) {
      const port = this.cryptoEntries[entry * CryptoEntry.Words + CryptoEntry.Port];
      if (this.entryCount[port]++ === 0) this.entryFirst[port] = entry;
    }
    this.policyFirst.fill(0);
    this.policyCount.fill(0);
    for (let entry = 0; entry < this.counts[BankCount.PolicyEntries]; entry++) {
      const use = this.policyEntries[entry * PolicyEntry.Words + PolicyEntry.Port];
      if (this.policyCount[use]++ === 0) this.policyFirst[use] = entry;
    }
  }
}

/** Hits go to the entries' own counters before their rows become others; an entry that was not there begins at 0. */
export function keepHits({ aces, counts }: Tables, bank: Bank, { aceHits, aceTotals }: CounterBlocks): void {
  const known = new Uint8Array(Cap.AceCounters);
  for (let row = 0; row < counts[BankCount.Aces]; row++) {
    const counter = aces[row * Ace.Words + Ace.Counter];
    known[counter] = 1;
    aceTotals[counter] += aceHits[row];
    aceHits[row] = 0;
  }
  for (let row = 0; row < bank.counts[BankCount.Aces]; row++) {
    const counter = bank.aces[row * Ace.Words + Ace.Counter];
    if (known[counter] === 0) aceTotals[counter] = 0;
    known[counter] = 1;
  }
}
