// The forwarding table against a walk over all routes, in both banks by turns.
import fc from 'fast-check';
import t from 'tap';
import {
  allocateShared,
  BankCount,
  bankOf,
  FibLeaf,
  FibShape,
  halvesOf,
  LeafLocal,
  LeafUnreachable,
  pairOf,
} from '../../../../dataplane/mem/shared.js';
import { buildFib, type FibRoute, lookupFib, lookupFibVector } from '../../../../dataplane/proto/fib.js';

const shared = allocateShared(1);
const banks = [bankOf(shared, 0), bankOf(shared, 1)];
const roots = pairOf(shared, 'fibRoot');
const nodes = pairOf(shared, 'fibNodes');
const halves = halvesOf(nodes);
const leaves = pairOf(shared, 'fibLeaves');

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
/** Few values, so that prefixes and packets meet: in one /24, in one /16, elsewhere. */
const address = fc.oneof(
  fc.constantFrom(0x0a000000, 0x0a010000, -1, 0, 0x7fffffff),
  fc.nat(255).map((low) => 0x0a000100 | low),
  fc.nat(65535).map((low) => 0x0a000000 | low),
  word,
);
const mask = (length: number) => (length === 0 ? 0 : -1 << (32 - length));

/** Port and next hop that the routes give. */
function naive(routes: readonly FibRoute[], target: number): [number, number] {
  let best: FibRoute | null = null;
  for (const candidate of routes) {
    if (((candidate.prefix ^ target) & mask(candidate.prefixLength)) !== 0) continue;
    if (best === null || candidate.prefixLength > best.prefixLength) best = candidate;
  }
  if (best === null || best.kind === 'unreachable') return [LeafUnreachable, 0];
  return best.kind === 'local' ? [LeafLocal, 0] : [best.port, best.nextHop | 0];
}

t.test('longest prefix match', (t) => {
  const route: fc.Arbitrary<FibRoute> = fc.record({
    prefix: address,
    prefixLength: fc.oneof(fc.integer({ min: 0, max: 32 }), fc.integer({ min: 22, max: 32 })),
    kind: fc.constantFrom('unicast' as const, 'unicast' as const, 'local' as const, 'unreachable' as const),
    port: fc.nat(15),
    nextHop: fc.oneof(fc.constant(0), word),
  });
  const tables = fc.tuple(fc.nat(1), fc.array(route, { maxLength: 200, size: 'max' }), fc.array(address, { maxLength: 60 }));
  fc.assert(
    fc.property(tables, ([index, routes, targets]) => {
      const bank = banks[index];
      buildFib(bank, routes);
      const edges = routes.flatMap(({ prefix, prefixLength }) => {
        const first = prefix & mask(prefixLength);
        const last = prefix | ~mask(prefixLength);
        return [first, last, first - 1, last + 1];
      });
      const all = Int32Array.from([...targets, ...edges]);
      const root = bank.counts[BankCount.FibRoot];
      const backwards = all.map((_, i) => all.length - 1 - i);
      const found = new Int32Array(all.length);
      lookupFibVector(roots, nodes, halves, root, all, backwards, all.length, found);
      return all.every((target, i) => {
        const leaf = lookupFib(roots, nodes, halves, root, target);
        const [port, nextHop] = naive(routes, target);
        const at = leaf * FibLeaf.Words;
        return leaves[at + FibLeaf.Port] === port && leaves[at + FibLeaf.NextHop] === nextHop && found[backwards[i]] === leaf;
      });
    }),
    { numRuns: 300 },
  );
  t.pass();
  t.end();
});

t.test('what does not fit is an error', (t) => {
  const unicast = (prefix: number, prefixLength: number, nextHop = 0): FibRoute => ({
    prefix,
    prefixLength,
    kind: 'unicast',
    port: 0,
    nextHop,
  });
  t.throws(() => buildFib(banks[0], [unicast(0, 33)]), RangeError);
  t.throws(() => buildFib(banks[0], [unicast(0, -1)]), RangeError);
  const hops = Array.from({ length: FibShape.MaxLeaves }, (_, i) => unicast(i << 16, 16, i + 1));
  t.throws(() => buildFib(banks[0], hops), { name: 'RangeError', message: /different next hops/ });
  t.doesNotThrow(() => buildFib(banks[0], hops.slice(1)));
  // A node of one line for every /24.
  const deep = Array.from({ length: FibShape.MaxLines }, (_, i) => unicast(i << 8, 25));
  t.throws(() => buildFib(banks[1], deep), { name: 'RangeError', message: /need more than 32 MB/ });
  t.end();
});
