// Whatever comes in whatever order, seen from the wire: no two flows ever have one global tuple, what comes back reaches who asked, as it was asked, and
// every checksum is right; with one worker and with several. And a great many sessions: what each takes, what a pass does about those that are over.

import fc from 'fast-check';
import t from 'tap';
import { NatCount } from '../../../dataplane/counters/declare.js';
import { NatShape } from '../../../dataplane/mem/nat-sessions.js';
import { Sweep } from '../../../dataplane/path/97-nat-expire.js';
import { NatRow } from '../../../dataplane/tables/layout.js';
import { ip } from '../packets.js';
import { Router } from '../router.js';
import { Workers } from '../workers.js';
import { datagram, global, icmp, natTables, read, segment } from './flows.js';

interface Flow {
  protocol: 'udp' | 'tcp' | 'icmp';
  host: number;
  port: number;
  peer: number;
  peerPort: number;
}
/** Few values, so that flows meet. */
const flow: fc.Arbitrary<Flow> = fc.record({
  protocol: fc.constantFrom('udp', 'tcp', 'icmp'),
  host: fc.nat(3),
  port: fc.constantFrom(7, 500, 600, 1023, 1024, 5000, 65535),
  peer: fc.nat(1),
  peerPort: fc.constantFrom(80, 2000),
});
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('out' as const), flow, worker: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('back' as const), place: fc.nat(200), worker: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(40) }) },
);

/** Of a datagram: what tells its flow; an ICMP query has its identifier twice. */
function tupleOf(packet: Uint8Array): { src: number; dst: number; ports: [number, number] } {
  const { src, dst, ports } = read(t, packet);
  const id = new DataView(packet.buffer, packet.byteOffset).getUint16(24);
  return { src, dst, ports: packet[9] === 1 ? [id, id] : ports };
}

function send({ protocol, host, port, peer, peerPort }: Flow): Uint8Array {
  const [src, dst] = [`10.0.1.${10 + host}`, `198.51.100.${20 + peer}`];
  if (protocol === 'udp') return datagram(src, dst, port, peerPort);
  return protocol === 'tcp' ? segment(src, dst, port, peerPort, 2) : icmp(src, dst, 8, 0, port * 65536 + 1, Uint8Array.of(1, 2));
}

function answer({ protocol, peer, peerPort }: Flow, globalPort: number): Uint8Array {
  const src = `198.51.100.${20 + peer}`;
  if (protocol === 'udp') return datagram(src, global, peerPort, globalPort);
  return protocol === 'tcp'
    ? segment(src, global, peerPort, globalPort, 0x12)
    : icmp(src, global, 0, 0, globalPort * 65536 + 1, Uint8Array.of(1, 2));
}

for (const count of [1, 3]) {
  t.test(`flows never share a tuple, ${count} workers`, (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        // A minute and more of quiet ends any of these sessions but TCP's that was answered.
        const workers = new Workers(count, natTables({ natTimeouts: [60, 60, 60, 60, 60, 60, 60] }));
        const known = new Map<string, { flow: Flow; port: number; used: number }>();
        const byFlow = new Map<string, string>();
        let now = 0;
        for (const action of steps) {
          if (action.kind === 'wait') {
            now += action.seconds;
            for (const router of workers.all) router.nowMs += action.seconds * 1000;
            workers.run();
            for (const [tuple, { flow, used }] of known) {
              if (now - used < 60) continue;
              known.delete(tuple);
              byFlow.delete(JSON.stringify(flow));
            }
          } else if (action.kind === 'out') {
            const { flow } = action;
            workers.all[action.worker % count].inputs[0].push(send(flow));
            const out = workers.run().flat();
            if (out.length !== 1) throw new Error(`${out.length} left`);
            const { src, dst, ports } = tupleOf(out[0]);
            if (src !== ip(global)) throw new Error('not translated');
            // The other port of an ICMP query is not the peer's.
            const tuple = `${out[0][9]} ${ports[0]} ${dst} ${flow.protocol === 'icmp' ? '' : ports[1]}`;
            const key = JSON.stringify(flow.protocol === 'icmp' ? { ...flow, peerPort: 0 } : flow);
            const other = known.get(tuple);
            const before = byFlow.get(key);
            if (other && before !== tuple) throw new Error(`${tuple} is ${JSON.stringify(other.flow)}'s`);
            if (before !== undefined && before !== tuple) throw new Error(`${key} had ${before}, has ${tuple}`);
            known.set(tuple, { flow: JSON.parse(key), port: ports[0], used: now });
            byFlow.set(key, tuple);
          } else {
            const found = [...known.values()][action.place % Math.max(known.size, 1)];
            if (found === undefined) continue;
            workers.all[action.worker % count].inputs[1].push(answer(found.flow, found.port));
            const back = workers.run(0).flat();
            if (back.length !== 1) throw new Error(`the answer to ${JSON.stringify(found)} did not come`);
            const { dst, ports } = tupleOf(back[0]);
            if (dst !== ip(`10.0.1.${10 + found.flow.host}`) || ports[1] !== found.flow.port) throw new Error('it came to somebody else');
            if (found.flow.protocol === 'tcp') found.used = now; // what comes from outside keeps TCP alone
          }
        }
        return workers.imbalance() === null;
      }),
      { numRuns: count === 1 ? 60 : 25 },
    );
    t.end();
  });
}

t.test('a million sessions fit, in at most 160 bytes each', (t) => {
  const { sessions } = new Router(natTables()).env.nat;
  const bytes = sessions.memory.reduce((sum, words) => sum + words.byteLength, 0);
  t.ok(sessions.capacity >= 1_000_000);
  t.ok(bytes / sessions.capacity <= 160, `${bytes / sessions.capacity} bytes`);
  t.equal(NatShape.Capacity, sessions.capacity);
  t.end();
});

t.test('sessions that are over end little by little: no pass does more than it may, and all of them end', (t) => {
  const router = new Router(natTables());
  const { sessions } = router.env.nat;
  const count = 40_000;
  for (let i = 0; i < count; i++) sessions.add(17, i, 1, ip(global) | 0, 1, -i, 53, 0, 1);
  for (let i = 0; i < count; i++) sessions.rows[i * NatRow.Words + NatRow.State] = 1;
  router.nowMs += 1_000_000;
  const { nat } = router.env.counters;
  let passes = 0;
  for (let before = 0; sessions.length > 0; before = nat[NatCount.Expired]) {
    router.nowMs += 1000; // so long that more would be due
    router.pass();
    passes++;
    const ended = nat[NatCount.Expired] - before;
    t.ok(ended > 0 && ended <= Sweep.MostEnds, `${ended} in a pass`);
  }
  t.equal(nat[NatCount.Expired], count);
  t.ok(passes >= count / Sweep.MostEnds);
  t.end();
});

t.test('a full table: what is over makes room in the next passes, though no time goes by', (t) => {
  const router = new Router(natTables({ natSessions: 20_000 }));
  const { sessions } = router.env.nat;
  for (let i = 0; i < 20_000; i++) sessions.add(17, i, 1, ip(global) | 0, 1, -i, 53, 0, 1);
  for (let i = 0; i < 20_000; i++) sessions.rows[i * NatRow.Words + NatRow.State] = 1;
  router.nowMs += 400_000;
  let tries = 0;
  while (router.forward(0, datagram('10.0.1.10', '198.51.100.7', 5000, 53))[1].length === 0) tries++;
  t.ok(tries <= 3, `${tries} packets before there was room`);
  t.end();
});
