// The gate: never more than its rate in any second, wherever the second begins; never more than its share for one address.

import fc from 'fast-check';
import t from 'tap';
import { RateGate } from '../../../control/rate-gate.js';

t.test('no second holds more than the rate, no address more than its share, and nothing is refused without need', async () => {
  const arrivals = fc.array(fc.record({ wait: fc.nat(400), address: fc.nat(5) }), { maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), arrivals, (rate, list) => {
      const gate = new RateGate(rate);
      const share = Math.max(1, Math.ceil(rate / 8));
      const passed: { at: number; address: number }[] = [];
      let now = 1000;
      for (const { wait, address } of list) {
        now += wait;
        const recent = passed.filter(({ at }) => at > now - 1000);
        const open = recent.length < rate && recent.filter((one) => one.address === address).length < share;
        if (gate.take(address, now) !== open) throw new Error(`${open ? 'refused' : 'let through'} at ${now}`);
        if (open) passed.push({ at: now, address });
      }
    }),
  );
});

t.test('a clock that was set back does not close it; another rate holds at once', async (t) => {
  const gate = new RateGate(2);
  t.ok(gate.take(1, 1_000_000));
  t.ok(gate.take(2, 1_000_000));
  t.notOk(gate.take(3, 1_000_500));
  t.ok(gate.take(3, 500_000), 'the clock went back');
  gate.perSecond = 1;
  t.notOk(gate.take(4, 500_001));
  gate.perSecond = 8;
  t.ok(gate.take(4, 500_002));
});
