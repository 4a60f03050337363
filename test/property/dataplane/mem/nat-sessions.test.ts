// NAT sessions against two maps: whatever comes in whatever order, a row is found from both sides, and no two have a key in common.

import fc from 'fast-check';
import t from 'tap';
import { findGlobalPort } from '../../../../dataplane/mem/nat-ports.js';
import { NatSessions, NatShape } from '../../../../dataplane/mem/nat-sessions.js';
import { NatRow } from '../../../../dataplane/tables/layout.js';

const global = 0x0a0a0a0a;
/** Few values, so that flows meet. */
const flow = fc.record({
  protocol: fc.constantFrom(6, 17),
  inside: fc.constantFrom(1, 2, -3),
  insidePort: fc.constantFrom(80, 600, 5000, 5001, 65535),
  outside: fc.constantFrom(9, -9),
  outsidePort: fc.constantFrom(0, 53, 65535),
});
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('use' as const), flow }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), place: fc.nat(63) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
);
const limits = Int32Array.of(30);

interface Known {
  row: number;
  globalPort: number;
  used: number;
}

t.test('a table of rows is two maps', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(8, 64), fc.array(action, { maxLength: 200, size: 'max' }), (capacity, actions) => {
      const sessions = new NatSessions(capacity);
      const known = new Map<string, Known>();
      let now = 100;
      for (const step of actions) {
        if (step.kind === 'wait') now += step.seconds;
        if (step.kind === 'remove') {
          const key = [...known.keys()][step.place];
          if (key === undefined) continue;
          sessions.remove((known.get(key) as Known).row);
          known.delete(key);
        }
        if (step.kind === 'sweep') {
          const over = [...known].filter(([, { used }]) => now - used >= limits[0]);
          if (sessions.sweep(limits, now, 64, 64) !== over.length) return false;
          for (const [key] of over) known.delete(key);
        }
        if (step.kind === 'use') {
          const { protocol, inside, insidePort, outside, outsidePort } = step.flow;
          const key = JSON.stringify([protocol, inside, insidePort, outside, outsidePort]);
          const row = sessions.findInside(protocol, inside, (insidePort << 16) | outsidePort, outside);
          const expected = known.get(key);
          if (row !== (expected?.row ?? NatShape.None)) return false;
          if (expected) {
            sessions.rows[row * NatRow.Words + NatRow.Used] = now;
            expected.used = now;
            if (sessions.findOutside(protocol, global, (expected.globalPort << 16) | outsidePort, outside) !== row) return false;
            continue;
          }
          const globalPort = findGlobalPort(sessions, protocol, global, insidePort, outside, outsidePort, 1, 0, 100);
          if (globalPort === 0) return false;
          const added = sessions.add(protocol, inside, insidePort, global, globalPort, outside, outsidePort, 0, now);
          if (added < 0 !== (known.size === capacity)) return false;
          if (added >= 0) known.set(key, { row: added, globalPort, used: now });
        }
        if (sessions.length !== known.size) return false;
      }
      const tuples = [...known].map(([key, { globalPort }]) => {
        const [protocol, , , outside, outsidePort] = JSON.parse(key);
        return `${protocol} ${globalPort} ${outside} ${outsidePort}`;
      });
      return new Set(tuples).size === tuples.length;
    }),
    { numRuns: 400 },
  );
  t.end();
});

t.test('ports: kept where they can be, in their range, in the share of a worker, until none is left', (t) => {
  const sessions = new NatSessions(1024);
  const take = (wanted: number, step = 1, offset = 0, tries = 65536) => {
    const port = findGlobalPort(sessions, 17, global, wanted, 9, 53, step, offset, tries);
    if (port > 0) sessions.add(17, wanted, 4000, global, port, 9, 53, 0, 0);
    return port;
  };
  t.equal(take(5000), 5000);
  const other = take(5000);
  t.ok(other >= 1024 && other <= 65535 && other !== 5000, `${other}`);
  t.equal(findGlobalPort(sessions, 17, global, 5000, 8, 53, 1, 0, 1), 5000, 'one port serves many destinations');
  t.equal(findGlobalPort(sessions, 6, global, 5000, 9, 53, 1, 0, 1), 5000, 'and protocols');
  for (const offset of [0, 1, 2]) t.equal(take(5003, 3, offset) % 3, offset);
  const low = Array.from({ length: 511 }, () => take(80));
  t.equal(new Set(low).size, 511, 'all ports of 1..511, each once');
  t.ok(Math.max(...low) === 511 && Math.min(...low) === 1);
  t.equal(take(80), 0, 'no more');
  t.equal(take(600), 600, 'the range above is another');
  t.end();
});

t.test('a row that was given back is another session afterwards', (t) => {
  const sessions = new NatSessions(2);
  const row = sessions.add(6, 1, 1, 2, 2, 3, 3, 0, 0);
  const serial = sessions.rows[row * NatRow.Words + NatRow.Serial];
  sessions.remove(row);
  t.equal(sessions.add(6, 1, 1, 2, 2, 3, 3, 0, 0), row);
  t.not(sessions.rows[row * NatRow.Words + NatRow.Serial], serial);
  sessions.clear();
  t.equal(sessions.length, 0);
  t.equal(sessions.findInside(6, 1, (1 << 16) | 3, 3), NatShape.None);
  t.end();
});

/** Few ports and addresses, as one side sees them, so that keys differ in one part. */
const sideKey = fc.record({
  inside: fc.nat(3),
  insidePort: fc.constantFrom(80, 5000),
  peer: fc.nat(3),
  peerPort: fc.constantFrom(0, 53),
});

t.test('a guess is a help, never an answer: with any number in its place the same row is found, and whoever is there is guessed', (t) => {
  const keys = fc.array(sideKey, { minLength: 1, maxLength: 40 });
  for (const side of ['inside', 'outside'] as const)
    fc.assert(
      fc.property(keys, fc.array(fc.nat(64), { minLength: 40, maxLength: 40 }), (flows, random) => {
        const sessions = new NatSessions(64);
        const find = side === 'inside' ? sessions.findInside.bind(sessions) : sessions.findOutside.bind(sessions);
        const guesses = new Int32Array(64);
        const rowOf = new Map<string, number>();
        flows.forEach(({ inside, insidePort, peer, peerPort }, i) => {
          const ports = (insidePort << 16) | peerPort;
          const name = `${inside} ${ports} ${peer}`;
          // The other side's key is another, and would be that of another flow on this side (`ip nat outside source`, static translations).
          const [near, far] = [(inside + 1) % 4, (peer + 1) % 4];
          const other = 2000 + i;
          if (i % 2 === 0 && !rowOf.has(name))
            rowOf.set(
              name,
              side === 'inside'
                ? sessions.addFull(17, inside, insidePort, peer, peerPort, near, other, far, peerPort, 0, 0)
                : sessions.addFull(17, near, other, far, peerPort, inside, insidePort, peer, peerPort, 0, 0),
            );
          guesses[i] = sessions[side].hash(17, inside, ports, peer);
        });
        sessions[side].guess(guesses, flows.length);
        return flows.every(({ inside, insidePort, peer, peerPort }, i) => {
          const ports = (insidePort << 16) | peerPort;
          const row = rowOf.get(`${inside} ${ports} ${peer}`) ?? NatShape.None;
          if (row >= 0 && guesses[i] === 0) return false;
          return [guesses[i], random[i], 0].every((guess) => find(17, inside, ports, peer, guess) === row);
        });
      }),
      { numRuns: 500 },
    );
  t.end();
});
