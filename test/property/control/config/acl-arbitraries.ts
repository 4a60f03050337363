// Random access lists and object groups, for config-arbitraries.ts: what parse.ts can have made.

import fc from 'fast-check';
import { AllOnes, prefixLengthToMask } from '../../../../control/config/addresses.js';
import {
  type AccessList,
  type AclEntry,
  type IcmpMatch,
  type NetworkGroup,
  type NetworkMember,
  type ObjectGroup,
  type PortMatch,
  type ServiceGroup,
  type ServiceMember,
  type TcpFlagMatch,
  tcpFlags,
} from '../../../../control/config/model.js';

const line = fc.constant(0);
const none = fc.constant(null);
const address = fc.integer({ min: 0, max: AllOnes });
const mask = fc.integer({ min: 0, max: 32 }).map(prefixLengthToMask);
const sequence = fc.integer({ min: 1, max: 2147483647 });
const port = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.constantFrom(20, 21, 53, 80, 123, 179, 500, 514, 848, 4500));

/** @param most ports behind eq and neq */
export function portMatches(most: number): fc.Arbitrary<PortMatch> {
  return fc.oneof(
    fc.record({
      operator: fc.constantFrom('eq' as const, 'neq' as const),
      ports: fc.uniqueArray(port, { minLength: 1, maxLength: most }),
    }),
    fc.record({ operator: fc.constantFrom('gt' as const, 'lt' as const), ports: fc.tuple(port) }),
    fc.record({ operator: fc.constant('range' as const), ports: fc.tuple(port, port).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]) }),
  );
}
const icmp: fc.Arbitrary<IcmpMatch> = fc.record({
  type: fc.oneof(fc.constantFrom(0, 3, 8, 11), fc.nat(255)),
  code: fc.option(fc.oneof(fc.constantFrom(0, 1, 13), fc.nat(255))),
});
const flags: fc.Arbitrary<TcpFlagMatch> = fc
  .record({
    mode: fc.constantFrom('any' as const, 'all' as const),
    signs: fc.tuple(...tcpFlags.map(() => fc.constantFrom('', '', '+', '-'))),
  })
  .filter(({ signs }) => signs.some((sign) => sign !== ''))
  .map(({ mode, signs }) => ({
    mode,
    set: tcpFlags.filter((_, i) => signs[i] === '+'),
    clear: tcpFlags.filter((_, i) => signs[i] === '-'),
  }));

/** Fields of `optional`, each there or not. */
function withOptions<T, O>(base: fc.Arbitrary<T>, optional: { [K in keyof O]: fc.Arbitrary<O[K]> }): fc.Arbitrary<T & Partial<O>> {
  return fc.tuple(base, fc.record(optional, { requiredKeys: [] })).map(([item, more]) => ({ ...item, ...more }) as T & Partial<O>);
}

/** What entries of every protocol may ask: one way of looking at the ToS octet, and a log. */
const tos = fc.oneof(
  fc.constant({}),
  fc.record({ dscp: fc.nat(63) }),
  fc.record({ precedence: fc.nat(7), tos: fc.nat(15) }, { requiredKeys: [] }),
);
const log = fc.constantFrom('log' as const, 'log-input' as const);

/** @param name of lists and groups @param text of remarks and descriptions */
export function aclArbitraries(name: fc.Arbitrary<string>, text: fc.Arbitrary<string>) {
  const wildcard = fc.oneof(
    mask.map((bits) => ~bits >>> 0),
    address,
  );
  const entryFields = {
    line,
    sequence,
    action: fc.constantFrom<AclEntry['action']>('permit', 'deny'),
    source: address,
    sourceWildcard: wildcard,
  };
  const standardEntry: fc.Arbitrary<AclEntry> = withOptions(
    fc.record({
      ...entryFields,
      protocol: none,
      destination: fc.constant(0),
      destinationWildcard: fc.constant(AllOnes),
      sourcePort: none,
      destinationPort: none,
    }),
    { log: fc.constant('log' as const) },
  );
  const ends = { ...entryFields, destination: address, destinationWildcard: wildcard };
  const withPorts = { ...ends, sourcePort: fc.option(portMatches(10)), destinationPort: fc.option(portMatches(10)) };
  const noPorts = { ...ends, sourcePort: none, destinationPort: none };
  const tcp: fc.Arbitrary<AclEntry> = fc.oneof(
    withOptions(fc.record({ ...withPorts, protocol: fc.constant(6) }), { flags }),
    fc.record({ ...withPorts, protocol: fc.constant(6), established: fc.constant(true as const) }),
  );
  const body: fc.Arbitrary<AclEntry> = fc.oneof(
    tcp,
    fc.record({ ...withPorts, protocol: fc.constant(17) }),
    withOptions(fc.record({ ...noPorts, protocol: fc.constant(1) }), { icmp }),
    withOptions(fc.record({ ...noPorts, protocol: fc.option(fc.integer({ min: 1, max: 255 })) }), {
      fragments: fc.constant(true as const),
    }),
    fc.record({ ...noPorts, protocol: none, serviceGroup: name }),
  );
  /** A group stands for the address, which is `any` then. */
  const withGroups = fc.tuple(body, fc.option(name), fc.option(name)).map(
    ([entry, source, destination]): AclEntry => ({
      ...entry,
      ...(source === null ? {} : { sourceGroup: source, source: 0, sourceWildcard: AllOnes }),
      ...(destination === null ? {} : { destinationGroup: destination, destination: 0, destinationWildcard: AllOnes }),
    }),
  );
  const extendedEntry: fc.Arbitrary<AclEntry> = withOptions(
    fc.tuple(fc.oneof(body, withGroups), tos).map(([entry, octet]): AclEntry => ({ ...entry, ...octet })),
    { log },
  );

  function accessList(kind: AccessList['kind'], listName: fc.Arbitrary<string>, entry: fc.Arbitrary<AclEntry>): fc.Arbitrary<AccessList> {
    const canonical = (value: AclEntry): AclEntry => ({
      ...value,
      source: (value.source & ~value.sourceWildcard) >>> 0,
      destination: (value.destination & ~value.destinationWildcard) >>> 0,
    });
    const entries = fc
      .uniqueArray(entry, { selector: (value) => value.sequence, maxLength: 6 })
      .map((values) => values.map(canonical).sort((a, b) => a.sequence - b.sequence));
    const remarks = fc
      .array(fc.record({ line, sequence, text }), { minLength: 1, maxLength: 3 })
      .map((values) => values.sort((a, b) => a.sequence - b.sequence));
    return fc
      .record({ line, name: listName, kind: fc.constant(kind), entries, remarks: fc.option(remarks) })
      .map(({ remarks: some, ...list }) => (some === null ? list : { ...list, remarks: some }));
  }
  const listName = name.filter((value) => ![...value].every((c) => c >= '0' && c <= '9'));
  const numbers = (...ranges: [number, number][]) => fc.oneof(...ranges.map(([min, max]) => fc.integer({ min, max }).map(String)));
  const accessLists = fc
    .uniqueArray(
      fc.oneof(
        accessList('standard', fc.oneof(listName, numbers([1, 99], [1300, 1999])), standardEntry),
        accessList('extended', fc.oneof(listName, numbers([100, 199], [2000, 2699])), extendedEntry),
      ),
      { selector: (list) => list.name, maxLength: 3 },
    )
    .map((lists) => new Map(lists.map((list) => [list.name, list])));

  const reference = fc.record({ line, kind: fc.constant('group' as const), name });
  const networkMember: fc.Arbitrary<NetworkMember> = fc.oneof(
    reference,
    fc
      .tuple(address, mask)
      .map(([value, bits]) => ({ line: 0, kind: 'network' as const, address: (value & bits) >>> 0, wildcard: ~bits >>> 0 })),
    fc.tuple(address, address).map(([a, b]) => ({ line: 0, kind: 'range' as const, first: Math.min(a, b), last: Math.max(a, b) })),
  );
  const serviceMember: fc.Arbitrary<ServiceMember> = fc.oneof(
    reference,
    fc.record({
      line,
      kind: fc.constant('service' as const),
      protocol: fc.constantFrom(6, 17, 'tcp-udp' as const),
      sourcePort: fc.option(portMatches(1)),
      destinationPort: fc.option(portMatches(1)),
      icmp: none,
    }),
    fc.record({
      line,
      kind: fc.constant('service' as const),
      protocol: fc.constant(1),
      sourcePort: none,
      destinationPort: none,
      icmp: fc.option(icmp),
    }),
    fc.record({
      line,
      kind: fc.constant('service' as const),
      protocol: fc.option(fc.integer({ min: 1, max: 255 })),
      sourcePort: none,
      destinationPort: none,
      icmp: none,
    }),
  );
  const description = fc.option(text);
  function members<M extends { kind: string; name?: string }>(member: fc.Arbitrary<M>): fc.Arbitrary<M[]> {
    return fc.uniqueArray(member, { selector: (value) => JSON.stringify(value), maxLength: 5 });
  }
  const groups: fc.Arbitrary<ObjectGroup> = fc.oneof(
    fc.record({
      line,
      name,
      kind: fc.constant('network' as const),
      description,
      members: members(networkMember),
    }) as fc.Arbitrary<NetworkGroup>,
    fc.record({
      line,
      name,
      kind: fc.constant('service' as const),
      description,
      members: members(serviceMember),
    }) as fc.Arbitrary<ServiceGroup>,
  );
  const objectGroups = fc
    .uniqueArray(
      groups.map(
        (group) =>
          ({ ...group, members: group.members.filter((member) => member.kind !== 'group' || member.name !== group.name) }) as ObjectGroup,
      ),
      { selector: (group) => group.name, maxLength: 3 },
    )
    .map((list) => new Map(list.map((group) => [group.name, group])));
  return { accessLists, objectGroups };
}
