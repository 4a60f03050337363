// Plans of ping and traceroute against a path that is made here: marks, times, order, and whose answers count.

import t from 'tap';
import type { EchoEvent, HopEvent, ProbeEvent } from '../../../../control/api/probe-events.js';
import type { PingCommand, TracerouteCommand } from '../../../../control/config/exec-probe.js';
import { pingPlan } from '../../../../control/probe/ping.js';
import { ProbeRun } from '../../../../control/probe/probe-run.js';
import { traceroutePlan } from '../../../../control/probe/traceroute.js';
import { answerOf, datagram, destination, icmp, icmpError, identity, type PathNode, runPlan, source } from './network.js';

const router = (address: number, mtu: number): PathNode => ({ address, mtu, tells: true, answersTtl: true });
const path = [router(0x0a000001, 1500), router(0x0a000002, 1400)];

function ping(change: Partial<PingCommand> = {}): PingCommand {
  const usual = { repeat: 1, size: 100, timeoutSeconds: 2, tos: 0, pattern: null, validate: false, sweep: null };
  return { kind: 'ping', target: destination, dontFragment: true, source: null, ...usual, ...change };
}

function marks(events: ProbeEvent[]): string {
  return events.map((event) => (event as EchoEvent).mark).join('');
}

t.test("the seed's sweep: 101 sizes pass, 100 are told to be too long", async (t) => {
  const { events, sent } = runPlan(pingPlan(ping({ sweep: { min: 1300, max: 1500, interval: 1 } })), (ttl, body) =>
    answerOf(path, 1, ttl, body),
  );
  t.equal(marks(events), '!'.repeat(101) + 'M'.repeat(100));
  t.equal(sent, 201);
  t.match(events[101], { size: 1401, from: '10.0.0.2', mtu: 1400 });
  t.match(events[0], { size: 1300, ms: 10 });
});

t.test('repeat goes over the whole range again', async (t) => {
  const command = ping({ repeat: 3, sweep: { min: 1399, max: 1402, interval: 2 } });
  const { events } = runPlan(pingPlan(command), (ttl, body) => answerOf(path, 1, ttl, body));
  t.strictSame(
    events.map((event) => (event as EchoEvent).size),
    [1399, 1401, 1399, 1401, 1399, 1401],
  );
  t.equal(marks(events), '!M!M!M');
});

t.test('each kind of answer has its mark', async (t) => {
  const cases: [string, (about: Uint8Array) => Uint8Array | null | { errno: number }][] = [
    ['U', (about) => icmpError(1, 3, 1, 0, about)],
    ['U', (about) => icmpError(1, 3, 13, 0, about)],
    ['M', (about) => icmpError(1, 3, 4, 0, about)],
    ['Q', (about) => icmpError(1, 4, 0, 0, about)],
    ['&', (about) => icmpError(1, 11, 0, 0, about)],
    ['?', (about) => icmpError(1, 12, 0, 0, about)],
    ['.', () => null],
    ['M', () => ({ errno: 90 })],
    ['.', () => ({ errno: 101 })],
  ];
  for (const [mark, answer] of cases) {
    const { events } = runPlan(pingPlan(ping()), (_ttl, body) => answer(aboutEcho(body)));
    t.equal(marks(events), mark);
  }
});

/** The datagram that carried an echo. */
function aboutEcho(body: Uint8Array): Uint8Array {
  return datagram(1, source, destination, body);
}

t.test('validate looks at the data, and nothing else does', async (t) => {
  const spoil = (_ttl: number, body: Uint8Array): Uint8Array => {
    const reply = body.slice();
    reply[50] ^= 1;
    return icmp(destination, 0, 0, new DataView(reply.buffer).getUint32(4), reply.subarray(8));
  };
  t.equal(marks(runPlan(pingPlan(ping()), spoil).events), '!');
  t.equal(marks(runPlan(pingPlan(ping({ validate: true })), spoil).events), '?');
  t.equal(marks(runPlan(pingPlan(ping({ validate: true })), (ttl, body) => answerOf([], 1, ttl, body)).events), '!');
});

t.test('what is sent: the whole datagram has the size, the data are the pattern', async (t) => {
  let seen = new Uint8Array(0);
  runPlan(pingPlan(ping({ size: 36 })), (_ttl, body) => {
    seen = body.slice();
    return null;
  });
  t.equal(seen.length, 16);
  t.equal(Buffer.from(seen.subarray(8)).toString('hex'), 'abcdabcdabcdabcd');
  t.strictSame([...seen.subarray(0, 2)], [8, 0]);
});

t.test('only the answer to what is under way counts', async (t) => {
  const run = new ProbeRun(pingPlan(ping({ repeat: 2 })), identity);
  const [first] = run.begin(0);
  if (first.kind !== 'send') throw new Error('nothing is sent');
  run.sent(first.number, 0, 5);
  const right = answerOf([], 1, 255, first.bytes)!;
  for (const [at, what] of [
    [24, 'identifier'],
    [26, 'sequence'],
    [40, 'checksum'],
  ] as const) {
    const other = right.slice();
    other[at] ^= 1;
    t.strictSame(run.receive(other, 6), [], what);
  }
  t.strictSame(run.receive(right.subarray(0, 27), 6), [], 'cut off');
  t.strictSame(run.tick(2004.9), [], 'not yet');
  t.equal(run.deadline, 2005, 'two seconds from when it left');
  const late = run.tick(2005);
  t.match(late, [{ kind: 'tell', event: { mark: '.' } }, { kind: 'send' }]);
  t.strictSame(run.receive(right, 2006), [], 'too late: the next one is under way');
  t.strictSame(run.sent(first.number, 90, 2006), [], 'nor what is said of the former');
});

t.test('a router on the way quotes ESP with our ends: header preservation', async (t) => {
  const about = aboutEcho(new Uint8Array(8));
  about[9] = 50;
  t.match(runPlan(pingPlan(ping()), () => icmpError(7, 3, 4, 1400, about)).events, [{ mark: 'M', mtu: 1400 }]);
  about[19] ^= 1;
  t.match(runPlan(pingPlan(ping()), () => icmpError(7, 3, 4, 1400, about)).events, [{ mark: '.' }]);
});

t.test('traceroute: hops in order, one that is silent, the closed port ends it', async (t) => {
  const command: TracerouteCommand = {
    ...{ kind: 'traceroute', target: destination, source: null, timeoutSeconds: 3, probes: 2 },
    ...{ minTtl: 1, maxTtl: 30, port: 33434 },
  };
  const silent = [path[0], { ...path[1], answersTtl: false }];
  const ports: number[] = [];
  const { events, elapsed } = runPlan(traceroutePlan(command), (ttl, body) => {
    ports.push(new DataView(body.buffer).getUint16(2));
    return answerOf(silent, 17, ttl, body);
  });
  t.match(
    events.map((event) => {
      const { ttl, from, mark } = event as HopEvent;
      return [ttl, from, mark];
    }),
    [
      [1, '10.0.0.1', ''],
      [1, '10.0.0.1', ''],
      [2, null, '*'],
      [2, null, '*'],
      [3, '10.0.3.1', ''],
      [3, '10.0.3.1', ''],
    ],
  );
  t.strictSame(ports, [33434, 33435, 33436, 33437, 33438, 33439]);
  t.equal(elapsed, 6040);
  const { events: far } = runPlan(traceroutePlan({ ...command, minTtl: 2, maxTtl: 2 }), (ttl, body) => answerOf(silent, 17, ttl, body));
  t.equal(far.length, 2, 'ttl 2 2 asks one hop');
});
