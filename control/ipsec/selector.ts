// Which traffic a pair of SAs is for: the client identities of Quick Mode (RFC 2409 §5.5, RFC 2407 §4.6.2) and the lines of crypto access lists.
// Does: hosts, prefixes, one protocol, one port on each side. Does not: port ranges, which IKEv1 cannot say, address ranges but those
// that are a prefix, IPv6.

import { AllOnes, formatIpv4, maskToPrefixLength } from '../config/addresses.js';
import type { AclEntry, Ipv4 } from '../config/model.js';
import { concatBytes, readU32, u32Bytes } from '../isakmp/bytes.js';
import { type Identification, IdType } from '../isakmp/identification.js';
import { WireError } from '../isakmp/wire-error.js';

export interface TrafficEnd {
  address: Ipv4;
  /** Contiguous. */
  mask: Ipv4;
  /** 0 = any. */
  port: number;
}

export interface TrafficSelector {
  /** IP protocol, 0 = any. */
  protocol: number;
  /** On our side. */
  local: TrafficEnd;
  remote: TrafficEnd;
}

function endOf(address: Ipv4, wildcard: Ipv4, ports: AclEntry['sourcePort']): TrafficEnd | null {
  const mask = ~wildcard >>> 0;
  if (maskToPrefixLength(mask) === null) return null;
  if (ports !== null && (ports.operator !== 'eq' || ports.ports.length !== 1 || ports.ports[0] === 0)) return null;
  return { address: (address & mask) >>> 0, mask, port: ports === null ? 0 : ports.ports[0] };
}

/** @returns null when an ID payload cannot say what the line says: port ranges, wildcards with holes, what is no matter of addresses and ports */
export function selectorOf(entry: AclEntry): TrafficSelector | null {
  const { serviceGroup, sourceGroup, destinationGroup, icmp, established, flags, dscp, precedence, tos, fragments } = entry;
  const others = [serviceGroup, sourceGroup, destinationGroup, icmp, established, flags, dscp, precedence, tos, fragments];
  const local = endOf(entry.source, entry.sourceWildcard, entry.sourcePort);
  const remote = endOf(entry.destination, entry.destinationWildcard, entry.destinationPort);
  if (others.some((item) => item !== undefined) || !local || !remote) return null;
  return { protocol: entry.protocol ?? 0, local, remote };
}

/** The line that permits exactly this. */
export function entryOf({ protocol, local, remote }: TrafficSelector): Omit<AclEntry, 'line' | 'sequence'> {
  const portOf = ({ port }: TrafficEnd): AclEntry['sourcePort'] => (port === 0 ? null : { operator: 'eq', ports: [port] });
  return {
    action: 'permit',
    protocol: protocol === 0 ? null : protocol,
    source: local.address,
    sourceWildcard: ~local.mask >>> 0,
    destination: remote.address,
    destinationWildcard: ~remote.mask >>> 0,
    sourcePort: portOf(local),
    destinationPort: portOf(remote),
  };
}

/** A selector between two hosts, any protocol: what holds when a peer names no identities. */
export function hostSelector(local: Ipv4, remote: Ipv4): TrafficSelector {
  return { protocol: 0, local: { address: local, mask: AllOnes, port: 0 }, remote: { address: remote, mask: AllOnes, port: 0 } };
}

function coversEnd(outer: TrafficEnd, inner: TrafficEnd): boolean {
  const isWithin = ((outer.address ^ inner.address) & outer.mask) === 0 && (outer.mask & ~inner.mask) === 0;
  return isWithin && (outer.port === 0 || outer.port === inner.port);
}

/** Whatever `inner` is for, `outer` is for too. */
export function covers(outer: TrafficSelector, inner: TrafficSelector): boolean {
  const isProtocol = outer.protocol === 0 || outer.protocol === inner.protocol;
  return isProtocol && coversEnd(outer.local, inner.local) && coversEnd(outer.remote, inner.remote);
}

function endText({ address, mask, port }: TrafficEnd): string {
  return `${formatIpv4(address)}/${maskToPrefixLength(mask)}/${port}`;
}

/** Same text, same selector; for logs too. */
export function selectorText({ protocol, local, remote }: TrafficSelector): string {
  return `${protocol}: ${endText(local)} ${endText(remote)}`;
}

/** @returns an ID payload's body, structured */
export function identificationOf({ address, mask, port }: TrafficEnd, protocol: number): Identification {
  if (mask === AllOnes) return { type: IdType.Ipv4Address, protocol, port, data: u32Bytes(address) };
  return { type: IdType.Ipv4Subnet, protocol, port, data: concatBytes(u32Bytes(address), u32Bytes(mask)) };
}

function refuse(clause: string, text: string): WireError {
  return new WireError(clause, text, 'ipsec_no_flow');
}

function maskOfRange(first: Ipv4, last: Ipv4): Ipv4 {
  const mask = ~(first ^ last) >>> 0;
  if (maskToPrefixLength(mask) === null || (first & ~mask) !== 0 || (last | mask) >>> 0 !== AllOnes)
    throw refuse('RFC 2407 §4.6.2.8', 'an address range that is no prefix');
  return mask;
}

function readEnd({ type, port, data }: Identification): TrafficEnd {
  if (type === IdType.Ipv4Address) return { address: readU32(data, 0), mask: AllOnes, port };
  if (type === IdType.Ipv4Subnet) {
    const mask = readU32(data, 4);
    if (maskToPrefixLength(mask) === null) throw refuse('RFC 2407 §4.6.2.5', 'a subnet mask with holes');
    return { address: (readU32(data, 0) & mask) >>> 0, mask, port };
  }
  if (type === IdType.Ipv4Range) return { address: readU32(data, 0), mask: maskOfRange(readU32(data, 0), readU32(data, 4)), port };
  throw refuse('RFC 2407 §4.6.2', `a client identity of type ${type} names no IPv4 addresses`);
}

/**
 * @param local what is on our side: IDci of who begins, IDcr of who answers
 * @throws WireError with counter `ipsec_no_flow`, when they are none that a line of an access list could be
 */
export function readSelector(local: Identification, remote: Identification): TrafficSelector {
  if (local.protocol !== remote.protocol) throw refuse('RFC 2407 §4.6.2', 'client identities of different protocols');
  if (local.protocol === 0 && (local.port !== 0 || remote.port !== 0)) throw refuse('RFC 2407 §4.6.2', 'a port without a protocol');
  return { protocol: local.protocol, local: readEnd(local), remote: readEnd(remote) };
}
