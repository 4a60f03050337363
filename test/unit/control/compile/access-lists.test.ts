// Lists on interfaces in the tables, and hit counters that stay with their entries.
import t from 'tap';
import { Allocation, HitCounters } from '../../../../control/compile/allocation.js';
import { compileTables, type Tables } from '../../../../control/compile/tables.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { accessListStates } from '../../../../control/snapshot/access-lists.js';
import { Ace, AceLog, Cap } from '../../../../dataplane/tables/layout.js';

function compile(text: string, allocation = new Allocation()): Tables {
  return compileTables(parseConfig(text).config, new Map(), allocation, 1, 0);
}
const row = (tables: Tables, index: number) => {
  const words = new Int32Array(tables.blobs[0].buffer, tables.blobs[0].byteOffset, tables.blobs[0].byteLength / 4);
  return words.subarray(index * Ace.Words, (index + 1) * Ace.Words);
};

t.test('what an interface filters by; no list and an empty one filter nothing', (t) => {
  const tables = compile(`interface eth0
 ip access-group A in
 ip access-group NONE out
 no ip unreachables
interface eth1
 ip access-group E in
 ip access-group A out
ip access-list extended A
 permit tcp any any eq 80 443 log
 deny ip any any log-input
ip access-list extended E
 remark nothing yet
`);
  const [first, second] = tables.head.interfaces;
  t.match(first, { filterIn: { first: 0, count: 3 }, filterOut: null, unreachables: false });
  t.match(second, { filterIn: null, filterOut: { first: 0, count: 3 }, unreachables: true }, 'a list stands once');
  t.strictSame(
    [0, 1, 2].map((index) => row(tables, index)[Ace.Log]),
    [AceLog.Log, AceLog.Log, AceLog.LogInput],
  );
  t.strictSame(
    [0, 1, 2].map((index) => row(tables, index)[Ace.Counter]),
    [0, 0, 1],
    'rows of an entry share a counter',
  );
  t.strictSame(
    tables.aceOrigins,
    [0, 0, 1].map((entry) => ({ list: 'filter A', entry })),
  );
  t.end();
});

t.test('hits are summed over what object groups make of an entry and over all who ask a list', (t) => {
  const text = `interface eth0
 ip access-group A in
 ip nat inside
interface eth1
 ip address 172.16.1.2 255.255.255.0
 ip nat outside
object-group network N
 host 10.0.0.1
 host 10.0.0.2
ip access-list extended A
 permit ip object-group N any
 deny ip any any
ip nat inside source list A interface eth1 overload
`;
  const tables = compile(text);
  t.equal(tables.aceOrigins.length, 6);
  const hits = tables.aceCounters.reduce<number[]>((sums, counter) => Object.assign(sums, { [counter]: 10 ** counter }), []);
  const [list] = accessListStates(parseConfig(text).config, tables, hits);
  t.equal(new Set(tables.aceCounters).size, 4, 'an entry has a counter for each use');
  t.equal(
    list.entries.reduce((sum, { hits: own }) => sum + (own ?? 0), 0),
    1111,
  );
  t.end();
});

t.test('counters stay when lines come and go around an entry, wherever its rows are', (t) => {
  const allocation = new Allocation();
  const list = (...entries: string[]) => `interface eth0\n ip access-group A in\nip access-list extended A\n${entries.join('\n')}\n`;
  const before = compile(list('10 permit tcp any any', '20 permit udp any any', '30 permit udp any any'), allocation);
  t.strictSame(before.aceCounters, [0, 1, 2]);
  const after = compile(list('5 deny esp any any', '10 permit tcp any any', '30 permit udp any any'), allocation);
  t.strictSame(after.aceCounters, [3, 0, 1], 'of two that are equal the first keeps its own');
  t.strictSame(compile(list('10 permit udp any any log'), allocation).aceCounters, [4], 'another entry has another, not one just freed');
  t.end();
});

t.test('counters: failed compilations, clearing, the end of numbers', (t) => {
  const counters = new HitCounters();
  counters.begin();
  t.equal(counters.take('a'), 0);
  counters.end(true);
  counters.begin();
  t.equal(counters.take('b'), 1);
  counters.end(false);
  counters.begin();
  t.equal(counters.take('a'), 0, 'what is in force keeps its number');
  counters.end(true);
  counters.clear([0], [7, 1]);
  t.strictSame(counters.shown([9, 1]), [2, 1]);
  t.strictSame(counters.shown([3, 1]), [3, 1], 'a dataplane that began anew');
  counters.forgetCleared();
  t.strictSame(counters.shown([9]), [9]);
  counters.begin();
  for (let i = 0; i < Cap.AceCounters - 1; i++) counters.take(`x${i}`);
  counters.take('a');
  t.throws(() => counters.take('one more'), { message: /more than 8192/ });
  counters.end(true);
  t.end();
});
