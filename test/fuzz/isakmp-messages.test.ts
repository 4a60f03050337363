import t from 'tap';
import { fuzz, seeds } from './isakmp-messages.js';
import { run } from './mutations.js';

t.test('codec', async (t) => {
  t.equal(run(fuzz, seeds, 20_000), null, 'only WireError');
});
