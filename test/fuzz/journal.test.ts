import t from 'tap';
import { fuzz, journal } from './journal.js';
import { run } from './mutations.js';

t.test('journal of the sealed store', async (t) => {
  t.equal(run(fuzz, [journal, journal.slice(0, journal.length - 9)], 20_000), null);
});
