import t from 'tap';
import { fuzz } from './isakmp-messages.js';
import { run } from './mutations.js';

const header = (next: string, exchange: string, length: string): string =>
  `01020304050607080000000000000000${next}10${exchange}0000000000000000${length}`;
const seeds = [
  // Message 1 of the reference implementation.
  '957e3b86f602b12900000000000000000110020000000000000000500000003400000002000000000000002801010001000000200001000080010005800200028003000180040002800b0001800c003c',
  `${header('0b', '05', '28')}0000000c000000020100000e`,
  `${header('0c', '05', '38')}0000001c000000020110000100112233445566778899aabbccddeeff`,
  `${header('05', '20', '28')}0000000c0b000000000004d2`,
].map((text) => new Uint8Array(Buffer.from(text, 'hex')));

t.test('codec', async (t) => {
  t.equal(run(fuzz, seeds, 20_000), null, 'only WireError');
});
