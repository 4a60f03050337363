// Overlap of two lists against packets: when a packet exists that both protect, it is found; a "yes" names two permits that meet.

import fc from 'fast-check';
import t from 'tap';
import { type AnyEntry, findOverlap, findUnspared } from '../../../../control/config/acl-overlap.js';
import type { PortMatch } from '../../../../control/config/model.js';

// Few values, so that lists meet.
const address = fc.constantFrom(0x0a000001, 0x0a000002, 0x0a000102, 0x0a010001);
const wildcard = fc.constantFrom(0, 0xff, 0xffff, 0xffffffff, 0x00000103);
const somePort = fc.constantFrom(0, 22, 80, 65535);
const match: fc.Arbitrary<PortMatch | null> = fc.option(
  fc.oneof(
    fc.record({ operator: fc.constantFrom('eq' as const, 'neq' as const, 'gt' as const, 'lt' as const), ports: fc.tuple(somePort) }),
    fc.tuple(somePort, somePort).map(([a, b]) => ({ operator: 'range' as const, ports: [Math.min(a, b), Math.max(a, b)] })),
  ),
);
const entry: fc.Arbitrary<AnyEntry> = fc.record({
  action: fc.constantFrom('permit' as const, 'deny' as const),
  protocol: fc.option(fc.constantFrom(6, 17)),
  source: address,
  sourceWildcard: wildcard,
  destination: address,
  destinationWildcard: wildcard,
  sourcePort: match,
  destinationPort: match,
});
const list = fc.array(entry, { maxLength: 4 });
const packet = fc.record({
  protocol: fc.constantFrom(6, 17),
  source: address,
  destination: address,
  sourcePort: somePort,
  destinationPort: somePort,
});
interface Packet {
  protocol: number;
  source: number;
  destination: number;
  sourcePort: number;
  destinationPort: number;
}

function takesPort(rule: PortMatch | null, port: number): boolean {
  if (rule === null) return true;
  const [a, b] = rule.ports;
  return { eq: port === a, neq: port !== a, gt: port > a, lt: port < a, range: port >= a && port <= b }[rule.operator];
}

function takes(rule: AnyEntry, p: Packet): boolean {
  return (
    (rule.protocol === null || rule.protocol === p.protocol) &&
    ((rule.source ^ p.source) & ~rule.sourceWildcard) === 0 &&
    ((rule.destination ^ p.destination) & ~rule.destinationWildcard) === 0 &&
    takesPort(rule.sourcePort, p.sourcePort) &&
    takesPort(rule.destinationPort, p.destinationPort)
  );
}

const protects = (rules: readonly AnyEntry[], p: Packet): boolean => rules.find((rule) => takes(rule, p))?.action === 'permit';

t.test('a packet that both lists protect is never missed', async () => {
  fc.assert(
    fc.property(list, list, packet, (a, b, p) => !(protects(a, p) && protects(b, p)) || findOverlap(a, b) !== null),
    { numRuns: 20_000 },
  );
});

t.test('permits only: an overlap is one', async () => {
  const permits = fc.array(
    entry.map((rule) => ({ ...rule, action: 'permit' as const, sourcePort: null, destinationPort: null })),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(permits, permits, (a, b) => {
      const found = findOverlap(a, b);
      if (!found) return true;
      const { a: x, b: y } = found;
      const shared = (one: number, wildcardOne: number, other: number) => ((one & ~wildcardOne) | (other & wildcardOne)) >>> 0;
      const p = {
        protocol: x.protocol ?? y.protocol ?? 6,
        source: shared(x.source, x.sourceWildcard, y.source),
        destination: shared(x.destination, x.destinationWildcard, y.destination),
        sourcePort: 1,
        destinationPort: 1,
      };
      return takes(x, p) && takes(y, p);
    }),
    { numRuns: 5000 },
  );
});

t.test('a permit is unspared when no deny in front of it takes any of the traffic', async () => {
  const within = fc.array(entry, { minLength: 1, maxLength: 2 });
  fc.assert(
    fc.property(list, within, packet, (rules, traffic, p) => {
      const wanted = traffic.some((rule) => takes(rule, p));
      const found = findUnspared(rules, traffic);
      if (found === null) return !wanted || !protects(rules, p) || rules.some(({ action }) => action === 'deny');
      const before = rules.slice(0, rules.indexOf(found));
      return found.action === 'permit' && !(wanted && takes(found, p) && before.some((rule) => rule.action === 'deny' && takes(rule, p)));
    }),
    { numRuns: 20_000 },
  );
});
