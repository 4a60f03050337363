// Quick Mode between two engines: what is agreed, by which choice, and what is refused.

import t from 'tap';
import type { DhGroup } from '../../../../control/config/model.js';
import type { Suite } from '../../../../control/ipsec/flow-policy.js';
import { address, aesSha, flows, Gateway, gcm, left, line, mismatch, right, twoGateways, Wire } from './two-gateways.js';

const suites: Suite[] = [
  aesSha,
  gcm,
  { encryption: 'esp-gcm-128', authentication: null, mode: 'tunnel' },
  { encryption: 'esp-aes-256', authentication: 'esp-sha256-hmac', mode: 'tunnel' },
  { encryption: 'esp-aes-192', authentication: 'esp-sha512-hmac', mode: 'tunnel' },
  { encryption: 'esp-des', authentication: 'esp-sha-hmac', mode: 'tunnel' },
  { encryption: 'esp-3des', authentication: 'esp-md5-hmac', mode: 'tunnel' },
  { encryption: 'esp-null', authentication: 'esp-sha384-hmac', mode: 'tunnel' },
];

t.test('every suite, with and without perfect forward secrecy, begun by either side', async (t) => {
  for (const suite of suites)
    for (const pfs of [null, 2, 14, 19] as (DhGroup | null)[])
      for (const first of [0, 1]) {
        const { a, b, wire } = twoGateways({ suites: [suite], pfs }, { suites: [suite], pfs });
        wire.demand([a, b][first]);
        wire.run(1000);
        const name = `${suite.encryption} ${suite.authentication} group ${pfs} by ${first}`;
        t.equal(mismatch(a.pairs[0], b.pairs[0]), null, name);
        t.match([a, b][first].pairs[0], { initiator: true, suite: { ...suite, group: pfs, udp: false }, lifetimeSeconds: 3600 });
        t.equal(wire.sent.length, 6 + 3 + 2, 'main mode, quick mode, and INITIAL-CONTACT of both');
      }
});

t.test('two exchanges under one ISAKMP SA have nothing in common', async (t) => {
  const { a, b, wire } = twoGateways();
  wire.demand(a);
  wire.run(1000);
  const [first] = a.pairs;
  wire.perform(a, a.ipsec.clear(null, wire.now));
  wire.run(1000);
  t.same([a.pairs, b.pairs], [[], []], 'cleared here, deleted there');
  wire.demand(b);
  wire.run(1000);
  const [second] = a.pairs;
  t.equal(mismatch(second, b.pairs[0]), null);
  t.same([a.ike.sas().length, b.ike.sas().length], [1, 1], 'the SA is used again, by the side that had answered');
  const keys = [first, second].flatMap(({ inbound, outbound }) => [inbound, outbound].map((key) => key.encryptionKey.join()));
  t.equal(new Set([...keys, ...[first, second].flatMap((pair) => [pair.inboundSpi, pair.outboundSpi])]).size, 8);
});

t.test('of several sets the first of the initiator that the other has', async (t) => {
  const { a, b, wire } = twoGateways({ suites: [suites[3], gcm, aesSha] }, { suites: [aesSha, gcm] });
  wire.demand(a);
  wire.run(1000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
  t.equal(a.pairs[0].suite.encryption, 'esp-gcm-256', 'the second of three');
});

t.test('lifetimes: the shorter one, whoever has it', async (t) => {
  const { a, b, wire } = twoGateways(
    { lifetimeSeconds: 600, lifetimeKilobytes: null },
    { lifetimeSeconds: 86_400, lifetimeKilobytes: 5000 },
  );
  wire.demand(a);
  wire.run(1000);
  t.match(b.pairs[0], { lifetimeSeconds: 600, lifetimeKilobytes: 5000 }, 'who answers knows both');
  t.match(a.pairs[0], { lifetimeSeconds: 600, lifetimeKilobytes: null }, 'who began hears its own again');
});

t.test('several lines: a pair for each, under one ISAKMP SA', async (t) => {
  const web = { protocol: 6, sourceWildcard: 0, destinationWildcard: 0 };
  const { a, b, wire } = twoGateways(
    { entries: [line('10.1.0.0', '10.2.0.0'), line('10.1.9.1', '10.2.9.1', { ...web, destinationPort: { operator: 'eq', ports: [80] } })] },
    { entries: [line('10.2.0.0', '10.1.0.0'), line('10.2.9.1', '10.1.9.1', { ...web, sourcePort: { operator: 'eq', ports: [80] } })] },
  );
  wire.demand(a, 0);
  wire.demand(a, 1);
  wire.demand(a, 1);
  wire.run(1000);
  t.same([a.pairs.length, b.pairs.length, a.ike.sas().length], [2, 2, 1], 'asked twice is asked once');
  t.match(b.pairs[1].selector, { protocol: 6, local: { address: address('10.2.9.1'), port: 80 }, remote: { port: 0 } });
  t.equal(mismatch(a.pairs[1], b.pairs[1]), null);
});

t.test('a part of what a line permits is permitted, as on IOS; more is not', async (t) => {
  const part = { entries: [line('10.1.0.0', '10.2.0.0', { sourceWildcard: 0x0f })] };
  const { a, b, wire } = twoGateways(part);
  wire.demand(a);
  wire.run(1000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null, 'a part');
  const wider = twoGateways({ entries: [line('10.1.0.0', '10.2.0.0', { sourceWildcard: 0xffff })] });
  wider.wire.demand(wider.a);
  wider.wire.run(1000);
  t.same([wider.a.pairs, wider.b.pairs], [[], []], 'more');
  t.same([wider.b.count('ipsec_no_flow'), wider.a.count('ipsec_quick_mode_failed')], [1, 1], 'and who asked is told at once');
  t.match(wider.a.logs.join('\n'), /IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 192\.0\.2\.2: .*notification 18/);
});

t.test('refused: no common set, another group, transport where tunnel is wanted', async (t) => {
  const cases: [string, Parameters<typeof twoGateways>][] = [
    ['no common transform', [{ suites: [gcm] }, { suites: [aesSha] }]],
    ['no PFS where it is wanted', [{ pfs: null }, { pfs: 14 }]],
    ['another group', [{ pfs: 2 }, { pfs: 14 }]],
  ];
  for (const [name, options] of cases) {
    const { a, b, wire } = twoGateways(...options);
    wire.demand(a);
    wire.run(1000);
    t.same([a.pairs, b.pairs, b.count('ipsec_no_proposal')], [[], [], 1], name);
    t.match(a.logs.join('\n'), /notification 14/, `${name}: NO-PROPOSAL-CHOSEN`);
    wire.run(60_000);
    t.equal(wire.sent.filter(({ bytes }) => bytes[18] === 32).length, 1, 'it is not asked again by itself');
    wire.demand(a);
    wire.run(1000);
    t.equal(b.count('ipsec_no_proposal'), 2, 'but by the next traffic');
  }
  const any = twoGateways({ pfs: 14 }, { pfs: null });
  any.wire.demand(any.a);
  any.wire.run(1000);
  t.equal(mismatch(any.a.pairs[0], any.b.pairs[0]), null, 'who wants no group takes any');
});

t.test('transport mode: between the ends themselves; else such a set takes tunnel mode', async (t) => {
  const transport: Suite = { ...gcm, mode: 'transport' };
  const host = { sourceWildcard: 0, destinationWildcard: 0, protocol: 47 };
  const between = twoGateways(
    { suites: [transport], entries: [line('192.0.2.1', '192.0.2.2', host)] },
    { suites: [transport], entries: [line('192.0.2.2', '192.0.2.1', host)] },
  );
  between.wire.demand(between.a);
  between.wire.run(1000);
  t.match(between.b.pairs[0], { suite: { mode: 'transport', udp: false }, selector: { protocol: 47 } });
  t.equal(mismatch(between.a.pairs[0], between.b.pairs[0]), null);
  const other = twoGateways({ suites: [transport] }, { suites: [transport] });
  other.wire.demand(other.a);
  other.wire.run(1000);
  t.match(other.a.pairs[0], { suite: { mode: 'tunnel' } });
  const refused = twoGateways(
    { suites: [transport], entries: [line('192.0.2.1', '192.0.2.2', host)] },
    { suites: [gcm], entries: [line('192.0.2.2', '192.0.2.1', host)] },
  );
  refused.wire.demand(refused.a);
  refused.wire.run(1000);
  t.equal(refused.b.count('ipsec_no_proposal'), 1, 'a tunnel set does not take transport mode');
});

t.test('behind a translator: ESP in UDP, by the modes of RFC 3947', async (t) => {
  const outside = address('198.51.100.9');
  const a = new Gateway(left, [flows(left, right)]);
  const b = new Gateway(right, [flows(right, outside)]);
  const wire = new Wire([a, b]);
  let shift = 1000;
  wire.translate = ({ local, remote, bytes }) => {
    if (local.address === left) return { local: { address: outside, port: local.port + shift }, remote, bytes };
    return { local, remote: { address: left, port: remote.port - shift }, bytes };
  };
  wire.demand(a);
  wire.run(1000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
  t.match(a.pairs[0], { suite: { mode: 'tunnel', udp: true }, remote: { address: right, port: 4500 } });
  t.match(b.pairs[0], { suite: { udp: true }, local: { port: 4500 }, remote: { address: outside, port: 5500 } });

  shift = 2000;
  wire.perform(a, a.ipsec.invalidSpi(0x12345678, right, left, wire.now));
  wire.run(1000);
  wire.perform(b, b.ipsec.tick(wire.now));
  t.match(b.pairs[0], { remote: { address: outside, port: 6500 } }, 'the translator forgot: ESP follows what the peer has proved');
  t.equal(b.performed.at(-1), 'sas-changed', 'the tables too');
});

t.test('the tables have the SA before the peer may send under it', async (t) => {
  const { a, b, wire } = twoGateways();
  wire.demand(a);
  const at = [a.performed.length, b.performed.length];
  wire.run(1000);
  const [first, second] = [a, b].map(({ performed }, i) => performed.slice(at[i]));
  t.ok(first.lastIndexOf('send') > first.indexOf('sas-changed'), 'message 3 behind it');
  t.equal(second.filter((kind) => kind === 'sas-changed').length, 2, 'the answerer: to receive with message 2, to send with message 3');
  t.ok(second.indexOf('sas-changed') < second.lastIndexOf('send'), 'message 2 behind it');
});

t.test('peers in turn: the second when the first does not answer', async (t) => {
  const a = new Gateway(left, [flows(left, right, { peers: [address('192.0.2.99'), right] })]);
  const b = new Gateway(right, [flows(right, left)]);
  const wire = new Wire([a, b]);
  wire.demand(a);
  wire.run(20_000);
  t.same(a.pairs, [], 'still waiting for the first');
  wire.run(30_000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null, 'the second');
  t.match(a.pairs[0].remote, { address: right });
});

t.test('nobody answers: quiet for ten seconds, whatever the traffic', async (t) => {
  const { a, wire } = twoGateways();
  wire.fault = () => [];
  wire.demand(a);
  wire.run(45_000);
  const sent = wire.sent.length;
  t.equal(sent, 5, 'five sendings of message 1');
  for (let i = 0; i < 100; i++) wire.demand(a);
  t.ok(wire.sent.length <= sent + 1, 'a hundred packets: one more attempt at the most');
});
