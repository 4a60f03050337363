// The small parts: which key, when to repeat, how often to log.

import t from 'tap';
import { LogLimit } from '../../../../control/isakmp/log-limit.js';
import { findPreSharedKey } from '../../../../control/isakmp/pre-shared-keys.js';
import { Retransmission } from '../../../../control/isakmp/retransmission.js';

const text = (key: Uint8Array | null): string | null => key && new TextDecoder().decode(key);

t.test('longest mask wins', async (t) => {
  const keys = [
    { line: 1, key: 'any', address: 0, mask: 0 },
    { line: 2, key: 'host', address: 0xc0a80005, mask: 0xffffffff },
    { line: 3, key: 'net', address: 0xc0a80000, mask: 0xffff0000 },
  ];
  t.equal(text(findPreSharedKey(keys, 0xc0a80005)), 'host', 'host');
  t.equal(text(findPreSharedKey(keys, 0xc0a80006)), 'net', 'network');
  t.equal(text(findPreSharedKey(keys, 0x0a000001)), 'any', 'any');
  t.equal(text(findPreSharedKey([keys[2], keys[1], keys[0]], 0xc0a80005)), 'host', 'in any order');
  t.equal(findPreSharedKey(keys.slice(1), 0x0a000001), null, 'none');
});

t.test('repetitions back off, then end', async (t) => {
  for (const byte of [0, 128, 255]) {
    const timer = new Retransmission(() => new Uint8Array([byte]), 0);
    const gaps: number[] = [timer.due];
    for (let now = timer.due; timer.again(now); now = timer.due) gaps.push(timer.due - now);
    t.equal(gaps.length, 5, 'five sendings');
    gaps.forEach((gap, i) => {
      t.ok(gap >= 750 * 2 ** i && gap <= 1250 * 2 ** i, `gap ${i} is ${gap} ms: ${2 ** i} s give or take a quarter`);
    });
  }
});

t.test('logs are limited per mnemonic and say what was left out', async (t) => {
  const limit = new LogLimit();
  const lines = (now: number, mnemonic = 'A'): number => limit.log(4, mnemonic, 'text', now).length;
  t.equal(
    Array.from({ length: 100 }, () => lines(0)).reduce((a, b) => a + b),
    5,
    'a burst of five',
  );
  t.equal(lines(0, 'B'), 1, 'another mnemonic has its own');
  t.match(limit.log(4, 'A', 'text', 10_000), [{ text: 'text (95 more like this not logged)' }], 'then one per interval');
  t.equal(lines(5000), 0, 'a clock set back gives nothing');
  t.equal(lines(15_000), 1, 'and does not silence the log for good');
});
