// What is sent to find out about a path: ICMP echo (RFC 792) and UDP to a port that nobody listens on (RFC 1393 §1 tells how traceroute works).
// Bytes behind the IPv4 header; the kernel writes that.
//
//  +---------------+---------------+-------------------------------+
//  |   Type 8      |     Code 0    |           Checksum            |
//  +---------------+---------------+-------------------------------+
//  |          Identifier           |        Sequence number        |
//  +-------------------------------+-------------------------------+
//  |  data: the pattern, again and again                           |

import { sum16 } from '../checksum.js';

export const enum Size {
  Ipv4Header = 20,
  IcmpHeader = 8,
}

/** @param size bytes of the whole IPv4 datagram, 28 at least @param pattern 16 bits */
export function buildEcho(identifier: number, sequence: number, size: number, pattern: number): Uint8Array {
  const bytes = new Uint8Array(size - Size.Ipv4Header);
  const view = new DataView(bytes.buffer);
  for (let at = Size.IcmpHeader; at < bytes.length; at++) bytes[at] = (at & 1 ? pattern : pattern >>> 8) & 0xff;
  view.setUint8(0, 8);
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  view.setUint16(2, ~sum16(bytes) & 0xffff);
  return bytes;
}

/** Without a checksum (RFC 768: 0 = none), which would need the source address. @param size bytes of the whole IPv4 datagram */
export function buildUdp(sourcePort: number, destinationPort: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size - Size.Ipv4Header);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, bytes.length);
  return bytes;
}
