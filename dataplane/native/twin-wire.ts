// Big-endian fields of IPv4 (RFC 791), TCP (RFC 9293) and UDP (RFC 768), ones' complement sums (RFC 1071), and the virtio header that a TUN
// puts before each frame (virtio 1.2 §5.1.6). The twin's wire.h and checksum.c.

export const enum Ipv4 {
  Tos = 1,
  Total = 2,
  Id = 4,
  Fragment = 6,
  Ttl = 8,
  Protocol = 9,
  Checksum = 10,
  Source = 12,
  Header = 20,
  /** In Fragment. */
  DontFragment = 0x4000,
  MoreOrOffset = 0x3fff,
}

export const enum Protocol {
  Tcp = 6,
  Udp = 17,
}

export const enum Tcp {
  Seq = 4,
  Ack = 8,
  Offset = 12,
  Flags = 13,
  Window = 14,
  Checksum = 16,
  Urgent = 18,
  Header = 20,
}

export const enum TcpFlag {
  Fin = 0x01,
  Syn = 0x02,
  Rst = 0x04,
  Psh = 0x08,
  Urg = 0x20,
  Cwr = 0x80,
}

export const enum Udp {
  Length = 4,
  Checksum = 6,
  Header = 8,
}

/** struct virtio_net_hdr: two bytes, then 16-bit fields in the machine's order, which is little-endian wherever Node runs on Linux but s390x. */
export const enum Virtio {
  Flags = 0,
  GsoType = 1,
  HdrLen = 2,
  GsoSize = 4,
  CsumStart = 6,
  CsumOffset = 8,
  Bytes = 10,
}

/** A bit of Virtio.Flags: the checksum is the sender's device's work. */
export const NeedsCsum = 1;

/** Virtio.GsoType; Ecn is a bit beside the others. */
export const enum Gso {
  None = 0,
  Tcp4 = 1,
  Udp = 5,
  Ecn = 0x80,
}

export function get16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

/** @returns 0..2^32-1 */
export function get32(bytes: Uint8Array, at: number): number {
  return ((get16(bytes, at) << 16) | get16(bytes, at + 2)) >>> 0;
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** The value is taken modulo 2^32. */
export function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}

export function getLittle16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

export function putLittle16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
}

/** Sum of 16-bit words, an odd last byte padded with 0. Not folded; sums may be added. @param len bytes, at most some millions */
export function sumBytes(bytes: Uint8Array, at: number, len: number): number {
  let sum = 0;
  const even = at + (len & ~1);
  for (let i = at; i < even; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  return (len & 1) === 0 ? sum : sum + (bytes[even] << 8);
}

/** To 16 bits with end-around carry; not complemented. */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return folded;
}

/** Of the pseudo-header (RFC 768, RFC 9293 §3.1). @param ip where the IPv4 header begins @param len bytes of transport header and payload */
export function sumPseudo(bytes: Uint8Array, ip: number, len: number): number {
  return sumBytes(bytes, ip + Ipv4.Source, 8) + bytes[ip + Ipv4.Protocol] + len;
}

/** Stores what a sum comes to. A zero is written as 0xffff, the same number, where 0 means "no checksum" (RFC 768). */
export function putChecksum(bytes: Uint8Array, at: number, sum: number, neverZero: boolean): void {
  const value = ~foldSum(sum) & 0xffff;
  put16(bytes, at, value === 0 && neverZero ? 0xffff : value);
}

/** @param header bytes of the IPv4 header */
export function putIpChecksum(bytes: Uint8Array, ip: number, header: number): void {
  put16(bytes, ip + Ipv4.Checksum, 0);
  putChecksum(bytes, ip + Ipv4.Checksum, sumBytes(bytes, ip, header), false);
}

/** Are these ranges equal? */
export function equalBytes(bytes: Uint8Array, one: number, other: number, len: number): boolean {
  for (let i = 0; i < len; i++) if (bytes[one + i] !== bytes[other + i]) return false;
  return true;
}
