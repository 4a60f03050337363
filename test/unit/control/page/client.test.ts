// The browser's code, as far as it needs no browser: rates between events, their history, where routers are drawn, numbers in words.

import fc from 'fast-check';
import t from 'tap';
import { formatDuration, formatSi } from '../../../../control/page/client/format.js';
import { Card, layOut } from '../../../../control/page/client/layout.js';
import { History, ratesBetween } from '../../../../control/page/client/series.js';
import type { PageGroup, PageNode, PageState } from '../../../../control/page/state.js';

function stateAt(seconds: number, counts: Partial<PageState> = {}, bytes = 0): PageState {
  const port = {
    name: 'eth0',
    up: true,
    isProtected: true,
    receivedPackets: bytes / 100,
    receivedBytes: bytes,
    sentPackets: 0,
    sentBytes: 0,
  };
  return {
    takenAt: 1_700_000_000_000 + seconds * 1000,
    hostname: 'R1',
    instance: 'r1',
    version: '0',
    uptimeSeconds: seconds,
    dataplaneUp: true,
    groups: [],
    sas: [],
    saCount: 0,
    interfaces: [port],
    sealedPackets: 0,
    openedPackets: 0,
    drops: [],
    droppedPackets: 0,
    queuedPackets: 0,
    queues: [],
    natSessions: 0,
    ...counts,
  };
}

t.test('rates by the time that passed, and none where a counter was set back', async (t) => {
  const rates = ratesBetween(
    stateAt(10, { sealedPackets: 5, droppedPackets: 8 }, 1000),
    stateAt(12, { sealedPackets: 105, droppedPackets: 7 }, 3000),
  );
  t.strictSame(rates.interfaces.get('eth0'), { receivedBps: 8000, sentBps: 0, receivedPps: 10, sentPps: 0 });
  t.strictSame([rates.sealedPps, rates.openedPps, rates.drops], [50, 0, null]);
  t.equal(ratesBetween(stateAt(1, { interfaces: [] }), stateAt(2)).interfaces.size, 0, 'a new interface has no rate yet');
});

t.test('history: five minutes, begun anew with another clock or another router', async (t) => {
  const history = new History();
  for (let second = 0; second <= 400; second++) history.add(stateAt(second, {}, second * 1000));
  t.equal(history.samples.length, 300);
  const [times, received] = history.columns(({ interfaces }) => interfaces.get('eth0')?.receivedBps);
  t.strictSame([times.length, received.length, new Set(received)], [300, 300, new Set([8000])]);
  history.add(stateAt(400));
  t.equal(history.samples.length, 300, 'the same moment twice is no sample');
  history.add(stateAt(100));
  t.equal(history.samples.length, 0);
  history.add(stateAt(101));
  history.add({ ...stateAt(102), hostname: 'R2' });
  t.equal(history.samples.length, 0);
});

t.test('no two routers are drawn over each other, whatever the width', async () => {
  const node = (n: number): PageNode => ({ name: `r${n}`, address: '', health: 'good', state: '', isSelf: false });
  const nodes = (most: number) => fc.integer({ min: 0, max: most }).map((count) => Array.from({ length: count }, (_, n) => node(n)));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2000 }), nodes(8), nodes(48), (width, servers, members) => {
      const group: PageGroup = { name: 'G', identity: '1', role: 'member', servers, members, memberCount: members.length };
      const { servers: above, members: below, height, bandY } = layOut(group, width);
      const cards = [...above, ...below];
      for (const [index, a] of cards.entries()) {
        if (a.y + Card.height > height) throw new Error('below the drawing');
        if (width >= Card.width && (a.x < 0 || a.x + Card.width > width)) throw new Error(`outside of ${width}`);
        for (const b of cards.slice(index + 1))
          if (Math.abs(a.x - b.x) < Card.width && Math.abs(a.y - b.y) < Card.height) throw new Error('over each other');
      }
      if (above.some(({ y }) => y + Card.height > bandY) || below.some(({ y }) => y <= bandY))
        throw new Error('on the wrong side of the group');
    }),
  );
});

t.test('numbers in words', async (t) => {
  for (const [seconds, words] of [
    [0, '0s'],
    [-5, '0s'],
    [59.9, '59s'],
    [3600, '1h 0m'],
    [90_061, '1d 1h'],
  ] as const)
    t.equal(formatDuration(seconds), words);
  for (const [value, words] of [
    [0, '0'],
    [0.25, '0.25'],
    [12, '12'],
    [12.34, '12.3'],
    [999.9, '1.0 k'],
    [1234, '1.2 k'],
    [25_000_000, '25 M'],
    [-2500, '-2.5 k'],
    [3e15, '3000 T'],
  ] as const)
    t.equal(formatSi(value), words);
});
