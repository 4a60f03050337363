// 45-nat-inside: what goes from an `ip nat inside` to an `ip nat outside` port gets the global address, if a statement says so; behind the route,
// which says where it leaves, and before the crypto map, which then sees the address as translated (IOS's order: what the VPN is to carry must be
// exempt). In: routed packets, left in the crypto map's vector. Out: the same. Drops: nat-no-port and nat-full, after an ICMP 3/13 (RFC 5508 REQ-8) and a
// message to the operator; nat-fragment, nat-no-flow.
//
// PAT keeps sessions per flow (address and port dependent mapping and filtering, RFC 4787 §4.1, §5): the inside port stays what it is where no
// other session to the same destination has it. What no statement translates leaves as it is, and is never dropped for that. The router's own traffic keeps
// its address; its flows are noted, so that no session takes their ports. Every worker has the ports p with p % workers = its number.

import { Drop, NatCount } from '../counters/declare.js';
import { Clock, type Env } from '../env.js';
import { NatKind } from '../mem/nat.js';
import { findGlobalPort } from '../mem/nat-sessions.js';
import { BankCount, NatSide, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { IcmpError, UnreachableCode } from '../proto/icmp.js';
import { IpProto, isMulticast } from '../proto/ipv4.js';
import { firstState, natHasPorts } from '../proto/nat.js';
import { Ace, AceAction, NatClause, NatRow } from '../tables/layout.js';

const enum Limit {
  /** Ports that a new session tries: where nearly all are taken, a search through all would hold up everybody else. */
  PortTries = 4096,
}

/** What a packet's way is when it is not translated. */
const enum Outcome {
  Keep = -1,
}

export function makeNatInside(env: Env): () => void {
  const { clock, nat, drop, classify, events, workers, workerIndex } = env;
  const { rxPort, txPort, proto, src, dst, flags, error, reason: reasons } = env.slots;
  const { counts, ports, natClauses, natLists, aces } = env.tables;
  const { aceHits, nat: natCounts } = env.counters;
  const { cryptoMap, refused } = env.vec;
  const { sessions, clauseHits } = nat;

  function matches(clause: number, id: number): boolean {
    const at = clause * NatClause.Words;
    const out = natClauses[at + NatClause.OutPort];
    if (out >= 0 && out !== txPort[id]) return false;
    if (natClauses[at + NatClause.AclCount] < 0) return true;
    const ace = classify(natLists[clause], id);
    if (ace < 0) return false;
    aceHits[ace]++;
    return aces[ace * Ace.Words + Ace.Action] === AceAction.Permit;
  }

  /** @returns word of the clause that translates, Outcome.Keep when none does */
  function decide(id: number): number {
    let decided = -1; // the statement that has said no
    for (let clause = 0; clause < counts[BankCount.NatClauses]; clause++) {
      const at = clause * NatClause.Words;
      if (natClauses[at + NatClause.Rule] === decided || !matches(clause, id)) continue;
      clauseHits[clause]++;
      if (natClauses[at + NatClause.Permit] !== 0) return at;
      decided = natClauses[at + NatClause.Rule];
    }
    return Outcome.Keep;
  }

  /** Slow path: a new session. @returns row; below 0: ~reason to drop the packet */
  function begin(id: number, global: number, rule: number, now: number): number {
    if (sessions.length >= counts[BankCount.NatSessions]) return ~Drop.NatFull;
    const protocol = proto[id];
    const near = nat.sourcePort;
    const far = nat.outsidePortOf(id);
    const isOwn = rule < 0;
    let port = near;
    if (isOwn || !(natHasPorts(protocol) || protocol === IpProto.Icmp)) {
      if (sessions.findOutside(protocol, global, (near << 16) | far, dst[id]) >= 0) return ~Drop.NatNoPort;
    } else {
      port = findGlobalPort(sessions, protocol, global, near, dst[id], far, workers, workerIndex, Limit.PortTries);
      if (port === 0) return ~Drop.NatNoPort;
    }
    const row = sessions.add(protocol, src[id], near, global, port, dst[id], far, rule, now);
    if (row < 0) return ~Drop.NatFull;
    sessions.rows[row * NatRow.Words + NatRow.State] = firstState(protocol, far);
    if (!isOwn) natCounts[NatCount.Created]++;
    return row;
  }

  /** @returns Outcome.Keep, or the reason to drop it */
  function translate(id: number, now: number): number {
    const kind = nat.kindOf(id);
    if (kind === NatKind.Error && nat.rewriteErrorOut(id)) return Outcome.Keep;
    let row = kind === NatKind.Flow ? nat.findFromInside(id, now) : kind === NatKind.LaterFragment ? nat.findFragment(id, now) : -1;
    if (row < 0) {
      const clause = decide(id);
      if (clause < 0) return Outcome.Keep;
      if (kind !== NatKind.Flow) return kind === NatKind.LaterFragment ? Drop.NatFragment : Drop.NatNoFlow;
      const global = ports[natClauses[clause + NatClause.GlobalPort] * PortRow.Words + PortRow.Address];
      row = global === 0 ? ~Drop.NatNoPort : begin(id, global, natClauses[clause + NatClause.Rule], now);
      if (row < 0) return ~row;
    }
    if (kind === NatKind.Flow && (flags[id] & PacketFlag.MoreFragments) !== 0) nat.noteFragment(id, row, now);
    nat.rewriteOut(id, row, now);
    return Outcome.Keep;
  }

  /** Takes the ports of the router's own flow, as far as there is room: it is not translated either way. */
  function reserve(id: number, now: number): void {
    if (nat.kindOf(id) !== NatKind.Flow) return;
    let row = nat.findFromInside(id, now);
    if (row < 0) row = begin(id, src[id], -1, now);
    if (row >= 0) sessions.rows[row * NatRow.Words + NatRow.Used] = now;
  }

  /** There is no room for a new session: those that are there go on. */
  function refuse(id: number, reason: Drop): void {
    events.noteExhaustion(reason === Drop.NatFull, src[id], dst[id]);
    error[id] = (IcmpError.Unreachable << 24) | (UnreachableCode.AdministrativelyProhibited << 16);
    reasons[id] = reason;
    refused.push(id);
  }

  return function natInside() {
    if (counts[BankCount.NatClauses] === 0) return;
    const now = Math.floor(clock[Clock.Ms] / 1000);
    nat.prepare(cryptoMap.ids, cryptoMap.length, true);
    let kept = 0;
    for (let i = 0; i < cryptoMap.length; i++) {
      const id = cryptoMap.ids[i];
      let reason: number = Outcome.Keep;
      if (ports[txPort[id] * PortRow.Words + PortRow.Nat] === NatSide.Outside && !isMulticast(dst[id])) {
        if ((flags[id] & PacketFlag.Made) !== 0) nat.rewriteErrorOut(id);
        else if ((flags[id] & PacketFlag.FromHost) !== 0) reserve(id, now);
        else if (ports[rxPort[id] * PortRow.Words + PortRow.Nat] === NatSide.Inside) reason = translate(id, now);
      }
      if (reason < 0) cryptoMap.ids[kept++] = id;
      else if (reason === Drop.NatNoPort || reason === Drop.NatFull) refuse(id, reason);
      else drop(id, reason);
    }
    cryptoMap.length = kept;
  };
}
