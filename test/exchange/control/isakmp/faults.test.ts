// The six messages of main mode, each dropped, doubled, delayed and reordered. In every case: both sides agree or have no SA, and the user
// of the initiator is told exactly once how it ended.

import t from 'tap';
import { complaint, onTime, runWith } from './one-run.js';

t.test('dropped: repeated until it arrives', async (t) => {
  for (let n = 0; n < 6; n++) {
    for (let times = 1; times <= 3; times++) {
      let left = times;
      // Only the n-th kind of message is lost, and its repetitions.
      let first: string | null = null;
      const outcome = runWith((datagram, i) => {
        if (i === n) first = Buffer.from(datagram.bytes).toString('hex');
        if (first !== null && Buffer.from(datagram.bytes).toString('hex') === first && left-- > 0) return [];
        return onTime(datagram, i);
      });
      t.equal(complaint(outcome), null, `message ${n + 1} lost ${times} times`);
      t.equal(outcome.member.up.length, 1, `message ${n + 1} lost ${times} times: up in the end`);
      t.ok(outcome.member.count('ike_retransmits') >= times, 'by repetition');
    }
  }
});

t.test('dropped for ever: given up after five sendings', async (t) => {
  for (let n = 0; n < 6; n++) {
    const outcome = runWith((datagram, i) => (i >= n ? [] : onTime(datagram, i)));
    t.equal(complaint(outcome), null, `nothing arrives from message ${n + 1} on`);
    t.equal(outcome.member.failures.length, 1, 'failed');
    const awaited = n < 2 ? 1 : n < 4 ? 3 : 5;
    t.match(outcome.member.failures[0], new RegExp(`no answer to message ${awaited}`), 'reason');
    t.equal(outcome.member.count('ike_retransmits'), 4, 'four repetitions');
  }
});

t.test('doubled: the reply is the stored one, byte for byte', async (t) => {
  for (let n = 0; n < 6; n++) {
    const seen = new Map<string, number>();
    const outcome = runWith((datagram, i) => {
      const key = Buffer.from(datagram.bytes).toString('hex');
      seen.set(key, (seen.get(key) ?? 0) + 1);
      const one = onTime(datagram, i);
      return i === n ? [...one, ...one, ...one] : one;
    });
    t.equal(complaint(outcome), null, `message ${n + 1} three times`);
    t.equal(outcome.member.up.length, 1, `message ${n + 1} three times: up`);
    t.equal(seen.size, 6, 'six different messages, no other reply');
  }
});

t.test('everything doubled, delayed and reordered', async (t) => {
  for (let seed = 0; seed < 60; seed++) {
    let state = seed * 2654435761 + 1;
    const next = (): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state / 2 ** 32;
    };
    const outcome = runWith(({ bytes }) => {
      const copies = next() < 0.2 ? 0 : next() < 0.5 ? 1 : 2;
      return Array.from({ length: copies }, () => ({ delay: Math.round(next() ** 3 * 6000), bytes }));
    });
    t.equal(complaint(outcome), null, `seed ${seed}`);
  }
});

t.test('one late copy of every message after the SA is up', async (t) => {
  const outcome = runWith(({ bytes }) => [
    { delay: 1, bytes },
    { delay: 60_000, bytes },
  ]);
  t.equal(complaint(outcome), null, 'still one SA each');
  t.equal(outcome.member.up.length, 1, 'up');
  t.equal(outcome.server.up.length, 1, 'the late message 1 does not begin another');
});
