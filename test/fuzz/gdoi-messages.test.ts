import t from 'tap';
import { fuzz, seeds } from './gdoi-messages.js';
import { run } from './mutations.js';

t.test('the seeds are good', async (t) => {
  t.doesNotThrow(() => seeds.forEach(fuzz));
});

t.test('codec and policy', async (t) => {
  t.equal(run(fuzz, seeds, 20_000), null, 'only WireError');
});
