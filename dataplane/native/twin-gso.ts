// From a frame with a virtio header to the datagrams that a wire would carry: gso.c in TypeScript, to be read beside it. Does: TCPv4 and UDPv4
// superpackets, checksums that the sender left to its device, IPv4 options. Does not: IPv6, UFO (never asked for), I/O.
// The fields of the headers describe bytes of strangers: each is checked against the frame once, in frameStart; behind it they are trusted.

import {
  foldSum,
  Gso,
  get16,
  get32,
  getLittle16,
  Ipv4,
  NeedsCsum,
  Protocol,
  put16,
  put32,
  putChecksum,
  putIpChecksum,
  sumBytes,
  sumPseudo,
  Tcp,
  TcpFlag,
  Udp,
  Virtio,
} from './twin-wire.js';

const enum Kind {
  Whole,
  Checksum,
  Tcp,
  Udp,
}

/** One frame as a TUN gave it, and how far it has been cut. */
export interface Frame {
  /** The virtio header; the IPv4 header follows at Virtio.Bytes. */
  readonly bytes: Uint8Array;
  /** Bytes from the IPv4 header on. */
  len: number;
  gsoSize: number;
  /** Bytes of payload that have left; -1 = nothing is left. */
  done: number;
  /** Number of the next segment. */
  segment: number;
  kind: Kind;
  /** Where the checksummed part begins, from the IPv4 header: the transport header, or csum_start. */
  transport: number;
  /** Where the checksum is, from `transport`. */
  field: number;
  /** Bytes of IPv4 and transport header, of a superpacket. */
  headers: number;
  /** The headers of the segment that is being made: 60 bytes of IPv4 and 60 of TCP at most. */
  readonly head: Uint8Array;
}

/** A frame that has nothing. @param bytes what will be read into: virtio header, then the longest frame */
export function makeFrame(bytes: Uint8Array): Frame {
  return {
    bytes,
    len: 0,
    gsoSize: 0,
    done: -1,
    segment: 0,
    kind: Kind.Whole,
    transport: 0,
    field: 0,
    headers: 0,
    head: new Uint8Array(120),
  };
}

/** A superpacket that can be cut: fills transport, field and headers, and takes off what lies behind the IPv4 datagram. */
function isSuperpacket(frame: Frame, protocol: Protocol): boolean {
  const { bytes, len } = frame;
  const ip = Virtio.Bytes;
  if (frame.gsoSize === 0 || len < Ipv4.Header || bytes[ip] >> 4 !== 4) return false;
  const ipHeader = (bytes[ip] & 15) * 4;
  const total = get16(bytes, ip + Ipv4.Total);
  if (ipHeader < Ipv4.Header || total > len || bytes[ip + Ipv4.Protocol] !== protocol) return false;
  if ((get16(bytes, ip + Ipv4.Fragment) & Ipv4.MoreOrOffset) !== 0) return false;
  const least = protocol === Protocol.Tcp ? Tcp.Header : Udp.Header;
  if (ipHeader + least > total) return false;
  const transportHeader = protocol === Protocol.Tcp ? (bytes[ip + ipHeader + Tcp.Offset] >> 4) * 4 : Udp.Header;
  if (transportHeader < least || ipHeader + transportHeader > total) return false;
  const field = protocol === Protocol.Tcp ? Tcp.Checksum : Udp.Checksum;
  const unfinished = (bytes[Virtio.Flags] & NeedsCsum) !== 0;
  if (unfinished && (frame.transport !== ipHeader || frame.field !== field)) return false;
  frame.len = total;
  frame.transport = ipHeader;
  frame.field = field;
  frame.headers = ipHeader + transportHeader;
  return true;
}

/** Takes what was read into `frame.bytes`. @param len bytes behind the virtio header, at least 1 */
export function frameStart(frame: Frame, len: number): void {
  const { bytes } = frame;
  frame.len = len;
  frame.gsoSize = getLittle16(bytes, Virtio.GsoSize);
  frame.done = 0;
  frame.segment = 0;
  frame.kind = Kind.Whole;
  frame.transport = getLittle16(bytes, Virtio.CsumStart);
  frame.field = getLittle16(bytes, Virtio.CsumOffset);
  // ECN: CWR is set in the first segment, which is what always happens below.
  const gsoType = bytes[Virtio.GsoType] & ~Gso.Ecn;
  if (gsoType === Gso.None) {
    const unfinished = (bytes[Virtio.Flags] & NeedsCsum) !== 0;
    if (unfinished && frame.transport + frame.field + 2 <= len) frame.kind = Kind.Checksum;
  } else if (gsoType === Gso.Tcp4) {
    if (isSuperpacket(frame, Protocol.Tcp)) frame.kind = Kind.Tcp;
  } else if (gsoType === Gso.Udp) {
    if (isSuperpacket(frame, Protocol.Udp)) frame.kind = Kind.Udp;
  }
}

export function frameHasNext(frame: Frame): boolean {
  return frame.done >= 0;
}

/**
 * The headers of segment number `segment`, into `head`. As Linux cuts: inet_gso_segment, tcp_gso_segment, __udp_gso_segment.
 * @param len bytes of the datagram @param sum of its payload
 */
function writeHeaders(frame: Frame, len: number, sum: number, last: boolean): void {
  const { head, transport } = frame;
  head.set(frame.bytes.subarray(Virtio.Bytes, Virtio.Bytes + frame.headers));
  put16(head, Ipv4.Total, len);
  put16(head, Ipv4.Id, get16(head, Ipv4.Id) + frame.segment);
  putIpChecksum(head, 0, transport);
  if (frame.kind === Kind.Tcp) {
    put32(head, transport + Tcp.Seq, get32(head, transport + Tcp.Seq) + frame.done);
    if (frame.segment > 0) head[transport + Tcp.Flags] &= ~TcpFlag.Cwr;
    if (!last) head[transport + Tcp.Flags] &= ~(TcpFlag.Fin | TcpFlag.Psh);
  } else {
    put16(head, transport + Udp.Length, len - transport);
  }
  put16(head, transport + frame.field, 0);
  const covered = sum + sumBytes(head, transport, frame.headers - transport) + sumPseudo(head, 0, len - transport);
  putChecksum(head, transport + frame.field, covered, frame.kind === Kind.Udp);
}

function nextSegment(frame: Frame, to: Uint8Array, at: number, maxLength: number): number {
  const { bytes, headers } = frame;
  const payload = Virtio.Bytes + headers + frame.done;
  const left = frame.len - headers - frame.done;
  const last = left <= frame.gsoSize;
  const size = last ? left : frame.gsoSize;
  let len = headers + size;
  if (len > maxLength) {
    // Nobody forwards what was cut: its headers need not be right.
    const kept = Math.min(maxLength, headers);
    to.set(bytes.subarray(Virtio.Bytes, Virtio.Bytes + kept), at);
    to.set(bytes.subarray(payload, payload + maxLength - kept), at + kept);
    len = maxLength + 1;
  } else {
    writeHeaders(frame, len, sumBytes(bytes, payload, size), last);
    to.set(frame.head.subarray(0, headers), at);
    to.set(bytes.subarray(payload, payload + size), at + headers);
  }
  frame.segment++;
  frame.done = last ? -1 : frame.done + size;
  return len;
}

/**
 * Writes the next datagram to to[at..], complete with its checksums. A header that makes no sense yields the frame as it came, once.
 * @returns its bytes, maxLength + 1 when it is longer and was cut
 */
export function frameNext(frame: Frame, to: Uint8Array, at: number, maxLength: number): number {
  if (frame.kind === Kind.Tcp || frame.kind === Kind.Udp) return nextSegment(frame, to, at, maxLength);
  frame.done = -1;
  const { bytes, len, transport } = frame;
  to.set(bytes.subarray(Virtio.Bytes, Virtio.Bytes + Math.min(len, maxLength)), at);
  if (len > maxLength) return maxLength + 1;
  if (frame.kind === Kind.Checksum) {
    // The field holds the sum of the pseudo-header, so it is summed with the rest (skb_checksum_help does the same, 0xffff included).
    const sum = foldSum(sumBytes(bytes, Virtio.Bytes + transport, len - transport));
    putChecksum(to, at + transport + frame.field, sum, true);
  }
  return len;
}
