// The whole command tree of the configuration language: which commands stand in which mode, and which family prints what.

import type { PrintFamily } from './blocks.js';
import { accessListCommands, listCommands, printAccessLists } from './commands/access-list.js';
import { admissionCommands, printAdmission } from './commands/admission.js';
import { bannerCommands, printBanners } from './commands/banner.js';
import { classCommands, classMapCommands, printClassMaps } from './commands/class-map.js';
import { identityCommands, identityGlobalCommands, printIdentities } from './commands/crypto-identity.js';
import { cryptoMapCommands, cryptoMapEntryCommands, printCryptoMaps } from './commands/crypto-map.js';
import { dynamicMapCommands } from './commands/dynamic-map.js';
import { failCloseCommands } from './commands/fail-close.js';
import { gdoiCommands, gdoiGroupCommands, printGdoi } from './commands/gdoi-group.js';
import { saCommands } from './commands/gdoi-sa.js';
import { localServerCommands } from './commands/gdoi-server.js';
import { generalCommands, modeExits, printDomain, printGeneral } from './commands/general.js';
import { interfaceCommands, interfaceGlobalCommands, printInterfaces } from './commands/interface.js';
import { ipsecCommands, ipsecProfileCommands, printIpsec, transformSetCommands } from './commands/ipsec.js';
import { ipsecSettingCommands } from './commands/ipsec-settings.js';
import { isakmpCommands, isakmpPolicyCommands, printIsakmp } from './commands/isakmp.js';
import { isakmpSettingCommands } from './commands/isakmp-settings.js';
import { keyExportCommands, printKeyExport } from './commands/key-export.js';
import { keyringCommands, keyringGlobalCommands, printKeyrings, profileCommands } from './commands/keyring.js';
import { loggingCommands, printLogging } from './commands/logging.js';
import { multicastGlobalCommands, printMulticast } from './commands/multicast.js';
import { natCommands, printNat } from './commands/nat.js';
import { networkGroupCommands, objectGroupCommands, printObjectGroups, serviceGroupCommands } from './commands/object-group.js';
import { policyCommands, printPolicy } from './commands/policy.js';
import { policyClassCommands, policyCommandsOfMap, policyMapCommands, printPolicyMaps } from './commands/policy-map.js';
import { policeActionCommands } from './commands/policy-police.js';
import { printRoutes, routeCommands } from './commands/route.js';
import { printRouteMaps, routeMapCommands, routeMapEntryCommands } from './commands/route-map.js';
import { keyGlobalCommands } from './commands/rsa-key.js';
import { pkiCommands, printTrustpoints, trustpointCommands } from './commands/trustpoint.js';
import type { ModeCommands } from './session.js';
import { mergeNodes } from './tree.js';

export const modeCommands: ModeCommands = {
  config: mergeNodes([
    ...accessListCommands,
    ...objectGroupCommands,
    ...admissionCommands,
    ...isakmpCommands,
    ...pkiCommands,
    ...isakmpSettingCommands,
    ...keyringGlobalCommands,
    ...ipsecCommands,
    ...ipsecSettingCommands,
    ...gdoiCommands,
    ...keyGlobalCommands,
    ...keyExportCommands,
    ...identityGlobalCommands,
    ...cryptoMapCommands,
    ...dynamicMapCommands,
    ...generalCommands,
    ...multicastGlobalCommands,
    ...bannerCommands,
    ...loggingCommands,
    ...interfaceGlobalCommands,
    ...natCommands,
    ...routeCommands,
    ...policyCommands,
    ...routeMapCommands,
    ...classMapCommands,
    ...policyMapCommands,
    ...modeExits<'config'>(),
  ]),
  'conf-isa-prof': [...profileCommands, ...modeExits<'conf-isa-prof'>()],
  'config-keyring': [...keyringCommands, ...modeExits<'config-keyring'>()],
  'config-isakmp': [...isakmpPolicyCommands, ...modeExits<'config-isakmp'>()],
  'ca-trustpoint': [...trustpointCommands, ...modeExits<'ca-trustpoint'>()],
  'cfg-crypto-trans': [...transformSetCommands, ...modeExits<'cfg-crypto-trans'>()],
  'ipsec-profile': [...ipsecProfileCommands, ...modeExits<'ipsec-profile'>()],
  'config-gdoi-group': [...gdoiGroupCommands, ...modeExits<'config-gdoi-group'>()],
  'gdoi-local-server': [...localServerCommands, ...modeExits<'gdoi-local-server'>()],
  'gdoi-sa-ipsec': [...saCommands, ...modeExits<'gdoi-sa-ipsec'>()],
  'config-crypto-identity': [...identityCommands, ...modeExits<'config-crypto-identity'>()],
  'config-crypto-map': [...cryptoMapEntryCommands, ...modeExits<'config-crypto-map'>()],
  'crypto-map-fail-close': [...failCloseCommands, ...modeExits<'crypto-map-fail-close'>()],
  'config-std-nacl': [...listCommands<'config-std-nacl'>('standard'), ...modeExits<'config-std-nacl'>()],
  'config-ext-nacl': [...listCommands<'config-ext-nacl'>('extended'), ...modeExits<'config-ext-nacl'>()],
  'config-network-group': [...networkGroupCommands, ...modeExits<'config-network-group'>()],
  'config-service-group': [...serviceGroupCommands, ...modeExits<'config-service-group'>()],
  'config-if': mergeNodes([...interfaceCommands, ...modeExits<'config-if'>()]),
  'config-route-map': [...routeMapEntryCommands, ...modeExits<'config-route-map'>()],
  'config-cmap': [...classCommands, ...modeExits<'config-cmap'>()],
  'config-pmap': [...policyCommandsOfMap, ...modeExits<'config-pmap'>()],
  'config-pmap-c': [...policyClassCommands, ...modeExits<'config-pmap-c'>()],
  'config-pmap-c-police': [...policeActionCommands, ...modeExits<'config-pmap-c-police'>()],
};

export type FamilyName =
  | 'general'
  | 'domain'
  | 'admission'
  | 'pki'
  | 'keyring'
  | 'key-export'
  | 'isakmp'
  | 'ipsec'
  | 'gdoi'
  | 'crypto-identity'
  | 'crypto-map'
  | 'class-map'
  | 'policy-map'
  | 'multicast'
  | 'interface'
  | 'nat'
  | 'route'
  | 'object-group'
  | 'policy'
  | 'access-list'
  | 'route-map'
  | 'logging'
  | 'banner';

/** In the order of a running configuration. */
export const families: { name: FamilyName; print: PrintFamily }[] = [
  { name: 'general', print: printGeneral },
  { name: 'domain', print: printDomain },
  { name: 'admission', print: printAdmission },
  { name: 'pki', print: printTrustpoints },
  { name: 'key-export', print: printKeyExport },
  { name: 'keyring', print: printKeyrings },
  { name: 'isakmp', print: printIsakmp },
  { name: 'ipsec', print: printIpsec },
  { name: 'gdoi', print: printGdoi },
  { name: 'crypto-identity', print: printIdentities },
  { name: 'crypto-map', print: printCryptoMaps },
  { name: 'class-map', print: printClassMaps },
  { name: 'policy-map', print: printPolicyMaps },
  { name: 'multicast', print: printMulticast },
  { name: 'interface', print: printInterfaces },
  { name: 'nat', print: printNat },
  { name: 'route', print: printRoutes },
  { name: 'object-group', print: printObjectGroups },
  { name: 'policy', print: printPolicy },
  { name: 'access-list', print: printAccessLists },
  { name: 'route-map', print: printRouteMaps },
  { name: 'logging', print: printLogging },
  { name: 'banner', print: printBanners },
];
