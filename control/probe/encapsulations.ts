// Which encapsulations this router puts around what goes to or by an address: tunnels to it, gateways there, groups; and whether its own echo is
// encrypted on the way. Read from the configuration and the SAs in force.

import type { Encapsulation } from '../api/probe-events.js';
import { outboundTeks } from '../compile/outbound.js';
import { TimeHeaderBytes } from '../compile/transforms.js';
import { AllOnes } from '../config/addresses.js';
import type { Config, InterfaceConfig } from '../config/model.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';
import { configuredPolicies } from '../ipsec/configured-policies.js';
import { type FlowPolicy, permittedSelectors, policyKey, policyText } from '../ipsec/flow-policy.js';
import type { SaPair } from '../ipsec/sa-pairs.js';
import { covers } from '../ipsec/selector.js';
import { policyOfTunnel, tunnelSource } from '../ipsec/tunnel-protection.js';
import type { Router } from '../router.js';
import { costOf, type EspCost, segmentOf, transformName } from './overhead.js';

const Gre = 47;
const Icmp = 1;

interface Flow {
  protocol: number;
  source: number;
  destination: number;
}

type Line = Pick<PolicyEntry, 'action' | 'protocol' | 'source' | 'sourceWildcard' | 'destination' | 'destinationWildcard'>;

/** Addresses and protocol alone: of ports nothing is asked here. */
function matches(line: Line, { protocol, source, destination }: Flow): boolean {
  const differs = (a: number, b: number, wildcard: number): boolean => ((a ^ b) & ~wildcard) !== 0;
  return (
    (line.protocol === null || line.protocol === protocol) &&
    !differs(line.source, source, line.sourceWildcard) &&
    !differs(line.destination, destination, line.destinationWildcard)
  );
}

function isPermitted(lines: readonly Line[], flow: Flow): boolean {
  return lines.find((line) => matches(line, flow))?.action === 'permit';
}

/** What is in force with a peer; of what is only configured the first suite: transport mode is for what passes between the ends themselves. */
function costsOf(policy: FlowPolicy, peer: number, router: Router): EspCost[] {
  const suites = pairsWith(policy, peer, router).map(({ suite }) => suite);
  const isBetweenEnds = permittedSelectors(policy).some(
    ({ local, remote }) => local.mask === AllOnes && local.address === policy.local && remote.mask === AllOnes && remote.address === peer,
  );
  const [{ mode, ...suite }] = policy.suites;
  const wanted = { ...suite, mode: isBetweenEnds ? mode : ('tunnel' as const), udp: false };
  const costs = (suites.length > 0 ? suites : [wanted]).map(
    ({ encryption, authentication, mode, udp }): EspCost => ({ encryption, authentication, mode, udp, shimBytes: 0 }),
  );
  return [...new Map(costs.map((cost) => [transformName(cost), cost])).values()];
}

function pairsWith(policy: FlowPolicy, peer: number, router: Router): SaPair[] {
  return [...router.ipsec.pairs].filter(
    ({ policy: key, remote, established }) => established && key === policyKey(policy) && remote.address === peer,
  );
}

/** `ip mtu` where it says less than the interface has, and the segment that fits. */
function linesFor(largest: number, mtu: number | null): string[] {
  return [...(mtu === null ? [] : [`ip mtu ${mtu}`]), `ip tcp adjust-mss ${segmentOf(largest)}`];
}

function tunnelTo(item: InterfaceConfig, pathMtu: number, router: Router): Encapsulation | null {
  const { tunnel, name } = item;
  const { config } = router;
  const source = tunnel ? tunnelSource(config, tunnel) : null;
  if (!tunnel || tunnel.destination === null || source === null) return null;
  const flow = { protocol: Gre, source, destination: tunnel.destination };
  const policy = policyOfTunnel(config, item) ?? configuredPolicies(config).find(({ entries }) => isPermitted(entries ?? [], flow));
  const esp = policy ? costsOf(policy, tunnel.destination, router)[0] : null;
  const cost = costOf(pathMtu, esp, { key: tunnel.key !== null, checksum: tunnel.checksum, sequence: tunnel.sequence });
  const title = `${name}: GRE${esp ? ` in ESP (${transformName(esp)})` : ''}`;
  return { name: title, ...cost, interface: name, lines: linesFor(cost.largest, cost.largest) };
}

/** Interfaces that carry the map of that name. */
function carriers(config: Config, map: string): InterfaceConfig[] {
  return [...config.interfaces.values()].filter(({ cryptoMap, shutdown }) => cryptoMap === map && !shutdown);
}

function sealedBy(what: string, esp: EspCost, item: InterfaceConfig, pathMtu: number): Encapsulation {
  const cost = costOf(pathMtu, esp, null);
  return {
    name: `${what} on ${item.name}: ESP (${transformName(esp)})`,
    ...cost,
    interface: item.name,
    lines: linesFor(cost.largest, pathMtu < (item.ipMtu ?? 1500) ? pathMtu : null),
  };
}

/** Whose address the configuration has, and who came by a dynamic map and has SAs now. */
function gatewaysAt(target: number, pathMtu: number, router: Router): Encapsulation[] {
  return configuredPolicies(router.config)
    .filter((policy) => policy.peers.includes(target) || pairsWith(policy, target, router).length > 0)
    .flatMap((policy) =>
      carriers(router.config, policy.map).flatMap((item) =>
        costsOf(policy, target, router).map((esp) => sealedBy(policyText(policy), esp, item, pathMtu)),
      ),
    );
}

interface GroupUse {
  item: InterfaceConfig;
  group: string;
  esp: EspCost;
  entries: PolicyEntry[];
}

/** Groups whose keys are there. */
function groupUses(router: Router): GroupUse[] {
  return [...router.config.interfaces.values()].flatMap((item) =>
    (router.config.cryptoMaps.get(item.cryptoMap ?? '') ?? []).flatMap(({ group }) => {
      const [tek] = group === null || item.shutdown ? [] : outboundTeks(router.gdoi.policyOf(group).teks, Date.now());
      if (!tek || group === null) return [];
      const { encryption, authentication, replaySeconds, udp = false } = tek;
      const shimBytes = replaySeconds ? TimeHeaderBytes : 0;
      return [{ item, group, entries: tek.entries, esp: { encryption, authentication, mode: 'tunnel' as const, udp, shimBytes } }];
    }),
  );
}

/** @returns by what an echo of ours to there is encrypted; null = it goes in the clear, as far as addresses tell */
function encrypterOf(target: number, source: number | null, router: Router, groups: GroupUse[]): string | null {
  for (const { item, group, entries } of groups) {
    const from = source ?? item.addresses[0]?.address;
    if (from !== undefined && isPermitted(entries, { protocol: Icmp, source: from, destination: target }))
      return `group ${group} on ${item.name}`;
  }
  const policy = configuredPolicies(router.config).find(({ entries, local }) =>
    isPermitted(entries ?? [], { protocol: Icmp, source: source ?? local, destination: target }),
  );
  return policy ? policyText(policy) : byPair(target, source, router);
}

/** By what a peer of a dynamic map has asked for. */
function byPair(target: number, source: number | null, router: Router): string | null {
  for (const policy of configuredPolicies(router.config)) {
    const one = (address: number) => ({ address, mask: AllOnes, port: 0 });
    const flow = { protocol: Icmp, local: one(source ?? policy.local), remote: one(target) };
    const isCovered = ({ policy: key, established, selector }: SaPair): boolean =>
      established && key === policyKey(policy) && covers(selector, flow);
    if ([...router.ipsec.pairs].some(isCovered)) return policyText(policy);
  }
  return null;
}

/** @param pathMtu bytes, as it was found @param source of the echo; null = the kernel's choice */
export function encapsulationsTo(
  target: number,
  source: number | null,
  pathMtu: number,
  router: Router,
): { list: Encapsulation[]; encryptedBy: string | null } {
  const groups = groupUses(router);
  const encryptedBy = encrypterOf(target, source, router, groups);
  // Found through ESP: what it costs is in the number already.
  if (encryptedBy !== null) return { list: [], encryptedBy };
  const tunnels = [...router.config.interfaces.values()].filter(({ tunnel, shutdown }) => tunnel?.destination === target && !shutdown);
  const list = [
    ...tunnels.flatMap((item) => tunnelTo(item, pathMtu, router) ?? []),
    ...gatewaysAt(target, pathMtu, router),
    ...groups.map(({ item, group, esp }) => sealedBy(`group ${group}`, esp, item, pathMtu)),
  ];
  return { list, encryptedBy };
}
