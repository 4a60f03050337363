// Acceptance 4, quick form: one TEK change with the shortest lifetime. See rekey-case.ts.
import t from 'tap';
import { checkRekeys } from './rekey-case.js';

t.test('one change of the TEK', (t) =>
  checkRekeys(t, {
    tekLifetimeSeconds: 20,
    kekLifetimeSeconds: 86_400,
    tekChanges: 1,
    kekChanges: 0,
    waitMs: 60_000,
    rates: [120, 60],
    leastSent: 500,
  }),
);
