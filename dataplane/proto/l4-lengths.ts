// Lengths that transport headers state, against what there is. Does not: checksums, which are the end host's (RFC 1122 §4.1.3.4, §4.2.2.7).

import { IpProto } from './ipv4.js';

const enum L4 {
  UdpLength = 4,
  UdpHeaderLen = 8,
  TcpOffset = 12,
  TcpHeaderLen = 20,
}

/**
 * Can a TCP or UDP header be what it says (RFC 768, RFC 9293 §3.1)? Other protocols: yes. @param l4 of the header @param end of the datagram
 * @param isFirst of several fragments: its header may state more than there is, and TCP's may be cut (RFC 1858 §3.2.1 wants its flags)
 */
export function lengthsFit(view: DataView, protocol: number, l4: number, end: number, isFirst: boolean): boolean {
  const there = end - l4;
  if (protocol === IpProto.Udp) {
    if (there < L4.UdpHeaderLen) return false;
    const length = view.getUint16(l4 + L4.UdpLength);
    return length >= L4.UdpHeaderLen && (isFirst || length <= there);
  }
  if (protocol !== IpProto.Tcp) return true;
  if (there < (isFirst ? L4.TcpOffset + 1 : L4.TcpHeaderLen)) return false;
  const header = (view.getUint8(l4 + L4.TcpOffset) >>> 4) << 2;
  return header >= L4.TcpHeaderLen && (isFirst || header <= there);
}
