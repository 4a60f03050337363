import t from 'tap';
import { filterLines, parseFilter, splitPipe } from '../../../../cli/show/filter.js';

const lines = ['interface eth0', ' ip address 1.1.1.1', '  deeper', '!', 'interface eth1', ' shutdown', 'end'];
const through = (text: string) => filterLines(lines, parseFilter(text));

t.test('include, exclude, begin, section, abbreviated', (t) => {
  t.strictSame(through('include eth|end'), ['interface eth0', 'interface eth1', 'end']);
  t.strictSame(through('inc ^\\s'), [' ip address 1.1.1.1', '  deeper', ' shutdown']);
  t.strictSame(through('exclude e'), ['!', ' shutdown']);
  t.strictSame(through('begin eth1'), ['interface eth1', ' shutdown', 'end']);
  t.strictSame(through('section eth0'), ['interface eth0', ' ip address 1.1.1.1', '  deeper']);
  t.strictSame(through('section nothing'), []);
  t.end();
});

t.test('a line is cut at its first pipe', (t) => {
  t.strictSame(splitPipe('show version'), { command: 'show version', filter: null });
  t.strictSame(splitPipe('show version | json').filter, { kind: 'json' });
  t.equal(splitPipe('show version|include a|b').command, 'show version');
  t.match(splitPipe('show version|include a|b').filter, { kind: 'include', pattern: /a|b/ });
  t.end();
});

t.test('wrong filters are refused with a reason', (t) => {
  for (const text of ['', 'x', 'include', 'include  ', 'include (', 'json all', 'include (a)\\1', `include ${'a'.repeat(300)}`]) {
    t.throws(() => parseFilter(text), { name: 'FilterError' }, `'${text.slice(0, 20)}'`);
  }
  t.end();
});

t.test('a pattern that backtracks without end comes back', (t) => {
  // Exponential in a backtracking engine: 2^60 steps would outlast any test timeout.
  t.strictSame(filterLines([`${'a'.repeat(60)}!`], parseFilter('include ^(a+)+$')), []);
  t.end();
});
