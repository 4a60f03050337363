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
