// Acceptance 4: the KEK changes too (lifetime 60 s), with a CBC transform. Slow by its nature (over a minute). See rekey-case.ts.
import t from 'tap';
import { checkRekeys } from './rekey-case.js';

t.test('two changes of a KEK that lives 60 s', (t) =>
  checkRekeys(t, {
    tekLifetimeSeconds: 40,
    kekLifetimeSeconds: 60,
    tekChanges: 2,
    kekChanges: 2,
    transform: 'esp-aes esp-sha256-hmac',
    waitMs: 120_000,
    rates: [500, 200],
    leastSent: 1000,
  }),
);
