// Route-maps for policy routing -> rows: one set of them for each interface, hops numbered once, continue as a row's number.

import t from 'tap';
import { Allocation, CapacityError } from '../../../../control/compile/allocation.js';
import { tosBits } from '../../../../control/compile/policy.js';
import { compileTables } from '../../../../control/compile/tables.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { accessListStates } from '../../../../control/snapshot/access-lists.js';
import { policyStates, routeMapStates } from '../../../../control/snapshot/route-maps.js';
import { readTables } from '../../../../dataplane/port/validate-tables.js';
import { Cap, PolicyEntry } from '../../../../dataplane/tables/layout.js';

const base = `interface eth0
 ip address 172.16.1.2 255.255.255.0
 ip policy route-map R
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip policy route-map R
ip local policy route-map L
ip access-list extended A
 permit udp any any
 deny ip any any
`;

function compile(text: string) {
  const { config } = parseConfig(base + text);
  const tables = compileTables(config, new Map(), new Allocation(), 1, 0);
  // What the dataplane makes of it: it refuses what does not fit together.
  const { head, rows } = readTables(JSON.parse(JSON.stringify(tables.head)), new Uint8Array(Buffer.concat(tables.blobs)));
  const entries = Array.from({ length: rows.policyEntries.length / PolicyEntry.Words }, (_, row) => [
    ...rows.policyEntries.subarray(row * PolicyEntry.Words, (row + 1) * PolicyEntry.Words),
  ]);
  return { config, tables, hops: head.policyHops, entries, clauses: [...rows.policyClauses] };
}

t.test('rows of a map for every interface that has it, and for the host', (t) => {
  const { config, tables, hops, entries, clauses } = compile(`route-map R permit 10
 match ip address A MISSING
 match length 100 200
 set ip next-hop 172.16.1.1 10.0.1.9
 continue 30
route-map R deny 20
route-map R permit 30
 set interface eth1 Null0
 set ip default next-hop 172.16.1.1
 set ip dscp ef
 set ip df 1
route-map L permit 10
 set ip precedence 5
`);
  t.strictSame(hops, [
    { kind: 'next-hop', address: 0xac100101 },
    { kind: 'next-hop', address: 0x0a000109 },
    { kind: 'interface', port: 1 },
    { kind: 'null' },
  ]);
  const map = (port: number, first: number, clause: number) => [
    [port, 1, first + 2, 100, 200, clause, 2, 0x10, 2, 0, 0, 0, 0, 0xff, 0, -1],
    [port, 0, -1, 0, 65535, clause + 2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, -1],
    [port, 1, -1, 0, 65535, clause + 2, 0, 0, 0, 0x32, 2, 0, 1, 3, 184, 1],
  ];
  t.strictSame(entries, [...map(0, 0, 0), ...map(1, 3, 2), [Cap.Ports, 1, -1, 0, 65535, 4, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0xa0, -1]]);
  t.strictSame(clauses, [0, 2, 0, 0, 0, 2, 0, 0], 'the lists share their rows; one that is not there permits nothing');
  const counters = Array.from({ length: 7 }, (_, row) => [row + 1, (row + 1) * 100]);
  t.match(routeMapStates(config, tables, counters), [
    {
      name: 'R',
      sequence: 10,
      length: [100, 200],
      set: ['ip next-hop 172.16.1.1 10.0.1.9'],
      continueTo: 30,
      matched: { packets: 5, bytes: 500 },
    },
    { sequence: 20, matched: { packets: 7 } },
    { sequence: 30, set: ['interface eth1 Null0', 'ip default next-hop 172.16.1.1', 'ip df 1', 'ip dscp ef'], matched: { packets: 9 } },
    { name: 'L', set: ['ip precedence critical'], matched: { packets: 7, bytes: 700 } },
  ]);
  t.strictSame(policyStates(config), [
    { interface: null, routeMap: 'L' },
    { interface: 'eth0', routeMap: 'R' },
    { interface: 'eth1', routeMap: 'R' },
  ]);
  t.strictSame(
    accessListStates(config, tables, [5, 6])[0].entries.map(({ hits }) => hits),
    [5, 6],
  );
  t.end();
});

t.test('bits of the ToS octet: ECN stays', (t) => {
  for (const octet of [0x00, 0xff, 0x5b]) {
    const after = (set: Parameters<typeof tosBits>[0]) => (octet & tosBits(set)[0]) | tosBits(set)[1];
    t.equal(after({}), octet);
    t.equal(after({ dscp: 46 }), 0xb8 | (octet & 3));
    t.equal(after({ precedence: 5 }), 0xa0 | (octet & 0x1f));
    t.equal(after({ tos: 8 }), (octet & 0xe1) | 0x10);
    t.equal(after({ precedence: 0, tos: 0 }), octet & 1);
  }
  t.end();
});

t.test('more than the tables hold is refused with a message', (t) => {
  const hops = Array.from({ length: 17 }, (_, n) => `route-map R permit ${n + 1}\n set ip next-hop 172.16.1.${n + 3}`).join('\n');
  t.throws(() => compile(hops), new CapacityError('more than 16 next hops and interfaces of policy routing'));
  const entries = Array.from({ length: 65 }, (_, n) => `route-map R permit ${n + 1}`).join('\n');
  t.throws(() => compile(entries), new CapacityError('more than 128 route-map entries of policy routing'));
  t.end();
});
