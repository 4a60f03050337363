// One end of a SAK or SAT payload, RFC 6407 §5.3 and §5.5.1: ID type, port, length, data. IPv4 only.
//
//  +---------------+-------------------------------+---------------+- - - - -
//  |    ID Type    |         Port, 0 = any         |    Length     |  Data
//  +---------------+-------------------------------+---------------+- - - - -

import type { Ipv4 } from '../../config/model.js';
import { concatBytes, isZero, readU16, readU32, u32Bytes } from '../../isakmp/bytes.js';
import { IdType } from '../../isakmp/identification.js';
import { gdoiError } from './attribute-set.js';

export interface Selector {
  type: number;
  /** 0 = any. */
  port: number;
  data: Uint8Array;
}

const HeadLength = 4;

/** @returns the selector and the offset behind it @throws WireError when it is cut short */
export function readSelector(bytes: Uint8Array, at: number, clause: string): { selector: Selector; end: number } {
  if (at + HeadLength > bytes.length) throw gdoiError(clause, 'identity is cut short');
  const end = at + HeadLength + bytes[at + 3];
  if (end > bytes.length) throw gdoiError(clause, `identity of ${bytes[at + 3]} bytes exceeds its payload`);
  return { selector: { type: bytes[at], port: readU16(bytes, at + 1), data: bytes.slice(at + HeadLength, end) }, end };
}

export function writeSelector({ type, port, data }: Selector): Uint8Array {
  if (data.length > 255 || port < 0 || port > 0xffff) throw new RangeError(`identity of ${data.length} bytes, port ${port}`);
  return concatBytes(Uint8Array.of(type, port >>> 8, port, data.length), data);
}

/** @param mask bits that are compared */
export function ipv4Selector(address: Ipv4, mask: Ipv4, port: number): Selector {
  if (mask === 0xffffffff) return { type: IdType.Ipv4Address, port, data: u32Bytes(address) };
  return { type: IdType.Ipv4Subnet, port, data: concatBytes(u32Bytes(address), u32Bytes(mask)) };
}

/** IPv4 prefix. */
export interface SelectorPrefix {
  address: Ipv4;
  mask: Ipv4;
}

/**
 * What an ACE is compared with. A range (RFC 2407 §4.6.2.8) becomes the prefixes that make it up, 62 at most, so that nothing behind here has to
 * know ranges. @throws WireError on an IPv6, named or unknown type, a mask with holes, a range that ends before it begins
 */
export function readIpv4Selectors(selector: Selector, clause: string): SelectorPrefix[] {
  const { type, data } = selector;
  if (type !== IdType.Ipv4Range || data.length !== 8) return [readIpv4Selector(selector, clause)];
  const first = readU32(data, 0);
  const last = readU32(data, 4);
  if (first > last) throw gdoiError('RFC 2407 §4.6.2.8', 'address range ends before it begins');
  const prefixes: SelectorPrefix[] = [];
  for (let at = first; at <= last; ) {
    // The largest block that begins here and ends within the range.
    let size = at === 0 ? 2 ** 32 : (at & -at) >>> 0;
    while (at + size - 1 > last) size /= 2;
    prefixes.push({ address: at, mask: (2 ** 32 - size) >>> 0 });
    at += size;
  }
  return prefixes;
}

const otherTypes = new Map<number, string>([
  [IdType.Fqdn, 'RFC 2407 §4.6.2.3: a domain name'],
  [IdType.UserFqdn, 'RFC 2407 §4.6.2.4: a user name'],
  [IdType.Ipv6Address, 'RFC 2407 §4.6.2.6: an IPv6 address'],
  [IdType.Ipv6Subnet, 'RFC 2407 §4.6.2.7: an IPv6 subnet'],
  [IdType.Ipv6Range, 'RFC 2407 §4.6.2.9: an IPv6 range'],
  [IdType.DerDn, 'RFC 2407 §4.6.2.10: a distinguished name'],
  [IdType.DerGn, 'RFC 2407 §4.6.2.11: a general name'],
  [IdType.KeyId, 'RFC 2407 §4.6.2.12: a key ID'],
  [IdType.Oid, 'RFC 8052 §2.1: an OID'],
]);

/** @throws WireError on anything but an IPv4 address, an IPv4 prefix, or no data (RFC 6407 §5.5.1: any source) */
export function readIpv4Selector({ type, data }: Selector, clause: string): SelectorPrefix {
  if (data.length === 0 || (data.length === 3 && isZero(data))) return { address: 0, mask: 0 };
  if (type === IdType.Ipv4Address && data.length === 4) return { address: readU32(data, 0), mask: 0xffffffff };
  if (type === IdType.Ipv4Subnet && data.length === 8) {
    const address = readU32(data, 0);
    const mask = readU32(data, 4);
    const inverse = ~mask >>> 0;
    if ((inverse & (inverse + 1)) !== 0) throw gdoiError(clause, 'subnet mask has holes');
    return { address: (address & mask) >>> 0, mask };
  }
  const other = otherTypes.get(type);
  if (other) throw gdoiError(clause, `identity of type ${type} (${other}) cannot be a traffic selector here`);
  throw gdoiError(clause, `identity of type ${type} with ${data.length} bytes is not supported`);
}
