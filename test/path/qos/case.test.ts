// Service-policies on the whole path, compiled from IOS text, with exact counters: policers and marks at the input and the output, queues, pre-classify through
// GRE and ESP, tables that change while packets wait. Header checksums of all that comes out are computed anew.

import t, { type Test } from 'tap';
import { Drop } from '../../../dataplane/counters/declare.js';
import { SlotShape } from '../../../dataplane/mem/slots.js';
import { CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { publish, traceWith } from '../packet-tracer/tracing.js';
import { ipv4, sumOf, udp } from '../packets.js';
import { Router, type SaSpec, type TablesSpec } from '../router.js';
import { Workers } from '../workers.js';
import { type Configured, classCounters, qosImbalance, qosTables } from './configured.js';

const host = '10.0.1.10';
const server = '198.51.100.7';

/** @param size of the datagram */
function datagram(dport: number, size: number, tos = 0, sport = 5000): Uint8Array {
  return ipv4({ src: host, dst: server, tos, payload: udp(sport, dport, size - 28) });
}

function checkSums(t: Test, packets: readonly Uint8Array[]): void {
  t.ok(packets.every((packet) => sumOf(packet.subarray(0, (packet[0] & 15) * 4)) === 0, 'header checksums'));
}

function checkAll(t: Test, router: Router, configured: Configured): void {
  t.equal(router.imbalance(), null);
  t.equal(qosImbalance(router, configured), null);
}

/** Passes, one a millisecond. @returns what left by a port */
function run(router: Router, ms: number, port = 1): Uint8Array[] {
  const left: Uint8Array[] = [];
  for (let i = 0; i < ms; i++) {
    router.nowMs++;
    router.pass();
    left.push(...router.take()[port]);
  }
  return left;
}

const tosOf = (packets: readonly Uint8Array[]): number[] => packets.map((packet) => packet[1]);
const portOf = (packet: Uint8Array): number => (packet[22] << 8) | packet[23];

t.test('input: marks, a qos-group that the output knows, a policer with three colours', (t) => {
  const text = `ip access-list extended VOICE
 permit udp any any eq 4000
ip access-list extended BULK
 permit udp any any eq 5000
class-map VOICE
 match access-group name VOICE
class-map BULK
 match access-group name BULK
class-map GROUP
 match qos-group 7
policy-map IN
 class VOICE
  set dscp ef
 class BULK
  police 8000 1500 1500 conform-action set-dscp-transmit af11 exceed-action set-dscp-transmit af12 violate-action drop
 class class-default
  set qos-group 7
policy-map OUT
 class GROUP
  set precedence 3
`;
  const configured = qosTables(text, ' service-policy output OUT\n', {}, ' service-policy input IN\n');
  const router = new Router(configured.tables);
  const bulk = Array.from({ length: 4 }, () => datagram(5000, 1000));
  const left = router.forward(0, datagram(4000, 200, 3), ...bulk, datagram(6000, 100))[1];
  // 1500 committed and 1500 excess: one of each, the rest violates.
  t.strictSame(tosOf(left), [0xb8 | 3, 10 << 2, 12 << 2, 3 << 5]);
  checkSums(t, left);
  t.strictSame(classCounters(router, configured, 'BULK'), {
    offered_packets: 4,
    offered_bytes: 4000,
    sent_packets: 2,
    sent_bytes: 2000,
    police_conform_packets: 1,
    police_conform_bytes: 1000,
    police_exceed_packets: 1,
    police_exceed_bytes: 1000,
    police_violate_packets: 2,
    police_violate_bytes: 2000,
    police_drop_packets: 2,
    police_drop_bytes: 2000,
  });
  t.strictSame(classCounters(router, configured, 'GROUP'), {
    offered_packets: 1,
    offered_bytes: 100,
    sent_packets: 1,
    sent_bytes: 100,
    marked_packets: 1,
  });
  t.equal(router.counters()['drop.police_in'], 2);
  t.equal(router.counters()['port[0].receive_drops'], 2);
  checkAll(t, router, configured);
  // A second brings 1000 bytes: the committed bucket has 1500, the other still 500.
  router.nowMs += 1000;
  t.strictSame(tosOf(router.forward(0, ...bulk.slice(0, 2))[1]), [10 << 2]);
  t.end();
});

const child = `ip access-list extended VOICE
 permit udp any any range 16384 32767
ip access-list extended BUSINESS
 permit tcp any any eq 443
class-map VOICE
 match access-group name VOICE
class-map BUSINESS
 match access-group name BUSINESS
policy-map CHILD
 class VOICE
  priority 1000
 class BUSINESS
  bandwidth percent 50
 class class-default
  fair-queue
policy-map SHAPE
 class class-default
  shape average 10000000
  service-policy CHILD
`;

t.test('output: voice overtakes what waits, the shaper holds its rate, all counters add up', (t) => {
  const configured = qosTables(child, ' service-policy output SHAPE\n');
  const router = new Router(configured.tables);
  router.inputs[0].push(...Array.from({ length: 40 }, (_, n) => datagram(80, 1250, 0, 6000 + (n & 3))));
  router.pass();
  const burst = router.take()[1].length;
  // 10 Mbit/s for 8 ms.
  t.equal(burst, 8);
  router.inputs[0].push(datagram(20000, 200));
  const left = run(router, 4);
  t.equal(portOf(left[0]), 20000, 'before 31 that came earlier');
  t.equal(left.length, 1 + 3 + 1);
  checkAll(t, router, configured);
  const rest = run(router, 40);
  t.equal(burst + left.length + rest.length, 41);
  checkSums(t, [...left, ...rest]);
  t.strictSame(classCounters(router, configured, 'VOICE'), { offered_packets: 1, offered_bytes: 200, sent_packets: 1, sent_bytes: 200 });
  t.strictSame(classCounters(router, configured, 'class-default', 'SHAPE'), {
    offered_packets: 41,
    offered_bytes: 40 * 1250 + 200,
    sent_packets: 41,
    sent_bytes: 40 * 1250 + 200,
  });
  checkAll(t, router, configured);
  t.equal(router.env.qosOutput.waitMs(router.nowMs * 1000), Number.POSITIVE_INFINITY, 'nothing to wake for');
  t.end();
});

t.test('overload for a second: the rate within 2 percent, the shares, no slot lost', (t) => {
  const configured = qosTables(child, ' service-policy output SHAPE\n');
  const router = new Router(configured.tables);
  let bytes = 0;
  for (let ms = 0; ms < 1000; ms++) {
    router.nowMs++;
    for (let n = 0; n < 3; n++) router.inputs[0].push(datagram(80, 1250, 0, 6000 + n));
    router.pass();
    if (ms >= 100) bytes += router.take()[1].reduce((sum, packet) => sum + packet.length, 0);
    else router.take();
  }
  t.ok(Math.abs((bytes * 8) / 0.9e6 - 10) < 0.2, `${(bytes * 8) / 0.9e6} Mbit/s`);
  checkAll(t, router, configured);
  t.ok(router.env.slots.freeCount > SlotShape.Count / 2);
  t.end();
});

t.test('tables with other policies: what waits comes once more, under the new ones', (t) => {
  const configured = qosTables(child, ' service-policy output SHAPE\n');
  const router = new Router(configured.tables);
  router.inputs[0].push(...Array.from({ length: 30 }, () => datagram(80, 1250)));
  router.pass();
  t.equal(router.take()[1].length, 8);
  const same = { ...configured.tables, routes: [...(configured.tables.routes ?? [])] };
  router.adopt(same);
  router.pass();
  t.equal(router.take()[1].length, 0, 'the same policies: they go on waiting');
  const other = qosTables(child.replace('average 10000000', 'average 100000000'), ' service-policy output SHAPE\n');
  router.adopt(other.tables);
  t.equal(run(router, 3).length, 16, 'as many as a flow may have of 64 packets');
  checkAll(t, router, other);
  router.inputs[0].push(datagram(80, 1250));
  router.adopt({ ...configured.tables, qosTables: undefined });
  t.equal(run(router, 1).length, 1, 'and none at all: they pass');
  t.end();
});

t.test('a full pool: queues leave slots for what is on its way', (t) => {
  const text = 'policy-map OUT\n class class-default\n  shape average 8000\n  queue-limit 4096 packets\n';
  const configured = qosTables(text, ' service-policy output OUT\n');
  const router = new Router(configured.tables);
  for (let i = 0; i < 40; i++) {
    router.inputs[0].push(...Array.from({ length: 100 }, () => datagram(80, 100)));
    router.pass();
  }
  while (router.inputs[0].length > 0) router.pass();
  t.ok(router.counters()['drop.queue_no_buffer'] > 900);
  t.ok(router.env.slots.freeCount >= 1000);
  checkAll(t, router, configured);
  t.end();
});

t.test('ECN: what is capable is marked where chance would drop it', (t) => {
  const text = `policy-map OUT
 class class-default
  shape average 1000000
  random-detect dscp-based
  random-detect ecn
  random-detect exponential-weighting-constant 1
  random-detect dscp 0 2 30 1
`;
  const configured = qosTables(text, ' service-policy output OUT\n');
  const router = new Router(configured.tables);
  router.inputs[0].push(...Array.from({ length: 30 }, () => datagram(80, 1250, 1)));
  const left = run(router, 400);
  const marked = tosOf(left).filter((tos) => tos === 3).length;
  const { ecn_marked_packets: counted } = classCounters(router, configured, 'class-default');
  t.ok(marked > 0 && marked < left.length);
  t.equal(marked, counted);
  checkSums(t, left);
  checkAll(t, router, configured);
  t.end();
});

/** Classes of what a translator is to see. */
const natted = `ip access-list extended ESP-IN-UDP
 permit udp any any eq 4500
class-map ESP-IN-UDP
 match access-group name ESP-IN-UDP
policy-map NATTED
 class ESP-IN-UDP
  bandwidth percent 50
`;

const sa: SaSpec = { spi: 0x7001, transform: 'gcm-256', sids: [1] };
/** Everything to the other branch through GRE over ESP. */
function tunnelled(preClassify: boolean): Partial<TablesSpec> {
  return {
    ports: [
      { address: '10.0.1.1' },
      { address: '172.16.1.2' },
      { address: '192.168.12.1', tunnel: { source: '172.16.1.2', destination: '172.16.2.2', preClassify } },
    ],
    acls: [[{ action: 'permit', protocol: 47, src: '172.16.1.2/32', dst: '172.16.2.2/32' }]],
    entries: [{ port: 1, acl: 0, sa: 0, flags: 1 | (preClassify ? 128 : 0) }],
    sas: [sa],
    routes: [
      { prefix: '0.0.0.0/0', port: 1 },
      { prefix: '10.0.1.0/24', port: 0 },
      { prefix: '10.0.2.0/24', port: 2 },
    ],
  };
}

for (const preClassify of [true, false]) {
  t.test(`GRE in ESP, ${preClassify ? 'with' : 'without'} pre-classify`, (t) => {
    const configured = qosTables(child, ' service-policy output SHAPE\n', tunnelled(preClassify));
    const router = new Router(configured.tables);
    const inner = (dport: number) => ipv4({ src: host, dst: '10.0.2.10', payload: udp(5000, dport, 172) });
    const left = router.forward(0, inner(20000), inner(80))[1];
    t.equal(left.length, 2);
    t.ok(
      left.every((packet) => packet[9] === 50),
      'all of it ESP',
    );
    checkSums(t, left);
    t.equal(classCounters(router, configured, 'VOICE').offered_packets ?? 0, preClassify ? 1 : 0);
    t.equal(classCounters(router, configured, 'class-default', 'CHILD').offered_packets ?? 0, preClassify ? 1 : 2);
    checkAll(t, router, configured);
    t.end();
  });
}

for (const inUdp of [false, true]) {
  t.test(`GRE in ESP between gateways${inUdp ? ', in UDP' : ''}: with pre-classify, and without`, (t) => {
    for (const preClassify of [true, false]) {
      const ends = { local: '172.16.1.2', peer: '172.16.2.2', ...(inUdp && { peerPort: 4500 }) };
      const configured = qosTables(
        `${child}${inUdp ? natted : ''}`,
        ` service-policy output ${inUdp && !preClassify ? 'NATTED' : 'SHAPE'}\n`,
        {
          ...tunnelled(preClassify),
          entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut | (preClassify ? CryptoFlag.PreClassify : 0), flow: 1 }],
          sas: [{ ...sa, ...ends, sids: [0], sidBits: 8, flags: SaFlag.Outbound | SaFlag.Pairwise }],
        },
      );
      const router = new Router(configured.tables);
      const inner = (dport: number) => ipv4({ src: host, dst: '10.0.2.10', payload: udp(5000, dport, 172) });
      const left = router.forward(0, inner(20000), inner(80))[1];
      t.strictSame(
        left.map((packet) => packet[9]),
        inUdp ? [17, 17] : [50, 50],
      );
      checkSums(t, left);
      if (inUdp && !preClassify) t.equal(classCounters(router, configured, 'ESP-IN-UDP').sent_packets, 2);
      else t.equal(classCounters(router, configured, 'VOICE').sent_packets ?? 0, preClassify ? 1 : 0);
      checkAll(t, router, configured);
    }
    t.end();
  });
}

t.test('a preserved header: addresses are seen without pre-classify, ports are not', (t) => {
  const text = `ip access-list extended HOST
 permit ip host ${host} any
ip access-list extended PORT
 permit udp any any eq 4000
class-map PORT
 match access-group name PORT
class-map HOST
 match access-group name HOST
policy-map OUT
 class PORT
  priority 1000
 class HOST
  bandwidth percent 20
`;
  const configured = qosTables(text, ' service-policy output OUT\n', {
    acls: [[{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }]],
    entries: [{ port: 1, acl: 0, sa: 0 }],
    sas: [sa],
  });
  const router = new Router(configured.tables);
  router.forward(0, ipv4({ src: host, dst: '10.0.2.10', payload: udp(5000, 4000, 100) }));
  t.equal(classCounters(router, configured, 'HOST').sent_packets, 1);
  router.forward(0, datagram(4000, 100));
  t.equal(classCounters(router, configured, 'PORT').sent_packets, 1, 'in the clear they are');
  checkAll(t, router, configured);
  t.end();
});

t.test('a group’s ESP in UDP: port 4500 is seen, and with pre-classify what is inside', (t) => {
  for (const preClassify of [true, false]) {
    const configured = qosTables(`${child}${natted}`, ` service-policy output ${preClassify ? 'SHAPE' : 'NATTED'}\n`, {
      acls: [[{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }]],
      entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.Registered | (preClassify ? CryptoFlag.PreClassify : 0) }],
      sas: [{ ...sa, peerPort: 4500 }],
    });
    const router = new Router(configured.tables);
    router.forward(0, ipv4({ src: host, dst: '10.0.2.10', payload: udp(5000, 20000, 172) }));
    t.equal(classCounters(router, configured, preClassify ? 'VOICE' : 'ESP-IN-UDP').sent_packets, 1);
    checkAll(t, router, configured);
  }
  t.end();
});

t.test('a tunnel with a shaper: packets wait before they get their GRE header', (t) => {
  const tunnel = `interface Tunnel0
 ip address 192.168.12.1 255.255.255.252
 tunnel source eth1
 tunnel destination 172.16.2.2
 service-policy output SHAPE
`;
  const configured = qosTables(child, tunnel, { ...tunnelled(false), entries: [], sas: [] });
  const router = new Router(configured.tables);
  const inner = (dport: number, size: number) => ipv4({ src: host, dst: '10.0.2.10', payload: udp(5000, dport, size - 28) });
  router.inputs[0].push(...Array.from({ length: 12 }, () => inner(80, 1250)));
  router.pass();
  const first = router.take()[1];
  t.equal(first.length, 8);
  router.inputs[0].push(inner(20000, 200));
  const left = run(router, 10);
  t.equal(left.length, 5);
  t.ok([...first, ...left].every((packet) => packet[9] === 47));
  t.equal((left[0][24 + 22] << 8) | left[0][24 + 23], 20000, 'voice first');
  t.equal(classCounters(router, configured, 'VOICE').sent_bytes, 200, 'counted without GRE');
  checkSums(t, [...first, ...left]);
  checkAll(t, router, configured);
  t.end();
});

t.test('a trace marks, polices and passes queues as the packet would, and nobody notices', (t) => {
  const text = `${child}policy-map IN
 class VOICE
  set dscp ef
 class class-default
  police 8000 1500 conform-action transmit exceed-action drop
`;
  const configured = qosTables(text, ' service-policy output SHAPE\n', {}, ' service-policy input IN\n');
  const router = new Router(configured.tables);
  publish(router);
  const ask = (packet: Uint8Array) => traceWith(router, configured.tables, { port: 0, datagram: packet });
  t.strictSame(
    ask(datagram(20000, 200)).sent.map(({ bytes }) => bytes[1]),
    [0xb8],
  );
  t.equal(ask(datagram(80, 1400)).sent.length, 1);
  t.strictSame(classCounters(router, configured, 'class-default', 'IN'), {}, 'nothing is counted');
  t.equal(router.forward(0, datagram(80, 1400))[1].length, 1, 'and no token taken');
  const refused = ask(datagram(80, 1400));
  t.strictSame([refused.sent.length, refused.drops[Drop.PoliceIn]], [0, 1]);
  t.strictSame(refused.steps.at(-1)?.stage, '29-service-policy-in');
  checkAll(t, router, configured);
  t.end();
});

t.test('a trace says that the policer of an output policy drops the packet', (t) => {
  const text = 'policy-map OUT\n class class-default\n  police 8000 1500 conform-action drop exceed-action drop\n';
  const configured = qosTables(text, ' service-policy output OUT\n');
  const router = new Router(configured.tables);
  publish(router);
  const { sent, drops, steps } = traceWith(router, configured.tables, { port: 0, datagram: datagram(80, 1400) });
  t.strictSame([sent.length, drops[Drop.PoliceOut]], [0, 1]);
  const { stage, outcome, reason } = steps.at(-1) ?? {};
  t.strictSame({ stage, outcome, reason }, { stage: '80-queue', outcome: 'drop', reason: Drop.PoliceOut });
  t.end();
});

t.test('a port that goes down: what waits for it is dropped, not sent as it is', (t) => {
  const configured = qosTables(child, ' service-policy output SHAPE\n');
  const router = new Router(configured.tables);
  router.inputs[0].push(...Array.from({ length: 12 }, () => datagram(80, 1250)));
  router.pass();
  t.equal(router.take()[1].length, 8);
  const [inside, outside] = configured.tables.ports;
  router.adopt({ ...configured.tables, ports: [inside, { ...outside, up: false }] });
  t.equal(run(router, 10).length, 0);
  t.equal(router.counters()['drop.port_down'], 4);
  checkAll(t, router, configured);
  t.end();
});

t.test('two workers: the rate is the interface’s, policers too', (t) => {
  const text = `${child}policy-map IN
 class class-default
  police 8000 2000 conform-action transmit exceed-action drop
`;
  const shaped = qosTables(child, ' service-policy output SHAPE\n');
  const workers = new Workers(2, shaped.tables);
  const from = (n: number) => ipv4({ src: `10.0.1.${n}`, dst: server, payload: udp(5000, 80, 1222) });
  let bytes = 0;
  let ofOthers = 0;
  for (let ms = 0; ms < 1000; ms++) {
    for (const router of workers.all) router.nowMs++;
    for (let n = 0; n < 8; n++) workers.all[n & 1].inputs[0].push(from(10 + n));
    const left = workers.run();
    ofOthers += left[0].length;
    if (ms >= 100) bytes += left[1].reduce((sum, packet) => sum + packet.length, 0);
  }
  t.ok(Math.abs((bytes * 8) / 0.9e6 - 10) < 0.2, `${(bytes * 8) / 0.9e6} Mbit/s`);
  t.equal(ofOthers, 0, 'port 1 is worker 1’s');
  t.equal(workers.imbalance(), null);
  t.equal(qosImbalance(workers.all[1], shaped), null);

  const policed = qosTables(text, '', {}, ' service-policy input IN\n');
  const two = new Workers(2, policed.tables);
  for (let n = 0; n < 16; n++) two.all[n & 1].inputs[0].push(from(10 + n));
  const through = two.run().flat();
  t.equal(through.length, 1, 'one bucket for both');
  t.equal(two.imbalance(), null);
  t.end();
});
