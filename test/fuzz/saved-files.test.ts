import t from 'tap';
import { run } from './mutations.js';
import { fuzz, seeds } from './saved-files.js';

t.test('saved state and ledger', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 3000), null);
});
