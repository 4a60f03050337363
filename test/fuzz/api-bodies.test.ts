import t from 'tap';
import { fuzz, seeds } from './api-bodies.js';
import { run } from './mutations.js';

t.test('seeds, and a few thousand of them damaged', (t) => {
  for (const seed of seeds) fuzz(seed);
  t.equal(run(fuzz, seeds, 1500), null);
  t.end();
});
