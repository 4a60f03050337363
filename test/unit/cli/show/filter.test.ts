import t from 'tap';
import { filterLines } from '../../../../cli/show/filter.js';

const lines = ['interface eth0', ' ip address 1.1.1.1', '  deeper', '!', 'interface eth1', ' shutdown', 'end'];
type Filter = 'include' | 'exclude' | 'begin' | 'section';
const through = (filter: Filter, text: string) => filterLines(lines, { filter, text });

t.test('include, exclude, begin, section', (t) => {
  t.strictSame(through('include', 'eth|end'), ['interface eth0', 'interface eth1', 'end']);
  t.strictSame(through('include', '^\\s'), [' ip address 1.1.1.1', '  deeper', ' shutdown']);
  t.strictSame(through('exclude', 'e'), ['!', ' shutdown']);
  t.strictSame(through('begin', 'eth1'), ['interface eth1', ' shutdown', 'end']);
  t.strictSame(through('section', 'eth0'), ['interface eth0', ' ip address 1.1.1.1', '  deeper']);
  t.strictSame(through('section', 'nothing'), []);
  t.end();
});

t.test('no filter, and json, let everything through', (t) => {
  t.strictSame(filterLines(lines, null), lines);
  t.strictSame(filterLines(lines, { filter: 'json' }), lines);
  t.end();
});

t.test('wrong patterns are refused with a reason', (t) => {
  for (const text of ['(', '[', '*', '(a)\\1', 'a'.repeat(300)]) {
    t.throws(() => through('include', text), { name: 'FilterError', message: /^% / }, `'${text.slice(0, 20)}'`);
  }
  t.end();
});

t.test('a pattern that backtracks without end comes back', (t) => {
  // Exponential in a backtracking engine: 2^60 steps would outlast any test timeout.
  t.strictSame(filterLines([`${'a'.repeat(60)}!`], { filter: 'include', text: '^(a+)+$' }), []);
  t.end();
});
