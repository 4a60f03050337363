// Entries `crypto map ... ipsec-isakmp`: complete, and only what IKEv1 can say: a client identity is an address or a prefix, one protocol and one port
// (RFC 2407 §4.6.2). What an entry accepts it does, so what is missing is an error.

import { formatIpv4, isInPrefix, wildcardToPrefixLength } from '../addresses.js';
import type { AccessList, AclEntry, Config, CryptoMapEntry, Ipv4, SiteToSite } from '../model.js';
import { refuseBeyondCrypto } from './access-lists.js';
import type { Findings } from './findings.js';
import { ownAddresses } from './own-addresses.js';

/** Pairs of SAs of one router; each takes two slots of the packet path, and two pairs replace each other. */
const UsualFlows = 30;
/** RFC 8247 §2.4. */
const weakGroups = [1, 2, 5];

function verifyLine(list: AccessList, entry: AclEntry, findings: Findings): void {
  for (const [end, wildcard] of [
    ['source', entry.sourceWildcard],
    ['destination', entry.destinationWildcard],
  ] as const) {
    if (wildcardToPrefixLength(wildcard) !== null) continue;
    const message = `the ${end} wildcard ${formatIpv4(wildcard)} is not contiguous: IKE cannot name it (RFC 2407 §4.6.2.5)`;
    findings.entry('error', list, entry, message, 'write one entry per subnet');
  }
  for (const match of [entry.sourcePort, entry.destinationPort]) {
    if (match === null || (match.operator === 'eq' && match.ports.length === 1 && match.ports[0] !== 0)) continue;
    findings.entry('error', list, entry, 'IKE names one port or all of them (RFC 2407 §4.6.2)', 'use eq, one entry per port');
  }
}

export function verifyList(config: Config, entry: CryptoMapEntry, name: string, findings: Findings): void {
  if (entry.matchAddress === null) {
    findings.error(entry, '', `${name} has no access list: it would protect nothing`, 'match address LIST');
    return;
  }
  const list = config.accessLists.get(entry.matchAddress);
  if (!list) findings.error(entry, 'matchAddress', `there is no access list ${entry.matchAddress}`);
  else if (list.kind !== 'extended')
    findings.error(entry, 'matchAddress', `access list ${list.name} is a standard one: a crypto map needs an extended one`);
  else {
    const permits = list.entries.filter(({ action }) => action === 'permit').length;
    if (permits === 0) findings.error(entry, 'matchAddress', `access list ${list.name} permits nothing`);
    if (permits > UsualFlows)
      findings.error(entry, 'matchAddress', `access list ${list.name}: more than ${UsualFlows} flows with one peer`);
    for (const line of list.entries) verifyLine(list, line, findings);
    refuseBeyondCrypto(list, 'a crypto map', findings);
  }
}

/** Where keys are all that can prove a peer. */
export function warnWithoutKey(config: Config, at: object, field: string, peer: Ipv4, findings: Findings): void {
  const provesOtherwise = config.keyrings.size > 0 || config.trustpoints.size > 0;
  if (!provesOtherwise && !config.isakmpKeys.some((key) => isInPrefix(peer, key.address, key.mask)))
    findings.warning(at, field, `no crypto isakmp key matches the peer ${formatIpv4(peer)}`, 'crypto isakmp key KEY address A');
}

function verifyPeers(config: Config, entry: CryptoMapEntry, { peers }: SiteToSite, name: string, findings: Findings): void {
  if (peers.length === 0) findings.error(entry, '', `${name} has no peer`, 'set peer A');
  verifyPeerAddresses(config, entry, { peers }, findings);
}

export function verifyPeerAddresses(config: Config, entry: CryptoMapEntry, { peers }: Pick<SiteToSite, 'peers'>, findings: Findings): void {
  const own = ownAddresses(config).map(({ address }) => address);
  for (const peer of peers) {
    if (own.includes(peer)) findings.error(entry, 'peers', `${formatIpv4(peer)} is this router's own address`);
    warnWithoutKey(config, entry, 'peers', peer, findings);
  }
}

export function verifyProtection(config: Config, entry: CryptoMapEntry, ipsec: SiteToSite, name: string, findings: Findings): void {
  if (ipsec.transformSets.length === 0) findings.error(entry, '', `${name} has no transform set`, 'set transform-set NAME');
  if (ipsec.isakmpProfile !== undefined && !config.isakmpProfiles.has(ipsec.isakmpProfile))
    findings.error(entry, 'isakmpProfile', `there is no crypto isakmp profile ${ipsec.isakmpProfile}`);
  for (const set of ipsec.transformSets) {
    if (!config.transformSets.has(set)) findings.error(entry, 'transformSets', `there is no crypto ipsec transform-set ${set}`);
  }
  if (ipsec.pfs !== null && weakGroups.includes(ipsec.pfs))
    findings.warning(entry, 'pfs', `${name}: Diffie-Hellman group ${ipsec.pfs} is weak`, 'set pfs group14 or higher');
  if (ipsec.lifetimeSeconds !== null && ipsec.lifetimeSeconds < 120)
    findings.warning(entry, 'lifetimeSeconds', `a lifetime of ${ipsec.lifetimeSeconds} s is for tests: IOS takes no less than 120`);
}

export function verifySiteToSite(config: Config, entry: CryptoMapEntry, ipsec: SiteToSite, findings: Findings): void {
  const name = `crypto map ${entry.name} ${entry.sequence}`;
  verifyPeers(config, entry, ipsec, name, findings);
  verifyProtection(config, entry, ipsec, name, findings);
  verifyList(config, entry, name, findings);
  if (config.isakmpPolicies.length === 0) {
    const hint = 'IOS falls back to DES and RSA signatures; we do not';
    findings.error(entry, '', 'there is no crypto isakmp policy, so no phase 1 can be agreed', hint);
  }
}

export function verifyMapSettings(config: Config, findings: Findings): void {
  for (const [map, name] of config.mapProfiles) {
    const at = config.mapProfiles;
    const line = `crypto map ${map} isakmp-profile ${name}`;
    if (!config.isakmpProfiles.has(name)) findings.error(at, map, `${line}: there is no such profile`);
    if (!(config.cryptoMaps.get(map) ?? []).some(({ kind }) => kind === 'ipsec-isakmp'))
      findings.warning(at, map, `${line} has no effect`, 'ipsec-isakmp entries use it');
  }
  for (const [map, name] of config.localAddresses) {
    const at = config.localAddresses;
    const line = `crypto map ${map} local-address ${name}`;
    if (!config.interfaces.get(name)?.addresses.length)
      findings.error(at, map, `${line}: there is no such interface, or it has no address`);
    if (!(config.cryptoMaps.get(map) ?? []).some(({ kind }) => kind === 'ipsec-isakmp'))
      findings.warning(at, map, `${line} has no effect`, 'ipsec-isakmp entries use it');
  }
}
