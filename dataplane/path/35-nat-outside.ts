// 35-nat-outside: what comes from outside for a session of ours gets the inside address back, before it is routed (IOS: NAT outside to inside). In: what
// is to be routed, left in its vector; of it what came by an `ip nat outside` port, was turned round by 33-nat-hairpin, or is an ICMP error of our own, and is
// for one of our addresses or one that NAT answers for. Out: the same. Drops: nat-no-mapping, nat-fragment, and as 45-nat-inside. What belongs to no session begins one where a static
// translation, an address of a host's own, a rotary or `ip nat outside source` says so (mem/nat-begin.ts); else it is for the router itself, or for nobody.
// ICMP errors are translated with what they quote (RFC 5508 §4).

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { isLocal } from '../mem/hash.js';
import { NatKind } from '../mem/nat.js';
import { NatShape } from '../mem/nat-sessions.js';
import { NatSide, PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { NatRow } from '../tables/layout.js';

/** What a packet's way is when it is not dropped. */
const enum Outcome {
  Keep = -1,
}

export function makeNatOutside(env: Env): () => void {
  const { clock, nat, natRules, natBegin, drop } = env;
  const { rxPort, txPort, dst, flags } = env.slots;
  const { ports, localSet } = env.tables;
  const { route } = env.vec;
  const { sessions } = nat;
  const meant = new Int32Array(SlotShape.Count);

  function isMeant(id: number): boolean {
    if ((flags[id] & PacketFlag.FromHost) !== 0) return false;
    if (!isLocal(localSet, dst[id]) && !natRules.translatesOutside && !natRules.isGlobal(dst[id])) return false;
    return (
      (flags[id] & (PacketFlag.Made | PacketFlag.Hairpin)) !== 0 || ports[rxPort[id] * PortRow.Words + PortRow.Nat] === NatSide.Outside
    );
  }

  /** Of what no translation is for. What is turned round has a source that nobody inside knows: it is not the router's any more. */
  function refuse(id: number, reason: Drop): number {
    if ((flags[id] & PacketFlag.Hairpin) !== 0) return reason;
    return (flags[id] & PacketFlag.Made) === 0 && natRules.isGlobal(dst[id]) ? reason : Outcome.Keep;
  }

  /** Port by which it comes from outside, or would. */
  function comesBy(id: number): number {
    return (flags[id] & PacketFlag.Hairpin) !== 0 ? txPort[id] : rxPort[id];
  }

  /** @returns Outcome.Keep, or the reason to drop it */
  function translate(id: number, now: number): number {
    const kind = nat.kindOf(id);
    if (kind === NatKind.Error) return nat.rewriteErrorIn(id) ? Outcome.Keep : refuse(id, Drop.NatNoMapping);
    if (kind === NatKind.Unknown) return refuse(id, Drop.NatNoMapping);
    let row = kind === NatKind.Flow ? nat.findFromOutside(id, now) : nat.findFragment(id, now);
    if (row < 0 && kind === NatKind.LaterFragment) return refuse(id, Drop.NatFragment);
    if (row < 0) {
      row = natRules.acceptsOutside ? natBegin.inbound(id, isLocal(localSet, dst[id]), comesBy(id), now) : NatShape.None;
      if (row === NatShape.None) return refuse(id, Drop.NatNoMapping);
      if (row < 0) return ~row;
    }
    if (sessions.rows[row * NatRow.Words + NatRow.Rule] < 0) return refuse(id, Drop.NatNoMapping); // the router's own
    if (kind === NatKind.Flow && (flags[id] & PacketFlag.MoreFragments) !== 0) nat.noteFragment(id, row, now);
    nat.rewriteIn(id, row, now);
    return Outcome.Keep;
  }

  return function natOutside() {
    if (sessions.length === 0 && !natRules.acceptsOutside) return;
    let count = 0;
    for (let i = 0; i < route.length; i++) if (isMeant(route.ids[i])) meant[count++] = route.ids[i];
    nat.prepare(meant, count, false);
    const now = clock[Clock.UptimeSeconds];
    let dropped = 0;
    for (let i = 0; i < count; i++) {
      const reason = translate(meant[i], now);
      if (reason < 0) continue;
      drop(meant[i], reason);
      meant[dropped++] = meant[i];
    }
    if (dropped > 0) removeDropped(dropped);
  };

  /** @param count of those at the head of `meant`, in the order in which they stand in the vector */
  function removeDropped(count: number): void {
    let kept = 0;
    let next = 0;
    for (let i = 0; i < route.length; i++) {
      const id = route.ids[i];
      if (next < count && meant[next] === id) next++;
      else route.ids[kept++] = id;
    }
    route.length = kept;
  }
}
