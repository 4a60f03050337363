// The chain of payloads, RFC 2408 §3.2: each names the type of the next, the header (or the payload around) the first. Does: lengths,
// count, padding. Does not: know the types; nested chains (proposals, transforms, GDOI's SAK and SAT) are read with the same function.
//
//   0                   1                   2                   3
//  +---------------+---------------+-------------------------------+
//  | Next Payload  |   RESERVED    |         Payload Length        |
//  +---------------+---------------+-------------------------------+

import { concatBytes, isZero, readU16, writeU16 } from './bytes.js';
import { HeaderLength, type IsakmpHeader, PayloadType, writeHeader } from './header.js';
import { WireError } from './wire-error.js';

/** More payloads than any exchange here has. Nested chains with one payload per ACE pass their own limit. */
const DefaultCount = 64;
const MaxBodyLength = 0xffff - 4;

export interface Payload {
  type: number;
  /** Without the generic header. A view on the bytes that were read. */
  body: Uint8Array;
  /** With the generic header, as hashes want it (RFC 6407 §3.2). A view on the bytes that were read. */
  whole: Uint8Array;
}

export interface ChainLimits {
  /** Payloads accepted; 64 unless given. */
  count?: number;
  /** Zero bytes tolerated after the last payload: the padding of a decrypted message (RFC 2409 §5.5 excludes it from hashes). 0 unless given. */
  padding?: number;
}

/**
 * @param first type of the first payload; 0 = none
 * @param bytes the chain without the ISAKMP header
 * @throws WireError on a length below 4 or beyond the end, too many payloads, or bytes left over
 */
export function readPayloads(first: number, bytes: Uint8Array, limits: ChainLimits = {}): Payload[] {
  const list: Payload[] = [];
  const count = limits.count ?? DefaultCount;
  let at = 0;
  // Every turn consumes at least four bytes, so a chain of pointers cannot loop.
  for (let type = first; type !== PayloadType.None; ) {
    if (list.length >= count) throw new WireError('RFC 2408 §3.2', `more than ${count} payloads`);
    if (at + 4 > bytes.length) throw new WireError('RFC 2408 §3.2', `payload type ${type} begins beyond the end`);
    const length = readU16(bytes, at + 2);
    if (length < 4) throw new WireError('RFC 2408 §3.2', `payload type ${type} has length ${length}`);
    if (at + length > bytes.length) throw new WireError('RFC 2408 §3.2', `payload type ${type} of ${length} bytes exceeds the message`);
    const whole = bytes.subarray(at, at + length);
    list.push({ type, body: whole.subarray(4), whole });
    type = whole[0];
    at += length;
  }
  const rest = bytes.subarray(at);
  if (rest.length > (limits.padding ?? 0)) throw new WireError('RFC 2408 §3.2', `${rest.length} bytes after the last payload`);
  if (!isZero(rest)) throw new WireError('RFC 2409 App. B', 'padding is not zero');
  return list;
}

/** @returns the chain; the last next-payload is 0 @throws RangeError when a body does not fit 16 bits of length */
export function writePayloads(list: readonly { type: number; body: Uint8Array }[]): Uint8Array {
  const parts: Uint8Array[] = [];
  list.forEach(({ body }, i) => {
    if (body.length > MaxBodyLength) throw new RangeError(`payload body of ${body.length} bytes`);
    const generic = new Uint8Array(4);
    generic[0] = i + 1 < list.length ? list[i + 1].type : PayloadType.None;
    writeU16(generic, 2, body.length + 4);
    parts.push(generic, body);
  });
  return concatBytes(...parts);
}

/** A message in clear: header with next payload and length set, then the chain. */
export function buildMessage(
  header: Omit<IsakmpHeader, 'length' | 'nextPayload'>,
  payloads: readonly { type: number; body: Uint8Array }[],
): Uint8Array {
  const chain = writePayloads(payloads);
  const nextPayload = payloads.length > 0 ? payloads[0].type : PayloadType.None;
  return concatBytes(writeHeader({ ...header, nextPayload, length: HeaderLength + chain.length }), chain);
}

/** The one payload of that type. @throws WireError when it is missing or repeated */
export function takePayload(list: readonly Payload[], type: number): Payload {
  const found = list.filter((payload) => payload.type === type);
  if (found.length !== 1) throw new WireError('RFC 2408 §3.2', `${found.length} payloads of type ${type} where one is needed`);
  return found[0];
}
