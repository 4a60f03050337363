// Acceptance 4: 5 rekeys of a TEK with a short lifetime, nothing lost. Slow by its nature (a minute). See rekey-case.ts.
import t from 'tap';
import { checkRekeys } from './rekey-case.js';

t.test('five changes of a TEK that lives 20 s', (t) =>
  checkRekeys(t, {
    tekLifetimeSeconds: 20,
    kekLifetimeSeconds: 86_400,
    tekChanges: 5,
    kekChanges: 0,
    waitMs: 150_000,
    rates: [500, 200],
    leastSent: 1000,
  }),
);
