// Whatever is typed: no throw, no line longer than the screen, and the line that comes out is what a plain model of it says.

import fc from 'fast-check';
import t from 'tap';
import { LineEditor } from '../../cli/shell/line-editor.js';

const keys = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 6 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 31 }).map((code) => String.fromCharCode(code)) },
  fc.constantFrom(
    '\x1b[A',
    '\x1b[B',
    '\x1b[C',
    '\x1b[D',
    '\x1b[H',
    '\x1b[F',
    '\x1b[3~',
    '\x1bb',
    '\x1bf',
    '\x1bd',
    '\x1b[',
    '\x7f',
    '?',
    '\u{1f600}',
  ),
);

t.test('random keys', (t) => {
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 60 }), fc.integer({ min: 24, max: 100 }), (list, width) => {
      const editor = new LineEditor((nth) => (nth < 3 ? `history ${nth}` : null));
      editor.width = width;
      let screen = editor.begin('R1(config)#');
      for (let rest = list.join(''); rest !== ''; ) {
        const fed = editor.feed(rest);
        if (fed.taken === 0) throw new Error('nothing was taken');
        rest = rest.slice(fed.taken);
        screen += fed.screen;
        if (fed.event?.kind === 'line' && /\p{Cc}/u.test(fed.event.text)) throw new Error('a control character in a line');
        if (fed.event !== null) screen += `\r\n${editor.begin('R1(config)#', 'partial' in fed.event ? fed.event.partial : '')}`;
      }
      for (const row of screen.split(/[\r\n]/)) {
        const shown = [...row.replace(/\x1b\[\d*[A-Z]/g, '').replace(/\x07/g, '')];
        if (shown.length > width + 2) throw new Error(`${shown.length} characters on a screen of ${width}`);
      }
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('typing, erasing and moving against a plain model', (t) => {
  const step = fc.oneof(fc.constantFrom('\x7f', '\x02', '\x06', '\x01', '\x05', '\x04'), fc.constantFrom('a', 'b', ' '));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (list) => {
      const model = { text: 'x', at: 1 };
      for (const key of list) {
        const { text, at } = model;
        if (key === '\x7f' && at > 0) Object.assign(model, { text: text.slice(0, at - 1) + text.slice(at), at: at - 1 });
        else if (key === '\x02') model.at = Math.max(0, at - 1);
        else if (key === '\x06') model.at = Math.min(text.length, at + 1);
        else if (key === '\x01') model.at = 0;
        else if (key === '\x05') model.at = text.length;
        else if (key === '\x04' && text !== '') model.text = text.slice(0, at) + text.slice(at + 1);
        else if (key >= ' ' && key !== '\x7f') Object.assign(model, { text: text.slice(0, at) + key + text.slice(at), at: at + 1 });
        if (model.text === '') return; // Ctrl-D of an empty line is the end of input
      }
      const editor = new LineEditor(() => null);
      editor.begin('R1#');
      const { event } = editor.feed(`x${list.join('')}\r`);
      if (event?.kind !== 'line' || event.text !== model.text) throw new Error(`${JSON.stringify(event)} is not ${model.text}`);
    }),
    { numRuns: 2000 },
  );
  t.end();
});
