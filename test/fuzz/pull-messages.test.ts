import t from 'tap';
import { run } from './mutations.js';
import { fuzz, seeds } from './pull-messages.js';

t.test('messages of an authenticated member', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 3000), null);
});
