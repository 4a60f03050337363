// Interfaces, crypto maps and static routes: references, addresses, devices.

import { formatIpv4, prefixRange } from '../addresses.js';
import { isIosInterfaceName, isLoopback, isTunnel } from '../interface-names.js';
import type { Config, CryptoMapEntry, InterfaceConfig } from '../model.js';
import { verifyDynamicEntry, verifyDynamicMaps } from './dynamic-maps.js';
import { warnFailOpen } from './fail-close.js';
import type { Findings } from './findings.js';
import { verifyMapSettings, verifySiteToSite } from './site-to-site.js';
import { verifyTunnelDevice, verifyTunnels } from './tunnels.js';

function verifyDevice(item: InterfaceConfig, devices: Map<string, string>, findings: Findings): void {
  if (isLoopback(item.name)) {
    if (item.linuxDevice !== null) findings.error(item, 'linuxDevice', `${item.name} has no Linux device`, 'remove linux-device');
    if (item.portDriver !== null) findings.error(item, 'portDriver', `${item.name} has no Linux device to drive`, 'remove port-driver');
    if (!item.offload) findings.error(item, 'offload', `${item.name} has no Linux device that could offload`, 'remove no offload');
    if (item.cryptoMap !== null)
      findings.error(item, 'cryptoMap', `a crypto map on ${item.name} would protect nothing`, 'apply it to the outside interface');
    return;
  }
  if (isTunnel(item.name)) {
    verifyTunnelDevice(item, findings);
    return;
  }
  const device = item.linuxDevice ?? (isIosInterfaceName(item.name) ? null : item.name);
  if (device === null) {
    if (item.portDriver !== null)
      findings.error(item, 'portDriver', `port-driver ${item.portDriver} on ${item.name} needs a Linux device`, 'linux-device eth0');
    if (!item.shutdown) findings.warning(item, '', `${item.name} has no Linux device: it stays down`, 'linux-device eth0, or shutdown');
    return;
  }
  if (device === 'lo') findings.error(item, 'linuxDevice', "lo is the host's own loopback and cannot be a port", 'interface Loopback0');
  const other = devices.get(device);
  if (other !== undefined) findings.error(item, 'linuxDevice', `${other} has the Linux device ${device} already`);
  devices.set(device, item.name);
}

function verifyAddresses(config: Config, findings: Findings): void {
  const seen: { name: string; address: number; first: number; last: number }[] = [];
  for (const item of config.interfaces.values()) {
    if (item.shutdown) continue;
    for (const entry of item.addresses) {
      const range = prefixRange(entry.address, entry.mask);
      const same = seen.find((other) => other.address === entry.address);
      const overlap = seen.find((other) => other.name !== item.name && range.first <= other.last && other.first <= range.last);
      if (same) findings.error(entry, '', `${formatIpv4(entry.address)} is the address of ${same.name} already`);
      else if (overlap) findings.error(entry, '', `${formatIpv4(range.first)} overlaps with ${overlap.name}`);
      seen.push({ name: item.name, address: entry.address, ...range });
    }
  }
}

export function verifyInterfaces(config: Config, findings: Findings): void {
  const devices = new Map<string, string>();
  for (const item of config.interfaces.values()) {
    verifyDevice(item, devices, findings);
    if (item.cryptoMap === null) continue;
    if (!config.cryptoMaps.has(item.cryptoMap)) findings.error(item, 'cryptoMap', `there is no crypto map ${item.cryptoMap}`);
    if (item.addresses.length === 0)
      findings.warning(item, 'cryptoMap', `${item.name} has a crypto map and no ip address to register from`);
  }
  verifyAddresses(config, findings);
  verifyTunnels(config, findings);
}

function verifyMapEntry(config: Config, entry: CryptoMapEntry, applied: boolean, findings: Findings): void {
  if (entry.ipsec) {
    verifySiteToSite(config, entry, entry.ipsec, findings);
    return;
  }
  if (entry.dynamic !== undefined) {
    verifyDynamicEntry(config, entry, findings);
    return;
  }
  const name = `crypto map ${entry.name} ${entry.sequence}`;
  if (entry.group === null) findings.error(entry, '', `${name} has no group: it would protect nothing`, 'set group NAME');
  else {
    const group = config.gdoiGroups.get(entry.group);
    if (!group) findings.error(entry, 'group', `there is no crypto gdoi group ${entry.group}`);
    else if (group.server)
      findings.error(entry, 'group', `this router is the key server of group ${entry.group}: it cannot be its member too`);
    else if (applied) warnFailOpen(config, entry, findings);
  }
  if (entry.matchAddress === null) return;
  const list = config.accessLists.get(entry.matchAddress);
  if (!list) {
    findings.error(entry, 'matchAddress', `there is no access list ${entry.matchAddress}`);
    return;
  }
  if (list.kind !== 'extended')
    findings.error(entry, 'matchAddress', `access list ${list.name} is a standard one: a crypto map needs an extended one`);
  for (const ace of list.entries) {
    if (ace.action === 'permit')
      findings.entry('error', list, ace, "a member's own access list can only deny: what is encrypted is the key server's to say");
  }
}

export function verifyCryptoMaps(config: Config, findings: Findings): void {
  verifyMapSettings(config, findings);
  verifyDynamicMaps(config, findings);
  const applied = new Set([...config.interfaces.values()].map((item) => item.cryptoMap));
  for (const [name, entries] of config.cryptoMaps) {
    if (!applied.has(name))
      findings.warning(entries[0], '', `crypto map ${name} is applied to no interface`, `interface X, crypto map ${name}`);
    const groups = new Set<string>();
    for (const entry of entries) {
      verifyMapEntry(config, entry, applied.has(name), findings);
      if (entry.group !== null && groups.has(entry.group))
        findings.error(entry, 'group', `crypto map ${name} has group ${entry.group} already`);
      if (entry.group !== null) groups.add(entry.group);
    }
  }
}

export function verifyRoutes(config: Config, findings: Findings): void {
  const own = new Map(
    [...config.interfaces.values()].flatMap((item) => item.addresses.map((entry) => [entry.address, item.name] as const)),
  );
  for (const route of config.staticRoutes) {
    if (route.interface !== null && !config.interfaces.has(route.interface))
      findings.error(route, '', `there is no interface ${route.interface}`);
    if (route.nextHop === null) continue;
    if (own.has(route.nextHop))
      findings.error(route, '', `the next hop ${formatIpv4(route.nextHop)} is this router (${own.get(route.nextHop)})`);
    const top = route.nextHop >>> 24;
    if (top === 0 || top === 127 || top >= 224) findings.error(route, '', `${formatIpv4(route.nextHop)} cannot be a next hop`);
  }
}
