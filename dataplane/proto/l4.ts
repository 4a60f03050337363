// Ports of the transport headers that have them: TCP (RFC 793), UDP (RFC 768), DCCP, SCTP, UDP-Lite all begin with source and
// destination port. Does not: look at anything behind the ports.

import { IpProto } from './ipv4.js';

/** Values of a port column that are not ports. */
export const enum Port {
  /** The protocol has ports, but this packet does not hold them: a later fragment, or cut short. */
  Unknown = -1,
  /** The protocol has no ports. */
  None = -2,
}

export function hasPorts(protocol: number): boolean {
  return (
    protocol === IpProto.Tcp ||
    protocol === IpProto.Udp ||
    protocol === IpProto.Sctp ||
    protocol === IpProto.Dccp ||
    protocol === IpProto.UdpLite
  );
}

/** UDP ports of IKE (RFC 2408 §2.5.1), its NAT traversal (RFC 3947) and GDOI (RFC 6407 §2). */
export function isKeyManagementPort(port: number): boolean {
  return port === 500 || port === 848 || port === 4500;
}
