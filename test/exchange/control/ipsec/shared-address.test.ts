// Two peers behind one address translator: one address, told apart by the ports that the translator gives them (RFC 3947 §4).
//
//   one 10.0.0.1 ---+
//                   nat 192.0.2.1 --------- hub 192.0.2.2
//   two 10.0.0.2 ---+

import t from 'tap';
import type { Datagram, Endpoint } from '../../../../control/actions.js';
import { policyKey } from '../../../../control/ipsec/flow-policy.js';
import { address, flows, Gateway, left, line, mismatch, right, Wire } from './two-gateways.js';

const inside = [address('10.0.0.1'), address('10.0.0.2')];

class Translator {
  private readonly ports = new Map<string, number>();
  private readonly insides = new Map<number, Endpoint>();
  private next = 40_000;

  readonly translate = (datagram: Datagram): Datagram => {
    const { local, remote } = datagram;
    if (inside.includes(local.address)) return { ...datagram, local: { address: left, port: this.portOf(local) } };
    const to = remote.address === left ? this.insides.get(remote.port) : undefined;
    return to ? { ...datagram, remote: to } : datagram;
  };

  /** It has lost what it knew: new ports from now on. */
  forget(): void {
    this.ports.clear();
  }

  private portOf(end: Endpoint): number {
    const key = `${end.address}:${end.port}`;
    const port = this.ports.get(key) ?? this.next++;
    this.ports.set(key, port);
    this.insides.set(port, end);
    return port;
  }
}

function network(options: ConstructorParameters<typeof Gateway>[2] = {}) {
  const [one, two] = inside.map((local, i) => {
    const entries = [line(`10.1.${i}.0`, '10.2.0.0')];
    return new Gateway(local, [flows(local, right, { entries, lifetimeSeconds: 600 })], options);
  });
  const lines = [0, 1].map((i) => line('10.2.0.0', `10.1.${i}.0`));
  const policies = lines.map((entry, i) => flows(right, left, { sequence: 10 + i, entries: [entry], lifetimeSeconds: 600 }));
  const hub = new Gateway(right, policies, options);
  const wire = new Wire([one, two, hub]);
  const nat = new Translator();
  wire.translate = nat.translate;
  for (const spoke of [one, two]) {
    wire.demand(spoke);
    wire.run(1000);
  }
  return { one, two, hub, wire, nat };
}

t.test('each has its own pair, which ends alone', async (t) => {
  const { one, two, hub, wire } = network();
  const [first, second] = hub.pairs;
  t.same([mismatch(one.pairs[0], first), mismatch(two.pairs[0], second)], [null, null]);
  t.same([first.remote.address, second.remote.address], [left, left], 'one address');
  t.not(first.remote.port, second.remote.port, 'ESP in UDP goes to the port of each');
  t.match([one.count('ipsec_sas_deleted'), two.count('ipsec_sas_deleted')], [0, 0], "the INITIAL-CONTACT of one is not the other's");
  wire.perform(one, one.ipsec.clear(right, wire.now));
  wire.run(1000);
  t.same(hub.pairs, [second], 'a delete of one');
  wire.demand(one);
  wire.run(1000);
  t.equal(mismatch(one.pairs[0], hub.pairs[1]), null, 'and once more');
});

t.test('one cannot delete, or declare unknown, what is with the other', async (t) => {
  const { one, two, hub, wire } = network();
  const [, second] = hub.pairs;
  const [stolen] = one.pairs;
  stolen.inboundSpi = two.pairs[0].inboundSpi;
  wire.perform(one, one.ipsec.clear(right, wire.now));
  wire.perform(one, one.ipsec.invalidSpi(second.outboundSpi, right, inside[0], wire.now));
  wire.run(1000);
  t.ok(hub.pairs.includes(second));
  t.equal(hub.count('ipsec_invalid_spi_received'), 0);
});

t.test('one dies: the other goes on, replaced by either side', async (t) => {
  const { one, two, hub, wire } = network({ settings: { keepalive: { seconds: 10, retrySeconds: 2, mode: 'periodic' } } });
  const [first, second] = hub.pairs;
  const { port } = first.remote;
  wire.fault = ({ local, remote, bytes }) => (local.address === inside[0] || remote.port === port ? [] : [{ delay: 1, bytes }]);
  wire.run(60_000);
  t.same([hub.pairs.includes(first), hub.pairs.includes(second)], [false, true], 'dead peer detection ends what was with it alone');
  t.same(one.pairs, [], 'on both sides');
  for (let n = 1; n <= 4; n++) {
    const [newest] = hub.pairs;
    wire.run(newest.expiresAt + 1000 - wire.now);
    t.equal(mismatch(two.pairs[0], hub.pairs[0]), null, `replacement ${n}`);
  }
  t.notMatch(two.logs.join('\n'), /DOWN/);
});

t.test('the hub begins the replacement: with the right one', async (t) => {
  const { one, two, hub, wire } = network();
  for (const [at, spoke] of [one, two].entries()) {
    const old = hub.pairs[at];
    old.rekeyAt = wire.now;
    wire.perform(hub, hub.ipsec.tick(wire.now));
    wire.run(2000);
    const next = hub.pairs.findLast(({ peer }) => peer === old.peer);
    t.ok(next?.initiator && next !== old);
    t.equal(mismatch(spoke.pairs.at(-1), next), null);
    old.rekeyAt = Number.POSITIVE_INFINITY;
  }
  t.same([one.pairs.length, two.pairs.length], [2, 2]);
});

t.test('ISAKMP SAs are replaced too, by either side', async (t) => {
  const { one, two, hub, wire } = network({ isakmp: { lifetimeSeconds: 900 } });
  wire.run(4_000_000);
  for (const spoke of [one, two]) {
    const [pair] = spoke.pairs;
    t.equal(
      mismatch(
        pair,
        hub.pairs.find(({ outboundSpi }) => outboundSpi === pair?.inboundSpi),
      ),
      null,
    );
    t.notMatch(spoke.logs.join('\n'), /DOWN/);
  }
  for (const sa of hub.ike.sas()) wire.perform(hub, hub.ike.deleteSa(sa, wire.now));
  wire.run(1000);
  for (const pair of hub.pairs) pair.rekeyAt = wire.now;
  wire.perform(hub, hub.ipsec.tick(wire.now));
  wire.run(5000);
  t.same(
    hub.pairs.slice(-2).map(({ initiator }) => initiator),
    [true, true],
    'the hub reaches each where it sends from, though no SA is left',
  );
  for (const spoke of [one, two]) t.ok(hub.pairs.some((pair) => mismatch(spoke.pairs.at(-1), pair) === null));
});

t.test('the translator gives other ports: each is followed', async (t) => {
  const { one, two, hub, wire, nat } = network({ settings: { keepalive: { seconds: 10, retrySeconds: 2, mode: 'periodic' } } });
  const before = hub.pairs.map(({ remote }) => remote.port);
  nat.forget();
  wire.run(30_000);
  wire.perform(hub, hub.ipsec.tick(wire.now));
  const after = hub.pairs.map(({ remote }) => remote.port);
  t.ok(after.every((port) => !before.includes(port)) && after[0] !== after[1], `${before} ${after}`);
  t.same([mismatch(one.pairs[0], hub.pairs[0]), mismatch(two.pairs[0], hub.pairs[1])], [null, null]);
});

t.test('an SPI that the hub does not have: both are told, one heeds it', async (t) => {
  const { one, two, hub, wire } = network();
  const [first] = hub.pairs;
  hub.ipsec.pairs.delete(first);
  wire.perform(hub, hub.ipsec.invalidSpi(first.inboundSpi, left, right, wire.now));
  wire.run(1000);
  t.same([hub.count('ipsec_invalid_spi_sent'), one.pairs.length, two.pairs.length], [2, 0, 1]);
  const [policy] = two.policies;
  t.ok(two.ipsec.pairs.sending(`${policyKey(policy)} 0: 10.1.1.0/24/0 10.2.0.0/24/0`));
});
