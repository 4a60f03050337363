import t from 'tap';
import { readHeader } from '../../../../control/isakmp/header.js';
import { buildMessage, readPayloads, takePayload, writePayloads } from '../../../../control/isakmp/payloads.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

t.test('a chain of two', async (t) => {
  const chain = bytes('0500 0006 aabb 0000 0005 cc');
  const list = readPayloads(10, chain);
  t.same(
    list.map(({ type, body, whole }) => [type, hex(body), hex(whole)]),
    [
      [10, 'aabb', '05000006aabb'],
      [5, 'cc', '00000005cc'],
    ],
    'type, body, whole',
  );
  t.equal(hex(writePayloads(list)), hex(chain), 'written again');
  t.same(readPayloads(0, new Uint8Array(0)), [], 'no payload');
});

t.test('refused', async (t) => {
  const cases: [string, number, string, RegExp][] = [
    ['first payload in an empty message', 1, '', /beyond the end/],
    ['next payload points beyond the end', 1, '0500 0004', /beyond the end/],
    ['pointer to itself', 1, '0100 0004 0100 0004', /beyond the end/],
    ['length 0', 1, '0000 0000', /length 0/],
    ['length 3', 1, '0000 0003', /length 3/],
    ['length beyond the end', 1, '0000 0009 00000000', /exceeds/],
    ['length 65535', 1, '0000 ffff 00000000', /exceeds/],
    ['generic header cut short', 1, '0000 00', /beyond the end/],
    ['bytes left over', 1, '0000 0004 00', /after the last/],
    ['bytes without payload', 0, '00000004', /after the last/],
  ];
  for (const [name, first, text, message] of cases) t.throws(() => readPayloads(first, bytes(text)), { message, name: 'WireError' }, name);
});

t.test('the count is bounded', async (t) => {
  const chain = writePayloads(Array.from({ length: 65 }, () => ({ type: 13, body: new Uint8Array(0) })));
  t.throws(() => readPayloads(13, chain), WireError, '65 payloads');
  t.equal(readPayloads(13, chain, { count: 65 }).length, 65, 'with a limit of its own');
});

t.test('padding only where the caller says so', async (t) => {
  const padded = bytes('0000 0005 aa 000000');
  t.throws(() => readPayloads(1, padded), WireError, 'not allowed');
  t.equal(readPayloads(1, padded, { padding: 8 }).length, 1, 'allowed');
  t.throws(() => readPayloads(1, padded, { padding: 2 }), WireError, 'longer than allowed');
  t.throws(() => readPayloads(1, bytes('0000 0005 aa 000001'), { padding: 8 }), /not zero/, 'not zero');
});

t.test('one payload of a type', async (t) => {
  const list = readPayloads(1, writePayloads([1, 5, 5].map((type) => ({ type, body: new Uint8Array(0) }))));
  t.equal(takePayload(list, 1).type, 1, 'found');
  t.throws(() => takePayload(list, 5), WireError, 'twice');
  t.throws(() => takePayload(list, 8), WireError, 'none');
});

t.test('a message in clear', async (t) => {
  const message = buildMessage(
    { initiatorCookie: new Uint8Array(8), responderCookie: new Uint8Array(8), exchange: 5, flags: 0, messageId: 7 },
    [{ type: 11, body: new Uint8Array(3) }],
  );
  t.match(readHeader(message), { nextPayload: 11, length: 35, messageId: 7 }, 'header');
  t.throws(() => writePayloads([{ type: 1, body: new Uint8Array(65_532) }]), RangeError, 'body that 16 bits cannot measure');
});
