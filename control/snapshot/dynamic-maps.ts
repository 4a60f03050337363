// `show crypto dynamic-map`, and what peers of dynamic maps have made: as on IOS an entry of the crypto map for each flow, behind all sequences.

import type { CryptoMapState, DynamicMapState } from '../api/snapshot.js';
import { formatIpv4 } from '../config/addresses.js';
import { describeEntry } from '../config/commands/acl-entry.js';
import type { Config, CryptoMapEntry } from '../config/model.js';
import { policyKey } from '../ipsec/flow-policy.js';
import { flowKey, type SaPair, type SaPairs } from '../ipsec/sa-pairs.js';
import { entryOf } from '../ipsec/selector.js';
import { siteState } from './ipsec-pairs.js';

/** The first sequence that is not for configured entries. */
const FirstSequence = 65_536;

/** The newest pair of each flow of an entry. @param at the entry of the crypto map that names the dynamic map */
function flowsOf(pairs: SaPairs, { name, sequence }: CryptoMapEntry, at: CryptoMapEntry): SaPair[] {
  const newest = new Map<string, SaPair>();
  for (const pair of pairs) {
    const key = policyKey({ map: at.name, sequence: at.sequence, local: pair.local.address, dynamic: { name, sequence } });
    if (pair.established && pair.policy === key) newest.set(flowKey(pair), pair);
  }
  return [...newest.values()];
}

/** @param at the entry of the crypto map that names the dynamic map */
export function createdMapStates(config: Config, at: CryptoMapEntry, interfaces: string[], pairs: SaPairs): CryptoMapState[] {
  const templates = config.dynamicMaps.get(at.dynamic ?? '') ?? [];
  const created = templates.flatMap((template) => flowsOf(pairs, template, at).map((pair) => ({ template, pair })));
  return created.map(({ template, pair }, index): CryptoMapState => {
    const peer = formatIpv4(pair.remote.address);
    const line = { line: 0, sequence: 10, ...entryOf(pair.selector) };
    return {
      name: at.name,
      sequence: FirstSequence + index,
      kind: 'ipsec-isakmp',
      group: null,
      identity: null,
      serverAddresses: [],
      localAcl: null,
      createdFrom: `${template.name}/${template.sequence}`,
      site: { ...templateState(config, template), peers: [peer], currentPeer: peer, acl: [describeEntry(line, 'extended')] },
      interfaces,
    };
  });
}

function templateState(config: Config, template: CryptoMapEntry): DynamicMapState['site'] {
  const nothing = { peers: [], transformSets: [], pfs: null, lifetimeSeconds: null, lifetimeKilobytes: null };
  return siteState(config, template, template.ipsec ?? nothing, null);
}

export function dynamicMapStates(config: Config, pairs: SaPairs): DynamicMapState[] {
  const entries = [...config.cryptoMaps.values()].flat();
  return [...config.dynamicMaps.values()].flat().map((template) => {
    const users = entries.filter(({ dynamic }) => dynamic === template.name);
    return {
      name: template.name,
      sequence: template.sequence,
      localAcl: template.matchAddress,
      site: templateState(config, template),
      usedBy: [...new Set(users.map(({ name }) => name))],
      flows: users.reduce((sum, at) => sum + flowsOf(pairs, template, at).length, 0),
    };
  });
}
