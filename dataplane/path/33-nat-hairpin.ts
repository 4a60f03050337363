// 33-nat-hairpin: what comes from inside for an address that NAT gives other inside hosts goes back in, with a global address as its source (RFC 4787
// REQ-9, "external source IP address and port"; RFC 5508 REQ-7). In: what is to be routed, left in its vector; of it what came by an `ip nat inside`
// port for one of our addresses or one that NAT answers for, and errors of our own about such packets. Out: the same; what is turned round carries
// PacketFlag.Hairpin and is, for 35-nat-outside behind this, as if it had come from outside. Drops: as 45-nat-inside, with its ICMP 3/13 where
// there is no room, hand-over-full.
//
// It is two sessions, as if the packet had been outside and back: one of who sends (from inside, 45-nat-inside's), one of who receives
// (35-nat-outside's). So it needs what both need: a statement that translates the sender, and a static translation, a host's own address or a
// rotary for the receiver. PAT's ports are not found so: filtering is address and port dependent. IOS has no hairpin for `ip nat inside`
// and `outside`; such packets are lost there, so nothing that works there works otherwise here. What is not turned round is the router's own.
//
// Several workers: the second session may be another's. The packet goes there by the ring with its flag and, by 17-hand-over's rule, no further.

import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { HandOverSerial, makeHandTo } from '../mem/hand-over.js';
import { isLocal } from '../mem/hash.js';
import { NatKind } from '../mem/nat.js';
import { makeNatRefusal } from '../mem/nat-refusal.js';
import { NatShape } from '../mem/nat-sessions.js';
import { ownerFromOutside } from '../mem/owner.js';
import { NatSide, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { hasPorts } from '../proto/l4.js';
import { Cap, NatRow } from '../tables/layout.js';

/** What a packet's way is when it is not dropped. */
const enum Outcome {
  Keep = -1,
}

export function makeNatHairpin(env: Env): () => void {
  const { clock, nat, natRules, natBegin, slots, handOver, workerIndex, workers } = env;
  const { rxPort, txPort, proto, dst, sport, flags, firstPorts } = slots;
  const { ports, localSet } = env.tables;
  const refuse = makeNatRefusal(env);
  const handTo = makeHandTo(env);
  const { route } = env.vec;
  const { sessions } = nat;

  function isMeant(id: number): boolean {
    if (ports[rxPort[id] * PortRow.Words + PortRow.Nat] !== NatSide.Inside) return false;
    if ((flags[id] & (PacketFlag.FromHost | PacketFlag.Hairpin)) !== 0) return false;
    return isLocal(localSet, dst[id]) || natRules.isGlobal(dst[id]);
  }

  /** The port at which the outside would find an address: whose it is, else the first that is outside. @returns -1 = there is none */
  function outsidePortOf(address: number): number {
    let first = -1;
    for (let port = 0; port < Cap.Ports; port++) {
      if (ports[port * PortRow.Words + PortRow.Nat] !== NatSide.Outside) continue;
      if (ports[port * PortRow.Words + PortRow.Address] === address) return port;
      if (first < 0) first = port;
    }
    return first;
  }

  /** The sender's half. @returns Outcome.Keep, or the reason to drop it */
  function turn(id: number, now: number): number {
    const kind = nat.kindOf(id);
    if (kind === NatKind.Error) {
      if (nat.rewriteErrorOut(id)) flags[id] |= PacketFlag.Hairpin;
      return Outcome.Keep;
    }
    let row = kind === NatKind.Flow ? nat.findFromInside(id, now) : kind === NatKind.LaterFragment ? nat.findFragment(id, now) : -1;
    const port = outsidePortOf(dst[id]);
    if (row < 0) {
      if (kind !== NatKind.Flow || port < 0 || !natBegin.acceptsInbound(id, port)) return Outcome.Keep;
      txPort[id] = port;
      row = natBegin.outbound(id, true, now);
      if (row === NatShape.None) return Outcome.Keep;
      if (row < 0) return ~row;
    }
    if (sessions.rows[row * NatRow.Words + NatRow.Rule] < 0) return Outcome.Keep; // the router's own
    txPort[id] = port;
    if (kind === NatKind.Flow && (flags[id] & PacketFlag.MoreFragments) !== 0) nat.noteFragment(id, row, now);
    nat.rewriteOut(id, row, now);
    if ((flags[id] & PacketFlag.Joined) !== 0 && hasPorts(proto[id])) firstPorts[id] = (sport[id] << 16) | (firstPorts[id] & 0xffff);
    flags[id] |= PacketFlag.Hairpin;
    return Outcome.Keep;
  }

  /** Gives what another worker has the second session of. @returns false = it stays */
  function giveAway(id: number): boolean {
    if (handOver === null || (flags[id] & PacketFlag.Hairpin) === 0) return false;
    const owner = ownerFromOutside(env, id, workers);
    if (owner === workerIndex) return false;
    handTo(id, owner, HandOverSerial.Received);
    return true;
  }

  return function natHairpin() {
    if (!natRules.acceptsOutside) return;
    const now = clock[Clock.UptimeSeconds];
    let kept = 0;
    for (let i = 0; i < route.length; i++) {
      const id = route.ids[i];
      if (isMeant(id)) {
        const reason = turn(id, now);
        if (reason >= 0) {
          refuse(id, reason);
          continue;
        }
        if (giveAway(id)) continue;
      }
      route.ids[kept++] = id;
    }
    route.length = kept;
  };
}
