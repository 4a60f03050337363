// Random `ip nat` and route-map configuration, for config-arbitraries.ts.

import fc from 'fast-check';
import {
  defaultNatTimeouts,
  type NatConfig,
  type NatStatement,
  natTimeoutNames,
  type RouteMapEntry,
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
  const entry: fc.Arbitrary<RouteMapEntry> = fc.record({
    line,
    name: fc.constant(''),
    sequence: fc.integer({ min: 0, max: 65535 }),
    action: fc.constantFrom('permit' as const, 'deny' as const),
    description: fc.option(text),
    matchAddresses: fc.uniqueArray(name, { maxLength: 10 }),
    matchInterfaces: fc.uniqueArray(interfaceName, { maxLength: 10 }),
  });
  const entries = fc.uniqueArray(entry, { selector: ({ sequence }) => sequence, minLength: 1, maxLength: 3 });
  const routeMaps = fc
    .uniqueArray(fc.tuple(name, entries), { selector: ([map]) => map, maxLength: 3 })
    .map(
      (maps) =>
        new Map(maps.map(([map, list]) => [map, list.map((item) => ({ ...item, name: map })).sort((a, b) => a.sequence - b.sequence)])),
    );
  return { natConfig, routeMaps };
}
