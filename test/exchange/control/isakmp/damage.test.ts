// The six messages of main mode, each cut short and changed: nothing is thrown, both sides agree or have no SA.

import t from 'tap';
import type { IsakmpPolicy } from '../../../../control/config/model.js';
import { complaint, onTime, runWith, withNth } from './one-run.js';
import { policy } from './two-engines.js';

const forms: IsakmpPolicy[] = [policy(), policy({ encryption: '3des', hash: 'sha', group: 2 })];

t.test('cut short at every length', async (t) => {
  for (const form of forms) {
    const lengths = new Map<number, number>();
    runWith((datagram, i) => {
      if (!lengths.has(i)) lengths.set(i, datagram.bytes.length);
      return onTime(datagram, i);
    }, form);
    for (let n = 0; n < 6; n++) {
      for (let length = 0; length < (lengths.get(n) ?? 0); length++) {
        const outcome = runWith(
          withNth(n, ({ bytes }) => [{ delay: 1, bytes: bytes.slice(0, length) }]),
          form,
        );
        const bad = complaint(outcome) ?? (outcome.member.up.length === 1 ? null : 'not up: a short copy must not spoil the repetition');
        if (bad) t.fail(`message ${n + 1} cut to ${length} bytes: ${bad}`);
      }
      t.pass(`message ${n + 1} cut at every length`);
    }
  }
});

t.test('one bit changed in every byte', async (t) => {
  for (const form of forms) {
    for (let n = 0; n < 6; n++) {
      let length = 0;
      let ups = 0;
      for (let at = 0; at === 0 || at < length; at++) {
        const outcome = runWith(
          withNth(n, ({ bytes }) => {
            length = bytes.length;
            const changed = bytes.slice();
            changed[at] ^= 1 << ((at * 5 + n) % 8);
            return [{ delay: 1, bytes: changed }];
          }),
          form,
        );
        const bad = complaint(outcome);
        if (bad) t.fail(`message ${n + 1}, byte ${at}: ${bad}`);
        ups += outcome.member.up.length;
      }
      // Encrypted messages prove themselves, so every changed copy of 5 and 6 is refused and the repetition does it.
      if (n >= 4) t.ok(ups >= length - 1, `message ${n + 1}: ${ups} of ${length} recovered`);
      else t.pass(`message ${n + 1}: ${ups} of ${length} recovered, the others failed with a log`);
    }
  }
});

t.test('a changed copy in front of the true message', async (t) => {
  // Who can send but not read traffic must not be able to end an exchange: messages 5 and 6 need the keys.
  for (const n of [4, 5]) {
    const outcome = runWith(
      withNth(n, ({ bytes }) => {
        const forged = bytes.slice();
        forged[40] ^= 1;
        return [
          { delay: 1, bytes: forged },
          { delay: 2, bytes },
        ];
      }),
    );
    t.equal(complaint(outcome), null, `message ${n + 1}`);
    t.equal(outcome.member.up.length, 1, `message ${n + 1}: up`);
    t.equal(outcome.member.count('ike_retransmits'), 0, 'without repetition');
  }
});
