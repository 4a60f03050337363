// Probes of path MTU discovery without ICMP (RFC 8899), between members and inside an SA: an IPv4 datagram of protocol 253 (RFC 3692 §2.1, experiments), padded with zeros to
// the size that is asked about. Who opens one answers with a short one that says the same. Does: the payload. Does not: decide what is asked (control/probe), pad.
//
//   0                   1                   2                   3
//  +---------------------------------------------------------------+
//  |                         "gwP1"                                |
//  +---------------+---------------+-------------------------------+
//  |     Kind      |       0       |  Size of the outer datagram   |
//  +---------------+---------------+-------------------------------+
//  |            Nonce, 64 bits: the answer has the same            |
//  |                                                               |
//  +---------------------------------------------------------------+

export const enum MtuProbe {
  Protocol = 253,
  Magic = 0x67775031,
  Kind = 4,
  Size = 6,
  NonceHigh = 8,
  NonceLow = 12,
  Length = 16,
}

export const enum ProbeKind {
  /** Is none. */
  None = 0,
  Ask = 1,
  Answer = 2,
}

/** @param at behind the IPv4 header @param end behind the datagram */
export function mtuProbeKind(view: DataView, protocol: number, at: number, end: number): ProbeKind {
  if (protocol !== MtuProbe.Protocol || end - at < MtuProbe.Length || view.getUint32(at) !== MtuProbe.Magic) return ProbeKind.None;
  const word = view.getUint16(at + MtuProbe.Kind);
  return word === ProbeKind.Ask << 8 ? ProbeKind.Ask : word === ProbeKind.Answer << 8 ? ProbeKind.Answer : ProbeKind.None;
}

/** @param high, low nonce, signed words */
export function writeMtuProbe(view: DataView, at: number, kind: ProbeKind, size: number, high: number, low: number): void {
  view.setUint32(at, MtuProbe.Magic);
  view.setUint16(at + MtuProbe.Kind, kind << 8);
  view.setUint16(at + MtuProbe.Size, size);
  view.setInt32(at + MtuProbe.NonceHigh, high);
  view.setInt32(at + MtuProbe.NonceLow, low);
}
