// packet-tracer against the pipeline: for random tables and packets the trace says where the packet goes, as what, or why it does not; and it
// changes nothing. The trace is asked first, so it foresees sessions, sequence numbers and ICMP errors.

import fc from 'fast-check';
import t from 'tap';
import { dropsByReason } from '../../../dataplane/counters/drops.js';
import { HopKind, NatSide } from '../../../dataplane/mem/shared.js';
import { runs } from '../../support/runs.js';
import { icmp } from '../nat/flows.js';
import { ipv4, udp } from '../packets.js';
import { type AceSpec, Router, type TablesSpec } from '../router.js';
import { publish, sentPackets, tracedPackets, traceWith } from './tracing.js';

const hosts = ['10.0.0.10', '10.0.1.10', '10.1.0.10', '198.51.100.7', '203.0.113.9', '172.16.1.2', '10.0.1.1'];
const prefixes = ['any', '10.0.0.0/16', '10.0.1.0/24', '10.1.0.0/16', '198.51.100.0/24', '198.51.100.7/32'];

const ace: fc.Arbitrary<AceSpec> = fc.record(
  {
    action: fc.constantFrom('permit', 'deny'),
    protocol: fc.constantFrom(1, 6, 17),
    src: fc.constantFrom(...prefixes),
    dst: fc.constantFrom(...prefixes),
    dport: fc.constant<[number, number]>([50, 60]),
  },
  { requiredKeys: ['action', 'src', 'dst'] },
);
const someHops = fc.array(fc.nat({ max: 3 }), { maxLength: 2 });
const policy = fc.record({
  permit: fc.constantFrom(true, true, false),
  goesOn: fc.boolean(),
  acls: fc.array(fc.nat({ max: 2 }), { maxLength: 2 }),
  nextHops: someHops,
  interfaces: someHops,
  defaults: someHops,
  tos: fc.constantFrom<[number, number]>([255, 0], [3, 184], [31, 160]),
  df: fc.constantFrom(-1, 0, 1),
});
const side = fc.constantFrom(NatSide.None, NatSide.Inside, NatSide.Outside);
const tables: fc.Arbitrary<TablesSpec> = fc
  .record({
    acls: fc.array(fc.array(ace, { minLength: 1, maxLength: 9 }), { minLength: 3, maxLength: 3 }),
    mtu: fc.constantFrom(1500, 300),
    up: fc.boolean(),
    sides: fc.oneof(
      { weight: 3, arbitrary: fc.constant([NatSide.Inside, NatSide.Outside, NatSide.None] as const) },
      { weight: 1, arbitrary: fc.tuple(side, side, side) },
    ),
    hasSa: fc.boolean(),
    registered: fc.boolean(),
    nat: fc.array(fc.record({ permit: fc.boolean(), acl: fc.constantFrom(0, 1, null) }), { minLength: 1, maxLength: 3 }),
    defaultRoute: fc.constantFrom(true, true, false),
    natSessions: fc.constantFrom(2, 1000),
    policies: fc.array(policy, { maxLength: 3 }),
  })
  .map(({ acls, mtu, up, sides, hasSa, registered, nat, defaultRoute, natSessions, policies }) => ({
    ports: [
      { address: '10.0.1.1', nat: sides[0] },
      { address: '172.16.1.2', nat: sides[1], mtu },
      { address: '172.16.2.2', nat: sides[2], up },
    ],
    acls,
    entries: [{ port: 1, acl: 0, sa: hasSa ? 0 : -1, registered }],
    sas: [hasSa ? { spi: 0x7001, transform: 'gcm-256', sids: [1] } : null],
    routes: [
      ...(defaultRoute ? [{ prefix: '0.0.0.0/0', port: 1, via: '172.16.1.1' }] : []),
      { prefix: '10.0.1.0/24', port: 0 },
      { prefix: '10.1.0.0/16', port: 2 },
      { prefix: '10.0.0.0/16', port: 1 },
    ],
    locals: ['10.0.1.1', '172.16.1.2', '172.16.2.2'],
    nat: nat.map(({ permit, acl }, rule) => ({ rule, permit, acl, globalPort: 1 })),
    natSessions,
    policies: policies.map((entry, row) => ({ ...entry, port: 0, next: entry.goesOn && row + 1 < policies.length ? row + 1 : -1 })),
    hops: [
      { kind: HopKind.NextHop, port: 2, address: '172.16.2.1' },
      { kind: HopKind.Interface, port: 1 },
      { kind: HopKind.Null, port: -1 },
      { kind: HopKind.NextHop, port: -1, address: '172.16.9.1' },
    ],
  }));

const packet = fc
  .record({
    port: fc.constantFrom(0, 0, 1, 2),
    src: fc.constantFrom(...hosts),
    dst: fc.constantFrom(...hosts, '198.51.100.7', '198.51.100.7'),
    what: fc.constantFrom('udp', 'tcp', 'echo', 'unreachable', 'esp', 'gre'),
    dport: fc.constantFrom(53, 80),
    size: fc.constantFrom(20, 400),
    df: fc.boolean(),
    tos: fc.constantFrom(0, 184),
  })
  .map(({ port, src, dst, what, dport, size, df, tos }) => {
    const common = { src, dst, df, tos };
    const segment = new Uint8Array(20 + size);
    segment.set([0x13, 0x88, 0, dport, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2]);
    const quoted = ipv4({ src: dst, dst: src, payload: udp(dport, 5000, 20) });
    const made = {
      udp: () => ipv4({ ...common, payload: udp(5000, dport, size) }),
      tcp: () => ipv4({ ...common, protocol: 6, payload: segment }),
      echo: () => icmp(src, dst, 8, 0, 0x10001, new Uint8Array(size)),
      unreachable: () => icmp(src, dst, 3, 1, 0, quoted),
      esp: () => ipv4({ ...common, protocol: 50, payload: new Uint8Array(80).fill(7) }),
      gre: () => ipv4({ ...common, protocol: 47, payload: new Uint8Array(size) }),
    };
    return { port, datagram: made[what]() };
  });

t.test('what the trace foresees is what happens', (t) => {
  let sent = 0;
  let dropped = 0;
  let translated = 0;
  fc.assert(
    fc.property(tables, fc.array(packet, { minLength: 1, maxLength: 12 }), (spec, packets) => {
      const router = new Router(spec);
      publish(router);
      for (const { port, datagram } of packets) {
        const before = JSON.stringify([
          router.counters(),
          [...router.env.counters.aceHits.subarray(0, 30)],
          router.env.nat.sessions.length,
        ]);
        const run = traceWith(router, spec, { port, datagram });
        const after = JSON.stringify([router.counters(), [...router.env.counters.aceHits.subarray(0, 30)], router.env.nat.sessions.length]);
        if (before !== after) throw new Error('the trace has changed something');
        const drops = dropsByReason(router.env.counters.drops);
        const outputs = router.forward(port, datagram.slice());
        dropsByReason(router.env.counters.drops).forEach((count, reason) => {
          if (count - drops[reason] !== run.drops[reason])
            throw new Error(`drop ${reason}: ${count - drops[reason]}, foreseen ${run.drops[reason]}`);
        });
        const [real, foreseen] = [sentPackets(outputs, spec), tracedPackets(run)];
        if (real.join('\n') !== foreseen.join('\n')) throw new Error(`left:\n${real.join('\n')}\nforeseen:\n${foreseen.join('\n')}`);
        const last = run.steps.at(-1);
        if (last === undefined) throw new Error('no step');
        if (last.outcome === 'drop') {
          dropped++;
          if (run.drops[last.reason] === 0) throw new Error(`the last step says drop ${last.reason}`);
        } else sent++;
        if (run.steps.some(({ session }) => session !== null)) translated++;
      }
      const wrong = router.imbalance();
      if (wrong !== null) throw new Error(wrong);
    }),
    { numRuns: runs(75) },
  );
  t.ok(sent > 50 && dropped > 50 && translated > 2, `all kinds were tried: ${sent} sent, ${dropped} dropped, ${translated} translated`);
  t.end();
});
