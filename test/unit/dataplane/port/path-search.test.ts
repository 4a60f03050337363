// Messages of path MTU discovery without ICMP: what is taken, to whom it goes, and what is refused before it gets anywhere.
import t from 'tap';
import { PathMtuShape, PathMtus } from '../../../../dataplane/mem/path-mtus.js';
import { readPathSearch, takePathSearch } from '../../../../dataplane/port/path-search.js';
import { ShapeError } from '../../../../dataplane/port/shape.js';

const probe = { type: 'mtu-probe', port: 1, group: 0, destination: 0x0a000201, peerPort: 0, size: 1400, nonce: [1, -2] };
const found = { type: 'mtu-found', destination: 0xac100202, mtu: 1400, seconds: 900 };

t.test('good ones', async (t) => {
  const sent: unknown[] = [];
  const pathMtus = new PathMtus(new Int32Array(PathMtuShape.Words));
  const workers = { send: (worker: number, message: unknown) => sent.push([worker, message]) };
  for (const message of [probe, { ...probe, group: null, peerPort: 4500 }, found]) {
    t.strictSame(readPathSearch(message), message);
    takePathSearch(readPathSearch(message), workers, pathMtus, 100);
  }
  const { type: _, ...rest } = probe;
  t.match(sent, [
    [0, { kind: 'mtu-probe', ...rest }],
    [0, { kind: 'mtu-probe', group: null, peerPort: 4500 }],
  ]);
  t.equal(sent.length, 2);
  t.match(pathMtus.list(101), [{ destination: 0xac100202, port: null, mtu: 1400, router: 0, remainingSeconds: 899, usedAgoSeconds: null }]);
  t.equal(pathMtus.mtuTo(0xac100202 | 0, 105), 1400);
  t.match(pathMtus.list(107), [{ usedAgoSeconds: 2 }]);
});

t.test('bad ones', async (t) => {
  for (const change of [
    { port: 16 },
    { port: -1 },
    { group: -1 },
    { group: 1.5 },
    { destination: 0 },
    { destination: 2 ** 32 },
    { peerPort: 65536 },
    { size: 67 },
    { size: 65536 },
    { nonce: 5 },
    { nonce: [1, 2, 3] },
    { nonce: [1, 2 ** 31] },
    { nonce: ['1', '2'] },
  ])
    t.throws(() => readPathSearch({ ...probe, ...change }), ShapeError, JSON.stringify(change));
  for (const change of [{ mtu: 67 }, { mtu: 65536 }, { seconds: 0 }, { destination: -1 }])
    t.throws(() => readPathSearch({ ...found, ...change }), ShapeError, JSON.stringify(change));
  for (const message of [null, 7, 'mtu-found', []]) t.throws(() => readPathSearch(message), ShapeError);
});
