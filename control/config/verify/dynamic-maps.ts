// `crypto dynamic-map`, and the entries of crypto maps that name one: complete, reachable by some peer, and in an order that leaves configured peers theirs.

import type { Config, CryptoMapEntry, SiteToSite } from '../model.js';
import type { Findings } from './findings.js';
import { verifyList, verifyPeerAddresses, verifyProtection } from './site-to-site.js';

/** An entry `crypto map M N ipsec-isakmp dynamic NAME`. */
export function verifyDynamicEntry(config: Config, entry: CryptoMapEntry, findings: Findings): void {
  const { name, sequence, dynamic = '' } = entry;
  if (!config.dynamicMaps.has(dynamic)) findings.error(entry, 'dynamic', `there is no crypto dynamic-map ${dynamic}`);
  const behind = (config.cryptoMaps.get(name) ?? []).filter((other) => other.ipsec && other.sequence > sequence);
  if (behind.length > 0) {
    const text = `crypto map ${name} ${sequence}: the dynamic map stands in front of entry ${behind[0].sequence}, whose peers may get its protection instead`;
    findings.warning(entry, 'dynamic', text, 'give it the highest sequence number of the map');
  }
  if (config.isakmpPolicies.length === 0)
    findings.error(
      entry,
      '',
      'there is no crypto isakmp policy, so no phase 1 can be agreed',
      'IOS falls back to DES and RSA signatures; we do not',
    );
}

function verifyTemplate(config: Config, entry: CryptoMapEntry, ipsec: SiteToSite, findings: Findings): void {
  const name = `crypto dynamic-map ${entry.name} ${entry.sequence}`;
  verifyProtection(config, entry, ipsec, name, findings);
  verifyPeerAddresses(config, entry, ipsec, findings);
  if (entry.matchAddress === null)
    findings.warning(entry, '', `${name} has no access list: its peers get whatever traffic they ask for`, 'match address LIST');
  else verifyList(config, entry, name, findings);
  if (ipsec.reverseRoute?.always)
    findings.warning(
      entry,
      'reverseRoute',
      `${name}: reverse-route static has the effect of reverse-route: a dynamic map has routes while it has SAs`,
    );
  else if (ipsec.reverseRoute && entry.matchAddress === null)
    findings.warning(
      entry,
      'reverseRoute',
      `${name}: without an access list its peers may have any traffic routed to them`,
      'match address LIST',
    );
  const takesAnybody = ipsec.peers.length === 0;
  const provesOtherwise = config.keyrings.size > 0 || config.trustpoints.size > 0;
  if (takesAnybody && !provesOtherwise && !config.isakmpKeys.some(({ mask }) => mask !== 0xffffffff)) {
    const hint = 'crypto isakmp key KEY address 0.0.0.0, or certificates';
    findings.warning(entry, '', `${name}: no crypto isakmp key is for peers of unknown address`, hint);
  }
}

export function verifyDynamicMaps(config: Config, findings: Findings): void {
  const used = new Set([...config.cryptoMaps.values()].flat().map(({ dynamic }) => dynamic));
  for (const [name, entries] of config.dynamicMaps) {
    if (!used.has(name))
      findings.warning(entries[0], '', `crypto dynamic-map ${name} is in no crypto map`, `crypto map M 65535 ipsec-isakmp dynamic ${name}`);
    for (const entry of entries) if (entry.ipsec) verifyTemplate(config, entry, entry.ipsec, findings);
  }
}
