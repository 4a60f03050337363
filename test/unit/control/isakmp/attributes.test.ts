import t from 'tap';
import { bytesOf, numberOf, readAttributes, writeAttributes } from '../../../../control/isakmp/attributes.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

t.test('TV and TLV', async (t) => {
  const text = '8001 0005 000c 0004 00015180';
  const list = readAttributes(bytes(text));
  t.same(
    list,
    [
      { type: 1, value: 5 },
      { type: 12, value: bytes('00015180') },
    ],
    'read',
  );
  t.same(list.map(numberOf), [5, 86_400], 'as numbers');
  t.same(writeAttributes(list), bytes(text), 'written');
});

t.test('cut short', async (t) => {
  for (const text of ['80', '8001', '8001 00', '000c 0004', '000c 0004 000151', '000c fd20 0001', '000c ffff']) {
    t.throws(() => readAttributes(bytes(text)), WireError, text);
  }
});

t.test('numbers', async (t) => {
  t.equal(numberOf({ type: 12, value: bytes('ffffffff') }), 0xffffffff, 'unsigned');
  t.equal(numberOf({ type: 12, value: bytes('07') }), 7, 'one byte');
  // libreswan#1039: a life duration of 64,800 bytes.
  t.throws(() => numberOf({ type: 12, value: new Uint8Array(0xfd20) }), WireError, 'oversized');
  t.throws(() => numberOf({ type: 12, value: new Uint8Array(5) }), WireError, 'five bytes');
  t.throws(() => numberOf({ type: 12, value: new Uint8Array(0) }), WireError, 'empty');
  t.throws(() => bytesOf({ type: 1, value: 1 }), WireError, 'a number where bytes are needed');
  t.throws(() => writeAttributes([{ type: 1, value: 0x10000 }]), RangeError, 'a number beyond 16 bits');
});
