// Entries as configured -> rows -> the dataplane's matching, against what IOS says an entry means, said here entry by entry: the first entry that
// matches decides. Fragments: Cisco, "Access Control Lists and IP Fragments": a permit that asks for ports, flags or ICMP types takes later fragments by
// addresses and protocol, a deny passes over them; `fragments` takes nothing else.

import fc from 'fast-check';
import t from 'tap';
import { traceEntries } from '../../../../control/compile/access-lists.js';
import { appendAceRows } from '../../../../control/compile/aces.js';
import { emptyConfig } from '../../../../control/config/empty.js';
import type {
  AclEntry,
  Config,
  IcmpMatch,
  NetworkGroup,
  NetworkMember,
  PortMatch,
  ServiceGroup,
  ServiceMember,
  TcpFlag,
} from '../../../../control/config/model.js';
import { tcpFlags } from '../../../../control/config/model.js';
import { networksOf, splitRange } from '../../../../control/config/object-groups.js';
import { matchAcl, readFacts } from '../../../../dataplane/proto/acl.js';
import { Port } from '../../../../dataplane/proto/l4.js';

const addresses = [0x0a000001, 0x0a000002, 0x0a000102, 0x0a010001, 0xc0a80001];
const someAddress = fc.constantFrom(...addresses);
const somePort = fc.constantFrom(0, 1, 22, 80, 443, 1024, 65535);
const wildcard = fc.constantFrom(0, 0xff, 0xffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x0000ff00);

const portMatch: fc.Arbitrary<PortMatch> = fc.oneof(
  fc.record({ operator: fc.constantFrom('eq' as const, 'neq' as const), ports: fc.uniqueArray(somePort, { minLength: 1, maxLength: 3 }) }),
  fc.record({ operator: fc.constantFrom('gt' as const, 'lt' as const), ports: fc.tuple(somePort) }),
  fc.record({
    operator: fc.constant('range' as const),
    ports: fc.tuple(somePort, somePort).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]),
  }),
);
const icmp: fc.Arbitrary<IcmpMatch> = fc.record({ type: fc.constantFrom(0, 3, 8), code: fc.option(fc.constantFrom(0, 1)) });
const flags = fc
  .record({ mode: fc.constantFrom('any' as const, 'all' as const), set: fc.subarray([...tcpFlags]), clear: fc.subarray([...tcpFlags]) })
  .map(({ mode, set, clear }) => ({ mode, set, clear: clear.filter((flag) => !set.includes(flag)) }))
  .filter(({ set, clear }) => set.length + clear.length > 0);
const octet = fc.oneof(
  fc.constant({}),
  fc.record({ dscp: fc.constantFrom(0, 46) }),
  fc.record({ precedence: fc.constantFrom(0, 5), tos: fc.constantFrom(0, 12) }, { requiredKeys: [] }),
);
const ends = {
  line: fc.constant(0),
  sequence: fc.constant(0),
  action: fc.constantFrom('permit' as const, 'deny' as const),
  source: someAddress,
  sourceWildcard: wildcard,
  destination: someAddress,
  destinationWildcard: wildcard,
};
const none = fc.constant(null);
const noPorts = { ...ends, sourcePort: none, destinationPort: none };
const withPorts = { ...ends, sourcePort: fc.option(portMatch), destinationPort: fc.option(portMatch) };
const yes = fc.constant(true as const);
const body: fc.Arbitrary<AclEntry> = fc.oneof(
  fc.record({ ...withPorts, protocol: fc.constantFrom(6, 17) }),
  fc.record({ ...withPorts, protocol: fc.constant(6), flags }),
  fc.record({ ...withPorts, protocol: fc.constant(6), established: yes }),
  fc.record({ ...noPorts, protocol: fc.constant(1), icmp }),
  fc.record({ ...noPorts, protocol: fc.constantFrom(null, 1, 6, 50), fragments: yes }),
  fc.record({ ...noPorts, protocol: fc.constantFrom(null, 1, 6, 50) }),
  fc.record({ ...noPorts, protocol: none, serviceGroup: fc.constantFrom('S', 'T', 'absent') }),
);
const entry: fc.Arbitrary<AclEntry> = fc
  .tuple(body, octet, fc.option(fc.constantFrom('A', 'B'), { freq: 2 }), fc.option(fc.constantFrom('A', 'B'), { freq: 2 }))
  .map(([base, tos, sourceGroup, destinationGroup]) => ({
    ...base,
    ...tos,
    ...(sourceGroup === null ? {} : { sourceGroup, source: 0, sourceWildcard: 0xffffffff }),
    ...(destinationGroup === null ? {} : { destinationGroup, destination: 0, destinationWildcard: 0xffffffff }),
  }));

const network: fc.Arbitrary<NetworkMember> = fc.oneof(
  fc.record({
    line: fc.constant(0),
    kind: fc.constant('network' as const),
    address: someAddress,
    wildcard: fc.constantFrom(0, 0xff, 0xffff),
  }),
  fc.tuple(someAddress, someAddress).map(([a, b]) => ({ line: 0, kind: 'range' as const, first: Math.min(a, b), last: Math.max(a, b) })),
  fc.record({ line: fc.constant(0), kind: fc.constant('group' as const), name: fc.constantFrom('A', 'B', 'absent') }),
);
const service: fc.Arbitrary<ServiceMember> = fc.oneof(
  fc.record({
    line: fc.constant(0),
    kind: fc.constant('service' as const),
    protocol: fc.constantFrom(6, 17, 'tcp-udp' as const),
    sourcePort: fc.option(portMatch),
    destinationPort: fc.option(portMatch),
    icmp: none,
  }),
  fc.record({
    line: fc.constant(0),
    kind: fc.constant('service' as const),
    protocol: fc.constant(1),
    sourcePort: none,
    destinationPort: none,
    icmp: fc.option(icmp),
  }),
  fc.record({ line: fc.constant(0), kind: fc.constant('group' as const), name: fc.constantFrom('S', 'T') }),
);
const groups = fc
  .tuple(
    fc.array(network, { maxLength: 3 }),
    fc.array(network, { maxLength: 3 }),
    fc.array(service, { maxLength: 3 }),
    fc.array(service, { maxLength: 3 }),
  )
  .map(([a, b, s, u]) => {
    const make = (name: string, kind: 'network' | 'service', members: unknown[]) => ({ line: 0, name, kind, description: null, members });
    const made = [make('A', 'network', a), make('B', 'network', b), make('S', 'service', s), make('T', 'service', u)];
    return new Map(made.map((group) => [group.name, group as NetworkGroup | ServiceGroup]));
  });

const packet = fc.record({
  protocol: fc.constantFrom(1, 6, 6, 17, 50),
  source: someAddress,
  destination: someAddress,
  sourcePort: somePort,
  destinationPort: somePort,
  flags: fc.nat(63),
  type: fc.constantFrom(0, 3, 8),
  code: fc.constantFrom(0, 1),
  tos: fc.constantFrom(0, 0xb8, 0xb9, 0xa0, 0x18),
  later: fc.boolean(),
});
type Packet = typeof packet extends fc.Arbitrary<infer Value> ? Value : never;

function takesPort({ operator, ports }: PortMatch, port: number): boolean {
  if (operator === 'eq') return ports.includes(port);
  if (operator === 'neq') return !ports.includes(port);
  if (operator === 'gt') return port > ports[0];
  return operator === 'lt' ? port < ports[0] : port >= ports[0] && port <= ports[1];
}

/** All ports, none, or some of them: only the last is a criterion. */
function selectivity(match: PortMatch | null): 'all' | 'none' | 'some' {
  if (match === null) return 'all';
  const taken = Array.from({ length: 65536 }, (_, port) => takesPort(match, port));
  return taken.every((yes) => yes) ? 'all' : taken.some((yes) => yes) ? 'some' : 'none';
}
const cache = new Map<string, 'all' | 'none' | 'some'>();
function selects(match: PortMatch | null): 'all' | 'none' | 'some' {
  const key = JSON.stringify(match);
  const known = cache.get(key) ?? selectivity(match);
  cache.set(key, known);
  return known;
}

function hasFlag(bits: number, flag: TcpFlag): boolean {
  return (bits & (1 << ['fin', 'syn', 'rst', 'psh', 'ack', 'urg'].indexOf(flag))) !== 0;
}

/** Is the address in the group? Cycles end where they began. */
function inGroup(config: Config, name: string, address: number, seen: string[] = []): boolean {
  const group = config.objectGroups.get(name);
  if (group?.kind !== 'network' || seen.includes(name)) return false;
  return group.members.some((member) => {
    if (member.kind === 'group') return inGroup(config, member.name, address, [...seen, name]);
    if (member.kind === 'range') return address >= member.first && address <= member.last;
    return ((address ^ member.address) & ~member.wildcard) === 0;
  });
}

interface Asked {
  protocol: number | null;
  sourcePort: PortMatch | null;
  destinationPort: PortMatch | null;
  icmp?: IcmpMatch | null;
}

function servicesIn(config: Config, name: string, seen: string[] = []): Asked[] {
  const group = config.objectGroups.get(name);
  if (group?.kind !== 'service' || seen.includes(name)) return [];
  return group.members.flatMap((member): Asked[] => {
    if (member.kind === 'group') return servicesIn(config, member.name, [...seen, name]);
    return (member.protocol === 'tcp-udp' ? [6, 17] : [member.protocol]).map((protocol) => ({ ...member, protocol }));
  });
}

function takesService(asked: Asked, ace: AclEntry, p: Packet): boolean {
  if (asked.protocol !== null && asked.protocol !== p.protocol) return false;
  const chosen = [selects(asked.sourcePort), selects(asked.destinationPort)];
  if (chosen.includes('none')) return false;
  if (chosen.includes('some') || asked.icmp || ace.flags || ace.established) {
    if (p.later) return ace.action === 'permit';
    if (asked.sourcePort && !takesPort(asked.sourcePort, p.sourcePort)) return false;
    if (asked.destinationPort && !takesPort(asked.destinationPort, p.destinationPort)) return false;
    if (asked.icmp && (asked.icmp.type !== p.type || (asked.icmp.code !== null && asked.icmp.code !== p.code))) return false;
    if (ace.established && !hasFlag(p.flags, 'ack') && !hasFlag(p.flags, 'rst')) return false;
    if (ace.flags) {
      const { mode, set, clear } = ace.flags;
      const right = [...set.map((flag) => hasFlag(p.flags, flag)), ...clear.map((flag) => !hasFlag(p.flags, flag))];
      if (mode === 'all' ? right.includes(false) : !right.includes(true)) return false;
    }
  }
  return true;
}

function takes(config: Config, ace: AclEntry, p: Packet): boolean {
  const { sourceGroup, destinationGroup, serviceGroup } = ace;
  const from = sourceGroup === undefined ? ((ace.source ^ p.source) & ~ace.sourceWildcard) === 0 : inGroup(config, sourceGroup, p.source);
  const to =
    destinationGroup === undefined
      ? ((ace.destination ^ p.destination) & ~ace.destinationWildcard) === 0
      : inGroup(config, destinationGroup, p.destination);
  if (!from || !to) return false;
  if (ace.dscp !== undefined && p.tos >> 2 !== ace.dscp) return false;
  if (ace.precedence !== undefined && p.tos >> 5 !== ace.precedence) return false;
  if (ace.tos !== undefined && ((p.tos >> 1) & 15) !== ace.tos) return false;
  if (ace.fragments && !p.later) return false;
  return (serviceGroup === undefined ? [ace] : servicesIn(config, serviceGroup)).some((asked) => takesService(asked, ace, p));
}

/** As the dataplane sees it. */
function rowFor(words: Int32Array, rows: number, p: Packet): number {
  const header = new DataView(new ArrayBuffer(20));
  if (p.protocol === 6) header.setUint8(13, p.flags);
  if (p.protocol === 1) header.setUint16(0, (p.type << 8) | p.code);
  const facts = readFacts(header, 0, 20, p.protocol, p.tos, p.later);
  const hasPorts = p.protocol === 6 || p.protocol === 17;
  const port = (number: number) => (!hasPorts ? Port.None : p.later ? Port.Unknown : number);
  return matchAcl(words, 0, rows, p.protocol, p.source | 0, p.destination | 0, port(p.sourcePort), port(p.destinationPort), facts);
}

t.test('rows match what their entries mean', (t) => {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 6 }),
      groups,
      fc.array(packet, { minLength: 20, maxLength: 20 }),
      (entries, objectGroups, packets) => {
        const config = { ...emptyConfig(), objectGroups };
        const traced = traceEntries(config, 'x', { line: 0, name: 'L', kind: 'extended', entries });
        const words: number[] = [];
        const origins = traced.flatMap(({ entry: plain, origin }) => new Array(appendAceRows(words, plain)).fill(origin.entry));
        const rows = Int32Array.from(words);
        return packets.every((p) => {
          const wanted = entries.findIndex((ace) => takes(config, ace, p));
          if (wanted >= 0) matched++;
          return (origins[rowFor(rows, origins.length, p)] ?? -1) === wanted;
        });
      },
    ),
    { numRuns: 1500 },
  );
  t.ok(matched > 1000, `${matched} packets matched something`);
  t.end();
});

t.test('a range of addresses is split into networks that cover it and nothing else', (t) => {
  const address = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 0xffffffff, 0x80000000));
  fc.assert(
    fc.property(address, address, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      let next = first;
      for (const { address: at, wildcard: bits } of splitRange(first, last)) {
        if (at !== next || (at & bits) !== 0) return false;
        next = at + bits + 1;
      }
      return next === last + 1;
    }),
  );
  const config = emptyConfig();
  config.objectGroups.set('A', {
    line: 0,
    name: 'A',
    kind: 'network',
    description: null,
    members: [{ line: 0, kind: 'group', name: 'A' }],
  });
  t.strictSame(networksOf(config, 'A'), [], 'a group of itself has no end and no members');
  t.end();
});
