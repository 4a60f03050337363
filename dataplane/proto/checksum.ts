// The Internet checksum (RFC 1071) and its incremental update (RFC 1624). Does not: checksums of TCP and UDP.

/** One's complement sum, complemented. Over bytes that hold a correct checksum it is 0. @param length bytes @returns 16 bits */
export function checksum(view: DataView, at: number, length: number): number {
  let sum = 0;
  const even = at + (length & ~1);
  let i = at;
  for (; i < even; i += 2) sum += view.getUint16(i);
  if (length & 1) sum += view.getUint8(i) << 8;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** RFC 1624 eqn. 3: HC' = ~(~HC + ~m + m'). @param sum the checksum field @param before the 16-bit word @param after its new value */
export function updateChecksum(sum: number, before: number, after: number): number {
  let next = (~sum & 0xffff) + (~before & 0xffff) + after;
  next = (next & 0xffff) + (next >>> 16);
  next = (next & 0xffff) + (next >>> 16);
  return ~next & 0xffff;
}
