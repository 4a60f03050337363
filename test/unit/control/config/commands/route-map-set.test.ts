// set and continue of route-maps, match length, ip policy: what a line sets, what `no` takes back, what is refused.

import t from 'tap';
import { listProblems, parseClean, reprint } from '../texts.js';

const entry = (...lines: string[]) => ['route-map R permit 10', ...lines.map((line) => ` ${line}`)].join('\n');

t.test('what an entry sets', (t) => {
  const { routeMaps } = parseClean(
    entry(
      'match length 100 1500',
      'set ip next-hop 10.0.0.1 10.0.0.2',
      'set ip next-hop 10.0.0.1 10.0.0.3',
      'set interface gi0/1 null0',
      'set ip default next-hop 10.0.0.9',
      'set ip df 0',
      'set ip precedence critical',
      'set ip tos min-delay',
      'continue 30',
    ),
  );
  t.match(routeMaps.get('R')?.[0], {
    matchLength: [100, 1500],
    set: {
      nextHops: [0x0a000001, 0x0a000002, 0x0a000003],
      interfaces: ['GigabitEthernet0/1', 'Null0'],
      defaultNextHops: [0x0a000009],
      df: 0,
      precedence: 5,
      tos: 8,
    },
    continueTo: 30,
  });
  t.strictSame(reprint(entry('set ip dscp 46', 'continue')), ['route-map R permit 10', ' set ip dscp ef', ' continue']);
  t.strictSame(reprint(entry('set ip precedence 3', 'set ip tos 3')), [
    'route-map R permit 10',
    ' set ip precedence flash',
    ' set ip tos 3',
  ]);
  t.end();
});

t.test('no: one value, all of a kind, the last one leaves nothing behind', (t) => {
  const all = ['set ip next-hop 10.0.0.1 10.0.0.2', 'set ip df 1', 'match length 1 2', 'continue'];
  const left = (...no: string[]) => reprint(entry(...all, ...no)).slice(1);
  t.strictSame(left('no set ip next-hop 10.0.0.1', 'no set ip df', 'no match length', 'no continue'), [' set ip next-hop 10.0.0.2']);
  t.strictSame(left('no set ip next-hop', 'no set ip df 1', 'no match length 1 2', 'no continue 20'), []);
  for (const what of ['set ip next-hop', 'set ip df', 'set interface eth0', 'match length', 'continue'])
    t.match(listProblems(entry(`no ${what}`)), [/^2 warning .* is not configured: nothing to remove$/], what);
  t.end();
});

t.test('what is refused', (t) => {
  for (const [line, message] of [
    ['continue 10', 'continue 10 would go back: the entry is 10'],
    ['continue 5', 'continue 5 would go back: the entry is 10'],
    ['match length 9 8', 'match length 9 8: the minimum is above the maximum'],
    ['set ip next-hop verify-availability', 'set ip next-hop verify-availability is not supported: there is neither CDP nor tracking'],
    ['set ip next-hop recursive 1.1.1.1', 'set ip next-hop recursive is not supported'],
    ['set default interface eth0', 'set default interface is not supported yet'],
    ['set tag 5', 'set tag is not supported: route-maps do not change routes here'],
    ['set ip vrf X next-hop 1.1.1.1', 'set ip vrf is not supported: there are no VRFs'],
  ])
    t.strictSame(listProblems(entry(line)), [`2 error ${message}`], line);
  t.match(listProblems(entry('set ip dscp ef', 'set ip tos 1')), ['3 error set ip tos and set ip dscp write the same bits']);
  t.match(listProblems(entry('set ip precedence 1', 'set ip dscp 1')), ['3 error set ip dscp and set ip precedence write the same bits']);
  const nine = Array.from({ length: 9 }, (_, n) => `10.0.0.${n + 1}`);
  t.match(listProblems(entry(`set ip next-hop ${nine.join(' ')}`)), [/^2 error/], 'nine in one line');
  t.match(listProblems(entry(`set ip next-hop ${nine.slice(0, 8).join(' ')}`, `set ip next-hop ${nine[8]}`)), [
    '3 error more than 8 in set ip next-hop',
  ]);
  for (const line of [
    'set ip df 2',
    'set ip dscp 64',
    'set ip precedence 8',
    'set ip tos 16',
    'match length -1 5',
    'set ip next-hop',
    'set',
    'continue 0',
  ])
    t.match(listProblems(entry(line)), [/^2 error %/], line);
  t.end();
});

t.test('ip policy route-map, on an interface and for the host itself', (t) => {
  t.strictSame(reprint('interface eth0\n ip policy route-map R\nip local policy route-map L'), [
    'interface eth0',
    ' ip policy route-map R',
    'ip local policy route-map L',
  ]);
  t.strictSame(
    reprint('interface eth0\n ip policy route-map R\n no ip policy route-map\nip local policy route-map L\nno ip local policy route-map L'),
    ['interface eth0'],
  );
  t.match(listProblems('interface eth0\n no ip policy route-map R\nno ip local policy route-map'), [/^2 warning/, /^3 warning/]);
  t.match(listProblems('interface eth0\n ip policy R'), [/^2 error %/]);
  t.end();
});
