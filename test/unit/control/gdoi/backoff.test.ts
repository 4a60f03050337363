// Back-off over several key servers: the next one after a second, a new round after 1, 2, 4 .. 60 s, all give or take a quarter.

import fc from 'fast-check';
import t from 'tap';
import { Backoff } from '../../../../control/gdoi/backoff.js';

const high = (length: number): Uint8Array => new Uint8Array(length).fill(255);
const low = (length: number): Uint8Array => new Uint8Array(length);

t.test('rounds over three key servers', async (t) => {
  const backoff = new Backoff();
  const servers = ['a', 'b', 'c'];
  const waits: [string | null, number][] = [];
  for (let n = 0; n < 9; n++) waits.push([backoff.choose(servers), Math.round(backoff.failed(3, high) / 1.25 / 100) / 10]);
  t.same(waits, [
    ['a', 1],
    ['b', 1],
    ['c', 1],
    ['a', 1],
    ['b', 1],
    ['c', 2],
    ['a', 1],
    ['b', 1],
    ['c', 4],
  ]);
  backoff.succeeded();
  backoff.restart();
  t.equal(backoff.choose(servers), 'a', 'a new registration begins with the first');
  t.equal(backoff.failed(1, low), 750);
});

t.test('never below three quarters of a second, never above 75 s', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), fc.nat(255), fc.nat(200), (servers, byte, failures) => {
      const backoff = new Backoff();
      for (let n = 0; n < failures; n++) {
        const wait = backoff.failed(servers, (length) => new Uint8Array(length).fill(byte));
        if (wait < 750 || wait > 75_000) throw new Error(`waits ${wait} ms`);
      }
    }),
  );
});
