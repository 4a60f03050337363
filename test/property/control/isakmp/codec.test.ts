// What is written reads back the same, and what reads from arbitrary bytes writes back the same.

import fc from 'fast-check';
import t from 'tap';
import { numberOf, readAttributes, writeAttributes } from '../../../../control/isakmp/attributes.js';
import { readHeader, writeHeader } from '../../../../control/isakmp/header.js';
import { IdType, readIdentification, writeIdentification } from '../../../../control/isakmp/identification.js';
import { newPhase1Sa } from '../../../../control/isakmp/main-mode.js';
import { cipherBlockLength, cipherKeyLength, MessageCipher, saHeader } from '../../../../control/isakmp/message-cipher.js';
import { readDeletion, readNotification, writeDeletion, writeNotification } from '../../../../control/isakmp/notification.js';
import { buildMessage, readPayloads, writePayloads } from '../../../../control/isakmp/payloads.js';
import { readSa, writeSa } from '../../../../control/isakmp/sa-payload.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const octet = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const some = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });
const exactly = (length: number) => some(length, length);
const attribute = fc.record({ type: fc.integer({ min: 0, max: 0x7fff }), value: fc.oneof(word, some(40)) });
const payload = fc.record({ type: fc.integer({ min: 1, max: 255 }), body: some(60) });
const plain = (bytes: Uint8Array): number[] => [...bytes];

/** Reads arbitrary bytes: either a WireError, or a value that writes the same bytes. */
function rewrites<T>(read: (bytes: Uint8Array) => T, write: (value: T) => Uint8Array, inputs: fc.Arbitrary<Uint8Array>): void {
  fc.assert(
    fc.property(inputs, (bytes) => {
      let value: T;
      try {
        value = read(bytes);
      } catch (error) {
        if (error instanceof WireError) return;
        throw error;
      }
      if (!Buffer.from(write(value)).equals(Buffer.from(bytes))) throw new Error(`wrote ${Buffer.from(write(value)).toString('hex')}`);
    }),
    { numRuns: 2000 },
  );
}

t.test('header', async (t) => {
  const fields = { nextPayload: octet, exchange: octet, flags: octet, messageId: u32, length: fc.constant(28) };
  const header = fc.record({ initiatorCookie: exactly(8), responderCookie: exactly(8), ...fields });
  fc.assert(fc.property(header, (value) => t.same(readHeader(writeHeader(value)), value) === true));
});

t.test('payload chains', async (t) => {
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 64 }), fc.nat(7), (list, padding) => {
      const chain = new Uint8Array([...writePayloads(list), ...new Uint8Array(padding)]);
      const back = readPayloads(list[0]?.type ?? 0, chain, { padding });
      return (
        back.length === list.length &&
        back.every(
          ({ type, body, whole }, i) =>
            type === list[i].type && Buffer.compare(body, list[i].body) === 0 && whole.length === body.length + 4,
        )
      );
    }),
  );
  t.pass('written chains read back');
  // The type of the first is the header's; the reserved octet is not kept, so inputs have it zero.
  const chains = fc.array(fc.tuple(octet, word, some(8)), { maxLength: 4 }).map((items) => {
    const bytes = items.flatMap(([next, length, body]) => [next, 0, length & 1 ? length >> 8 : 0, 4 + body.length, ...body]);
    return new Uint8Array(bytes);
  });
  rewrites((bytes) => readPayloads(7, bytes), writePayloads, chains);
});

t.test('attributes', async (t) => {
  fc.assert(
    fc.property(fc.array(attribute), (list) => {
      const back = readAttributes(writeAttributes(list));
      return t.same(back, list) === true;
    }),
    { numRuns: 300 },
  );
  rewrites(readAttributes, writeAttributes, some(60));
  fc.assert(
    fc.property(u32, (value) => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value);
      return numberOf({ type: 1, value: bytes }) === value && (value > 0xffff || numberOf({ type: 1, value }) === value);
    }),
  );
});

t.test('identification, notification, delete', async (t) => {
  const keyId = fc.record({ type: fc.constant(IdType.KeyId as number), protocol: octet, port: word, data: some(40, 1) });
  fc.assert(fc.property(keyId, (value) => t.same(readIdentification(writeIdentification(value)), value) === true));
  rewrites(readIdentification, writeIdentification, some(40));
  const note = fc.record({ doi: u32, protocol: octet, spi: some(40), type: word, data: some(40) });
  fc.assert(fc.property(note, (value) => t.same(readNotification(writeNotification(value)), value) === true));
  rewrites(readNotification, writeNotification, some(60));
  const deletion = fc.integer({ min: 1, max: 32 }).chain((spiSize) =>
    fc.record({
      doi: u32,
      protocol: octet,
      spiSize: fc.constant(spiSize),
      spis: fc.array(exactly(spiSize), { minLength: 1, maxLength: 9 }),
    }),
  );
  fc.assert(fc.property(deletion, (value) => t.same(readDeletion(writeDeletion(value)), value) === true));
  rewrites(readDeletion, writeDeletion, some(60));
});

t.test('phase-1 SA payload', async (t) => {
  const transform = fc.record({ number: octet, id: octet, attributes: fc.array(attribute, { maxLength: 8 }) });
  const proposal = fc.record({
    number: octet,
    protocol: octet,
    spi: some(16),
    transforms: fc.array(transform, { minLength: 1, maxLength: 6 }),
  });
  const offer = fc.record({
    doi: fc.constantFrom(1, 2),
    situation: fc.constantFrom(0, 1),
    proposals: fc.array(proposal, { minLength: 1, maxLength: 4 }),
  });
  fc.assert(fc.property(offer, (value) => t.same(readSa(writeSa(value)), value) === true));
});

t.test('messages, sealed and opened', async (t) => {
  const ciphers = fc.constantFrom('des' as const, '3des' as const, 'aes-128' as const, 'aes-192' as const, 'aes-256' as const);
  const hashes = fc.constantFrom('md5' as const, 'sha' as const, 'sha256' as const, 'sha384' as const, 'sha512' as const);
  const lists = fc.array(fc.array(payload, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(ciphers, hashes, u32, exactly(32), lists, (encryption, hash, messageId, seed, messages) => {
      const end = { address: 1, port: 848 };
      const policy = { line: 1, priority: 1, encryption, hash, authentication: 'pre-share', group: 19, lifetimeSeconds: 60 } as const;
      const sa = newPhase1Sa(0, seed.slice(0, 8), true, end, end, policy, 0);
      sa.key = seed.slice(0, cipherKeyLength(encryption));
      sa.lastIv = seed.slice(0, cipherBlockLength(encryption));
      const [from, to] = [new MessageCipher(sa, messageId), new MessageCipher(sa, messageId)];
      return messages.every((list) => {
        const back = to.open(from.seal(saHeader(sa, 32, messageId), list));
        return (
          back.length === list.length &&
          back.every(({ type, body }, i) => type === list[i].type && plain(body).join() === plain(list[i].body).join())
        );
      });
    }),
  );
  t.pass('every cipher and hash');
  const clear = buildMessage(
    { initiatorCookie: new Uint8Array(8), responderCookie: new Uint8Array(8), exchange: 2, flags: 0, messageId: 0 },
    [],
  );
  t.equal(clear.length, 28, 'a message without payloads is its header');
});
