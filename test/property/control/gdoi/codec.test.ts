// The GDOI codec: what is written is read, and what is read is written back byte for byte.

import { deepEqual, throws } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { namesAnother, writeGroupIdentity } from '../../../../control/gdoi/codec/group-identity.js';
import { type KeyPacket, readKd, writeKd } from '../../../../control/gdoi/codec/kd.js';
import { type GdoiSa, readSa, writeSa } from '../../../../control/gdoi/codec/sa.js';
import type { Sak } from '../../../../control/gdoi/codec/sak.js';
import type { Sat } from '../../../../control/gdoi/codec/sat.js';

/** Prototypes aside: fast-check makes records without one. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, item) => (item instanceof Uint8Array ? [...item] : item)));
const same = (found: unknown, wanted: unknown): void => deepEqual(plain(found), plain(wanted));

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const octet = fc.integer({ min: 0, max: 255 });
const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });
const bytes = (min: number, max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: min, maxLength: max });
const selector = fc.record({ type: octet, port: u16, data: bytes(0, 40) });
const ignored = fc.constant<number[]>([]);

const sak: fc.Arbitrary<Sak> = fc.record({
  protocol: octet,
  source: selector,
  destination: selector,
  spi: bytes(16, 16),
  algorithm: u16,
  keyLength: orNull(u16),
  lifetimeSeconds: orNull(u32),
  signatureHash: orNull(u16),
  signatureAlgorithm: u16,
  signatureKeyLength: orNull(u16),
  ackRequested: orNull(u16),
  managementAlgorithm: orNull(u16),
  ignored,
});
const sat: fc.Arbitrary<Sat> = fc.record({
  securityProtocol: fc.constantFrom(1, 2),
  ipProtocol: octet,
  source: selector,
  destination: selector,
  transform: octet,
  spi: u32,
  encapsulation: orNull(u16),
  authentication: orNull(u16),
  keyLength: orNull(u16),
  lifetimeSeconds: orNull(u32),
  lifetimeKilobytes: orNull(u32),
  extendedSequence: orNull(u16),
  addressPreservation: orNull(u16),
  direction: orNull(u16),
  aceAction: orNull(u16),
  replayWindow: orNull(u16),
  saNumber: orNull(u16),
  replayTime: orNull(u16),
  ignored,
});
const gap = fc.record({
  activationDelaySeconds: orNull(u16),
  deactivationDelaySeconds: orNull(u16),
  senderIdRequest: orNull(u16),
  pseudotimeMs: orNull(fc.integer({ min: 0, max: 2 ** 52 - 1 })),
  ignored,
});
const sa: fc.Arbitrary<GdoiSa> = fc
  .record({ sak: orNull(sak), gap: orNull(gap), sats: fc.array(sat, { maxLength: 8 }) })
  .filter((value) => value.sak !== null || value.sats.length > 0);
const packet: fc.Arbitrary<KeyPacket> = fc.oneof(
  fc.record({ kind: fc.constant('tek' as const), spi: u32, algorithmKey: orNull(bytes(0, 64)), integrityKey: orNull(bytes(0, 64)) }),
  fc.record({ kind: fc.constant('kek' as const), spi: bytes(16, 16), algorithmKey: bytes(0, 64), signatureKey: orNull(bytes(0, 300)) }),
  fc.constantFrom(8, 12, 16, 24, 32).chain((bits) =>
    fc.record({
      kind: fc.constant('sid' as const),
      bits: fc.constant(bits),
      values: fc.uniqueArray(fc.integer({ min: 0, max: 2 ** bits - 1 }), { minLength: 1, maxLength: 8 }),
    }),
  ),
);

t.test('SA', async () => {
  fc.assert(
    fc.property(sa, (value) => {
      const wire = writeSa(value);
      same(readSa(wire), value);
      same(writeSa(readSa(wire)), wire);
    }),
    { numRuns: 300 },
  );
});

t.test('KD', async () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 6 }), (value) => {
      const wire = writeKd(value);
      same(readKd(wire), value);
      same(writeKd(readKd(wire)), wire);
    }),
    { numRuns: 300 },
  );
});

t.test('cut anywhere, neither reads', async () => {
  fc.assert(
    fc.property(sa, fc.array(packet, { minLength: 1, maxLength: 4 }), fc.nat(), (policy, keys, at) => {
      const [first, second] = [writeSa(policy), writeKd(keys)];
      throws(() => readKd(second.subarray(0, at % second.length)));
      const cut = first.subarray(0, at % first.length);
      throws(() => readSa(cut));
    }),
    { numRuns: 200 },
  );
});

t.test('a refusal names its group; other data names none', (t) => {
  const identity = fc.oneof(
    fc.record({ kind: fc.constant('number' as const), number: fc.integer({ min: 0, max: 0xffffffff }) }),
    fc.record({ kind: fc.constant('address' as const), address: fc.integer({ min: 0, max: 0xffffffff }) }),
  );
  fc.assert(
    fc.property(identity, identity, (ours, theirs) => {
      return (
        namesAnother(ours, writeGroupIdentity(ours)) === false &&
        namesAnother(ours, writeGroupIdentity(theirs)) === !isDeepStrictEqual({ ...ours }, { ...theirs }) // records may lack a prototype
      );
    }),
  );
  fc.assert(fc.property(identity, fc.uint8Array({ maxLength: 40 }), (ours, data) => typeof namesAnother(ours, data) === 'boolean'));
  t.equal(namesAnother({ kind: 'number', number: 1 }, new Uint8Array(0)), false);
  t.equal(namesAnother(null, writeGroupIdentity({ kind: 'number', number: 1 })), false);
  t.end();
});
