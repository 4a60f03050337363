// Random `ip nat` and route-map configuration, for config-arbitraries.ts.

import fc from 'fast-check';
import {
  defaultNatTimeouts,
  type NatConfig,
  type NatStatement,
  natTimeoutNames,
  type RouteMapEntry,
  type RouteMapSet,
} from '../../../../control/config/model.js';

const line = fc.constant(0);

/** @param name of lists and route-maps @param interfaceName full names @param text for descriptions */
export function natArbitraries(name: fc.Arbitrary<string>, interfaceName: fc.Arbitrary<string>, text: fc.Arbitrary<string>) {
  const statement: fc.Arbitrary<NatStatement> = fc.record({
    line,
    kind: fc.constantFrom('list' as const, 'route-map' as const),
    name,
    interface: interfaceName,
  });
  const seconds = fc.oneof(fc.constant('never' as const), fc.integer({ min: 1, max: 536870912 }));
  const timeouts = fc
    .record(Object.fromEntries(natTimeoutNames.map((key) => [key, seconds])), { requiredKeys: [] })
    .map((chosen) => Object.fromEntries(natTimeoutNames.flatMap((key) => (chosen[key] === undefined ? [] : [[key, chosen[key]]]))))
    .filter((chosen) => natTimeoutNames.every((key) => chosen[key] !== defaultNatTimeouts[key]));
  const natConfig: fc.Arbitrary<NatConfig> = fc.record({
    statements: fc.uniqueArray(statement, { selector: ({ kind, name: source }) => `${kind} ${source}`, maxLength: 4 }),
    timeouts,
    maxEntries: fc.option(fc.integer({ min: 1, max: 2147483647 })),
  });
  const address = fc.integer({ min: 0, max: 0xffffffff });
  const addresses = fc.uniqueArray(address, { minLength: 1, maxLength: 8 });
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
