import fc from 'fast-check';
import t from 'tap';
import { fuzz, seeds } from './linux-json.js';
import { run } from './mutations.js';

t.test('dumps of ip with bytes changed', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 20_000), null);
});

t.test('a name, an address or a number that is an object without text', (t) => {
  for (const name of ['ifname', 'dst', 'src', 'ipproto', 'priority', 'sport', 'goto', 'link_type'])
    t.doesNotThrow(() => fuzz(new TextEncoder().encode(JSON.stringify([{ [name]: { toString: 0 }, ifindex: 1, mtu: 1500 }]))), name);
  t.end();
});

t.test('JSON of any shape under the names that are read', async () => {
  const names = [
    'ifname',
    'ifindex',
    'flags',
    'mtu',
    'addr_info',
    'local',
    'prefixlen',
    'dst',
    'nexthops',
    'gateway',
    'src',
    'srclen',
    'lladdr',
    'state',
    'family',
  ];
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('inet', '10.0.0.1', '10.0.0.0/33', 1500, -1, 1e30, '1e9', null, ['STALE'], [null], [{}], { toString: 0 }),
  );
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.constantFrom(...names), value), { maxLength: 4 }), (rows) =>
      fuzz(new TextEncoder().encode(JSON.stringify(rows))),
    ),
    { numRuns: 5000 },
  );
});
