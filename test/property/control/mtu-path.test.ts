// The MTU doctor against paths of any MTUs, with ICMP or without: what it finds is the smallest of them, and the hop in front of that link.

import fc from 'fast-check';
import t from 'tap';
import type { PathEvent } from '../../../control/api/probe-events.js';
import { formatIpv4 } from '../../../control/config/addresses.js';
import { mtuPathPlan } from '../../../control/probe/mtu-path.js';
import { answerOf, destination, type PathNode, runPlan } from '../../exchange/control/probe/network.js';

const command = { kind: 'mtu path', target: destination, source: null, detail: false, pipe: null } as const;
const Start = 1500;
const Emsgsize = 90;

function find(nodes: PathNode[], localMtu: number): PathEvent {
  const none = () => ({ list: [], encryptedBy: null });
  const { events } = runPlan(mtuPathPlan(command, Start, none), (ttl, body) =>
    body.length + 20 > localMtu ? { errno: Emsgsize } : answerOf(nodes, 1, ttl, body),
  );
  if (events.length !== 1) throw new Error(`${events.length} reports`);
  return events[0] as PathEvent;
}

const mtu = fc.integer({ min: 100, max: 1600 });
const hop = fc.record({ mtu, tells: fc.boolean(), answersTtl: fc.constant(true) });
const hops = fc.array(hop, { maxLength: 6 }).map((list) => list.map((node, i): PathNode => ({ ...node, address: 0x0a010000 + i })));

t.test('the smallest MTU, to the byte', async (t) => {
  fc.assert(
    fc.property(hops, fc.integer({ min: 576, max: 1500 }), (nodes, localMtu) => {
      const expected = Math.min(Start, localMtu, ...nodes.map((node) => node.mtu));
      const found = find(nodes, localMtu);
      if (found.pathMtu !== expected) throw new Error(`${found.pathMtu}, not ${expected}`);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('the hop in front of the link, and whether ICMP came', async (t) => {
  fc.assert(
    fc.property(hops, fc.nat(), fc.integer({ min: 100, max: 1499 }), fc.boolean(), (others, place, least, tells) => {
      const wide = others.map((node) => ({ ...node, mtu: 1500 }));
      const at = place % (wide.length + 1);
      const nodes = [...wide.slice(0, at), { address: 0x0a020000, mtu: least, tells, answersTtl: true }, ...wide.slice(at)];
      const found = find(nodes, 1500);
      const place0 = { ttl: at + 1, address: formatIpv4(0x0a020000) };
      if (JSON.stringify(found.shrinksBehind) !== JSON.stringify(place0)) throw new Error(JSON.stringify(found));
      if (found.icmp !== (tells ? 'heard' : 'blocked')) throw new Error(`ICMP ${found.icmp}`);
    }),
    { numRuns: 200 },
  );
  t.pass();
});

t.test('nobody answers', async (t) => {
  const { pathMtu, hops } = find([{ address: 1, mtu: 99, tells: false, answersTtl: false }], 1500);
  t.same([pathMtu, hops], [null, []]);
});

t.test('a wide path: nothing shrinks', async (t) => {
  t.match(find([{ address: 1, mtu: 1500, tells: true, answersTtl: true }], 1500), { pathMtu: 1500, icmp: null, shrinksBehind: null });
});
