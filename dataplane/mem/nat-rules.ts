// What `ip nat` says of a packet that belongs to no session yet: static translations, then the clauses of dynamic statements; and which addresses are
// NAT's. Read when a session begins, so static translations of hosts are found by hash, those of networks and the clauses one after the other.
// Does not: choose addresses and ports, know sessions.

import { ownerOf } from '../native/native.js';
import { IpProto } from '../proto/ipv4.js';
import { Ace, AceAction, Cap, NatClause, NatPool, NatRange, NatRangeFlag, NatStatic, NatUse } from '../tables/layout.js';
import { isLocal } from './hash.js';
import { ControlPort } from './nat-keys.js';
import { findNatRange } from './nat-ranges.js';
import type { Classify } from './packet-lists.js';
import { BankCount, type CounterBlocks, PortRow } from './shared.js';
import type { Slots } from './slots.js';
import type { Tables } from './tables.js';

const enum Shape {
  Heads = 1024,
}

/** Side of a static translation. */
export const enum StaticSide {
  Inside = 0,
  Outside = 1,
}

const AllBits = -1;

function placeOf(address: number, side: StaticSide): number {
  const hash = Math.imul(address ^ side, 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (Shape.Heads - 1);
}

export class NatRules {
  /** Rows + 1 by address; -1 - row of networks in order. */
  private readonly byLocal = new Int32Array(Shape.Heads);
  private readonly byGlobal = new Int32Array(Shape.Heads);
  private readonly nextLocal = new Int32Array(Cap.NatStatics);
  private readonly nextGlobal = new Int32Array(Cap.NatStatics);
  private readonly networks = new Int32Array(Cap.NatStatics);
  private networkCount = 0;
  private staticCount = 0;
  private outsideCount = 0;
  private readonly firstClause = new Int32Array(NatUse.Static + 2);
  /** By pool: 1 = each host has an address for itself. */
  private readonly lends = new Int32Array(Cap.NatPools);

  constructor(
    private readonly slots: Slots,
    private readonly tables: Tables,
    private readonly aceHits: CounterBlocks['aceHits'],
    private readonly classify: Classify,
    /** Of clauses (mem/nat.ts). */
    private readonly clauseHits: Int32Array,
  ) {}

  /** Tables have changed. */
  adopt(): void {
    const { natStatics, natClauses, ports, counts } = this.tables;
    this.byLocal.fill(0);
    this.byGlobal.fill(0);
    this.networkCount = 0;
    this.staticCount = counts[BankCount.NatStatics];
    this.outsideCount = 0;
    // From behind, so that chains have the order of the configuration.
    for (let row = this.staticCount - 1; row >= 0; row--) {
      const at = row * NatStatic.Words;
      if (natStatics[at + NatStatic.AddressOf] >= 0)
        natStatics[at + NatStatic.Global] = ports[natStatics[at + NatStatic.AddressOf] * PortRow.Words + PortRow.Address];
      if (natStatics[at + NatStatic.Global] === 0) continue; // an interface without an address
      const side = natStatics[at + NatStatic.Side];
      if (side === StaticSide.Outside) this.outsideCount++;
      if (natStatics[at + NatStatic.Care] !== AllBits) continue;
      const local = placeOf(natStatics[at + NatStatic.Local], side);
      this.nextLocal[row] = this.byLocal[local];
      this.byLocal[local] = row + 1;
      const global = placeOf(natStatics[at + NatStatic.Global], side);
      this.nextGlobal[row] = this.byGlobal[global];
      this.byGlobal[global] = row + 1;
    }
    for (let row = 0; row < this.staticCount; row++)
      if (natStatics[row * NatStatic.Words + NatStatic.Care] !== AllBits) this.networks[this.networkCount++] = row;
    let clause = 0;
    for (let use = 0; use <= NatUse.Static; use++) {
      this.firstClause[use] = clause;
      while (clause < counts[BankCount.NatClauses] && natClauses[clause * NatClause.Words + NatClause.Use] === use) clause++;
    }
    this.firstClause[NatUse.Static + 1] = clause;
    this.lends.fill(0);
    for (let at = 0; at < clause * NatClause.Words; at += NatClause.Words)
      if (natClauses[at + NatClause.Pool] > 0 && natClauses[at + NatClause.OneToOne] !== 0)
        this.lends[natClauses[at + NatClause.Pool] - 1] = 1;
  }

  get isEmpty(): boolean {
    return this.tables.counts[BankCount.NatClauses] === 0 && this.staticCount === 0;
  }

  hasClauses(use: NatUse): boolean {
    return this.firstClause[use + 1] > this.firstClause[use];
  }

  /** May a packet from outside begin a session, or have its source translated? */
  get acceptsOutside(): boolean {
    return this.staticCount > 0 || this.tables.counts[BankCount.NatRanges] > 0 || this.translatesOutside;
  }

  /** Is there any `ip nat outside source`? Then any packet from outside may be meant. */
  get translatesOutside(): boolean {
    return this.outsideCount > 0 || this.hasClauses(NatUse.OutsideSource);
  }

  /** Is it an inside global address that is none of an interface's own? */
  isGlobal(address: number): boolean {
    const at = findNatRange(this.tables, address);
    return at >= 0 && (this.tables.natRanges[at + NatRange.Flags] & NatRangeFlag.Global) !== 0;
  }

  /** Is it any address that NAT answers for: an inside global or an outside local one? */
  isNats(address: number): boolean {
    return findNatRange(this.tables, address) >= 0;
  }

  /**
   * The static translation of an address and port as one side sees them. @param id of the packet @param byGlobal as the outside sees them, else as the inside does
   * @param peer, @param peerPort of the other end, for its route-map: as the inside sees the flow @param port by which the packet leaves, or has come from outside
   * @returns row, -1 = none
   */
  findStatic(
    side: StaticSide,
    byGlobal: boolean,
    id: number,
    address: number,
    addressPort: number,
    peer: number,
    peerPort: number,
    port: number,
  ): number {
    if (this.staticCount === 0) return -1;
    const { natStatics } = this.tables;
    const protocol = this.slots.proto[id];
    const next = byGlobal ? this.nextGlobal : this.nextLocal;
    let row = (byGlobal ? this.byGlobal : this.byLocal)[placeOf(address, side)] - 1;
    // Those of one port first: they say more.
    let whole = -1;
    for (; row >= 0; row = next[row] - 1) {
      const at = row * NatStatic.Words;
      const own = natStatics[at + (byGlobal ? NatStatic.Global : NatStatic.Local)];
      if (own !== address || natStatics[at + NatStatic.Side] !== side) continue;
      if (natStatics[at + NatStatic.Protocol] === 0) {
        if (whole < 0 && this.permits(row, id, address, addressPort, peer, peerPort, port)) whole = row;
        continue;
      }
      if (natStatics[at + NatStatic.Protocol] !== protocol) continue;
      if (natStatics[at + (byGlobal ? NatStatic.GlobalPort : NatStatic.LocalPort)] !== addressPort) continue;
      if (this.permits(row, id, address, addressPort, peer, peerPort, port)) return row;
    }
    if (whole >= 0) return whole;
    for (let i = 0; i < this.networkCount; i++) {
      const at = this.networks[i] * NatStatic.Words;
      const own = natStatics[at + (byGlobal ? NatStatic.Global : NatStatic.Local)];
      if (((own ^ address) & natStatics[at + NatStatic.Care]) !== 0 || natStatics[at + NatStatic.Side] !== side) continue;
      if (this.permits(this.networks[i], id, address, addressPort, peer, peerPort, port)) return this.networks[i];
    }
    return -1;
  }

  /** Is a port of an address somebody's without a session: by a static translation, or the router's for IKE and GDOI? Then no flow gets it. */
  isTaken(protocol: number, global: number, globalPort: number): boolean {
    const isControl = globalPort === ControlPort.Ike || globalPort === ControlPort.IkeNatT || globalPort === ControlPort.Gdoi;
    if (isControl && protocol === IpProto.Udp && isLocal(this.tables.localSet, global)) return true;
    if (this.staticCount === 0) return false;
    const { natStatics } = this.tables;
    for (let row = this.byGlobal[placeOf(global, StaticSide.Inside)] - 1; row >= 0; row = this.nextGlobal[row] - 1) {
      const at = row * NatStatic.Words;
      if (natStatics[at + NatStatic.Global] !== global || natStatics[at + NatStatic.Side] !== StaticSide.Inside) continue;
      if (natStatics[at + NatStatic.Protocol] === 0) return true;
      if (natStatics[at + NatStatic.Protocol] === protocol && natStatics[at + NatStatic.GlobalPort] === globalPort) return true;
    }
    return false;
  }

  /** What a static translation makes of an address. */
  translate(row: number, address: number, toGlobal: boolean): number {
    const { natStatics } = this.tables;
    const at = row * NatStatic.Words;
    const care = natStatics[at + NatStatic.Care];
    return (natStatics[at + (toGlobal ? NatStatic.Global : NatStatic.Local)] & care) | (address & ~care);
  }

  /** What it makes of a port; without ports the port stays. */
  translatePort(row: number, port: number, toGlobal: boolean): number {
    const { natStatics } = this.tables;
    const at = row * NatStatic.Words;
    return natStatics[at + NatStatic.Protocol] === 0 ? port : natStatics[at + (toGlobal ? NatStatic.GlobalPort : NatStatic.LocalPort)];
  }

  ruleOf(row: number): number {
    return this.tables.natStatics[row * NatStatic.Words + NatStatic.Rule];
  }

  /** The clauses of a static translation's route-map, asked as if the inside had begun the flow. */
  private permits(row: number, id: number, own: number, ownPort: number, peer: number, peerPort: number, port: number): boolean {
    const { natStatics, natClauses } = this.tables;
    const at = row * NatStatic.Words;
    const count = natStatics[at + NatStatic.ClauseCount];
    if (count === 0) return true;
    const { src, dst, sport, dport } = this.slots;
    const [fromAddress, toAddress, fromPort, toPort] = [src[id], dst[id], sport[id], dport[id]];
    src[id] = this.translate(row, own, false);
    dst[id] = peer;
    sport[id] = this.translatePort(row, ownPort, false);
    dport[id] = peerPort;
    const first = natStatics[at + NatStatic.ClauseFirst];
    let permitted = false;
    for (let clause = first; clause < first + count; clause++) {
      if (!this.matches(clause, id, port)) continue;
      this.clauseHits[clause]++;
      permitted = natClauses[clause * NatClause.Words + NatClause.Permit] !== 0;
      break;
    }
    src[id] = fromAddress;
    dst[id] = toAddress;
    sport[id] = fromPort;
    dport[id] = toPort;
    return permitted;
  }

  private matches(clause: number, id: number, outPort: number): boolean {
    const { natClauses, natLists, aces } = this.tables;
    const at = clause * NatClause.Words;
    const out = natClauses[at + NatClause.OutPort];
    if (out >= 0 && out !== outPort) return false;
    if (natClauses[at + NatClause.AclCount] < 0) return true;
    const ace = this.classify(natLists[clause], id);
    if (ace < 0) return false;
    this.aceHits[ace]++;
    return aces[ace * Ace.Words + Ace.Action] === AceAction.Permit;
  }

  /** @returns word of the clause that translates the packet, -1 = none does @param outPort by which it leaves, or has come */
  decide(use: NatUse, id: number, outPort: number): number {
    const { natClauses } = this.tables;
    let decided = -1; // the statement that has said no
    for (let clause = this.firstClause[use]; clause < this.firstClause[use + 1]; clause++) {
      const at = clause * NatClause.Words;
      if (natClauses[at + NatClause.Rule] === decided) continue;
      if (!this.matches(clause, id, outPort)) continue;
      this.clauseHits[clause]++;
      if (natClauses[at + NatClause.Permit] !== 0) return at;
      decided = natClauses[at + NatClause.Rule];
    }
    return -1;
  }

  /**
   * Which worker has the sessions of an inside global address: of a static translation the owner of the inside host, of an address that a host has for
   * itself who may lend it, else who has the port. @param globalPort -1 = none @returns -1 = it cannot be told
   */
  ownerOf(protocol: number, global: number, globalPort: number, workers: number): number {
    const { natStatics } = this.tables;
    for (
      let row = this.staticCount === 0 ? -1 : this.byGlobal[placeOf(global, StaticSide.Inside)] - 1;
      row >= 0;
      row = this.nextGlobal[row] - 1
    ) {
      const at = row * NatStatic.Words;
      if (natStatics[at + NatStatic.Global] !== global || natStatics[at + NatStatic.Side] !== StaticSide.Inside) continue;
      const isPort = natStatics[at + NatStatic.Protocol] === protocol && natStatics[at + NatStatic.GlobalPort] === globalPort;
      if (natStatics[at + NatStatic.Protocol] === 0 || isPort) return ownerOf(natStatics[at + NatStatic.Local], workers);
    }
    for (let i = 0; i < this.networkCount; i++) {
      const at = this.networks[i] * NatStatic.Words;
      const isIn = ((natStatics[at + NatStatic.Global] ^ global) & natStatics[at + NatStatic.Care]) === 0;
      if (isIn && natStatics[at + NatStatic.Side] === StaticSide.Inside)
        return ownerOf(this.translate(this.networks[i], global, false), workers);
    }
    const pool = this.poolOf(global);
    if (pool >= 0 && this.lends[pool / NatPool.Words] !== 0)
      return ((global >>> 0) - (this.tables.natPools[pool + NatPool.First] >>> 0)) % workers;
    return globalPort < 0 ? -1 : globalPort % workers;
  }

  /** @returns word of the pool, -1 = none */
  poolOf(address: number): number {
    const { natPools, counts } = this.tables;
    for (let pool = 0; pool < counts[BankCount.NatPools]; pool++) {
      const at = pool * NatPool.Words;
      if (address >>> 0 >= natPools[at + NatPool.First] >>> 0 && address >>> 0 <= natPools[at + NatPool.Last] >>> 0) return at;
    }
    return -1;
  }
}
