import t from 'tap';
import { fuzz, seeds } from './ike-engine.js';
import { run } from './mutations.js';

t.test('engine', async (t) => {
  t.equal(run(fuzz, seeds, 10_000), null, 'nothing thrown, nothing established, nothing lost');
});
