// What an ICMP error quotes (RFC 792: the IP header and eight bytes at the least; RFC 1812 §4.3.2.3: as much as fits), and the next-hop MTU of "fragmentation needed" (RFC
// 1191 §4). Does: IPv4 that quotes ESP, ESP in UDP, GRE. Does not: quotes of later fragments, which say nothing about a flow; extensions (RFC 4884).

import { checksum } from './checksum.js';
import { Esp } from './esp.js';
import { EspUdp } from './esp-in-udp.js';
import { Icmp, IcmpError, UnreachableCode } from './icmp.js';
import { Ip4, IpProto } from './ipv4.js';

export const enum QuoteFault {
  /** It is no "fragmentation needed", or its checksum is wrong. */
  Other = -1,
  /** Too short, no IPv4, or a later fragment. */
  Malformed = -2,
}

/** @param at of the ICMP header @param end behind the datagram @returns where the quoted IPv4 header begins, 8 bytes of transport header are there too; below 0 QuoteFault */
export function quoteOfTooBig(view: DataView, at: number, end: number): number {
  if (end - at < Icmp.HeaderLen) return QuoteFault.Other;
  if (view.getUint16(at + Icmp.Type) !== ((IcmpError.Unreachable << 8) | UnreachableCode.FragmentationNeeded)) return QuoteFault.Other;
  const quote = at + Icmp.HeaderLen;
  if (end - quote < Ip4.HeaderLen + 8 || checksum(view, at, end - at) !== 0) return QuoteFault.Malformed;
  const header = (view.getUint8(quote) & 15) << 2;
  if (view.getUint8(quote) >>> 4 !== 4 || header < Ip4.HeaderLen || end - quote < header + 8) return QuoteFault.Malformed;
  return (view.getUint16(quote + Ip4.FlagsOffset) & Ip4.OffsetMask) === 0 ? quote : QuoteFault.Malformed;
}

/** @param quote of the quoted IPv4 header @param end behind the datagram @returns where the quoted SPI stands, its sequence number behind it; -1 = it quotes no ESP, or too little of it */
export function quotedEsp(view: DataView, quote: number, end: number): number {
  const transport = quote + ((view.getUint8(quote) & 15) << 2);
  const protocol = view.getUint8(quote + Ip4.Protocol);
  if (protocol === IpProto.Esp) return transport;
  if (protocol !== IpProto.Udp || view.getUint16(transport) !== EspUdp.Port) return -1;
  return end - transport >= EspUdp.HeaderLen + Esp.HeaderLen ? transport + EspUdp.HeaderLen : -1;
}
