// Acceptance 4: TEK lifetime 30 s, 5 rekeys, nothing lost. Slow by its nature (about two minutes). See rekey-case.ts.
import t from 'tap';
import { checkRekeys } from './rekey-case.js';

t.test('five changes of a TEK that lives 30 s', (t) =>
  checkRekeys(t, {
    tekLifetimeSeconds: 30,
    kekLifetimeSeconds: 86_400,
    tekChanges: 5,
    kekChanges: 0,
    waitMs: 150_000,
    rates: [500, 200],
    leastSent: 1000,
  }),
);
