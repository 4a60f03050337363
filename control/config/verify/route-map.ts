// Policy routing, and what a route-map says that its user cannot do: each with the line that says it.

import { formatIpv4, isInPrefix } from '../addresses.js';
import { isLoopback } from '../interface-names.js';
import type { Config, RouteMapEntry } from '../model.js';
import type { Findings } from './findings.js';

/** Maps by which something is policy-routed, with what says so. */
function policiesOf(config: Config): { name: string; target: object; field: string }[] {
  const uses = [...config.interfaces.values()].flatMap((item) =>
    item.policy === undefined ? [] : [{ name: item.policy, target: item, field: 'policy' }],
  );
  return config.localPolicy === undefined ? uses : [...uses, { name: config.localPolicy, target: config, field: 'localPolicy' }];
}

function verifyNextHop(config: Config, entry: RouteMapEntry, address: number, field: string, findings: Findings): void {
  const networks = [...config.interfaces.values()].flatMap(({ addresses }) => addresses);
  const text = formatIpv4(address);
  if (networks.some((own) => own.address === address))
    findings.error(entry, `${field} ${address}`, `next hop ${text} is this router's own address`);
  else if (!networks.some((own) => isInPrefix(address, own.address, own.mask)))
    findings.warning(
      entry,
      `${field} ${address}`,
      `next hop ${text} is on no network of an interface: unless it gets there, packets are routed as ever`,
      'a next hop on a connected network',
    );
}

function verifySet(config: Config, entry: RouteMapEntry, findings: Findings): void {
  const { nextHops = [], defaultNextHops = [], interfaces = [] } = entry.set ?? {};
  for (const address of nextHops) verifyNextHop(config, entry, address, 'nextHops', findings);
  for (const address of defaultNextHops) verifyNextHop(config, entry, address, 'defaultNextHops', findings);
  for (const name of interfaces) {
    if (name === 'Null0') continue;
    if (isLoopback(name)) findings.error(entry, `interfaces ${name}`, `set interface ${name}: nothing leaves by a Loopback`);
    else if (!config.interfaces.has(name)) findings.error(entry, `interfaces ${name}`, `there is no interface ${name}`);
  }
}

function verifyContinue(entries: readonly RouteMapEntry[], entry: RouteMapEntry, findings: Findings): void {
  const { continueTo, action, name } = entry;
  if (continueTo === undefined) return;
  if (action === 'deny')
    findings.warning(
      entry,
      'continueTo',
      `continue in route-map ${name} deny ${entry.sequence}: what a deny entry matches goes no further`,
    );
  if (continueTo !== 'next' && !entries.some(({ sequence }) => sequence === continueTo))
    findings.error(entry, 'continueTo', `route-map ${name} has no entry ${continueTo} to continue with`);
}

function verifyPolicyEntry(config: Config, entry: RouteMapEntry, findings: Findings): void {
  for (const name of entry.matchInterfaces)
    findings.error(
      entry,
      `matchInterfaces ${name}`,
      `match interface in route-map ${entry.name}, which routes by policy: it asks by which interface a packet leaves, and that is decided here`,
      'match ip address, or ip policy route-map on that interface alone',
    );
  if (entry.action === 'deny' && entry.set)
    findings.warning(entry, '', `set in route-map ${entry.name} deny ${entry.sequence}: what it matches is routed as ever`);
  verifySet(config, entry, findings);
}

/** NAT asks a map what is to be translated: as on IOS, what it sets has no meaning there. */
function verifyNatEntry(entry: RouteMapEntry, isPolicy: boolean, findings: Findings): void {
  const { name, sequence } = entry;
  if (entry.matchLength)
    findings.error(entry, 'matchLength', `match length in route-map ${name}, which ip nat uses: it would translate some packets of a flow`);
  if (entry.continueTo !== undefined)
    findings.error(entry, 'continueTo', `continue in route-map ${name}, which ip nat uses: the first entry that matches decides`);
  if (entry.set && !isPolicy) findings.warning(entry, '', `set in route-map ${name} ${sequence} has no effect: only ip nat uses the map`);
}

/** @returns names of the maps that policy routing uses */
export function verifyPolicies(config: Config, findings: Findings): Set<string> {
  const policies = policiesOf(config);
  const names = new Set(policies.map(({ name }) => name));
  for (const { name, target, field } of policies)
    if (!config.routeMaps.has(name)) findings.error(target, field, `there is no route-map ${name}`);
  const ofNat = new Set(config.nat.statements.filter(({ kind }) => kind === 'route-map').map(({ name }) => name));
  for (const [name, entries] of config.routeMaps) {
    for (const entry of entries) {
      verifyContinue(entries, entry, findings);
      if (names.has(name)) verifyPolicyEntry(config, entry, findings);
      if (ofNat.has(name)) verifyNatEntry(entry, names.has(name), findings);
    }
  }
  return names;
}
