// Quick Mode on a network that loses, doubles, delays and damages: what is established on both sides is the same, and nothing hangs.

import t from 'tap';
import type { Fault } from '../isakmp/two-engines.js';
import { seededRandom } from '../isakmp/two-engines.js';
import { mismatch, twoGateways } from './two-gateways.js';

const QuickMode = 32;
const isQuick = (bytes: Uint8Array): boolean => bytes[18] === QuickMode;

/** Changes the n-th Quick Mode message, from 0; the rest arrives. */
function onNth(n: number, change: (bytes: Uint8Array) => { delay: number; bytes: Uint8Array }[]): Fault {
  let seen = 0;
  return ({ bytes }) => (isQuick(bytes) && seen++ === n ? change(bytes) : [{ delay: 1, bytes }]);
}

function outcome(fault: Fault): { text: string | null; run: ReturnType<typeof twoGateways> } {
  const run = twoGateways({ pfs: 19 }, { pfs: 19 });
  run.wire.fault = fault;
  run.wire.demand(run.a);
  run.wire.run(90_000);
  return {
    text: run.a.pairs.length === 1 && run.b.pairs.length === 1 ? mismatch(run.a.pairs[0], run.b.pairs[0]) : 'not one pair each',
    run,
  };
}

t.test('each message lost, doubled, late', async (t) => {
  for (let n = 0; n < 3; n++) {
    const lost = outcome(onNth(n, () => []));
    t.equal(lost.text, null, `message ${n + 1} lost`);
    t.ok(lost.run.a.count('ipsec_quick_mode_retransmits') + lost.run.b.count('ipsec_quick_mode_retransmits') > 0, 'it was sent again');
    const doubled = outcome(onNth(n, (bytes) => [1, 2, 700].map((delay) => ({ delay, bytes }))));
    t.equal(doubled.text, null, `message ${n + 1} three times`);
    t.equal(doubled.run.b.count('ipsec_quick_mode_started'), 1, 'one exchange');
    const late = outcome(onNth(n, (bytes) => [{ delay: 5000, bytes }]));
    t.equal(late.text, null, `message ${n + 1} five seconds late`);
  }
});

t.test('each message damaged at every byte: the repetition does it', async (t) => {
  for (let n = 0; n < 3; n++) {
    let length = 1;
    for (let at = 0; at < length; at += 3) {
      const { text } = outcome(
        onNth(n, (bytes) => {
          length = bytes.length;
          const changed = bytes.slice();
          changed[at] ^= 1 << (at % 8);
          return [{ delay: 1, bytes: changed }];
        }),
      );
      if (text !== null) t.fail(`message ${n + 1}, byte ${at}: ${text}`);
    }
    t.pass(`message ${n + 1}: all ${length} bytes`);
  }
});

t.test('cut short: likewise', async (t) => {
  for (let n = 0; n < 3; n++) {
    for (const length of [0, 27, 28, 29, 36, 44, 60]) {
      const { text } = outcome(onNth(n, (bytes) => [{ delay: 1, bytes: bytes.slice(0, length) }]));
      t.equal(text, null, `message ${n + 1} cut to ${length} bytes`);
    }
  }
});

t.test('a third of everything lost, doubled or late, for a day of replacements', async (t) => {
  for (const seed of ['1', '2', '3']) {
    const random = seededRandom(seed);
    const { a, b, wire } = twoGateways({ lifetimeSeconds: 900 }, { lifetimeSeconds: 900 });
    wire.fault = ({ bytes }) => {
      const [dice, delay] = random(2);
      if (dice < 40) return [];
      return dice < 80 ? [delay, 3 * delay].map((ms) => ({ delay: 1 + ms, bytes })) : [{ delay: 1 + (dice < 120 ? 10 * delay : 0), bytes }];
    };
    for (let hour = 0; hour < 24; hour++) {
      for (let n = 0; n < 60; n++) {
        wire.demand(a);
        wire.run(60_000);
        // What both hold is the same; what one alone holds it does not send under, or deletes in time.
        for (const pair of a.pairs) {
          const other = b.pairs.find(({ inboundSpi }) => inboundSpi === pair.outboundSpi);
          const wrong = other && pair.established && other.established ? mismatch(pair, other) : null;
          if (wrong) t.fail(`seed ${seed}, hour ${hour}: ${wrong}`);
        }
        if (a.pairs.length > 4 || b.pairs.length > 4) t.fail(`seed ${seed}: ${a.pairs.length} and ${b.pairs.length} pairs`);
      }
    }
    t.ok(a.count('ipsec_rekeys') + b.count('ipsec_rekeys') >= 50, `seed ${seed}: replaced all day`);
    wire.fault = ({ bytes }) => [{ delay: 1, bytes }];
    wire.run(1_800_000);
    wire.demand(a);
    wire.run(60_000);
    t.equal(mismatch(a.pairs.at(-1), b.pairs.at(-1)), null, `seed ${seed}: and well at the end`);
  }
});
