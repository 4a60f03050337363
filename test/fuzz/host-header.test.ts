import t from 'tap';
import { fuzz, seeds } from './host-header.js';
import { run } from './mutations.js';

t.test('the header Host', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
  t.equal(run(fuzz, seeds, 20_000), null);
});
