import t from 'tap';
import { run } from './mutations.js';
import { fuzz, seeds } from './shell-keys.js';

t.test('seeds, and a few thousand of them damaged', (t) => {
  for (const seed of seeds) fuzz(seed);
  t.equal(run(fuzz, seeds, 3000), null);
  t.end();
});
