// 38-policy-route: a route-map decides where a packet goes, in place of its destination, and may rewrite its ToS octet and DF bit. Behind NAT from
// outside, before the route (IOS's order). In: what is to be routed, left in its vector. Out: the same, and to crypto-map what has a hop.
// Drops: policy-null; ttl-expired, after an ICMP error. Not asked about: what is for the host itself, and multicast.
//
// The first entry that matches decides; with `continue` others may follow, and what they set adds up. A deny entry, and no entry at all, leave
// the packet to the route, as does a hop that cannot be reached now: the main thread says so in the hop's row.

import { Drop, PolicyCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { BankCount, FibLeaf, HopKind, LeafUnreachable, PolicyHopRow, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { lookupFib } from '../proto/fib.js';
import { IcmpError, TimeExceededCode } from '../proto/icmp.js';
import { Ip4, isMulticast, setDontFragment, setTos } from '../proto/ipv4.js';
import { Cap, PolicyClause, PolicyEntry } from '../tables/layout.js';

/** What the entries that matched have set: rows' words. */
const enum Said {
  NextHops = 0,
  NextHopCount = 1,
  Interfaces = 2,
  InterfaceCount = 3,
  Defaults = 4,
  DefaultCount = 5,
  TosKeep = 6,
  TosSet = 7,
  Df = 8,
  Words = 9,
}
const NoHop = -1;

export function makePolicyRoute(env: Env): () => void {
  const { drop, permits } = env;
  const { view, off, len, rxPort, txPort, nextHop, hop, dst, tos, flags, error, reason } = env.slots;
  const { counts, policyEntries, policyClauses, policyLists, policyHops, policyFirst, policyCount, ports, localSet } = env.tables;
  const { fibRoot, fibNodes, fibHalves, fibLeaves } = env.tables;
  const { policies } = env.counters;
  const { route, cryptoMap, refused } = env.vec;
  const said = new Int32Array(Said.Words);

  function matches(at: number, id: number): boolean {
    if (len[id] < policyEntries[at + PolicyEntry.LengthLow] || len[id] > policyEntries[at + PolicyEntry.LengthHigh]) return false;
    const first = policyEntries[at + PolicyEntry.FirstClause];
    const end = first + policyEntries[at + PolicyEntry.ClauseCount];
    for (let clause = first; clause < end; clause++) {
      if (policyClauses[clause * PolicyClause.Words + PolicyClause.AclCount] === 0) continue;
      if (permits(policyLists[clause], id)) return true;
    }
    return first === end;
  }

  /** Adds what an entry sets; of equal kinds it replaces what others have set. */
  function take(at: number): void {
    for (let kind = 0; kind < Said.TosKeep; kind += 2) {
      if (policyEntries[at + PolicyEntry.NextHopCount + kind] === 0) continue;
      said[kind] = policyEntries[at + PolicyEntry.NextHops + kind];
      said[kind + 1] = policyEntries[at + PolicyEntry.NextHopCount + kind];
    }
    const keep = policyEntries[at + PolicyEntry.TosKeep];
    said[Said.TosKeep] &= keep;
    said[Said.TosSet] = (said[Said.TosSet] & keep) | policyEntries[at + PolicyEntry.TosSet];
    if (policyEntries[at + PolicyEntry.Df] >= 0) said[Said.Df] = policyEntries[at + PolicyEntry.Df];
  }

  /** Fills `said`. @param use whose entries @returns false = nothing is set */
  function decide(id: number, use: number): boolean {
    const end = policyFirst[use] + policyCount[use];
    let hasMatched = false;
    for (let entry = policyFirst[use]; entry < end; entry++) {
      const at = entry * PolicyEntry.Words;
      if (!matches(at, id)) continue;
      policies[entry * PolicyCount.Count + PolicyCount.Packets]++;
      policies[entry * PolicyCount.Count + PolicyCount.Bytes] += len[id];
      if (policyEntries[at + PolicyEntry.Permit] === 0) return false;
      if (!hasMatched) {
        said.fill(0);
        said[Said.TosKeep] = 0xff;
        said[Said.Df] = -1;
        hasMatched = true;
      }
      take(at);
      const next = policyEntries[at + PolicyEntry.Next];
      if (next < 0) break;
      entry = next - 1;
    }
    return hasMatched;
  }

  function isReachable(row: number): boolean {
    const port = policyHops[row + PolicyHopRow.Port];
    return policyHops[row + PolicyHopRow.Kind] === HopKind.Null || (port >= 0 && ports[port * PortRow.Words + PortRow.Up] !== 0);
  }

  /** @param kind word of `said` where the hops stand @returns the first that can be reached, or NoHop */
  function firstOf(kind: Said): number {
    for (let i = 0; i < said[kind + 1]; i++) {
      const number = (said[kind] >>> (i * 4)) & 15;
      if (isReachable(number * PolicyHopRow.Words)) return number;
    }
    return NoHop;
  }

  function leafOf(address: number): number {
    return lookupFib(fibRoot, fibNodes, fibHalves, counts[BankCount.FibRoot], address) * FibLeaf.Words;
  }

  /** A default route is none of its own. */
  function hasOwnRoute(address: number): boolean {
    const leaf = leafOf(address);
    return fibLeaves[leaf + FibLeaf.Default] === 0 && fibLeaves[leaf + FibLeaf.Port] !== LeafUnreachable;
  }

  function choose(id: number): number {
    const next = firstOf(Said.NextHops);
    if (next !== NoHop) return next;
    const out = firstOf(Said.Interfaces);
    if (out !== NoHop || said[Said.DefaultCount] === 0 || hasOwnRoute(dst[id])) return out;
    return firstOf(Said.Defaults);
  }

  function mark(id: number): void {
    const octet = (tos[id] & said[Said.TosKeep]) | said[Said.TosSet];
    if (octet !== tos[id]) {
      setTos(view, off[id], octet);
      tos[id] = octet;
    }
    if (said[Said.Df] >= 0) setDontFragment(view, off[id], said[Said.Df] !== 0);
  }

  /** The router that gets it: of an interface the one that the route names, if it leads out of it, else the destination. */
  function gatewayOf(id: number, row: number): number {
    if (policyHops[row + PolicyHopRow.Kind] === HopKind.NextHop) return policyHops[row + PolicyHopRow.Address];
    const leaf = leafOf(dst[id]);
    const gateway = fibLeaves[leaf + FibLeaf.Port] === policyHops[row + PolicyHopRow.Port] ? fibLeaves[leaf + FibLeaf.NextHop] : 0;
    return gateway === 0 ? dst[id] : gateway;
  }

  function send(id: number, number: number) {
    const row = number * PolicyHopRow.Words;
    if (policyHops[row + PolicyHopRow.Kind] === HopKind.Null) return drop(id, Drop.PolicyNull);
    if ((flags[id] & PacketFlag.OwesHop) !== 0 && view.getUint8(off[id] + Ip4.Ttl) <= 1) {
      error[id] = (IcmpError.TimeExceeded << 24) | (TimeExceededCode.InTransit << 16);
      reason[id] = Drop.TtlExpired;
      refused.push(id);
      return;
    }
    txPort[id] = policyHops[row + PolicyHopRow.Port];
    nextHop[id] = gatewayOf(id, row);
    hop[id] = number;
    flags[id] |= PacketFlag.PolicyRouted;
    cryptoMap.push(id);
  }

  return function policyRoute() {
    if (counts[BankCount.PolicyEntries] === 0) return;
    let kept = 0;
    for (let i = 0; i < route.length; i++) {
      const id = route.ids[i];
      const use = (flags[id] & (PacketFlag.FromHost | PacketFlag.Made)) !== 0 ? Cap.Ports : rxPort[id];
      const to = dst[id];
      let number = NoHop;
      const isDecided = (flags[id] & PacketFlag.ByTunnel) !== 0;
      if (policyCount[use] !== 0 && !isDecided && to !== -1 && !isMulticast(to) && !isLocal(localSet, to) && decide(id, use)) {
        number = choose(id);
        mark(id);
      }
      if (number === NoHop) route.ids[kept++] = id;
      else send(id, number);
    }
    route.length = kept;
  };
}
