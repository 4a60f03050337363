// Sequence Number payload body, RFC 6407 §5.7: four octets.

import { readU32, u32Bytes } from '../../isakmp/bytes.js';
import { gdoiError } from './attribute-set.js';

/** @throws WireError */
export function readSequence(body: Uint8Array): number {
  if (body.length !== 4) throw gdoiError('RFC 6407 §5.7', `sequence payload body of ${body.length} bytes`);
  return readU32(body, 0);
}

export function writeSequence(sequence: number): Uint8Array {
  return u32Bytes(sequence);
}
