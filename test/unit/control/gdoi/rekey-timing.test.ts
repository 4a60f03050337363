// The change-over of keys: leads, delays and repetitions fit into each other for every lifetime.

import fc from 'fast-check';
import t from 'tap';
import {
  activationDelaySeconds,
  defaultSwitchMarginSeconds,
  rekeyLeadSeconds,
  reregisterMarginSeconds,
  retransmitIntervalSeconds,
} from '../../../../control/gdoi/rekey-timing.js';
import { SenderIdAllocator } from '../../../../control/gdoi/sender-ids.js';

const policy = { retransmitSeconds: 10, retransmitNumber: 2 };

t.test('examples', async (t) => {
  t.equal(rekeyLeadSeconds(3600, policy), 110, '90 s and the repetitions');
  t.equal(rekeyLeadSeconds(30, policy), 12, '40 % of a short lifetime');
  t.equal(activationDelaySeconds(110, policy), 20);
  t.equal(activationDelaySeconds(12, policy), 6);
  t.equal(activationDelaySeconds(0, policy), 0);
  t.equal(retransmitIntervalSeconds(20, 110, policy), 10, 'as configured where there is room');
  t.equal(retransmitIntervalSeconds(6, 12, policy), 1.5);
  t.equal(reregisterMarginSeconds(3600), 60);
  t.equal(reregisterMarginSeconds(30), 6);
  t.equal(defaultSwitchMarginSeconds(3600), 30);
  t.equal(defaultSwitchMarginSeconds(60), 15);
});

t.test('any lifetime, any repetition: whoever gets the last copy still switches before the old TEK expires', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 15, max: 2_592_000 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 10 }),
      (lifetime, retransmitSeconds, retransmitNumber) => {
        const configured = { retransmitSeconds, retransmitNumber };
        const lead = rekeyLeadSeconds(lifetime, configured);
        const delay = activationDelaySeconds(lead, configured);
        const interval = retransmitIntervalSeconds(delay, lead, configured);
        const lastCopy = interval * retransmitNumber;
        if (delay < 1) throw new Error(`no delay with a lead of ${lead}`);
        if (lastCopy > delay + 1e-9) throw new Error(`last copy at ${lastCopy}, first sender at ${delay}`);
        // One second for the rounding of lifetimes on the wire and in the dataplane's rows.
        if (lastCopy + delay > lead - 1) throw new Error(`last sender at ${lastCopy + delay}, old TEK gone at ${lead}`);
      },
    ),
  );
});

t.test('sender IDs in sequence, bounded, then none', async (t) => {
  let ids = new SenderIdAllocator(8);
  t.same(ids.allocate(1), { bits: 8, values: [0] });
  t.same(ids.allocate(2), { bits: 8, values: [1, 2] });
  t.same(ids.allocate(0), { bits: 8, values: [3] }, 'at least one');
  t.equal(ids.allocate(65535)?.values.length, 16, 'nobody takes all');
  for (let n = 20; n < 256; n++) t.same(ids.allocate(1)?.values, [n]);
  t.equal(ids.used, 256);
  t.equal(ids.allocate(1), null);
  ids = new SenderIdAllocator(8);
  t.same(ids.allocate(1)?.values, [0]);
});
