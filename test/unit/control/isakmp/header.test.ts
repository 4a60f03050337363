import t from 'tap';
import { Exchange, HeaderFlag, type IsakmpHeader, PayloadType, readHeader, writeHeader } from '../../../../control/isakmp/header.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const header: IsakmpHeader = {
  initiatorCookie: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
  responderCookie: new Uint8Array([9, 10, 11, 12, 13, 14, 15, 16]),
  nextPayload: PayloadType.Hash,
  exchange: Exchange.GroupkeyPull,
  flags: HeaderFlag.Encryption,
  messageId: 0xfedcba98,
  length: 28,
};

t.test('bytes as RFC 2408 §3.1 draws them', async (t) => {
  const hex = '0102030405060708090a0b0c0d0e0f100810 2001fedcba980000001c'.replaceAll(' ', '');
  t.equal(Buffer.from(writeHeader(header)).toString('hex'), hex, 'written');
  t.same(readHeader(new Uint8Array(Buffer.from(hex, 'hex'))), header, 'read, message ID unsigned');
});

t.test('refused', async (t) => {
  const good = writeHeader(header);
  const change = (at: number, ...values: number[]): Uint8Array => {
    const out = good.slice();
    out.set(values, at);
    return out;
  };
  const cases: [string, Uint8Array, RegExp][] = [
    ['empty', new Uint8Array(0), /shorter/],
    ['one byte, a NAT keepalive', new Uint8Array([0xff]), /shorter/],
    ['three bytes', new Uint8Array(3), /shorter/],
    ['27 bytes', good.subarray(0, 27), /shorter/],
    ['length 0', change(24, 0, 0, 0, 0), /length 0/],
    ['length 27', change(27, 27), /length 27/],
    ['length beyond the datagram', change(27, 29), /exceeds/],
    ['length 2^32-1', change(24, 255, 255, 255, 255), /4294967295 exceeds/],
    ['version 2.0', change(17, 0x20), /version 2\.0/],
    ['version 1.1', change(17, 0x11), /version 1\.1/],
    ['non-ESP marker in front', new Uint8Array([0, 0, 0, 0, ...good]), /version/],
  ];
  for (const [name, bytes, message] of cases) {
    t.throws(() => readHeader(bytes), { message, counter: 'ike_malformed' }, name);
    t.throws(() => readHeader(bytes), WireError, `${name}: WireError`);
  }
});

t.test('bytes beyond the length are nobody’s business', async (t) => {
  t.equal(readHeader(new Uint8Array([...writeHeader(header), 1, 2, 3])).length, 28, 'length as written');
});
