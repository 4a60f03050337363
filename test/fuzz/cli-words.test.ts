import fc from 'fast-check';
import t from 'tap';
import { fuzz } from './cli-words.js';

const words = [
  'run',
  '-c',
  'show',
  'exec',
  'check',
  'wait-ready',
  '--instance',
  '--runtime',
  '--timeout',
  '--metrics=',
  '--',
  '-',
  '|',
  '__proto__',
  '(a+)+$',
  '[',
  '\n',
  '=',
  '-9',
  'x',
];

t.test('a few thousand command lines', (t) => {
  const line = fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 })), { maxLength: 8 })
    .map((list) => new TextEncoder().encode(list.join('\0')));
  fc.assert(fc.property(fc.oneof(line, fc.uint8Array({ maxLength: 64 })), fuzz), { numRuns: 4000 });
  t.end();
});
