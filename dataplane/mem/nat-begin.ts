// The beginning of a NAT session, from either side: which translation, which address and port, or why there is none. The slow path of both stages
// (path/35, path/45). A session holds both ends as both sides see them:
//
//            inside host               outside host
//   local    as it is                  `ip nat outside source`, else as it is     what the inside sees
//   global   `ip nat inside source`    as it is                                   what the outside sees
//
// Order: static translations, then the statements in order. Does not: find sessions that are there, rewrite.

import { Drop, NatCount } from '../counters/declare.js';
import { IpProto } from '../proto/ipv4.js';
import { firstState, natHasPorts } from '../proto/nat.js';
import { NatClause, NatLogEvent, NatPool, NatRow, NatRuleBase, NatUse } from '../tables/layout.js';
import type { Nat } from './nat.js';
import { NatAddresses } from './nat-addresses.js';
import { NatHosts } from './nat-hosts.js';
import type { NatLog } from './nat-log.js';
import { NatOwn } from './nat-own.js';
import { NatPools } from './nat-pools.js';
import { findGlobalPort, portTimeout } from './nat-ports.js';
import { type NatRules, StaticSide } from './nat-rules.js';
import { NatShape } from './nat-sessions.js';
import { BankCount, Ctl, PortRow } from './shared.js';
import type { Slots } from './slots.js';
import type { Tables } from './tables.js';

const enum Limit {
  /** Ports that a new session tries: where nearly all are taken, a search through all would hold up everybody else. */
  PortTries = 4096,
  /** Addresses of a pool: the host's own, and others when that is full, for which fewer ports are tried. */
  PoolTries = 16,
  FurtherPortTries = 256,
}

export class NatBegin {
  /** Inside global addresses that inside hosts have for themselves, outside local ones of outside hosts. */
  readonly globals = new NatAddresses();
  readonly locals = new NatAddresses();
  private readonly hosts: NatHosts;
  private readonly pools: NatPools;
  private readonly own: NatOwn;
  /** What choose() and lend() found. */
  private address = 0;
  private port = 0;
  private lent = -1;
  /** Port of whoever is asked, as the asker sees it. */
  private asked = 0;

  /** @param natCounts NatCount @param control the control block: Ctl.NatSessions says how many sessions others have */
  constructor(
    private readonly slots: Slots,
    private readonly tables: Tables,
    private readonly nat: Nat,
    private readonly rules: NatRules,
    private readonly natCounts: Float64Array,
    private readonly control: Int32Array,
    private readonly workers: number,
    private readonly workerIndex: number,
    private readonly log: NatLog,
  ) {
    nat.sessions.watcher = this;
    this.pools = new NatPools(tables, workers, workerIndex);
    this.hosts = new NatHosts(tables, nat.sessions);
    this.own = new NatOwn(tables, rules, nat.sessions);
  }

  /** Tables have changed. */
  adopt(): void {
    this.rules.adopt();
    this.hosts.adopt();
    this.own.adopt();
  }

  /**
   * A packet from inside to outside that belongs to no session. @param isFlow it names a flow; otherwise none can begin
   * @returns row; NatShape.None = nothing translates it; below that: ~reason to drop it
   */
  outbound(id: number, isFlow: boolean, now: number): number {
    const { rules, nat } = this;
    const { proto, src, dst, sport, dport, txPort } = this.slots;
    const fixed = rules.findStatic(StaticSide.Inside, false, id, src[id], sport[id], dst[id], dport[id], txPort[id]);
    const clause = fixed >= 0 ? -1 : rules.decide(NatUse.InsideSource, id, txPort[id]);
    const outside = rules.translatesOutside
      ? rules.findStatic(StaticSide.Outside, false, id, dst[id], dport[id], src[id], sport[id], txPort[id])
      : -1;
    const known = outside < 0 && this.locals.length > 0 ? this.locals.findAddress(dst[id]) : -1;
    if (fixed < 0 && clause < 0 && outside < 0 && known < 0) return NatShape.None;
    if (!isFlow) return ~Drop.NatNoFlow;
    if (this.isFull) return ~Drop.NatFull;
    const near = nat.sourcePort;
    const far = nat.outsidePortOf(id);
    this.asked = far;
    const to = outside >= 0 ? rules.translate(outside, dst[id], true) : known >= 0 ? this.locals.hostOf(known) : dst[id];
    const toPort = outside >= 0 ? rules.translatePort(outside, far, true) : far;
    let rule = 0;
    this.lent = -1;
    if (fixed >= 0) {
      this.address = rules.translate(fixed, src[id], true);
      this.port = rules.translatePort(fixed, near, true);
      rule = rules.ruleOf(fixed);
    } else if (clause >= 0) {
      const reason = this.choose(clause, proto[id], src[id], near, to, toPort);
      if (reason !== 0) return ~reason;
      rule = this.tables.natClauses[clause + NatClause.Rule];
    } else {
      this.address = src[id];
      this.port = near;
      rule = outside >= 0 ? rules.ruleOf(outside) : NatRuleBase.OutsideSource;
    }
    return this.add(proto[id], src[id], near, dst[id], far, this.address, this.port, to, toPort, rule, this.lent, known, now);
  }

  /** A packet from outside that belongs to no session and names a flow. @param isOwn for one of the router's own addresses @returns as outbound() */
  inbound(id: number, isOwn: boolean, now: number): number {
    const { rules, nat } = this;
    const { proto, src, dst, sport, dport, rxPort } = this.slots;
    const near = nat.destinationPort;
    this.asked = near;
    const far = proto[id] === IpProto.Icmp ? 0 : nat.sourcePort;
    const fixed = rules.findStatic(StaticSide.Inside, true, id, dst[id], dport[id], src[id], sport[id], rxPort[id]);
    const found = fixed < 0 && this.globals.length > 0 ? this.globals.findAddress(dst[id]) : -1;
    const held = found >= 0 && this.globals.openBy(found) > 0 ? found : -1;
    // IOS: a rotary spreads TCP connections, and nothing else.
    const rotary =
      fixed < 0 && held < 0 && proto[id] === IpProto.Tcp && rules.hasClauses(NatUse.InsideDestination)
        ? rules.decide(NatUse.InsideDestination, id, rxPort[id])
        : -1;
    const isMeant = fixed >= 0 || held >= 0 || rotary >= 0;
    const outside =
      rules.translatesOutside && (isMeant || !isOwn)
        ? rules.findStatic(StaticSide.Outside, true, id, src[id], sport[id], dst[id], dport[id], rxPort[id])
        : -1;
    const lending = outside < 0 && (isMeant || !isOwn) ? rules.decide(NatUse.OutsideSource, id, rxPort[id]) : -1;
    if (!isMeant && outside < 0 && lending < 0) return NatShape.None;
    if (this.isFull) return ~Drop.NatFull;
    let host = dst[id];
    let hostPort = near;
    let rule: number = NatRuleBase.OutsideSource;
    if (fixed >= 0) {
      host = rules.translate(fixed, dst[id], false);
      hostPort = rules.translatePort(fixed, near, false);
      rule = rules.ruleOf(fixed);
    } else if (held >= 0) {
      host = this.globals.hostOf(held);
      rule = this.globals.openBy(held) - 1;
    } else if (rotary >= 0) {
      host = this.pools.nextServer(this.tables.natClauses[rotary + NatClause.Pool] - 1);
      rule = this.tables.natClauses[rotary + NatClause.Rule];
    } else if (outside >= 0) {
      rule = rules.ruleOf(outside);
    }
    let from = outside >= 0 ? rules.translate(outside, src[id], false) : src[id];
    const fromPort = outside >= 0 ? rules.translatePort(outside, far, false) : far;
    this.lent = -1;
    if (lending >= 0) {
      const reason = this.lend(this.locals, this.tables.natClauses[lending + NatClause.Pool] - 1, src[id], 1);
      if (reason !== 0) return ~reason;
      from = this.address;
    }
    return this.add(proto[id], host, hostPort, from, fromPort, dst[id], near, src[id], far, rule, held, this.lent, now);
  }

  /** The router's own flow: it keeps its address, and nobody else gets its port. @returns row, below 0 = no room */
  reserve(id: number, now: number): number {
    const { nat } = this;
    const { proto, src, dst } = this.slots;
    if (this.isFull) return NatShape.None;
    const near = nat.sourcePort;
    const far = nat.outsidePortOf(id);
    if (nat.sessions.findOutside(proto[id], src[id], (near << 16) | far, dst[id]) >= 0) return NatShape.None;
    const row = nat.sessions.add(proto[id], src[id], near, src[id], near, dst[id], far, -1, now);
    if (row < 0) return row;
    nat.sessions.rows[row * NatRow.Words + NatRow.State] = firstState(proto[id], far);
    this.tellOthers(nat.sessions.length);
    return row;
  }

  /** A session has ended. @param at word of its row */
  ended(at: number): void {
    const { rows } = this.nat.sessions;
    const rule = rows[at + NatRow.Rule];
    this.tellOthers(this.nat.sessions.length - 1);
    if (rule < 0) return;
    this.log.note(NatLogEvent.Ended, rows, at);
    this.hosts.remove(rows[at + NatRow.InsideAddress]);
    if ((rule & NatRuleBase.HoldsGlobal) !== 0) this.globals.release(rows[at + NatRow.GlobalAddress]);
    if ((rule & NatRuleBase.HoldsLocal) !== 0) this.locals.release(rows[at + NatRow.OutsideLocal]);
  }

  /** Have all workers together as many sessions as there may be? What others have is what they had a moment ago. */
  get isFull(): boolean {
    const { control, workers, workerIndex } = this;
    const { sessions } = this.nat;
    let total = sessions.length;
    for (let worker = 0; worker < workers; worker++) if (worker !== workerIndex) total += control[Ctl.NatSessions + worker];
    return total >= this.tables.counts[BankCount.NatSessions];
  }

  private tellOthers(sessions: number): void {
    this.control[Ctl.NatSessions + this.workerIndex] = sessions;
  }

  /**
   * @param peer, @param peerPort the outside host as the inside sees it @param outside, @param outsidePort as it is
   * @param globalHeld, @param localHeld rows of addresses that the session uses, -1 = none
   */
  private add(
    protocol: number,
    inside: number,
    insidePort: number,
    peer: number,
    peerPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    rule: number,
    globalHeld: number,
    localHeld: number,
    now: number,
  ): number {
    const { sessions } = this.nat;
    const isKnown =
      sessions.findOutside(protocol, global, (globalPort << 16) | outsidePort, outside) >= 0 ||
      sessions.findInside(protocol, inside, (insidePort << 16) | peerPort, peer) >= 0;
    if (isKnown) return this.giveUp(Drop.NatNoPort, globalHeld, localHeld);
    if (!this.hosts.hasRoom(inside)) return this.giveUp(Drop.NatHostFull, globalHeld, localHeld);
    const holds = (globalHeld >= 0 ? NatRuleBase.HoldsGlobal : 0) | (localHeld >= 0 ? NatRuleBase.HoldsLocal : 0);
    const row = sessions.addFull(protocol, inside, insidePort, peer, peerPort, global, globalPort, outside, outsidePort, rule | holds, now);
    if (row < 0) return this.giveUp(Drop.NatFull, globalHeld, localHeld);
    sessions.rows[row * NatRow.Words + NatRow.State] = firstState(protocol, outsidePort);
    sessions.rows[row * NatRow.Words + NatRow.Limit] = portTimeout(this.tables, protocol, this.asked);
    if (globalHeld >= 0) this.globals.hold(globalHeld);
    if (localHeld >= 0) this.locals.hold(localHeld);
    this.hosts.add(inside);
    this.tellOthers(sessions.length);
    this.natCounts[NatCount.Created]++;
    this.log.note(NatLogEvent.Created, sessions.rows, row * NatRow.Words);
    return row;
  }

  /** No session: an address that was lent for it alone is free again. */
  private giveUp(reason: Drop, globalHeld: number, localHeld: number): number {
    if (globalHeld >= 0) this.globals.giveBack(globalHeld);
    if (localHeld >= 0) this.locals.giveBack(localHeld);
    return ~reason;
  }

  /** The global address and port of an inside host by a clause. @returns 0 or the reason to drop */
  private choose(clause: number, protocol: number, host: number, near: number, outside: number, outsidePort: number): number {
    const { natClauses, natPools, ports } = this.tables;
    const pool = natClauses[clause + NatClause.Pool] - 1;
    if (pool < 0) {
      const global = ports[natClauses[clause + NatClause.GlobalPort] * PortRow.Words + PortRow.Address];
      return global !== 0 && this.choosePort(protocol, global, near, outside, outsidePort, Limit.PortTries) ? 0 : Drop.NatNoPort;
    }
    const oneToOne = natClauses[clause + NatClause.OneToOne];
    if (oneToOne !== 0) {
      this.port = near;
      return this.lend(this.globals, pool, host, oneToOne === 2 ? natClauses[clause + NatClause.Rule] + 1 : 0);
    }
    const first = natPools[pool * NatPool.Words + NatPool.First];
    const count = this.pools.sizeOf(pool);
    // RFC 4787 REQ-2: a host keeps to one address, as long as that has ports.
    const begin = (Math.imul(host, 0x9e3779b1) >>> 8) % count;
    for (let i = 0; i < Math.min(count, Limit.PoolTries); i++) {
      const global = (first + ((begin + i) % count)) | 0;
      if (this.choosePort(protocol, global, near, outside, outsidePort, i === 0 ? Limit.PortTries : Limit.FurtherPortTries)) return 0;
    }
    return Drop.NatNoPort;
  }

  private choosePort(protocol: number, global: number, near: number, outside: number, outsidePort: number, tries: number): boolean {
    const { sessions } = this.nat;
    this.address = global;
    this.port = near;
    if (!natHasPorts(protocol) && protocol !== IpProto.Icmp)
      return sessions.findOutside(protocol, global, (near << 16) | outsidePort, outside) < 0;
    const { workers, workerIndex, rules } = this;
    this.port = findGlobalPort(sessions, protocol, global, near, outside, outsidePort, workers, workerIndex, tries, rules);
    return this.port !== 0;
  }

  /** The address of a host that has one for itself: what it has, else a free one of this worker's share of the pool. @returns as choose() */
  private lend(table: NatAddresses, pool: number, host: number, openBy: number): number {
    const { natPools } = this.tables;
    const at = pool * NatPool.Words;
    let row = table.findHost(host, natPools[at + NatPool.First], natPools[at + NatPool.Last]);
    if (row < 0) {
      const address = this.pools.findFree(table, pool, host);
      row = address === 0 ? -1 : table.add(host, address, openBy);
      if (row < 0) return Drop.NatNoAddress;
    }
    this.address = table.addressOf(row);
    this.lent = row;
    return 0;
  }
}
