import t from 'tap';
import { fuzz, seeds } from './informational-messages.js';
import { run } from './mutations.js';

t.test('informational messages of an authenticated peer', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 3000), null);
});
