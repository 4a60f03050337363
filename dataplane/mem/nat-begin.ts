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
import { firstState } from '../proto/nat.js';
import { NatClause, NatLogEvent, NatRow, NatRuleBase, NatUse } from '../tables/layout.js';
import type { Nat } from './nat.js';
import { NatAddresses } from './nat-addresses.js';
import { NatChoice } from './nat-choice.js';
import { NatHosts } from './nat-hosts.js';
import type { NatLog } from './nat-log.js';
import { NatOwn } from './nat-own.js';
import { portTimeout } from './nat-ports.js';
import { type NatRules, StaticSide } from './nat-rules.js';
import { NatShape } from './nat-sessions.js';
import { BankCount, Ctl } from './shared.js';
import type { Slots } from './slots.js';
import type { Tables } from './tables.js';

export class NatBegin {
  /** Inside global addresses that inside hosts have for themselves, outside local ones of outside hosts. */
  readonly globals = new NatAddresses();
  readonly locals = new NatAddresses();
  private readonly hosts: NatHosts;
  private readonly choice: NatChoice;
  private readonly own: NatOwn;
  /** Port of whoever is asked, as the asker sees it. */
  private asked = 0;
  /** What findTarget() found: row of a static translation, row of an address, word of a clause. */
  private fixed = -1;
  private held = -1;
  private rotary = -1;

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
    this.choice = new NatChoice(tables, rules, nat.sessions, this.globals, workers, workerIndex);
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
    const { rules, nat, choice } = this;
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
    choice.lent = -1;
    if (fixed >= 0) {
      choice.address = rules.translate(fixed, src[id], true);
      choice.port = rules.translatePort(fixed, near, true);
      rule = rules.ruleOf(fixed);
    } else if (clause >= 0) {
      const reason = choice.choose(clause, proto[id], src[id], near, to, toPort);
      if (reason !== 0) return ~reason;
      rule = this.tables.natClauses[clause + NatClause.Rule];
    } else {
      choice.address = src[id];
      choice.port = near;
      rule = outside >= 0 ? rules.ruleOf(outside) : NatRuleBase.OutsideSource;
    }
    return this.add(proto[id], src[id], near, dst[id], far, choice.address, choice.port, to, toPort, rule, choice.lent, known, now);
  }

  /** Would a packet from outside that belongs to no session and names a flow begin one with an inside host? @param port by which it would come */
  acceptsInbound(id: number, port: number): boolean {
    this.findTarget(id, port);
    return this.fixed >= 0 || this.held >= 0 || this.rotary >= 0;
  }

  /** Sets what names the inside host, in this order: a static translation, an address of a host's own, a rotary; -1 = not so. */
  private findTarget(id: number, port: number): void {
    const { rules } = this;
    const { proto, src, dst, sport, dport } = this.slots;
    this.held = -1;
    this.rotary = -1;
    this.fixed = rules.findStatic(StaticSide.Inside, true, id, dst[id], dport[id], src[id], sport[id], port);
    if (this.fixed >= 0) return;
    const found = this.globals.length > 0 ? this.globals.findAddress(dst[id]) : -1;
    if (found >= 0 && this.globals.openBy(found) > 0) this.held = found;
    // IOS: a rotary spreads TCP connections, and nothing else.
    else if (proto[id] === IpProto.Tcp && rules.hasClauses(NatUse.InsideDestination))
      this.rotary = rules.decide(NatUse.InsideDestination, id, port);
  }

  /**
   * A packet from outside that belongs to no session and names a flow. @param isOwn for one of the router's own addresses
   * @param port by which it comes @returns as outbound()
   */
  inbound(id: number, isOwn: boolean, port: number, now: number): number {
    const { rules, nat, choice } = this;
    const { proto, src, dst, sport, dport } = this.slots;
    const near = nat.destinationPort;
    this.asked = near;
    const far = proto[id] === IpProto.Icmp ? 0 : nat.sourcePort;
    this.findTarget(id, port);
    const { fixed, held, rotary } = this;
    const isMeant = fixed >= 0 || held >= 0 || rotary >= 0;
    const outside =
      rules.translatesOutside && (isMeant || !isOwn)
        ? rules.findStatic(StaticSide.Outside, true, id, src[id], sport[id], dst[id], dport[id], port)
        : -1;
    const lending = outside < 0 && (isMeant || !isOwn) ? rules.decide(NatUse.OutsideSource, id, port) : -1;
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
      host = choice.nextServer(this.tables.natClauses[rotary + NatClause.Pool] - 1);
      rule = this.tables.natClauses[rotary + NatClause.Rule];
    } else if (outside >= 0) {
      rule = rules.ruleOf(outside);
    }
    let from = outside >= 0 ? rules.translate(outside, src[id], false) : src[id];
    const fromPort = outside >= 0 ? rules.translatePort(outside, far, false) : far;
    choice.lent = -1;
    if (lending >= 0) {
      const reason = choice.lend(this.locals, this.tables.natClauses[lending + NatClause.Pool] - 1, src[id], 1);
      if (reason !== 0) return ~reason;
      from = choice.address;
    }
    return this.add(proto[id], host, hostPort, from, fromPort, dst[id], near, src[id], far, rule, held, choice.lent, now);
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
}
