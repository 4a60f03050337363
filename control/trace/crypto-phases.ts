// What the crypto map did with a packet, in words: the entry that protects it, or why none does.

import type { TracedPacket, TraceStep } from '../../dataplane/tables/trace.js';
import type { ConfigLine } from '../api/packet-trace.js';
import { portRanges } from '../compile/aces.js';
import { formatIpv4 } from '../config/addresses.js';
import { describeEntry } from '../config/commands/acl-entry.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';
import { lineOf, policyOf } from './config-lines.js';
import { aceConfig, type Course, type PhaseSources, type Said, spiText } from './saying.js';

/** The crypto map of an interface. */
function mapLine(port: number, { config, nameOf }: PhaseSources): ConfigLine[] {
  const item = config.interfaces.get(nameOf(port) ?? '');
  return item?.cryptoMap ? [lineOf(item, 'cryptoMap', `interface ${item.name}: crypto map ${item.cryptoMap}`)] : [];
}

function mapEntryLines(port: number, group: string | null, { config, nameOf }: PhaseSources): ConfigLine[] {
  const map = config.interfaces.get(nameOf(port) ?? '')?.cryptoMap ?? '';
  const entries = (config.cryptoMaps.get(map) ?? []).filter((entry) => group === null || entry.group === group);
  return entries.map((entry) => {
    const head = `crypto map ${entry.name} ${entry.sequence} ${entry.kind}`;
    return lineOf(
      entry,
      '',
      entry.ipsec ? `${head}: set peer ${entry.ipsec.peers.map(formatIpv4).join(', ')}` : `${head}: set group ${entry.group}`,
    );
  });
}

export function sayPolicyIn(step: TraceStep, { input }: Course, sources: PhaseSources): Said | null {
  if (step.aces.length === 0 && step.outcome !== 'drop') return null;
  const information = step.outcome === 'drop' ? [] : ['It may come in the clear'];
  return { type: 'CRYPTO-MAP', subtype: 'inbound policy', config: [...mapLine(input, sources), ...aceConfig(step, sources)], information };
}

function hasPort(match: PolicyEntry['sourcePort'], port: number): boolean {
  return match === null || portRanges(match).some(([low, high]) => port >= low && port <= high);
}

function matches(entry: PolicyEntry, packet: TracedPacket): boolean {
  const inside = (address: number, base: number, wildcard: number): boolean => ((address ^ base) & ~wildcard) === 0;
  return (
    (entry.protocol === null || entry.protocol === packet.protocol) &&
    inside(packet.src, entry.source, entry.sourceWildcard) &&
    inside(packet.dst, entry.destination, entry.destinationWildcard) &&
    hasPort(entry.sourcePort, packet.sport) &&
    hasPort(entry.destinationPort, packet.dport)
  );
}

/** The lesson of NAT and VPN: with the addresses that the packet came with, a group would have protected it. */
function missedBecauseTranslated({ original }: Course, groups: readonly string[], sources: PhaseSources): string[] {
  if (!original) return [];
  for (const group of groups) {
    const entry = policyOf(group, sources).find((candidate) => matches(candidate, original));
    if (entry?.action !== 'permit') continue;
    const flow = `${formatIpv4(original.src)} to ${formatIpv4(original.dst)}`;
    return [
      `Translated before the crypto map saw it: as ${flow} it would have matched "${describeEntry(entry)}" of group ${group}. Exempt it from NAT with a route-map`,
    ];
  }
  return [];
}

export function sayCryptoMap(step: TraceStep, course: Course, sources: PhaseSources): Said | null {
  const map = mapLine(step.txPort, sources);
  if (map.length === 0) return null;
  const { config, nameOf } = sources;
  const name = config.interfaces.get(nameOf(step.txPort) ?? '')?.cryptoMap ?? '';
  const groups = (config.cryptoMaps.get(name) ?? []).flatMap(({ group }) => (group === null ? [] : [group]));
  const group =
    step.sa < 0 ? null : (groups.find((candidate) => sources.teksOf(candidate).some((tek) => tek.spi >>> 0 === step.spi)) ?? null);
  const lines = [...map, ...mapEntryLines(step.txPort, group, sources), ...aceConfig(step, sources)];
  const said = { type: 'CRYPTO-MAP', subtype: 'outbound policy', config: lines };
  const by = group === null ? 'A peer' : `Group ${group}`;
  if (step.sa >= 0) return { ...said, information: [`${by} protects it: SA with SPI ${spiText(step)}`] };
  if (step.outcome === 'drop') return { ...said, information: missedBecauseTranslated(course, groups, sources) };
  const waiting = groups.filter((candidate) => policyOf(candidate, sources).length === 0);
  return {
    ...said,
    information: [
      ...waiting.map((candidate) => `Group ${candidate} has no policy yet: passed over (fail-open)`),
      'No entry permits it: it leaves in the clear',
      ...missedBecauseTranslated(course, groups, sources),
    ],
  };
}
