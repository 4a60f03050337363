// Random `ip nat` and route-map configuration, for config-arbitraries.ts.

import fc from 'fast-check';
import {
  defaultNatTimeouts,
  type NatConfig,
  type NatDestination,
  type NatOutsideSource,
  type NatPool,
  type NatStatement,
  type NatStatic,
  natPoolTypes,
  natTimeoutNames,
  type RouteMapEntry,
  type RouteMapSet,
} from '../../../../control/config/model.js';

const line = fc.constant(0);

/** @param name of lists and route-maps @param interfaceName full names @param text for descriptions */
export function natArbitraries(name: fc.Arbitrary<string>, interfaceName: fc.Arbitrary<string>, text: fc.Arbitrary<string>) {
  const source = { kind: fc.constantFrom('list' as const, 'route-map' as const), name };
  const statement: fc.Arbitrary<NatStatement> = fc
    .record({
      line,
      ...source,
      interface: fc.option(interfaceName),
      pool: name,
      overload: fc.boolean(),
    })
    .map(({ pool, overload, ...rest }) => ({
      ...rest,
      pool: rest.interface === null ? pool : null,
      overload: rest.interface !== null || overload,
    }));
  const address = fc.integer({ min: 1, max: 0xfffffffe });
  const mask = fc.integer({ min: 1, max: 32 }).map((length) => (-1 << (32 - length)) >>> 0);
  const poolItem: fc.Arbitrary<NatPool> = fc
    .record({ line, name, address, mask, size: fc.nat(500), type: fc.constantFrom(...natPoolTypes) })
    .map(({ address: first, size, ...rest }) => ({ ...rest, first, last: Math.min(first + size, (first | ~rest.mask) >>> 0) }));
  const port = fc.integer({ min: 1, max: 65535 });
  const form = fc.oneof(
    fc.record({
      protocol: fc.constant(null),
      localPort: fc.constant(null),
      globalPort: fc.constant(null),
      interface: fc.constant(null),
      mask,
    }),
    fc.record({
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      localPort: port,
      globalPort: port,
      interface: fc.option(interfaceName),
      mask: fc.constant(0xffffffff),
    }),
  );
  const staticItem: fc.Arbitrary<NatStatic> = fc
    .record({
      line,
      side: fc.constantFrom('inside' as const, 'outside' as const),
      form,
      local: address,
      global: address,
      routeMap: fc.option(name),
      extendable: fc.boolean(),
      noAlias: fc.boolean(),
      noPayload: fc.boolean(),
      addRoute: fc.boolean(),
    })
    .map(({ form: { interface: to, ...ports }, ...rest }) => {
      const isInside = rest.side === 'inside';
      const whose = isInside ? to : null;
      return {
        ...rest,
        ...ports,
        local: (rest.local & ports.mask) >>> 0,
        global: whose === null ? (rest.global & ports.mask) >>> 0 : null,
        interface: whose,
        routeMap: isInside ? rest.routeMap : null,
        addRoute: !isInside && rest.addRoute,
      };
    });
  const outside: fc.Arbitrary<NatOutsideSource> = fc.record({ line, ...source, pool: name });
  const destination: fc.Arbitrary<NatDestination> = fc.record({ line, list: name, pool: name });
  const seconds = fc.oneof(fc.constant('never' as const), fc.integer({ min: 1, max: 536870912 }));
  const timeouts = fc
    .record(Object.fromEntries(natTimeoutNames.map((key) => [key, seconds])), { requiredKeys: [] })
    .map((chosen) => Object.fromEntries(natTimeoutNames.flatMap((key) => (chosen[key] === undefined ? [] : [[key, chosen[key]]]))))
    .filter((chosen) => natTimeoutNames.every((key) => chosen[key] !== defaultNatTimeouts[key]));
  const natConfig: fc.Arbitrary<NatConfig> = fc.record({
    statements: fc.uniqueArray(statement, { selector: ({ kind, name: source }) => `${kind} ${source}`, maxLength: 4 }),
    pools: fc.uniqueArray(poolItem, { selector: ({ name: pool }) => pool, maxLength: 3 }),
    statics: fc.uniqueArray(staticItem, {
      selector: ({ extendable, noAlias, noPayload, addRoute, ...rest }) => JSON.stringify(rest),
      maxLength: 4,
    }),
    outsideSources: fc.uniqueArray(outside, { selector: ({ kind, name: list }) => `${kind} ${list}`, maxLength: 2 }),
    destinations: fc.uniqueArray(destination, { selector: ({ list }) => list, maxLength: 2 }),
    timeouts,
    portTimeouts: fc.uniqueArray(
      fc.record({ protocol: fc.constantFrom('tcp', 'udp'), port, seconds: fc.oneof(port, fc.constant<'never'>('never')) }),
      { selector: ({ protocol, port: asked }) => `${protocol} ${asked}`, maxLength: 3 },
    ),
    logging: fc.record({ syslog: fc.boolean(), file: fc.option(name.map((word) => `/${word}`)) }),
    hostLimits: fc.uniqueArray(fc.record({ line, address, entries: port }), { selector: ({ address: host }) => host, maxLength: 3 }),
    maxEntries: fc.option(fc.integer({ min: 1, max: 2147483647 })),
  });
  const anyAddress = fc.integer({ min: 0, max: 0xffffffff });
  const addresses = fc.uniqueArray(anyAddress, { minLength: 1, maxLength: 8 });
  const set: fc.Arbitrary<RouteMapSet> = fc
    .record(
      {
        nextHops: addresses,
        interfaces: fc.uniqueArray(fc.oneof(interfaceName, fc.constant('Null0')), { minLength: 1, maxLength: 8 }),
        defaultNextHops: addresses,
        df: fc.constantFrom(0 as const, 1 as const),
        precedence: fc.nat({ max: 7 }),
        tos: fc.nat({ max: 15 }),
        dscp: fc.nat({ max: 63 }),
      },
      { requiredKeys: [] },
    )
    .filter((value) => Object.keys(value).length > 0 && (value.dscp === undefined || (value.precedence ?? value.tos) === undefined));
  const length = fc
    .tuple(fc.nat({ max: 65535 }), fc.nat({ max: 65535 }))
    .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);
  const entry: fc.Arbitrary<RouteMapEntry> = fc
    .record(
      {
        line,
        name: fc.constant(''),
        sequence: fc.integer({ min: 0, max: 65535 }),
        action: fc.constantFrom('permit' as const, 'deny' as const),
        description: fc.option(text),
        matchAddresses: fc.uniqueArray(name, { maxLength: 10 }),
        matchInterfaces: fc.uniqueArray(interfaceName, { maxLength: 10 }),
        matchLength: length,
        set,
        continueTo: fc.oneof(fc.constant('next' as const), fc.integer({ min: 1, max: 65535 })),
      },
      { requiredKeys: ['line', 'name', 'sequence', 'action', 'description', 'matchAddresses', 'matchInterfaces'] },
    )
    .filter(({ continueTo, sequence }) => typeof continueTo !== 'number' || continueTo > sequence);
  const entries = fc.uniqueArray(entry, { selector: ({ sequence }) => sequence, minLength: 1, maxLength: 3 });
  const routeMaps = fc
    .uniqueArray(fc.tuple(name, entries), { selector: ([map]) => map, maxLength: 3 })
    .map(
      (maps) =>
        new Map(maps.map(([map, list]) => [map, list.map((item) => ({ ...item, name: map })).sort((a, b) => a.sequence - b.sequence)])),
    );
  return { natConfig, routeMaps };
}
