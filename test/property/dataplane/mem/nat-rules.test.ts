// NAT by any mix of statements, on the whole path: translation there and back is the identity, and whatever comes in whatever order, no two sessions
// have a tuple in common on either side.

import fc from 'fast-check';
import t from 'tap';
import type { NatSessions } from '../../../../dataplane/mem/nat-sessions.js';
import { NatRow } from '../../../../dataplane/tables/layout.js';
import { datagram, icmp, segment } from '../../../path/nat/flows.js';
import { routerOf } from '../../../path/nat-rules/configured.js';
import type { Router } from '../../../path/router.js';

/** Each can stand beside each other one; those that take the same hosts are tried in this order. */
const statements = [
  'ip nat inside source static 10.0.1.10 172.16.1.50',
  'ip nat inside source static tcp 10.0.1.11 80 interface eth1 8080',
  'ip nat inside source static udp 10.0.1.11 53 172.16.1.51 5353',
  'ip nat inside source static network 10.0.2.0 172.16.2.0 /24',
  'ip nat inside source static 10.0.1.12 172.16.1.52 route-map TO7',
  'ip nat inside source list ONE pool LENT',
  'ip nat inside source list TWO pool SHARED overload',
  'ip nat inside source route-map ALL interface eth1 overload',
  'ip nat inside destination list VIP pool SERVERS',
  'ip nat outside source static 198.51.100.7 192.168.9.7',
  'ip nat outside source static tcp 198.51.100.8 80 192.168.9.8 8000',
  'ip nat outside source list FAR pool LOCALS',
];
const lists = `ip access-list standard ONE
 permit 10.0.1.8 0.0.0.7
ip access-list standard TWO
 permit 10.0.1.16 0.0.0.7
ip access-list standard FAR
 permit 198.51.100.9
ip access-list extended TO7
 permit ip any host 198.51.100.7
ip access-list extended VIP
 permit tcp any host 172.16.1.100
route-map TO7 permit 10
 match ip address TO7
route-map ALL permit 10
ip nat pool LENT 172.16.1.60 172.16.1.61 prefix-length 24
ip nat pool SHARED 172.16.1.70 172.16.1.71 prefix-length 24
ip nat pool SERVERS 10.0.1.21 10.0.1.22 prefix-length 24 type rotary
ip nat pool LOCALS 192.168.9.20 192.168.9.21 prefix-length 24
`;

const routes = [
  { prefix: '0.0.0.0/0', port: 1, via: '172.16.1.1' },
  { prefix: '172.16.0.0/16', port: 1 },
  { prefix: '10.0.0.0/16', port: 0 },
];

/** Few values, so that flows meet. */
const inside = fc.constantFrom('10.0.1.10', '10.0.1.11', '10.0.1.12', '10.0.1.13', '10.0.1.17', '10.0.1.30', '10.0.2.5');
const far = fc.constantFrom('198.51.100.7', '198.51.100.8', '198.51.100.9', '192.168.9.7', '192.168.9.8', '192.168.9.20');
const outsideHost = fc.constantFrom('198.51.100.7', '198.51.100.8', '198.51.100.9', '198.51.100.10');
const near = fc.constantFrom(
  '172.16.1.2',
  '172.16.1.50',
  '172.16.1.51',
  '172.16.1.52',
  '172.16.1.60',
  '172.16.1.70',
  '172.16.1.100',
  '172.16.2.5',
  '10.0.1.30',
);
const port = fc.constantFrom(53, 80, 5353, 8000, 8080);
const protocol = fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const);
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('out' as const), protocol, from: inside, to: far, fromPort: port, toPort: port }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('in' as const), protocol, from: outsideHost, to: near, fromPort: port, toPort: port }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(10, 61, 400) }) },
);

interface Flow {
  protocol: 'tcp' | 'udp' | 'icmp';
  from: string;
  to: string;
  fromPort: number;
  toPort: number;
}

function packetOf({ protocol: kind, from, to, fromPort, toPort }: Flow, isReply: boolean): Uint8Array {
  if (kind === 'tcp') return segment(from, to, fromPort, toPort, isReply ? 0x12 : 2);
  if (kind === 'udp') return datagram(from, to, fromPort, toPort);
  return icmp(from, to, isReply ? 0 : 8, 0, fromPort * 65536 + 1, Uint8Array.of(1, 2));
}

function flowOf(packet: Uint8Array): Flow {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const dotted = (at: number): string => packet.subarray(at, at + 4).join('.');
  const kind = packet[9] === 6 ? 'tcp' : packet[9] === 17 ? 'udp' : 'icmp';
  const id = view.getUint16(24);
  return {
    protocol: kind,
    from: dotted(12),
    to: dotted(16),
    fromPort: kind === 'icmp' ? id : view.getUint16(20),
    toPort: kind === 'icmp' ? id : view.getUint16(22),
  };
}

function reversed({ protocol: kind, from, to, fromPort, toPort }: Flow): Flow {
  return { protocol: kind, from: to, to: from, fromPort: toPort, toPort: fromPort };
}

/** ICMP queries have one identifier. */
function normal(flow: Flow): Flow {
  return flow.protocol === 'icmp' ? { ...flow, toPort: flow.fromPort } : flow;
}

/** As on IOS: what answers by `ip nat outside source` comes from the local address, so an inside host that asks the global one does not know it. */
function asksTranslatedHost(chosen: readonly string[], { to, toPort }: Flow): boolean {
  const isChosen = (words: string): boolean => chosen.some((line) => line.startsWith(words));
  return (
    (to === '198.51.100.7' && isChosen('ip nat outside source static 198')) ||
    (to === '198.51.100.8' && toPort === 80 && isChosen('ip nat outside source static tcp')) ||
    (to === '198.51.100.9' && isChosen('ip nat outside source list'))
  );
}

/** @returns whether a key of either side is in two rows */
function sharesTuple({ rows, used }: NatSessions): boolean {
  const seen = new Set<string>();
  for (let at = 0; at < used * NatRow.Words; at += NatRow.Words) {
    const kind = rows[at + NatRow.Protocol];
    if (kind === 0) continue;
    const outside = `o ${kind} ${rows[at + NatRow.GlobalAddress]} ${rows[at + NatRow.OutsidePorts]} ${rows[at + NatRow.OutsideAddress]}`;
    const within = `i ${kind} ${rows[at + NatRow.InsideAddress]} ${rows[at + NatRow.InsidePorts]} ${rows[at + NatRow.OutsideLocal]}`;
    if (seen.has(outside) || seen.has(within)) return true;
    seen.add(outside).add(within);
  }
  return false;
}

/** What goes through comes back as the answer to what was sent. @returns null = fine */
function tryFlow(router: Router, flow: Flow, port0: 0 | 1): string | null {
  const port1 = port0 === 0 ? 1 : 0;
  const [out] = router.forward(port0, packetOf(flow, false))[port1];
  if (out === undefined) return null;
  const seen = flowOf(out);
  const [back] = router.forward(port1, packetOf(reversed(seen), true))[port0];
  const answer = back && flowOf(back);
  const wanted = normal(reversed(flow));
  return JSON.stringify(answer) === JSON.stringify(wanted)
    ? null
    : `${JSON.stringify(flow)} became ${JSON.stringify(seen)}, its answer ${JSON.stringify(answer)}`;
}

t.test('there and back, and no tuple twice', (t) => {
  let translated = 0;
  fc.assert(
    fc.property(
      fc.subarray(statements, { minLength: 1 }),
      fc.array(action, { minLength: 5, maxLength: 60, size: 'max' }),
      (chosen, actions) => {
        const router = routerOf(`${lists}${chosen.join('\n')}\n`, { routes });
        for (const step of actions) {
          if (step.kind === 'wait') {
            router.nowMs += step.seconds * 1000;
            router.pass();
            continue;
          }
          if (step.kind === 'out' && asksTranslatedHost(chosen, step)) continue;
          // Untranslated on its way in, its answer would be translated on its way out.
          if (step.kind === 'in' && step.to === '10.0.1.30' && chosen.some((line) => line.includes('ALL'))) continue;
          const wrong = tryFlow(router, normal(step), step.kind === 'out' ? 0 : 1);
          if (wrong) throw new Error(wrong);
          if (sharesTuple(router.env.nat.sessions)) throw new Error('a tuple is in two sessions');
        }
        translated += router.counters()['nat.sessions_created'] ?? 0;
        const imbalance = router.imbalance();
        if (imbalance) throw new Error(imbalance);
        router.env.nat.sessions.clear();
        return router.env.natBegin.globals.length === 0 && router.env.natBegin.locals.length === 0;
      },
    ),
    { numRuns: 60 },
  );
  t.ok(translated > 100, `${translated} sessions`);
  t.end();
});
