// ip nat inside source -> clauses, in the order in which they are tried; timeouts by state.

import t from 'tap';
import { Allocation, CapacityError } from '../../../../control/compile/allocation.js';
import { natOrigin } from '../../../../control/compile/nat.js';
import { compileTables } from '../../../../control/compile/tables.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { readTables } from '../../../../dataplane/port/validate-tables.js';
import { Ace, Cap, NatClause, NatState } from '../../../../dataplane/tables/layout.js';

const base = `interface gi0/0
 linux-device eth0
 ip address 198.51.100.2 255.255.255.0
 ip nat outside
interface gi0/1
 linux-device eth1
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
interface gi0/2
 linux-device eth2
ip access-list extended NAT
 deny ip any host 203.0.113.9
 permit tcp 10.0.1.0 0.0.0.255 any neq 25
ip access-list extended VPN
 permit ip 10.0.1.0 0.0.0.255 10.0.0.0 0.0.255.255
access-list 7 permit 10.0.0.1 0.0.255.254
`;

function compile(text: string) {
  const allocation = new Allocation();
  const { head, blobs, aceOrigins } = compileTables(parseConfig(base + text).config, new Map(), allocation, 1, 0);
  const words = new Int32Array(blobs[head.blobs.indexOf('natClauses')].buffer);
  const clauses = Array.from({ length: words.length / NatClause.Words }, (_, row) => [
    ...words.subarray(row * NatClause.Words, row * NatClause.Words + NatClause.Pool),
  ]);
  // What the dataplane makes of it: it refuses what does not fit together.
  const taken = readTables(JSON.parse(JSON.stringify(head)), new Uint8Array(Buffer.concat(blobs)));
  t.strictSame([taken.head.nat, taken.rows.natClauses], [head.nat, words]);
  const pooled = Array.from({ length: words.length / NatClause.Words }, (_, row) => [
    ...words.subarray(row * NatClause.Words, (row + 1) * NatClause.Words),
  ]);
  return { head, clauses, pooled, aceOrigins, aces: new Int32Array(blobs[0].buffer) };
}

t.test('no statement: no clause, and the defaults of IOS', (t) => {
  const { head, clauses } = compile('');
  t.strictSame(clauses, []);
  t.strictSame(head.nat, {
    timeouts: [86400, 300, 60, 60, 60, 86400, 60],
    maxEntries: 0,
    statics: [],
    pools: [],
    ranges: [],
    limits: [],
    portTimeouts: [],
    routes: [],
  });
  t.strictSame(
    head.interfaces.map(({ nat }) => nat),
    ['outside', 'inside', null],
  );
  t.equal(head.blobs.length, head.blobBytes.length);
  t.end();
});

t.test('timeouts stand where their state is; never is 0', (t) => {
  const { head } = compile(
    'ip nat translation tcp-timeout 1\nip nat translation syn-timeout 2\nip nat translation finrst-timeout 3\nip nat translation dns-timeout 4\n' +
      'ip nat translation icmp-timeout 5\nip nat translation udp-timeout never\nip nat translation timeout 7\nip nat translation max-entries 99',
  );
  const { timeouts, maxEntries } = head.nat;
  t.equal(timeouts[NatState.TcpEstablished], 1);
  t.equal(timeouts[NatState.TcpSyn], 2);
  t.equal(timeouts[NatState.TcpFinRst], 3);
  t.equal(timeouts[NatState.Dns], 4);
  t.equal(timeouts[NatState.Icmp], 5);
  t.equal(timeouts[NatState.Udp], 0);
  t.equal(timeouts[NatState.Other], 7);
  t.equal(timeouts.length, NatState.Count as number);
  t.equal(maxEntries, 99);
  t.end();
});

t.test('a list is one clause; its rows know which entry they came from', (t) => {
  const { clauses, aceOrigins, aces } = compile('ip nat inside source list NAT interface gi0/0 overload');
  t.strictSame(clauses, [[0, 1, 0, 3, -1, 0]]);
  const list = natOrigin('NAT');
  t.strictSame(aceOrigins, [
    { list, entry: 0 },
    { list, entry: 1 },
    { list, entry: 1 },
  ]);
  t.strictSame([aces[Ace.Words + Ace.DstPortHigh], aces[2 * Ace.Words + Ace.DstPortLow]], [24, 26]);
  t.end();
});

t.test('a wildcard with holes is carried as it is', (t) => {
  const { clauses, aces } = compile('ip nat inside source list 7 interface gi0/0 overload');
  t.strictSame(clauses, [[0, 1, 0, 1, -1, 0]]);
  t.strictSame([aces[Ace.Src], aces[Ace.SrcCare]], [0x0a000001, ~0x0000fffe]);
  t.strictSame([aces[Ace.DstCare], aces[Ace.Protocol]], [0, -1]);
  t.end();
});

t.test('route-maps: entries by sequence, one clause for each list and interface; statements in order', (t) => {
  const { clauses } = compile(`route-map R permit 20
 match ip address NAT 7
 match interface gi0/0 gi0/2
route-map R permit 30
route-map R deny 10
 match ip address VPN
ip nat inside source route-map R interface gi0/0 overload
ip nat inside source list VPN interface gi0/2 overload
`);
  t.strictSame(clauses, [
    [0, 0, 0, 1, -1, 0],
    [0, 1, 1, 3, 0, 0],
    [0, 1, 1, 3, 2, 0],
    [0, 1, 4, 1, 0, 0],
    [0, 1, 4, 1, 2, 0],
    [0, 1, 0, -1, -1, 0],
    [1, 1, 0, 1, -1, 2],
  ]);
  t.end();
});

t.test('what is not there matches nothing and translates nothing', (t) => {
  t.strictSame(compile('ip nat inside source list NAT interface gi0/9 overload').clauses, [], 'no interface');
  t.strictSame(compile('ip nat inside source list X interface gi0/0 overload').clauses, [], 'no list');
  t.strictSame(compile('ip nat inside source route-map X interface gi0/0 overload').clauses, [], 'no route-map');
  const missing = 'route-map R\n match ip address X NAT\n match interface gi0/9\nip nat inside source route-map R interface gi0/0 overload';
  t.strictSame(compile(missing).clauses, [], 'neither interface nor any interface');
  t.strictSame(compile(missing.replace(' match interface gi0/9\n', '')).clauses, [[0, 1, 0, 3, -1, 0]]);
  const second = compile('ip nat inside source list X interface gi0/0 overload\nip nat inside source list 7 interface gi0/0 overload');
  t.strictSame(second.clauses, [[1, 1, 0, 1, -1, 0]], 'the rule is the number of the statement');
  t.end();
});

t.test('an empty list is a clause that matches nothing', (t) => {
  t.strictSame(compile('ip access-list extended E\nip nat inside source list E interface gi0/0 overload').clauses, [[0, 1, 0, 0, -1, 0]]);
  t.end();
});

t.test('too many clauses are a CapacityError', (t) => {
  const entries = (count: number) =>
    `${Array.from({ length: count }, (_, n) => `route-map R deny ${n}\n match ip address 7`).join('\n')}\nip nat inside source route-map R interface gi0/0 overload`;
  t.equal(compile(entries(Cap.NatClauses)).clauses.length, Cap.NatClauses as number);
  t.throws(() => compile(entries(Cap.NatClauses + 1)), new CapacityError('more than 128 lists and route-map entries of ip nat'));
  t.end();
});

t.test('static translations, with their route-map behind all other clauses; an interface that is not there has none', (t) => {
  const { head, pooled } = compile(`ip nat pool P 203.0.113.9 203.0.113.12 prefix-length 24 type match-host
ip nat inside source static 10.0.1.5 198.51.100.7 route-map R
ip nat inside source static udp 10.0.1.5 53 interface gi0/0 5353
ip nat inside source static network 10.9.0.0 203.0.112.0 /24 no-alias
ip nat outside source static 192.0.2.1 10.0.1.77
ip nat inside source static tcp 10.0.1.5 53 interface gi0/9 5353
ip nat inside source list 7 pool P
ip nat outside source list VPN pool P
ip nat inside destination list VPN pool P
route-map R permit 10
 match ip address NAT
`);
  const [inside, virtual] = [0x0a000105, 0xcb007009 | 0];
  t.strictSame(pooled, [
    [0, 1, 0, 1, -1, -1, 1, 0, 2],
    [0x2000, 1, 1, 1, -1, -1, 1, 1, 1],
    [0x3000, 1, 1, 1, -1, -1, 1, 2, 1],
    [0xffff, 1, 2, 3, -1, -1, 0, 3, 0],
  ]);
  t.strictSame(head.nat.statics, [
    ...[0, 0x1000, 0, inside, 0xc6336407 | 0, -1, 0, 0, -1, 3, 1],
    ...[0, 0x1001, 17, inside, 0, -1, 53, 5353, 0, 4, 0],
    ...[0, 0x1002, 0, 0x0a090000, 0xcb007000 | 0, -256, 0, 0, -1, 4, 0],
    ...[1, 0x1003, 0, 0x0a00014d, 0xc0000201 | 0, -1, 0, 0, -1, 4, 0],
  ]);
  t.strictSame(head.nat.pools, [0xcb007109 | 0, 0xcb00710c | 0, 2, 255]);
  t.strictSame(head.nat.ranges, [
    ...[0x0a00014d, 0x0a00014d, 2],
    ...[0xc6336407 | 0, 0xc6336407 | 0, 3],
    ...[0xcb007000 | 0, 0xcb0070ff | 0, 1],
    ...[virtual + 0x100, 0xcb00710c | 0, 3],
  ]);
  t.end();
});
