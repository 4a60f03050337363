import t from 'tap';
import { listProblems, parseClean, reprint } from '../texts.js';

const line = 'crypto call admission limit ike rate 250';

t.test('registrations a second', async (t) => {
  t.equal(parseClean(line).registrationRate, 250);
  t.equal(parseClean('').registrationRate, undefined, 'the default is not stored');
  t.equal(parseClean(`${line}\nno crypto call admission limit ike rate`).registrationRate, undefined);
  t.ok(reprint(line).includes(line));
});

t.test('what is out of range or not supported', async (t) => {
  for (const [text, message] of [
    ['crypto call admission limit ike rate 0', /Invalid input|expected|range/i],
    ['crypto call admission limit ike rate 10001', /Invalid input|expected|range/i],
    ['crypto call admission limit ike in-negotiation-sa 20', /not configurable/],
    ['crypto call admission limit ike sa 20', /not configurable/],
  ] as const) {
    t.match(listProblems(text).join('\n'), message, text);
  }
});
