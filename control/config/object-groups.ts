// Entries that name object groups -> entries that do not: one for each service, source and destination. Groups that are not there have no members, and
// one that contains itself counts once, so that any configuration can be asked; verify says what is wrong with it.

import type { AclEntry, Config, Ipv4, NetworkMember, Service, ServiceMember } from './model.js';

/** Addresses of a group: `wildcard` bits are not compared. */
interface Network {
  address: Ipv4;
  wildcard: Ipv4;
}

const Tcp = 6;
const Udp = 17;

/** The fewest networks that cover a range and nothing else. */
export function splitRange(first: Ipv4, last: Ipv4): Network[] {
  const networks: Network[] = [];
  let at = first;
  while (at <= last) {
    // As large as the alignment of its first address allows, and not past the end.
    let size = at === 0 ? 2 ** 32 : (at & -at) >>> 0;
    while (at + size - 1 > last) size /= 2;
    networks.push({ address: at, wildcard: size - 1 });
    at += size;
  }
  return networks;
}

/** All members of a group and of those it names, each once. @param read of what is no group */
function flatten<M extends { kind: string }, T>(
  config: Config,
  kind: 'network' | 'service',
  name: string,
  read: (member: Exclude<M, { kind: 'group' }>) => T[],
): T[] {
  const found = new Map<string, T>();
  const seen = new Set<string>();
  const visit = (group: string): void => {
    if (seen.has(group)) return;
    seen.add(group);
    const { members = [], kind: actual = null } = config.objectGroups.get(group) ?? {};
    if (actual !== kind) return;
    for (const member of members as unknown as (M & { name: string })[]) {
      if (member.kind === 'group') visit(member.name);
      else for (const item of read(member as unknown as Exclude<M, { kind: 'group' }>)) found.set(JSON.stringify(item), item);
    }
  };
  visit(name);
  return [...found.values()];
}

export function networksOf(config: Config, group: string): Network[] {
  return flatten<NetworkMember, Network>(config, 'network', group, (member) =>
    member.kind === 'range' ? splitRange(member.first, member.last) : [{ address: member.address, wildcard: member.wildcard }],
  );
}

type PlainService = Service & { protocol: number | null };

export function servicesOf(config: Config, group: string): PlainService[] {
  return flatten<ServiceMember, PlainService>(config, 'service', group, ({ protocol, sourcePort, destinationPort, icmp }) =>
    (protocol === 'tcp-udp' ? [Tcp, Udp] : [protocol]).map((number) => ({ protocol: number, sourcePort, destinationPort, icmp })),
  );
}

type EndName = 'source' | 'destination';

function endsOf(config: Config, entry: AclEntry, end: EndName): Network[] {
  const group = entry[`${end}Group`];
  return group === undefined ? [{ address: entry[end], wildcard: entry[`${end}Wildcard`] }] : networksOf(config, group);
}

export function namesGroups(entry: Pick<AclEntry, 'serviceGroup' | 'sourceGroup' | 'destinationGroup'>): boolean {
  return entry.serviceGroup !== undefined || entry.sourceGroup !== undefined || entry.destinationGroup !== undefined;
}

/** How many entries one is, without making them. */
export function countExpanded(config: Config, entry: AclEntry): number {
  const services = entry.serviceGroup === undefined ? 1 : servicesOf(config, entry.serviceGroup).length;
  return services * endsOf(config, entry, 'source').length * endsOf(config, entry, 'destination').length;
}

/** An entry without groups is itself. */
export function expandEntry(config: Config, entry: AclEntry): AclEntry[] {
  if (!namesGroups(entry)) return [entry];
  const { serviceGroup, sourceGroup: _source, destinationGroup: _destination, ...plain } = entry;
  const services = serviceGroup === undefined ? [null] : servicesOf(config, serviceGroup);
  const destinations = endsOf(config, entry, 'destination');
  return services.flatMap((service) =>
    endsOf(config, entry, 'source').flatMap((source) =>
      destinations.map((destination) => ({
        ...plain,
        source: source.address,
        sourceWildcard: source.wildcard,
        destination: destination.address,
        destinationWildcard: destination.wildcard,
        ...(service && { protocol: service.protocol, sourcePort: service.sourcePort, destinationPort: service.destinationPort }),
        ...(service?.icmp && { icmp: service.icmp }),
      })),
    ),
  );
}
