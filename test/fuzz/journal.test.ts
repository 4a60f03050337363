import t from 'tap';
import { fuzz, seeds } from './journal.js';
import { run } from './mutations.js';

t.test('journal of the sealed store', async (t) => {
  t.equal(run(fuzz, seeds, 20_000), null);
});
