// Groups: key server or member, complete and consistent; and what the group's SAs refer to.

import { formatIpv4, isInPrefix } from '../addresses.js';
import type { Config, GdoiGroup, GdoiSa, GdoiServer } from '../model.js';
import { rekeyDestination } from '../rekey-address.js';
import type { Findings } from './findings.js';
import { verifyGdoiStaysClear, verifyGroupList, verifyGroupsApart, verifySasApart } from './group-acl.js';
import { ownAddresses } from './own-addresses.js';
import { verifyRoutingStaysClear } from './routing-protocols.js';

/** SAs of one group: members take twice as many TEKs, those that replace each other. */
const MostSas = 16;

function verifySa(config: Config, sa: GdoiSa, findings: Findings): void {
  const name = `sa ipsec ${sa.sequence}`;
  if (sa.profile === null) findings.error(sa, '', `${name} has no profile`, 'profile NAME, with a crypto ipsec profile of that name');
  else {
    const profile = config.ipsecProfiles.get(sa.profile);
    if (!profile) findings.error(sa, 'profile', `there is no crypto ipsec profile ${sa.profile}`);
    else if (profile.transformSets.length === 0)
      findings.error(profile, '', `profile ${profile.name} has no transform set`, 'set transform-set NAME');
    else if (profile.transformSets.length > 1) {
      findings.error(profile, 'transformSets', `profile ${profile.name}: a group SA has exactly one transform set, members cannot choose`);
    }
    if (profile && profile.pfs !== null)
      findings.error(
        profile,
        'pfs',
        `profile ${profile.name}: a group's keys come from its key server and not from Diffie-Hellman`,
        'no set pfs',
      );
    for (const set of profile?.transformSets.map((setName) => config.transformSets.get(setName)) ?? []) {
      if (set?.encryption === 'esp-des')
        findings.error(set, '', `transform set ${set.name}: a group is not protected by single DES`, 'esp-aes 256');
      if (set?.extended)
        findings.error(
          set,
          'extended',
          `transform set ${set.name}: a group has no extended sequence numbers (RFC 6407 names none)`,
          'no esn',
        );
      if (set?.mode !== 'transport') continue;
      const hint = 'mode tunnel: the members preserve the inner addresses in the outer header';
      findings.error(set, 'mode', `transform set ${set.name} is in transport mode, which a group SA cannot be yet`, hint);
    }
  }
  if (sa.udpEncapsulation)
    findings.warning(
      sa,
      'udpEncapsulation',
      `${name}: members that do not know ESP in UDP within a group refuse the policy: Cisco's, and groupwire before this command`,
      'no udp-encapsulation, unless all members are groupwire routers that know it',
    );
  if (sa.matchAddress === null) findings.error(sa, '', `${name} has no match address ipv4`, 'it says what the members encrypt');
  else {
    const list = config.accessLists.get(sa.matchAddress);
    if (!list) findings.error(sa, 'matchAddress', `there is no access list ${sa.matchAddress}`);
    else verifyGroupList(list, sa, findings);
  }
}

function verifyServer(config: Config, group: GdoiGroup, server: GdoiServer, findings: Findings): void {
  if (group.passive) findings.error(group, 'passive', `passive is a member's: this router is the key server of group ${group.name}`);
  if (server.receiveOnly)
    findings.warning(
      server,
      'receiveOnly',
      `sa receive-only: the members of group ${group.name} encrypt nothing`,
      'no sa receive-only, then crypto gdoi ks rekey',
    );
  if (server.rekeyAuthentication === null) {
    findings.error(server, '', 'the key server has no RSA key to sign rekeys with', 'rekey authentication mypubkey rsa LABEL');
  }
  const destination = rekeyDestination(config, server);
  if ('problem' in destination) {
    const hint = 'rekey transport unicast, or rekey address ipv4 ACL with: permit udp host A eq 848 host 239.1.1.1 eq 848';
    findings.error(server, 'rekeyAddress', destination.problem, hint);
  } else if (destination.address === null && server.rekeyAddress !== undefined) {
    const hint = 'no rekey transport unicast';
    findings.warning(server, 'rekeyAddress', 'rekey address has no effect: rekeys are unicast', hint);
  }
  if (server.sas.size === 0) findings.error(server, '', 'the key server has no sa ipsec: there is nothing to hand out');
  if (server.address !== null && !ownAddresses(config).some(({ address }) => address === server.address)) {
    findings.warning(server, 'address', `no interface has the address ${formatIpv4(server.address)}: rekeys cannot come from it`);
  }
  if (config.isakmpKeys.length === 0 && !provesOtherwise(config)) {
    findings.warning(group, '', 'there is no crypto isakmp key: no member can register', 'crypto isakmp key KEY address MEMBER');
  }
  if (server.rekeyEncryption === 'des')
    findings.warning(server, 'rekeyEncryption', 'rekeys with DES can be broken within a day', 'rekey algorithm aes 256');
  if (server.rekeyEncryption === '3des') {
    findings.warning(
      server,
      'rekeyEncryption',
      'rekeys are encrypted with 3DES (the default), which is deprecated',
      'rekey algorithm aes 256',
    );
  }
  if (server.rekeyLifetimeSeconds < 300) {
    findings.warning(
      server,
      'rekeyLifetimeSeconds',
      `a rekey lifetime of ${server.rekeyLifetimeSeconds} s is for tests: IOS takes no less than 300`,
    );
  }
  for (const sa of server.sas.values()) verifySa(config, sa, findings);
  verifyAuthorization(config, server, findings);
  for (const sa of [...server.sas.values()].slice(MostSas))
    findings.error(
      sa,
      '',
      `group ${group.name} has more than ${MostSas} sa ipsec`,
      'put entries with the same profile into one access list',
    );
  verifySasApart(config, group, server, findings);
  const lists = new Set([...server.sas.values()].map((sa) => config.accessLists.get(sa.matchAddress ?? '')));
  for (const list of lists) {
    if (list?.kind !== 'extended') continue;
    verifyGdoiStaysClear(config, server, list, findings);
    verifyRoutingStaysClear(list, findings);
  }
}

function verifyAuthorization(config: Config, server: GdoiServer, findings: Findings): void {
  const { authorizationAcl: name, authorizationIdentity: identity } = server;
  if (name !== null) {
    const list = config.accessLists.get(name);
    if (!list) findings.error(server, 'authorizationAcl', `there is no access list ${name}: no member could register`);
    else if (list.kind !== 'standard')
      findings.error(server, 'authorizationAcl', `access list ${name} is an extended one: members are named by a standard one`);
  }
  if (identity === null) return;
  const known = config.identities.get(identity);
  if (!known) findings.error(server, 'authorizationIdentity', `there is no crypto identity ${identity}: no member could register`);
  else if (known.fqdns.length + known.dns.length === 0)
    findings.error(known, '', `crypto identity ${identity} names nobody`, 'fqdn NAME, or dn CN=NAME');
  // RFC 2409 §5.4: whoever has the key proves that he has it, and may call himself what he likes.
  if (config.isakmpPolicies.some(({ authentication }) => authentication === 'pre-share')) {
    const message = `authorization identity ${identity}: with pre-shared keys a member's identity is a claim that nothing proves`;
    const hint = 'authentication rsa-sig in every crypto isakmp policy, or authorization address ipv4';
    findings.warning(server, 'authorizationIdentity', message, hint);
  }
}

function verifyMember(config: Config, group: GdoiGroup, findings: Findings): void {
  if (group.passive)
    findings.warning(
      group,
      'passive',
      `group ${group.name} is passive: what should be encrypted is accepted in the clear too`,
      'no passive, once all members encrypt',
    );
  const own = new Set(ownAddresses(config).map(({ address }) => address));
  for (const address of group.serverAddresses) {
    const field = `server ${address}`;
    if (own.has(address))
      findings.error(group, field, `${formatIpv4(address)} is this router's own address`, 'a key server has server local');
    if (!provesOtherwise(config) && !config.isakmpKeys.some((key) => isInPrefix(address, key.address, key.mask))) {
      findings.warning(
        group,
        field,
        `no crypto isakmp key matches the key server ${formatIpv4(address)}`,
        'crypto isakmp key KEY address A',
      );
    }
  }
  const from = group.registrationInterface;
  if (from !== undefined && !config.interfaces.get(from)?.addresses.length) {
    findings.error(group, 'registrationInterface', `client registration interface ${from} does not exist or has no address`);
  }
  const used = [...config.cryptoMaps.values()].flat().some((entry) => entry.group === group.name);
  if (!used)
    findings.warning(group, '', `group ${group.name} is in no crypto map: it protects nothing`, 'crypto map M 10 gdoi, set group G');
}

/** By a policy with rsa-sig and a trustpoint, or a keyring: a global key is not needed. */
function provesOtherwise(config: Config): boolean {
  const signs = config.isakmpPolicies.some(({ authentication }) => authentication === 'rsa-sig');
  return config.keyrings.size > 0 || (config.trustpoints.size > 0 && signs);
}

function describeIdentity(identity: GdoiGroup['identity']): string | null {
  if (identity === null) return null;
  return identity.kind === 'number' ? `number ${identity.number}` : `address ${formatIpv4(identity.address)}`;
}

export function verifyGdoi(config: Config, findings: Findings): void {
  verifyGroupsApart(config, findings);
  const identities = new Map<string, string>();
  for (const group of config.gdoiGroups.values()) {
    const identity = describeIdentity(group.identity);
    if (identity === null) findings.error(group, '', `group ${group.name} has no identity`, 'identity number N');
    else {
      const other = identities.get(identity);
      if (other !== undefined) findings.error(group, 'identity', `group ${other} has the identity ${identity} already`);
      identities.set(identity, group.name);
    }
    if (group.server && group.serverAddresses.length > 0) {
      const field = `server ${group.serverAddresses[0]}`;
      findings.error(group, field, `group ${group.name} has server local and server address: a router is key server or member`);
    } else if (group.server) verifyServer(config, group, group.server, findings);
    else if (group.serverAddresses.length === 0) {
      findings.error(group, '', `group ${group.name} has no key server`, 'server address ipv4 A on a member, server local on a key server');
    } else verifyMember(config, group, findings);
  }
}
