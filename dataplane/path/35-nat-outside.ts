// 35-nat-outside: what comes from outside for a session of ours gets the inside address back, before it is routed (IOS: NAT outside to inside). In: what
// is to be routed, left in its vector; of it what came by an `ip nat outside` port, or is an ICMP error of our own, and is for one of our addresses.
// Out: the same. Drops: nothing; what belongs to no session is for the router itself. ICMP errors are translated with what they quote (RFC 5508 §4).
// Does not: make sessions from outside (no static translations).

import { Clock, type Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { NatKind } from '../mem/nat.js';
import { NatSide, PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { NatRow } from '../tables/layout.js';

export function makeNatOutside(env: Env): () => void {
  const { clock, nat } = env;
  const { rxPort, dst, flags } = env.slots;
  const { ports, localSet } = env.tables;
  const { route } = env.vec;
  const { sessions } = nat;
  const meant = new Int32Array(SlotShape.Count);

  function isMeant(id: number): boolean {
    if ((flags[id] & PacketFlag.FromHost) !== 0 || !isLocal(localSet, dst[id])) return false;
    return (flags[id] & PacketFlag.Made) !== 0 || ports[rxPort[id] * PortRow.Words + PortRow.Nat] === NatSide.Outside;
  }

  function translate(id: number, now: number): void {
    const kind = nat.kindOf(id);
    if (kind === NatKind.Error) {
      nat.rewriteErrorIn(id);
      return;
    }
    if (kind === NatKind.Unknown) return;
    const row = kind === NatKind.Flow ? nat.findFromOutside(id, now) : nat.findFragment(id, now);
    if (row < 0) return;
    if (sessions.rows[row * NatRow.Words + NatRow.Rule] < 0) return; // the router's own
    if (kind === NatKind.Flow && (flags[id] & PacketFlag.MoreFragments) !== 0) nat.noteFragment(id, row, now);
    nat.rewriteIn(id, row, now);
  }

  return function natOutside() {
    if (sessions.length === 0) return;
    let count = 0;
    for (let i = 0; i < route.length; i++) if (isMeant(route.ids[i])) meant[count++] = route.ids[i];
    nat.prepare(meant, count, false);
    const now = Math.floor(clock[Clock.Ms] / 1000);
    for (let i = 0; i < count; i++) translate(meant[i], now);
  };
}
