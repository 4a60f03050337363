// The ISAKMP codec on arbitrary bytes: header, payloads, and each body by its type. Only WireError may come out.

import { bytesOf, numberOf, readAttributes } from '../../control/isakmp/attributes.js';
import { HeaderLength, PayloadType, readHeader } from '../../control/isakmp/header.js';
import { readIdentification } from '../../control/isakmp/identification.js';
import { readDeletion, readNotification } from '../../control/isakmp/notification.js';
import { readPayloads } from '../../control/isakmp/payloads.js';
import { policyOf, readSa } from '../../control/isakmp/sa-payload.js';
import { WireError } from '../../control/isakmp/wire-error.js';

function tryRead(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.clause === '' || error.counter === '') throw new Error(`refused without clause or counter: ${error.message}`);
  }
}

function readSaDeeply(body: Uint8Array): void {
  for (const proposal of readSa(body).proposals) for (const transform of proposal.transforms) policyOf(transform);
}

const readers = new Map<number, (body: Uint8Array) => void>([
  [PayloadType.Sa, readSaDeeply],
  [PayloadType.Identification, readIdentification],
  [PayloadType.Notification, readNotification],
  [PayloadType.Delete, readDeletion],
]);

/** @param bytes a datagram; its tail is also read as each kind of body */
export function fuzz(bytes: Uint8Array): void {
  tryRead(() => {
    const header = readHeader(bytes);
    for (const { type, body } of readPayloads(header.nextPayload, bytes.subarray(HeaderLength, header.length), { padding: 16 })) {
      readers.get(type)?.(body);
    }
  });
  const tail = bytes.subarray(Math.min(HeaderLength + 4, bytes.length));
  for (const read of readers.values()) tryRead(() => read(tail));
  tryRead(() => {
    for (const attribute of readAttributes(tail)) {
      tryRead(() => numberOf(attribute));
      tryRead(() => bytesOf(attribute));
    }
  });
}

const header = (next: string, exchange: string, length: string): string =>
  `01020304050607080000000000000000${next}10${exchange}0000000000000000${length}`;
export const seeds: readonly Uint8Array[] = [
  // Message 1 of the reference implementation.
  '957e3b86f602b12900000000000000000110020000000000000000500000003400000002000000000000002801010001000000200001000080010005800200028003000180040002800b0001800c003c',
  `${header('0b', '05', '28')}0000000c000000020100000e`,
  `${header('0c', '05', '38')}0000001c000000020110000100112233445566778899aabbccddeeff`,
  `${header('05', '20', '28')}0000000c0b000000000004d2`,
].map((text) => new Uint8Array(Buffer.from(text, 'hex')));
