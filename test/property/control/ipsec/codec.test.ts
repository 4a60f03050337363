// Transforms and client identities: what is written is read back; what covers what is as a naive comparison of packets says.

import fc from 'fast-check';
import t from 'tap';
import { prefixLengthToMask } from '../../../../control/config/addresses.js';
import { type EspProposal, offerOf, proposalOf, sameSuite, spiOf, transformOf } from '../../../../control/ipsec/esp-proposal.js';
import {
  covers,
  entryOf,
  identificationOf,
  readSelector,
  selectorOf,
  type TrafficEnd,
  type TrafficSelector,
} from '../../../../control/ipsec/selector.js';
import { readIdentification, writeIdentification } from '../../../../control/isakmp/identification.js';
import { readSa, writeSa } from '../../../../control/isakmp/sa-payload.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const lifetime = fc.option(fc.integer({ min: 1, max: 0xffffffff }));
const cbc = fc.record({
  encryption: fc.constantFrom('esp-null', 'esp-3des', 'esp-aes-128', 'esp-aes-192', 'esp-aes-256'),
  authentication: fc.constantFrom('esp-md5-hmac', 'esp-sha-hmac', 'esp-sha256-hmac', 'esp-sha384-hmac', 'esp-sha512-hmac'),
});
const combined = fc.record({
  encryption: fc.constantFrom('esp-gcm-128', 'esp-gcm-192', 'esp-gcm-256', 'esp-gmac-192', 'esp-chacha20-poly1305'),
  authentication: fc.constant(null),
});
const proposal = fc
  .tuple(
    fc.oneof(cbc, combined),
    fc.record({
      mode: fc.constantFrom('tunnel', 'transport'),
      udp: fc.boolean(),
      group: fc.constantFrom(null, 1, 2, 5, 14, 15, 16, 19, 20, 21),
      lifetimeSeconds: lifetime,
      lifetimeKilobytes: lifetime,
    }),
    fc.constantFrom({}, { extended: true }),
  )
  .map(([suite, rest, more]) => ({ ...suite, ...rest, ...more }) as EspProposal);

const ports = fc.integer({ min: 0, max: 3 });
const end: fc.Arbitrary<TrafficEnd> = fc
  .record({ address: fc.integer({ min: 0, max: 0xf }), length: fc.constantFrom(0, 28, 29, 30, 31, 32), port: ports })
  .map(({ address, length, port }) => {
    const mask = prefixLengthToMask(length);
    return { address: (address & mask) >>> 0, mask, port };
  });
const selector: fc.Arbitrary<TrafficSelector> = fc
  .record({ protocol: fc.constantFrom(0, 6, 17), local: end, remote: end })
  .map(({ protocol, local, remote }) => {
    const portOf = (port: number): number => (protocol === 0 ? 0 : port);
    return { protocol, local: { ...local, port: portOf(local.port) }, remote: { ...remote, port: portOf(remote.port) } };
  });

t.test('an offer is read back as it was written', async (t) => {
  fc.assert(
    fc.property(fc.array(proposal, { minLength: 1, maxLength: 6 }), fc.integer({ min: 256, max: 0xffffffff }), (proposals, spi) => {
      const { proposals: read } = readSa(writeSa(offerOf(proposals, spi)));
      t.same(
        read.map(({ transforms }) => proposalOf(transforms[0])),
        proposals,
      );
      t.ok(read.every((item, index) => spiOf(item) === spi && item.number === index + 1));
    }),
    { numRuns: 200 },
  );
});

t.test('the same suite, whatever the lifetimes', async () => {
  fc.assert(
    fc.property(proposal, proposal, (one, other) => {
      const bare = ({ lifetimeSeconds, lifetimeKilobytes, ...rest }: EspProposal): string => JSON.stringify(Object.entries(rest).sort());
      return sameSuite(one, other) === (bare(one) === bare(other));
    }),
  );
});

t.test('any transform is one of ours or none: nothing but WireError comes out', async () => {
  const attribute = fc.record({
    type: fc.integer({ min: 0, max: 16 }),
    value: fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.uint8Array({ maxLength: 6 })),
  });
  fc.assert(
    fc.property(fc.record({ number: fc.nat(255), id: fc.nat(255), attributes: fc.array(attribute, { maxLength: 8 }) }), (transform) => {
      try {
        const form = proposalOf(transform);
        // What is accepted says all that we would say of it.
        return form === null || proposalOf(transformOf(form, 1)) !== null;
      } catch (error) {
        return error instanceof WireError;
      }
    }),
    { numRuns: 2000 },
  );
});

t.test('client identities and lines of access lists', async (t) => {
  fc.assert(
    fc.property(selector, (item) => {
      const [local, remote] = [item.local, item.remote].map((side) =>
        readIdentification(writeIdentification(identificationOf(side, item.protocol))),
      );
      t.same(readSelector(local, remote), item);
      t.same(selectorOf({ line: 0, sequence: 0, ...entryOf(item) }), item);
    }),
    { numRuns: 300 },
  );
});

t.test('covering: as all packets of a small world say', async () => {
  const matches = ({ address, mask, port }: TrafficEnd, at: number, atPort: number): boolean =>
    ((address ^ at) & mask) === 0 && (port === 0 || port === atPort);
  const worldOf = (one: TrafficEnd, other: TrafficEnd): boolean => {
    for (const at of [...Array(16).keys(), 99])
      for (const port of [1, 2, 3, 4]) if (matches(other, at, port) && !matches(one, at, port)) return false;
    return true;
  };
  fc.assert(
    fc.property(selector, selector, (outer, inner) => {
      const protocols = [6, 17, 1].every((protocol) =>
        inner.protocol !== 0 && inner.protocol !== protocol ? true : outer.protocol === 0 || outer.protocol === protocol,
      );
      return covers(outer, inner) === (protocols && worldOf(outer.local, inner.local) && worldOf(outer.remote, inner.remote));
    }),
    { numRuns: 3000 },
  );
});
