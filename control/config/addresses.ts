// IPv4 addresses, masks and wildcards as text and as unsigned 32-bit numbers in host order.
// Strict on purpose: four decimal octets and nothing else. ipaddr.js also takes octal, hexadecimal and short forms (`010.1`, `0x7f.1`),
// which IOS does not, and an address that two programs read differently is a hole in an access list.

import type { Ipv4 } from './model.js';

export const AllOnes: Ipv4 = 0xffffffff;

/** @returns null unless `text` is four decimal octets without leading zeros */
export function parseIpv4(text: string): Ipv4 | null {
  if (text.length < 7 || text.length > 15) return null;
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0 || dots === 3) return null;
      value = value * 256 + octet;
      dots++;
      octet = 0;
      digits = 0;
    } else if (code >= 0x30 && code <= 0x39) {
      if (digits > 0 && octet === 0) return null;
      octet = octet * 10 + (code - 0x30);
      digits++;
      if (octet > 255) return null;
    } else return null;
  }
  return dots === 3 && digits > 0 ? value * 256 + octet : null;
}

/** @param address any 32-bit number, signed or not */
export function formatIpv4(address: Ipv4): string {
  return `${(address >>> 24) & 255}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** 224.0.0.0/4 (RFC 1112 §4). */
export function isMulticast(address: Ipv4): boolean {
  return address >>> 28 === 14;
}

/** @returns 0..32, or null for a mask with holes */
export function maskToPrefixLength(mask: Ipv4): number | null {
  const length = Math.clz32(~mask);
  return prefixLengthToMask(length) === mask >>> 0 ? length : null;
}

/** @param length 0..32 */
export function prefixLengthToMask(length: number): Ipv4 {
  return length === 0 ? 0 : (AllOnes << (32 - length)) >>> 0;
}

/** @returns the prefix length a wildcard stands for (0.0.0.255 -> 24), or null for one with holes */
export function wildcardToPrefixLength(wildcard: Ipv4): number | null {
  return maskToPrefixLength(~wildcard >>> 0);
}

/** First and last address of a prefix. */
export function prefixRange(address: Ipv4, mask: Ipv4): { first: Ipv4; last: Ipv4 } {
  return { first: (address & mask) >>> 0, last: (address | ~mask) >>> 0 };
}

export function isInPrefix(address: Ipv4, prefix: Ipv4, mask: Ipv4): boolean {
  return ((address ^ prefix) & mask) === 0;
}
