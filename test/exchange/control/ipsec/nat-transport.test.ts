// Transport mode behind a translator: both sides tell the addresses that they know (NAT-OA, RFC 3947 §5.2), and each SA is for the ends as its own side sees
// them.

import t from 'tap';
import type { Suite } from '../../../../control/ipsec/flow-policy.js';
import { address, flows, Gateway, gcm, left, line, mismatch, right, Wire } from './two-gateways.js';

const outside = address('198.51.100.9');
const host = { sourceWildcard: 0, destinationWildcard: 0, protocol: 6 };
const transport: Suite = { ...gcm, mode: 'transport' };

/** a is behind a translator, which shows it as 198.51.100.9. */
function translated(aSuites: Suite[], bSuites: Suite[], aPeers = [right]): { a: Gateway; b: Gateway; wire: Wire } {
  const a = new Gateway(left, [flows(left, aPeers[0], { suites: aSuites, entries: [line('192.0.2.1', '192.0.2.2', host)] })]);
  const b = new Gateway(right, [flows(right, outside, { suites: bSuites, entries: [line('192.0.2.2', '198.51.100.9', host)] })]);
  const wire = new Wire([a, b]);
  wire.translate = ({ local, remote, bytes }) => {
    if (local.address === left) return { local: { address: outside, port: local.port + 1000 }, remote, bytes };
    return { local, remote: { address: left, port: remote.port - 1000 }, bytes };
  };
  return { a, b, wire };
}

t.test('begun from behind it, and replaced by the other side', async (t) => {
  const { a, b, wire } = translated([transport], [transport]);
  wire.demand(a);
  wire.run(2000);
  const check = (n: number): void => {
    t.equal(mismatch(a.pairs[n], b.pairs[n]), null);
    t.match(a.pairs[n], {
      suite: { mode: 'transport', udp: true },
      selector: { protocol: 6, local: { address: left }, remote: { address: right } },
    });
    t.match(b.pairs[n], { suite: { mode: 'transport', udp: true }, selector: { local: { address: right }, remote: { address: outside } } });
    t.same(a.pairs[n].originals, { local: outside, remote: right }, 'b made its checksums for the address that it saw');
    t.same(b.pairs[n].originals, { local: right, remote: left }, 'and a with its own');
  };
  check(0);
  wire.perform(b, b.ipsec.exhausted(b.pairs[0].outboundSpi, wire.now));
  wire.run(2000);
  t.equal(b.pairs[1].initiator, true);
  check(1);
});

t.test('a set for tunnels does not take it; without NAT-OA it is no offer', async (t) => {
  const { a, b, wire } = translated([transport], [gcm]);
  wire.demand(a);
  wire.run(1000);
  t.same([a.pairs, b.pairs, b.count('ipsec_no_flow') + b.count('ipsec_no_proposal')], [[], [], 1]);
});

t.test('a tunnel between networks has no NAT-OA, and no originals', async (t) => {
  const a = new Gateway(left, [flows(left, right, { suites: [transport] })]);
  const b = new Gateway(right, [flows(right, outside, { suites: [transport] })]);
  const { wire } = translated([gcm], [gcm]);
  const other = new Wire([a, b]);
  other.translate = wire.translate;
  other.demand(a);
  other.run(1000);
  t.equal(mismatch(a.pairs[0], b.pairs[0]), null);
  t.match(a.pairs[0].suite, { mode: 'tunnel', udp: true });
  t.equal(a.pairs[0].originals, undefined);
});
