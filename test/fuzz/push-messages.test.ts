import t from 'tap';
import { run } from './mutations.js';
import { fuzz, seeds } from './push-messages.js';

t.test('pushes of an authenticated key server', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 2000), null);
});
