// Dynamic crypto maps: peers of unknown address begin; whom a pair is with and for which traffic comes from Quick Mode.

import t from 'tap';
import type { FlowPolicy } from '../../../../control/ipsec/flow-policy.js';
import { policyKey } from '../../../../control/ipsec/flow-policy.js';
import type { TrafficSelector } from '../../../../control/ipsec/selector.js';
import { address, aesSha, flows, Gateway, gcm, left, line, mismatch, right, Wire } from './two-gateways.js';

const dynamic = { name: 'D', sequence: 10 };
const template = (change: Partial<FlowPolicy> = {}): FlowPolicy =>
  flows(right, left, { sequence: 100, dynamic, peers: [], entries: null, ...change });

function network(policies: FlowPolicy[], spokes: number[] = [left, address('203.0.113.7')], change: Partial<FlowPolicy> = {}) {
  const hub = new Gateway(right, policies);
  const others = spokes.map(
    (local, i) => new Gateway(local, [flows(local, right, { entries: [line(`10.1.${i}.0`, '10.2.0.0')], ...change })]),
  );
  return { hub, others, wire: new Wire([hub, ...others]) };
}

t.test('two peers that the hub does not know', async (t) => {
  const { hub, others, wire } = network([template()]);
  for (const spoke of others) wire.demand(spoke);
  wire.run(1000);
  t.same(
    others.map((spoke, i) => mismatch(spoke.pairs[0], hub.pairs[i])),
    [null, null],
  );
  t.same(
    hub.pairs.map(({ policy, remote }) => [policy, remote.address]),
    others.map(({ local }) => [`M 100 ${right} D 10`, local]),
  );
  wire.run(20 * 3_600_000);
  t.same(
    others.map((spoke) => spoke.logs.filter((text) => /DOWN/.test(text))),
    [[], []],
    'replaced by either side, for hours',
  );
  t.ok(hub.pairs.length >= 2);
});

t.test('the hub never begins with whom it does not know', async (t) => {
  const { hub, others, wire } = network([template()]);
  const [policy] = hub.policies;
  const selector: TrafficSelector = {
    protocol: 0,
    local: { address: address('10.2.0.0'), mask: 0xffffff00, port: 0 },
    remote: { address: address('10.1.0.0'), mask: 0xffffff00, port: 0 },
  };
  wire.perform(hub, hub.ipsec.demand(policyKey(policy), selector, wire.now));
  wire.perform(hub, hub.ipsec.invalidSpi(0x1234567, left, right, wire.now));
  t.same(wire.sent, [], 'not for traffic, nor for ESP under an unknown SPI');
  wire.demand(others[0]);
  wire.run(1000);
  for (const sa of hub.ike.sas()) wire.perform(hub, hub.ike.deleteSa(sa, wire.now));
  wire.run(1000);
  const before = hub.count('ike_requests_begun');
  hub.pairs[0].rekeyAt = wire.now;
  wire.perform(hub, hub.ipsec.tick(wire.now));
  wire.run(60_000);
  t.equal(hub.count('ike_requests_begun'), before, 'nor for a replacement when the ISAKMP SA is gone');
});

t.test('invalid-spi-recovery: a hub that has lost everything calls its peers, one stranger a second', async (t) => {
  const { hub, others, wire } = network([template()]);
  for (const spoke of others) wire.demand(spoke);
  wire.run(1000);
  const again = new Gateway(right, [template({ recovers: true })], { seed: 'again' });
  wire.gateways.splice(wire.gateways.indexOf(hub), 1, again);
  const arrive = (from: number): void => wire.perform(again, again.ipsec.invalidSpi(0x1234567, from, right, wire.now));
  for (let i = 0; i < 50; i++) arrive(address(`198.51.100.${i + 1}`));
  t.equal(again.count('ike_requests_sent'), 1, 'whoever they are');
  wire.run(2000);
  const [first, second] = others;
  arrive(first.local);
  arrive(second.local);
  wire.run(500);
  t.same([first.pairs.length, second.pairs.length], [0, 1], 'the first has heard that its SAs are gone, the second is called later');
  wire.run(12_000);
  arrive(second.local);
  wire.run(500);
  t.same(second.pairs.length, 0);
  for (const spoke of others) wire.demand(spoke);
  wire.run(1000);
  t.same(
    others.map((spoke, i) => mismatch(spoke.pairs[0], again.pairs[i])),
    [null, null],
    'their traffic goes on',
  );
});

t.test('order of sequence decides between configured peers and the dynamic map', async (t) => {
  const known = flows(right, left, { sequence: 10, entries: [line('10.2.0.0', '10.1.0.0')] });
  const front = network([known, template()]);
  const back = network([template({ sequence: 5 }), known]);
  for (const { others, wire } of [front, back]) {
    wire.demand(others[0]);
    wire.demand(others[1]);
    wire.run(1000);
  }
  const policiesOf = ({ hub }: typeof front): string[] => hub.pairs.map(({ policy }) => policy);
  t.same(policiesOf(front), [`M 10 ${right}`, `M 100 ${right} D 10`], 'the configured peer has its own entry');
  t.same(policiesOf(back), [`M 5 ${right} D 10`, `M 5 ${right} D 10`], 'the dynamic map in front of it takes all');
});

t.test('the next entry is tried when transforms do not fit', async (t) => {
  const entries = [template({ suites: [gcm] }), template({ dynamic: { name: 'D', sequence: 20 }, suites: [aesSha] })];
  const { hub, others, wire } = network(entries);
  wire.demand(others[0]);
  wire.run(1000);
  t.same(
    hub.pairs.map(({ policy, established }) => [policy, established]),
    [[`M 100 ${right} D 20`, true]],
  );
});

t.test('an access list bounds what peers may ask for, `set peer` who may', async (t) => {
  const listed = network([template({ entries: [line('10.2.0.0', '10.1.1.0')] })]);
  for (const spoke of listed.others) listed.wire.demand(spoke);
  listed.wire.run(1000);
  t.same([listed.hub.pairs.length, listed.hub.count('ipsec_no_flow')], [1, 1]);
  t.equal(mismatch(listed.others[1].pairs[0], listed.hub.pairs[0]), null);
  const named = network([template({ peers: [left] })]);
  for (const spoke of named.others) named.wire.demand(spoke);
  named.wire.run(1000);
  t.match(named.hub.pairs, [{ remote: { address: left } }]);
  t.equal(named.hub.pairs.length, 1);
});

t.test('a peer that moves to another address takes its traffic along', async (t) => {
  const { hub, others, wire } = network([template()], [left]);
  const moved = new Gateway(address('203.0.113.9'), [flows(address('203.0.113.9'), right, { entries: [line('10.1.0.0', '10.2.0.0')] })]);
  wire.gateways.push(moved);
  wire.demand(others[0]);
  wire.run(1000);
  wire.demand(moved);
  wire.run(1000);
  const sending = hub.ipsec.pairs.sending(`M 100 ${right} D 10 0: 10.2.0.0/24/0 10.1.0.0/24/0`);
  t.equal(mismatch(moved.pairs[0], sending ?? undefined), null, 'the newest sends');
  t.equal(hub.pairs.length, 2, 'the other receives until it ends');
});

t.test('one peer cannot take all there is', async (t) => {
  const entries = Array.from({ length: 60 }, (_, i) => line(`10.9.${i}.0`, '10.2.0.0'));
  const { hub, others, wire } = network([template()], [left], { entries });
  for (let i = 0; i < entries.length; i++) {
    wire.demand(others[0], i);
    wire.run(1000);
  }
  t.same([hub.pairs.length, hub.count('ipsec_too_many')], [16, 44]);
  t.match(hub.logs.join('\n'), /more than 16 flows that no access list has/);
  wire.run(3_600_000);
  t.ok(hub.pairs.length >= 16 && hub.pairs.length <= 32, 'those that there are go on');
  const other = new Gateway(address('203.0.113.8'), [flows(address('203.0.113.8'), right, { entries: [line('10.8.0.0', '10.2.0.0')] })]);
  wire.gateways.push(other);
  wire.demand(other);
  wire.run(1000);
  t.ok(
    hub.pairs.some((pair) => mismatch(other.pairs[0], pair) === null),
    'and others get in',
  );
});

t.test('parts of a configured line are bounded as well', async (t) => {
  const whole = line('10.2.0.0', '10.0.0.0', { destinationWildcard: 0x00ffffff });
  const entries = Array.from({ length: 40 }, (_, i) => line(`10.9.${i}.0`, '10.2.0.0'));
  const { hub, others, wire } = network([flows(right, left, { entries: [whole] })], [left], { entries });
  for (let i = 0; i < entries.length; i++) {
    wire.demand(others[0], i);
    wire.run(1000);
  }
  t.same([hub.pairs.length, hub.count('ipsec_too_many')], [16, 24]);
});

t.test('no room in the tables: refused, and told', async (t) => {
  let room = false;
  const hub = new Gateway(right, [template()], { hasRoom: () => room });
  const spoke = new Gateway(left, [flows(left, right)]);
  const wire = new Wire([hub, spoke]);
  wire.demand(spoke);
  wire.run(1000);
  t.same([hub.pairs.length, hub.count('ipsec_too_many'), spoke.count('ipsec_quick_mode_failed')], [0, 1, 1]);
  room = true;
  wire.run(11_000);
  wire.demand(spoke);
  wire.run(1000);
  t.equal(hub.pairs.length, 1);
});

t.test('the dynamic map is gone: so are its pairs', async (t) => {
  const { hub, others, wire } = network([template()]);
  for (const spoke of others) wire.demand(spoke);
  wire.run(1000);
  wire.perform(hub, hub.ipsec.configure([template({ peers: [left] })], wire.now));
  wire.run(1000);
  t.same(
    hub.pairs.map(({ remote }) => remote.address),
    [left],
    'of whom it no longer admits',
  );
  wire.perform(hub, hub.ipsec.configure([], wire.now));
  wire.run(1000);
  t.same([hub.pairs, others[0].pairs.length, others[1].pairs.length], [[], 0, 0], 'both know');
});
