// Data attributes, RFC 2408 §3.3: TV (AF=1, 16-bit value) and TLV (AF=0). Does: lengths. Does not: know the types.
//
//   0                   1                   2                   3
//  +-+-----------------------------+-------------------------------+
//  |A|       Attribute Type        |  AF=0: Length, AF=1: Value    |
//  +-+-----------------------------+-------------------------------+
//  |                  AF=0: Value of Length bytes                  |
//  +---------------------------------------------------------------+

import { concatBytes, readU16, writeU16 } from './bytes.js';
import { WireError } from './wire-error.js';

export interface Attribute {
  /** Without the AF bit. */
  type: number;
  /** A number for TV, bytes for TLV. */
  value: number | Uint8Array;
}

/** @param bytes attributes and nothing else @throws WireError when one is cut short */
export function readAttributes(bytes: Uint8Array): Attribute[] {
  const list: Attribute[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new WireError('RFC 2408 §3.3', 'attribute is cut short');
    const type = readU16(bytes, at) & 0x7fff;
    const second = readU16(bytes, at + 2);
    if (bytes[at] & 0x80) {
      list.push({ type, value: second });
      at += 4;
      continue;
    }
    if (at + 4 + second > bytes.length) throw new WireError('RFC 2408 §3.3', `attribute ${type} of ${second} bytes exceeds its payload`);
    list.push({ type, value: bytes.slice(at + 4, at + 4 + second) });
    at += 4 + second;
  }
  return list;
}

/** @throws RangeError on a number beyond 16 bits (write it as four bytes) or a value beyond 65,535 bytes */
export function writeAttributes(list: readonly Attribute[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { type, value } of list) {
    const short = typeof value === 'number';
    const second = short ? value : value.length;
    if (second < 0 || second > 0xffff) throw new RangeError(`attribute ${type} does not fit 16 bits`);
    const head = new Uint8Array(4);
    writeU16(head, 0, short ? type | 0x8000 : type);
    writeU16(head, 2, second);
    parts.push(head);
    if (!short) parts.push(value);
  }
  return concatBytes(...parts);
}

/**
 * A number that may come as TV or as TLV, e.g. a life duration (RFC 2409 App. A). Unsigned.
 * @throws WireError when the TLV is empty or longer than four bytes: a duration of 64,800 bytes is an attack (libreswan#1039), not a number
 */
export function numberOf(attribute: Attribute): number {
  const { type, value } = attribute;
  if (typeof value === 'number') return value;
  if (value.length === 0 || value.length > 4) {
    throw new WireError('RFC 2408 §3.3', `attribute ${type} of ${value.length} bytes where a number of at most four is needed`);
  }
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** @throws WireError when the attribute came in the short form */
export function bytesOf(attribute: Attribute): Uint8Array {
  if (typeof attribute.value === 'number') throw new WireError('RFC 2408 §3.3', `attribute ${attribute.type} must be variable-length`);
  return attribute.value;
}
