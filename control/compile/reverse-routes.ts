// reverse-route: rows of routes to what peers protect. By the access list where it says `static`, else by the pairs of SAs that there are. What an `ip route`
// line says of the same prefix at the same distance goes before.

import type { StaticRouteRow } from '../../dataplane/tables/message.js';
import { maskToPrefixLength } from '../config/addresses.js';
import { reverseRouteOf } from '../config/commands/reverse-route.js';
import type { Config, Ipv4 } from '../config/model.js';
import { type ListedPolicy, listedPolicies } from '../ipsec/configured-policies.js';
import { permittedSelectors, policyKey } from '../ipsec/flow-policy.js';
import type { SaPairs } from '../ipsec/sa-pairs.js';
import type { TrafficEnd } from '../ipsec/selector.js';

/** What is behind which peer. */
interface Reached {
  end: TrafficEnd;
  peer: Ipv4;
}

function reachedBy({ policy }: ListedPolicy, always: boolean, pairs: SaPairs): Reached[] {
  if (always && !policy.dynamic) return permittedSelectors(policy).map(({ remote }) => ({ end: remote, peer: policy.peers[0] }));
  const key = policyKey(policy);
  return [...pairs]
    .filter((pair) => pair.policy === key && pair.established)
    .map(({ selector, remote }) => ({ end: selector.remote, peer: remote.address }));
}

/** The next hops are peers, or what leads to them: whatever the other routes say. */
export function reverseRouteRows(config: Config, pairs: SaPairs): StaticRouteRow[] {
  const rows = new Map<string, StaticRouteRow>();
  const keyOf = (prefix: Ipv4, mask: Ipv4, distance: number): string => `${prefix}/${mask} ${distance}`;
  const configured = new Set(config.staticRoutes.map(({ prefix, mask, distance }) => keyOf(prefix, mask, distance)));
  for (const listed of listedPolicies(config)) {
    const wanted = listed.entry.ipsec ? reverseRouteOf(listed.entry.ipsec) : null;
    if (!wanted) continue;
    const { distance } = wanted;
    for (const { end, peer } of reachedBy(listed, wanted.always, pairs)) {
      const key = keyOf(end.address, end.mask, distance);
      if (configured.has(key) || rows.has(key)) continue;
      const prefixLength = maskToPrefixLength(end.mask) ?? 32;
      rows.set(key, { prefix: end.address, prefixLength, nextHop: wanted.nextHop ?? peer, interface: null, distance, recursive: true });
    }
  }
  return [...rows.values()];
}
