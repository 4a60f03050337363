// What a new configuration would take away from what runs: `reload check` tells it before it happens. The rules are those of the engines:
// a group keeps its keys while its identity stays (gdoi/member-groups.ts, key-server.ts), a pair of SAs while a policy wants it
// (ipsec-engine.ts), a flow while its interface stays.

import type { Config } from './config/model.js';
import { identityKey } from './gdoi/codec/group-identity.js';
import { configuredPolicies } from './ipsec/configured-policies.js';
import { type FlowPolicy, policyKey, policyText } from './ipsec/flow-policy.js';

function groupDrops(before: Config, after: Config): string[] {
  return [...before.gdoiGroups.values()].flatMap(({ name, identity, server }) => {
    const next = after.gdoiGroups.get(name);
    const what = server === null ? 'the SAs of this member' : 'keys and registrations of this key server';
    if (!next) return [`group ${name}: ${what}, because the group is gone`];
    const isSame = identity !== null && next.identity !== null && identityKey(identity) === identityKey(next.identity);
    if (isSame && (server === null) === (next.server === null)) return [];
    return [`group ${name}: ${what}, because ${isSame ? 'its role' : 'its identity'} is another one`];
  });
}

/** What decides whether an SA of the policy is still wanted. */
function wantedOf({ peers, entries, suites, profile }: FlowPolicy): string {
  return JSON.stringify([peers, entries?.map(({ line: _, ...entry }) => entry), suites, profile]);
}

function policyDrops(before: Config, after: Config): string[] {
  const next = new Map(configuredPolicies(after).map((policy) => [policyKey(policy), policy]));
  return configuredPolicies(before).flatMap((policy) => {
    const same = next.get(policyKey(policy));
    const where = policyText(policy);
    if (!same) return [`${where}: its IPsec SAs, because the entry is gone`];
    return wantedOf(policy) === wantedOf(same) ? [] : [`${where}: those IPsec SAs that its peers, lists and transforms no longer want`];
  });
}

function interfaceDrops(before: Config, after: Config): string[] {
  return [...before.interfaces.keys()].flatMap((name) =>
    after.interfaces.has(name) ? [] : [`interface ${name}: what it forwards, because it is gone`],
  );
}

/** @returns a line per thing that would be lost; empty = flows, SAs and translations go on */
export function plannedDrops(before: Config, after: Config): string[] {
  return [...groupDrops(before, after), ...policyDrops(before, after), ...interfaceDrops(before, after)];
}
