import t from 'tap';
import { readDeletion, readNotification, writeDeletion, writeNotification } from '../../../../control/isakmp/notification.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

t.test('a notification', async (t) => {
  const item = { doi: 2, protocol: 1, spi: bytes('aabb'), type: 14, data: bytes('cc') };
  t.same(writeNotification(item), bytes('00000002 0102000e aabb cc'), 'written');
  t.same(readNotification(writeNotification(item)), item, 'read');
});

t.test('a delete', async (t) => {
  const item = { doi: 2, protocol: 1, spiSize: 4, spis: [bytes('00000001'), bytes('00000002')] };
  t.same(writeDeletion(item), bytes('00000002 01040002 00000001 00000002'), 'written');
  t.same(readDeletion(writeDeletion(item)), item, 'read');
  t.throws(() => writeDeletion({ ...item, spiSize: 8 }), RangeError, 'sizes differ');
});

t.test('refused', async (t) => {
  for (const text of ['', '00000002 010000', '00000002 01020001 aa', '00000002 01ff0001']) {
    t.throws(() => readNotification(bytes(text)), WireError, `notification '${text}'`);
  }
  const deletes = [
    '',
    '00000002 010400',
    '00000002 01040002 00000001',
    '00000002 01040001 0000000100',
    '00000002 01000005',
    '00000002 01040000',
  ];
  for (const text of [...deletes, '00000002 0110ffff 00']) t.throws(() => readDeletion(bytes(text)), WireError, `delete '${text}'`);
});
