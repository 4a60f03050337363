import t from 'tap';
import { ipv4Identification, readIdentification, writeIdentification } from '../../../../control/isakmp/identification.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

t.test('group 1234 as a key ID, and an address', async (t) => {
  t.same(readIdentification(bytes('0b000000 000004d2')), { type: 11, protocol: 0, port: 0, data: bytes('000004d2') }, 'read');
  t.same(writeIdentification(ipv4Identification(0x0a000001, 17, 848)), bytes('01110350 0a000001'), 'written');
});

t.test('data that does not fit its type', async (t) => {
  const short = ['', '01', '010000', '01000000', '01000000 0a0000', '01000000 0a00000101', '04000000 0a000001', '05000000 0a000001'];
  const others = ['06000000 00', '07000000 0a000001', '08000000 0a000001', '0b000000', '09000000'];
  for (const text of [...short, ...others]) t.throws(() => readIdentification(bytes(text)), WireError, `'${text}'`);
});
