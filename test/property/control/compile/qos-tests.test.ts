// class-maps -> tests -> the dataplane's walk, against what a class-map means, asked recursively of the configuration itself.

import fc from 'fast-check';
import t from 'tap';
import { appendAceRows } from '../../../../control/compile/aces.js';
import { addClass } from '../../../../control/compile/qos-tests.js';
import { emptyConfig } from '../../../../control/config/empty.js';
import type { AclEntry, ClassMap, ClassMatch, Config } from '../../../../control/config/model.js';
import { qosProtocols } from '../../../../control/config/qos-protocols.js';
import { AclList } from '../../../../dataplane/proto/classifier.js';
import { Port } from '../../../../dataplane/proto/l4.js';
import { classOf, QosKey } from '../../../../dataplane/proto/qos-classes.js';
import { Ace } from '../../../../dataplane/tables/layout.js';
import { QosTest, QosTestKind } from '../../../../dataplane/tables/layout-qos.js';

const hosts = [0x0a000001, 0x0a000002];
const list = (name: string, host: number) => ({
  line: 0,
  name,
  kind: 'extended' as const,
  entries: (['deny', 'permit'] as const).map(
    (action, n): AclEntry => ({
      line: 0,
      sequence: n,
      action,
      protocol: action === 'deny' ? 6 : null,
      source: host,
      sourceWildcard: 0,
      destination: 0,
      destinationWildcard: 0xffffffff,
      sourcePort: null,
      destinationPort: null,
    }),
  ),
});

/** Names are depths, so that no class contains itself. */
const depths = ['c0', 'c1', 'c2', 'c3'];
function matchAt(depth: number): fc.Arbitrary<ClassMatch> {
  const kinds: fc.Arbitrary<Omit<ClassMatch, 'not'>>[] = [
    fc.constant({ kind: 'any' as const }),
    fc.constantFrom('A', 'B', 'missing').map((name) => ({ kind: 'access-group' as const, list: name })),
    fc
      .uniqueArray(fc.constantFrom(0, 10, 31, 32, 46, 63), { minLength: 1 })
      .map((values) => ({ kind: 'dscp' as const, ip: false, values })),
    fc.uniqueArray(fc.constantFrom(0, 1, 5, 7), { minLength: 1 }).map((values) => ({ kind: 'precedence' as const, ip: true, values })),
    fc.constantFrom([1, 100], [100, 200], [200, 2000]).map(([least, most]) => ({ kind: 'packet-length' as const, least, most })),
    fc.constantFrom('ip', 'tcp', 'http', 'dns', 'ipsec', 'icmp').map((name) => ({ kind: 'protocol' as const, name })),
    fc.constantFrom(0, 7).map((group) => ({ kind: 'qos-group' as const, group })),
  ];
  if (depth > 0) kinds.push(fc.constantFrom(...depths.slice(0, depth), 'missing').map((name) => ({ kind: 'class-map' as const, name })));
  return fc.tuple(fc.boolean(), fc.oneof(...kinds)).map(([not, match]) => ({ ...match, not }) as ClassMatch);
}
const classAt = (depth: number): fc.Arbitrary<ClassMap> =>
  fc.record({
    line: fc.constant(0),
    name: fc.constant(depths[depth]),
    match: fc.constantFrom('any' as const, 'all' as const),
    description: fc.constant(null),
    matches: fc.array(matchAt(depth), { maxLength: 4 }),
  });
const classes = fc.tuple(classAt(0), classAt(1), classAt(2), classAt(3));

interface Packet {
  source: number;
  protocol: number;
  ports: [number, number];
  tos: number;
  length: number;
  group: number;
}
const packet: fc.Arbitrary<Packet> = fc
  .record({
    source: fc.constantFrom(...hosts, 0x7f000001),
    protocol: fc.constantFrom(1, 6, 17, 50, 51),
    ports: fc.tuple(fc.constantFrom(53, 80, 4000), fc.constantFrom(53, 80, 4000)),
    dscp: fc.constantFrom(0, 10, 31, 32, 40, 46, 63),
    ecn: fc.nat(3),
    length: fc.constantFrom(28, 100, 150, 200, 1500),
    group: fc.constantFrom(0, 7),
  })
  .map(({ dscp, ecn, ports, ...rest }) => ({
    ...rest,
    tos: (dscp << 2) | ecn,
    ports: rest.protocol === 6 || rest.protocol === 17 ? ports : [Port.None, Port.None],
  }));

/** What the lines say. */
function isOf(config: Config, item: ClassMap | undefined, seen: Packet): boolean {
  if (!item || item.matches.length === 0) return false;
  const results = item.matches.map((match) => says(config, match, seen) !== match.not);
  return item.match === 'any' ? results.includes(true) : !results.includes(false);
}

function says(config: Config, match: ClassMatch, seen: Packet): boolean {
  switch (match.kind) {
    case 'any':
      return true;
    case 'access-group':
      return { A: hosts[0], B: hosts[1] }[match.list] === seen.source && seen.protocol !== 6;
    case 'class-map':
      return isOf(config, config.classMaps.get(match.name), seen);
    case 'dscp':
      return match.values.includes(seen.tos >> 2);
    case 'precedence':
      return match.values.includes(seen.tos >> 5);
    case 'packet-length':
      return match.least <= seen.length && seen.length <= match.most;
    case 'qos-group':
      return match.group === seen.group;
    case 'protocol': {
      const { protocols, ports } = qosProtocols.get(match.name)!;
      const isProtocol = protocols.length === 0 || protocols.includes(seen.protocol);
      return isProtocol && (ports.length === 0 || ports.some((port) => seen.ports.includes(port)));
    }
  }
}

t.test('the first class of which a packet is has it', (t) => {
  fc.assert(
    fc.property(classes, fc.array(packet, { minLength: 1, maxLength: 30 }), (made, packets) => {
      const config = emptyConfig();
      for (const item of made) config.classMaps.set(item.name, item);
      for (const [n, name] of ['A', 'B'].entries()) config.accessLists.set(name, list(name, hosts[n]));
      const aces: number[] = [];
      const addAces = (entries: readonly { entry: Parameters<typeof appendAceRows>[1] }[]) => {
        const first = aces.length / Ace.Words;
        for (const { entry } of entries) appendAceRows(aces, entry);
        return { first, count: aces.length / Ace.Words - first };
      };
      // In any order of depth: here the deepest first.
      const order = [...made].reverse();
      const tests = { words: [] as number[], visits: 0 };
      let start = ~order.length;
      for (const [n, item] of [...order.entries()].reverse())
        start = addClass(tests, item, ~n, start, { config, addAces, portOf: () => 0 });

      const rows = Int32Array.from(tests.words);
      const count = rows.length / QosTest.Words;
      const words = new Int32Array((count + 1) * AclList.Words);
      const lists = new Int32Array(count);
      for (let test = 0; test < count; test++) {
        if (rows[test * QosTest.Words + QosTest.Kind] !== QosTestKind.List) continue;
        lists[test] = test * AclList.Words;
        words[lists[test] + AclList.First] = rows[test * QosTest.Words + QosTest.A];
        words[lists[test] + AclList.Count] = rows[test * QosTest.Words + QosTest.B];
        words[lists[test] + AclList.Walk] = 1;
      }
      const aceRows = Int32Array.from(aces);
      const key = new Int32Array(QosKey.Words);
      for (const seen of packets) {
        key.set([seen.source, 0x08080808, seen.protocol, seen.ports[0], seen.ports[1], 0, seen.tos, seen.length, seen.group]);
        const wanted = order.findIndex((item) => isOf(config, item, seen));
        const got = classOf(rows, lists, aceRows, words, start, key);
        if (got !== (wanted < 0 ? order.length : wanted)) throw new Error(`class ${got}, not ${wanted}: ${JSON.stringify(seen)}`);
      }
    }),
    { numRuns: 500 },
  );
  t.pass('held for every policy tried');
  t.end();
});
