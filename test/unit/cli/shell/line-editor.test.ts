import t from 'tap';
import { LineEditor } from '../../../../cli/shell/line-editor.js';

/** What the keys come to: lines, and the other events by name. */
function type(keys: string, history: string[] = [], width = 0): { events: string[]; screen: string } {
  const editor = new LineEditor((nth) => history[history.length - nth] ?? null);
  editor.width = width;
  const events: string[] = [];
  let screen = editor.begin('R1#');
  for (let rest = keys; rest !== ''; ) {
    const fed = editor.feed(rest);
    rest = rest.slice(fed.taken);
    screen += fed.screen;
    if (fed.event?.kind === 'line') events.push(`line ${fed.event.text}`);
    else if (fed.event !== null) events.push('partial' in fed.event ? `${fed.event.kind} ${fed.event.partial}` : fed.event.kind);
  }
  return { events, screen };
}
const line = (keys: string, history?: string[]): string => type(`${keys}\r`, history).events.join();

t.test('keys', (t) => {
  t.equal(line('show clock'), 'line show clock');
  t.equal(line('shwo\b\bow clock'), 'line show clock');
  t.equal(line('how\x01s\x05 clock'), 'line show clock');
  t.equal(line('show clockx\x02\x04'), 'line show clock');
  t.equal(line('show version\x17clock'), 'line show clock');
  t.equal(line('nonsense\x15show clock'), 'line show clock');
  t.equal(line('show clock junk\x1bb\x0b\x7f'), 'line show clock');
  t.equal(line('sohw\x02\x02\x14 clock'.replace(' clock', '\x05 clock')), 'line show clock');
  t.equal(line('show clockx\x1b[D\x1b[3~'), 'line show clock');
  t.equal(line('how clock\x1b[Hs'), 'line show clock');
  t.equal(
    line('show \x1bOClock\x1b[99~\x1b[<0;1M'),
    'line show lock'.replace(' lock', ' lock'),
    'sequences that mean nothing type nothing',
  );
  t.strictSame(type('a\r\nb\nc\r').events, ['line a', 'line b', 'line c'], 'CR LF is one line end');
  t.end();
});

t.test('events', (t) => {
  t.strictSame(type('sh?').events, ['help sh']);
  t.strictSame(type('show cl\t').events, ['complete show cl']);
  t.strictSame(type('x\x1a\x03').events, ['end-mode', 'interrupt']);
  t.strictSame(type('\x04').events, ['end-of-input']);
  t.strictSame(type('\x1b[3~\r').events, ['line '], 'Delete on an empty line ends nothing');
  t.end();
});

t.test('history, back and forth', (t) => {
  const history = ['one', 'two'];
  t.equal(line('\x10', history), 'line two');
  t.equal(line('\x1b[A\x1b[A', history), 'line one');
  t.equal(line('\x10\x10\x10\x10', history), 'line one', 'no further than the first');
  t.equal(line('half\x10\x10\x0e\x0e', history), 'line half', 'what was typed comes back');
  t.end();
});

t.test('the screen', (t) => {
  t.equal(type('show').screen, 'R1#show', 'plain typing echoes characters alone');
  t.match(type('abc\x01x').screen, /\rR1#xabc\x1b\[K\x1b\[3D$/);
  const { screen } = type('abcdefghijklmnopqrstuvwxyz', [], 20);
  t.match(screen, /\rR1#\$[a-y]*z\x1b\[K$/, 'a long line scrolls');
  for (const row of screen.split('\r')) t.ok(row.replace(/\x1b\[\d*[A-Z]/g, '').length < 20, 'and never wraps');
  t.end();
});
