// `show crypto dynamic-map`, and what peers of dynamic maps have made: as on IOS an entry of the crypto map for each flow, behind all sequences.

import type { CryptoMapState, DynamicMapState } from '../api/snapshot.js';
import { formatIpv4 } from '../config/addresses.js';
import { describeEntry } from '../config/commands/acl-entry.js';
import type { Config, CryptoMapEntry } from '../config/model.js';
import { flowKey, type SaPair, type SaPairs } from '../ipsec/sa-pairs.js';
import { entryOf } from '../ipsec/selector.js';
import { siteState } from './ipsec-pairs.js';

/** The first sequence that is not for configured entries. */
const FirstSequence = 65_536;

/** policyKey(): `MAP SEQ LOCAL NAME SEQ`, names without spaces. */
function isUnder({ policy }: SaPair, { name, sequence }: CryptoMapEntry, at: CryptoMapEntry | null): boolean {
  return (
    policy.endsWith(` ${name} ${sequence}`) &&
    (at === null || policy.startsWith(`${at.name} ${at.sequence} `)) &&
    policy.split(' ').length === 5
  );
}

/** The newest pair of each flow of an entry. */
function flowsOf(pairs: SaPairs, template: CryptoMapEntry, at: CryptoMapEntry | null): SaPair[] {
  const newest = new Map<string, SaPair>();
  for (const pair of pairs) if (pair.established && isUnder(pair, template, at)) newest.set(flowKey(pair), pair);
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
  return [...config.dynamicMaps.values()].flat().map((template) => ({
    name: template.name,
    sequence: template.sequence,
    localAcl: template.matchAddress,
    site: templateState(config, template),
    usedBy: [...new Set(entries.filter(({ dynamic }) => dynamic === template.name).map(({ name }) => name))],
    flows: flowsOf(pairs, template, null).length,
  }));
}
