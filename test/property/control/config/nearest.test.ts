// The distance between words that finds the nearest known command: what one slip of a finger does is at a distance of one.

import fc from 'fast-check';
import t from 'tap';
import { editDistance } from '../../../../control/config/nearest.js';

const word = fc.stringMatching(/^[a-d]{1,8}$/);
const most = 20;

t.test('one slip is a distance of one', (t) => {
  fc.assert(
    fc.property(word, word, fc.nat(7), fc.constantFrom('a', 'x'), (a, b, at, letter) => {
      const place = at % a.length;
      const slips = [
        a.slice(0, place) + a.slice(place + 1),
        a.slice(0, place) + letter + a.slice(place),
        a.slice(0, place) + letter + a.slice(place + 1),
        a.slice(0, place) + [...a.slice(place, place + 2)].reverse().join('') + a.slice(place + 2),
      ];
      const distance = editDistance(a, b, most);
      return (
        slips.every((slip) => editDistance(a, slip, most) === (slip === a ? 0 : 1)) &&
        distance === editDistance(b, a, most) &&
        (distance === 0) === (a === b) &&
        distance <= Math.max(a.length, b.length) &&
        editDistance(a, b, 1) === Math.min(distance, 2)
      );
    }),
    { numRuns: 2000 },
  );
  t.pass('held for every input tried');
  t.end();
});
