// Sequence numbers of 64 bits: agreed when both sides want them (RFC 4304 §2), 32 bits with a peer that does not; those are replaced in time.

import t from 'tap';
import type { Suite } from '../../../../control/ipsec/flow-policy.js';
import type { SaPair } from '../../../../control/ipsec/sa-pairs.js';
import { aesSha, flows, type Gateway, gcm, left, mismatch, right, twoGateways } from './two-gateways.js';

const wanting = (extended: boolean): Suite => (extended ? { ...aesSha, extended } : aesSha);
const isExtended = ({ pairs }: Gateway): boolean[] => pairs.map(({ suite }: SaPair) => suite.extended === true);

t.test('both want it, or one of them', async (t) => {
  for (const [ours, theirs] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])
    for (const first of [0, 1]) {
      const { a, b, wire } = twoGateways({ suites: [gcm, wanting(ours)] }, { suites: [wanting(theirs)] });
      wire.demand([a, b][first]);
      wire.run(1000);
      t.equal(mismatch(a.pairs[0], b.pairs[0]), null, `${ours} ${theirs} begun by ${first}`);
      t.equal(a.pairs[0].suite.encryption, 'esp-aes-128');
      t.same([isExtended(a), isExtended(b)], [[ours && theirs], [ours && theirs]]);
    }
});

t.test('no longer wanted: such pairs end', async (t) => {
  const { a, b, wire } = twoGateways({ suites: [wanting(true)] }, { suites: [wanting(true)] });
  wire.demand(a);
  wire.run(1000);
  wire.perform(a, a.ipsec.configure([flows(left, right, { suites: [wanting(true)] })], wire.now));
  t.equal(a.pairs.length, 1, 'as it was: nothing ends');
  wire.perform(a, a.ipsec.configure([flows(left, right)], wire.now));
  wire.run(1000);
  t.same([a.pairs, b.pairs], [[], []]);
});

t.test('32 bits: replaced at seven eighths of 2^32, once; 64 bits: not', async (t) => {
  for (const extended of [false, true]) {
    const { a, b, wire } = twoGateways({ suites: [wanting(extended)] }, { suites: [wanting(extended)] });
    wire.demand(a);
    wire.run(2000);
    const [{ outboundSpi }] = a.pairs;
    wire.perform(a, a.ipsec.noteSequence(outboundSpi, 7 * 2 ** 29 - 1, wire.now));
    wire.run(2000);
    t.equal(a.pairs.length, 1, 'not yet');
    for (let i = 0; i < 3; i++) wire.perform(a, a.ipsec.noteSequence(outboundSpi, 7 * 2 ** 29 + i, wire.now));
    wire.run(2000);
    for (let i = 0; i < 3; i++) wire.perform(a, a.ipsec.noteSequence(outboundSpi, 2 ** 32 + i, wire.now));
    wire.run(2000);
    t.equal(a.pairs.length, extended ? 1 : 2);
    t.equal(mismatch(a.pairs.at(-1) as SaPair, b.pairs.at(-1) as SaPair), null);
  }
});
