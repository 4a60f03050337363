import t from 'tap';
import { run } from './mutations.js';
import { fuzz, seeds } from './quick-messages.js';

t.test('messages of an authenticated peer', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 1500), null);
});
