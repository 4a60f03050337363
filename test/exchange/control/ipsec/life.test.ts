// What becomes of pairs of SAs: replaced before they expire, deleted, their peer dead or started afresh.

import t from 'tap';
import { flowKey } from '../../../../control/ipsec/sa-pairs.js';
import { address, flows, Gateway, gcm, left, mismatch, right, twoGateways, Wire } from './two-gateways.js';

function established(...options: Parameters<typeof twoGateways>): ReturnType<typeof twoGateways> {
  const pair = twoGateways(...options);
  pair.wire.demand(pair.a);
  pair.wire.run(1000);
  return pair;
}

t.test('replaced in time, twenty times, under ISAKMP SAs that are replaced too', async (t) => {
  const { a, b, wire } = established({ lifetimeSeconds: 600 }, { lifetimeSeconds: 600 });
  for (let n = 1; n <= 20; n++) {
    const [before] = a.pairs;
    wire.run(Math.min(before.rekeyAt, b.pairs[0].rekeyAt) + 900 - wire.now);
    const first = [a, b].find(({ pairs }) => pairs[1]?.initiator);
    t.equal(
      first?.ipsec.pairs.sending(flowKey(first.pairs[0])),
      first?.pairs[0],
      `${n}: who began gives the other time to take it into use`,
    );
    wire.run(1000);
    t.ok(a.pairs.length === 2 && a.pairs[0] === before, `${n}: the old one still receives`);
    t.equal(mismatch(a.pairs[1], b.pairs[1]), null, `${n}: the new one is the same on both sides`);
    t.equal(a.ipsec.pairs.sending(`M 10 ${left} 0: 10.1.0.0/24/0 10.2.0.0/24/0`), a.pairs[1], `${n}: and sends`);
    wire.run(before.expiresAt + 1000 - wire.now);
    t.same([a.pairs.length, b.pairs.length], [1, 1], `${n}: the old one is gone`);
  }
  t.same([a.count('ipsec_rekeys') + b.count('ipsec_rekeys'), a.count('ipsec_quick_mode_failed')], [20, 0], 'by one side at a time');
  t.ok(a.count('ike_main_mode_completed') >= 3, 'an ISAKMP SA lives for an hour here');
  t.notMatch([...a.logs, ...b.logs].join('\n'), /DOWN/, 'the session was never down');
});

t.test('both begin at once: two pairs, the newest sends, nothing is lost', async (t) => {
  const { a, b, wire } = established();
  const [old] = a.pairs;
  for (const gateway of [a, b]) {
    gateway.pairs[0].rekeyAt = wire.now;
    wire.perform(gateway, gateway.ipsec.tick(wire.now));
  }
  wire.run(2000);
  t.same([a.pairs.length, b.pairs.length], [3, 3], 'the old one and two');
  for (const pair of a.pairs)
    t.ok(
      b.pairs.some((other) => mismatch(pair, other) === null),
      'each is on both sides',
    );
  wire.run(3_600_000);
  t.notOk(a.pairs.includes(old), 'the old one has expired');
});

t.test('the peer has lost the ISAKMP SA and says nothing: a new one', async (t) => {
  const { a, b, wire } = established({ lifetimeSeconds: 600 });
  wire.fault = () => [];
  wire.perform(b, b.ike.deleteSa(b.ike.sas()[0], wire.now));
  wire.fault = ({ bytes }) => [{ delay: 1, bytes }];
  const [old] = a.ike.sas();
  wire.run(660_000);
  t.notOk(a.ike.sas().includes(old), 'the old one is gone here too');
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
  t.equal(a.count('ipsec_rekeys'), 1, 'in time');
});

t.test('who does not answer a replacement: tried again until the end', async (t) => {
  const { a, wire } = established({ lifetimeSeconds: 600 });
  wire.fault = () => [];
  wire.run(600_000);
  t.same(a.pairs, [], 'expired');
  t.ok(a.count('ipsec_quick_mode_failed') >= 1);
  t.match(a.logs.at(-1), /^%CRYPTO-5-SESSION_STATUS: Crypto session is DOWN\. {2}Peer 192\.0\.2\.2:500$/);
});

t.test('by volume', async (t) => {
  const { a, b, wire } = established({ lifetimeKilobytes: 10_000 });
  const [{ inboundSpi }] = a.pairs;
  const pass = (kilobytes: number): void => {
    wire.perform(a, a.ipsec.noteVolume(inboundSpi, kilobytes * 1024, wire.now));
    wire.run(1000);
  };
  pass(8999);
  t.equal(a.pairs.length, 1, 'not yet');
  pass(9001);
  t.same([a.pairs.length, b.pairs.length, a.count('ipsec_rekeys')], [2, 2, 1], 'a tenth is left: replaced');
  pass(9500);
  t.equal(a.pairs.length, 2, 'once');
  pass(10_000);
  t.same([a.pairs.length, b.pairs.length], [1, 1], 'used up: gone on both sides');
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
});

t.test('a delete of the peer', async (t) => {
  const { a, b, wire } = established();
  wire.perform(b, b.ipsec.clear(left, wire.now));
  wire.run(1000);
  t.same([a.pairs, b.pairs], [[], []]);
  t.match([a.count('ipsec_sas_deleted'), a.ike.sas().length], [1, 1], 'the ISAKMP SA stays');
  wire.run(400_000);
  t.same(a.ike.sas(), [], 'and times out when nothing needs it');
});

t.test('INVALID-SPI: the peer has lost the SA', async (t) => {
  const { a, b, wire } = established();
  const [pair] = a.pairs;
  for (const gone of b.pairs) b.ipsec.pairs.delete(gone);
  for (let i = 0; i < 50; i++) wire.perform(b, b.ipsec.invalidSpi(pair.outboundSpi, left, right, wire.now));
  wire.run(1000);
  t.same([b.count('ipsec_invalid_spi_sent'), a.count('ipsec_invalid_spi_received'), a.pairs.length], [1, 1, 0], 'told once');
  wire.demand(a);
  wire.run(1000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null, 'the next traffic makes a new one');
  wire.perform(b, b.ipsec.invalidSpi(0x12345678, left, right, wire.now + 20_000));
  wire.run(1000);
  t.equal(a.pairs.length, 1, 'an SPI that is not ours: nothing');
});

t.test('dead peer', async (t) => {
  const { a, wire } = established({}, {}, { settings: { keepalive: { seconds: 10, retrySeconds: 2, mode: 'periodic' } } });
  wire.run(60_000);
  t.equal(a.pairs.length, 1, 'alive');
  wire.fault = () => [];
  wire.run(60_000);
  t.same([a.pairs.length, a.ike.sas().length, a.count('ike_dpd_dead')], [0, 0, 1]);
});

t.test('several peers: when one is dead the next is asked at once, and stays until it is dead too', async (t) => {
  const third = address('192.0.2.77');
  const settings = { keepalive: { seconds: 10, retrySeconds: 2, mode: 'periodic' as const } };
  const a = new Gateway(left, [flows(left, right, { peers: [right, third] })], { settings });
  const b = new Gateway(right, [flows(right, left)], { settings });
  const c = new Gateway(third, [flows(right, left, { local: third })], { settings });
  const wire = new Wire([a, b, c]);
  const dead = new Set<number>();
  wire.fault = (datagram) =>
    dead.has(datagram.remote.address) || dead.has(datagram.local.address) ? [] : [{ delay: 1, bytes: datagram.bytes }];
  const asked = (): number | undefined => {
    wire.demand(a);
    wire.run(1000);
    return a.pairs[0]?.remote.address;
  };
  t.equal(asked(), right, 'the first');
  dead.add(right);
  wire.run(60_000);
  t.same(a.pairs, [], 'found dead');
  t.equal(asked(), third, 'the second, without waiting for the first');
  dead.clear();
  wire.perform(a, a.ipsec.clear(null, wire.now));
  wire.run(1000);
  t.equal(asked(), third, 'and it stays');
  dead.add(third);
  wire.run(60_000);
  t.equal(asked(), right, 'until it is dead');
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
});

t.test('the peer starts afresh: INITIAL-CONTACT ends what it had', async (t) => {
  const { a, b, wire } = established();
  const [old] = a.pairs;
  const again = new Gateway(right, [flows(right, left)], { seed: 'again' });
  wire.gateways.splice(wire.gateways.indexOf(b), 1, again);
  wire.demand(again);
  wire.run(1000);
  t.same([a.pairs.length, a.pairs.includes(old)], [1, false]);
  t.equal(mismatch(a.pairs[0], again.pairs[0]), null);
});

t.test('an ISAKMP SA that is deleted takes no pairs with it', async (t) => {
  const { a, b, wire } = established();
  wire.perform(a, a.ike.deleteSa(a.ike.sas()[0], wire.now));
  wire.run(1000);
  t.same([a.ike.sas(), b.ike.sas(), a.pairs.length, b.pairs.length], [[], [], 1, 1]);
  wire.run(3_590_000);
  t.equal(a.count('ipsec_rekeys') + b.count('ipsec_rekeys'), 1, 'the replacement begins a new one');
  t.equal(mismatch(a.pairs.at(-1), b.pairs.at(-1)), null);
});

t.test('another configuration', async (t) => {
  const { a, b, wire } = established();
  wire.perform(a, a.ipsec.configure([flows(left, right, { lifetimeSeconds: 300, pfs: 14 })], wire.now));
  t.equal(a.pairs.length, 1, 'what holds for the next pairs leaves this one alone');
  wire.perform(a, a.ipsec.configure([flows(left, right, { entries: [] })], wire.now));
  wire.run(1000);
  t.same([a.pairs, b.pairs], [[], []], 'the line is gone, and the peer knows');
});

t.test('pairs in use keep their ISAKMP SA from timing out', async (t) => {
  const { a, b, wire } = established();
  wire.run(1_000_000);
  t.same([a.ike.sas().length, b.ike.sas().length], [1, 1]);
});

t.test('a dataplane without the IV counters of a pair: its key is not used again', async (t) => {
  const { a, b, wire } = established({ suites: [gcm] }, { suites: [gcm] });
  const [{ outboundSpi }] = a.pairs;
  wire.perform(a, a.ipsec.dataplaneUp(new Set([`${outboundSpi}:0`]), wire.now));
  t.equal(a.pairs.length, 1, 'it has them');
  wire.perform(a, a.ipsec.dataplaneUp(new Set(), wire.now));
  wire.run(1000);
  t.same([a.pairs, b.pairs], [[], []], 'it has not: gone on both sides');
  const cbc = established();
  cbc.wire.perform(cbc.a, cbc.a.ipsec.dataplaneUp(new Set(), cbc.wire.now));
  t.equal(cbc.a.pairs.length, 1, 'CBC has random IVs');
});

t.test('we have started afresh and hear of it by ESP alone: INITIAL-CONTACT tells the peer', async (t) => {
  const { a, b, wire } = established();
  const [{ outboundSpi }] = a.pairs;
  const again = new Gateway(right, [flows(right, left)], { seed: 'again' });
  wire.gateways.splice(wire.gateways.indexOf(b), 1, again);
  for (let i = 0; i < 20; i++) wire.perform(again, again.ipsec.invalidSpi(outboundSpi, left, right, wire.now));
  wire.perform(again, again.ipsec.invalidSpi(outboundSpi, 0x01020304, right, wire.now));
  wire.run(1000);
  t.same([a.pairs, again.count('ike_requests_begun')], [[], 1], 'one main mode, with a peer and not with a stranger');
  wire.demand(a);
  wire.run(1000);
  t.equal(mismatch(a.pairs[0], again.pairs[0]), null);
});

t.test('numbers used up: replaced', async (t) => {
  const { a, b, wire } = established();
  wire.perform(a, a.ipsec.exhausted(a.pairs[0].outboundSpi, wire.now));
  wire.run(2000);
  t.equal(mismatch(a.pairs[1], b.pairs[1]), null);
});
