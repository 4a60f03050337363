// 45-nat-inside: what goes from an `ip nat inside` to an `ip nat outside` port gets the global address, if a statement says so; behind the route,
// which says where it leaves, and before the crypto map, which then sees the address as translated (IOS's order: what the VPN is to carry must be
// exempt). In: routed packets, left in the crypto map's vector. Out: the same. Drops: what finds no room (nat-no-port, nat-full, nat-no-address,
// nat-host-full), after an ICMP 3/13 (RFC 5508 REQ-8) and a message to the operator; nat-fragment, nat-no-flow.
//
// PAT keeps sessions per flow (address and port dependent mapping and filtering, RFC 4787 §4.1, §5): the inside port stays what it is where no
// other session to the same destination has it. What no statement translates leaves as it is, and is never dropped for that. The router's own traffic keeps
// its address; its flows are noted, so that no session takes their ports. Every worker has the ports p with p % workers = its number. How a session begins:
// mem/nat-begin.ts.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { NatKind } from '../mem/nat.js';
import { makeNatRefusal } from '../mem/nat-refusal.js';
import { NatShape } from '../mem/nat-sessions.js';
import { NatSide, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { isMulticast } from '../proto/ipv4.js';
import { NatRow } from '../tables/layout.js';

/** What a packet's way is when it is not translated. */
const enum Outcome {
  Keep = -1,
}

export function makeNatInside(env: Env): () => void {
  const { clock, nat, natRules, natBegin } = env;
  const refuse = makeNatRefusal(env);
  const { rxPort, txPort, nextHop, dst, flags } = env.slots;
  const { ports } = env.tables;
  const { cryptoMap } = env.vec;
  const { sessions } = nat;

  /** @returns Outcome.Keep, or the reason to drop it */
  function translate(id: number, now: number): number {
    const kind = nat.kindOf(id);
    if (kind === NatKind.Error && nat.rewriteErrorOut(id)) return Outcome.Keep;
    let row = kind === NatKind.Flow ? nat.findFromInside(id, now) : kind === NatKind.LaterFragment ? nat.findFragment(id, now) : -1;
    if (row < 0) {
      row = natBegin.outbound(id, kind === NatKind.Flow, now);
      if (row === NatShape.None) return Outcome.Keep;
      if (row < 0) return kind === NatKind.LaterFragment ? Drop.NatFragment : ~row;
    }
    if (kind === NatKind.Flow && (flags[id] & PacketFlag.MoreFragments) !== 0) nat.noteFragment(id, row, now);
    const to = dst[id];
    nat.rewriteOut(id, row, now);
    if (nextHop[id] === to) nextHop[id] = dst[id]; // `ip nat outside source` on a connected network
    return Outcome.Keep;
  }

  /** Takes the ports of the router's own flow, as far as there is room: it is not translated either way. */
  function reserve(id: number, now: number): void {
    if ((flags[id] & PacketFlag.MtuProbe) !== 0 || nat.kindOf(id) !== NatKind.Flow) return;
    let row = nat.findFromInside(id, now);
    if (row < 0) row = natBegin.reserve(id, now);
    if (row >= 0) sessions.rows[row * NatRow.Words + NatRow.Used] = now;
  }

  return function natInside() {
    if (natRules.isEmpty) return;
    const now = clock[Clock.UptimeSeconds];
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
      else refuse(id, reason);
    }
    cryptoMap.length = kept;
  };
}
