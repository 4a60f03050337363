// What encapsulations cost on a path of a given MTU, exactly and in words: ESP (RFC 4303 §2, facts of each transform in compile/transforms.ts), in UDP
// (RFC 3948), around GRE (RFC 2784, RFC 2890) or not. Pure.

import type { Encapsulation } from '../api/probe-events.js';
import { authRow, cipherRow, transformText } from '../compile/transforms.js';
import type { EspAuthentication, EspEncryption } from '../config/model.js';

/** ESP around what is sent; null = nothing is encrypted. */
export interface EspCost {
  encryption: EspEncryption;
  authentication: EspAuthentication | null;
  mode: 'tunnel' | 'transport';
  udp: boolean;
  /** In front of the inner packet: 12 with time-based anti-replay. */
  shimBytes: number;
}

/** Optional parts of the GRE header, 4 bytes each; null = no GRE. */
export type GreCost = { key: boolean; checksum: boolean; sequence: boolean } | null;

const Ipv4Header = 20;
const UdpHeader = 8;
const EspHeader = 8;
/** Pad length and next header. */
const EspTrailer = 2;
const GreHeader = 4;
const GreOption = 4;
const TcpHeaders = 40;
/** The rule of thumb of GRE over IPsec: 24 for GRE with its IPv4 header, 56 for ESP (3DES, SHA-1). */
export const ThumbGre = 24;
export const ThumbEsp = 56;

interface Cost {
  what: string;
  bytes: number;
}

export function greBytes(gre: NonNullable<GreCost>): number {
  const options = [gre.key, gre.checksum, gre.sequence].filter(Boolean).length;
  return Ipv4Header + GreHeader + options * GreOption;
}

/** TCP's segment for a packet size, without options. */
export function segmentOf(mtu: number): number {
  return mtu - TcpHeaders;
}

/** @returns what ESP takes off, in order; the last is what rounding and the trailer cost */
function espCosts(pathMtu: number, { encryption, authentication, mode, udp, shimBytes }: EspCost): { costs: Cost[]; largest: number } {
  const cipher = cipherRow(encryption);
  const fixed: Cost[] = [
    { what: mode === 'tunnel' ? 'outer IPv4' : 'IPv4', bytes: Ipv4Header },
    { what: 'UDP (NAT-T)', bytes: udp ? UdpHeader : 0 },
    { what: 'ESP', bytes: EspHeader },
    { what: 'IV', bytes: cipher.ivBytes },
    { what: 'ICV', bytes: cipher.icvBytes + authRow(authentication).icvBytes },
  ].filter(({ bytes }) => bytes > 0);
  const room = fixed.reduce((left, { bytes }) => left - bytes, pathMtu);
  const rest: Cost[] = [
    { what: `rounding to ${cipher.align}-byte blocks`, bytes: room - Math.floor(room / cipher.align) * cipher.align },
    { what: 'ESP trailer', bytes: EspTrailer },
    { what: 'time-based anti-replay', bytes: shimBytes },
  ].filter(({ bytes }) => bytes > 0);
  const costs = [...fixed, ...rest];
  const payload = costs.reduce((left, { bytes }) => left - bytes, pathMtu);
  // Transport mode: the packet keeps its header, which was taken off above.
  return { costs, largest: mode === 'transport' ? payload + Ipv4Header : payload };
}

/** Of a datagram in ESP, in GRE, or in GRE that is in ESP. */
export function costOf(
  pathMtu: number,
  esp: EspCost | null,
  gre: GreCost,
): Pick<Encapsulation, 'costs' | 'largest' | 'arithmetic' | 'ruleOfThumb'> {
  const sealed = esp ? espCosts(pathMtu, esp) : { costs: [], largest: pathMtu };
  const back: Cost[] = esp?.mode === 'transport' ? [{ what: "the packet's own IPv4", bytes: -Ipv4Header }] : [];
  const greCost: Cost[] = gre ? [{ what: 'GRE with its IPv4 header', bytes: greBytes(gre) }] : [];
  const costs = [...sealed.costs, ...back, ...greCost];
  const largest = sealed.largest - (gre ? greBytes(gre) : 0);
  const steps = costs.map(({ what, bytes }) => `${bytes < 0 ? '+' : '-'} ${Math.abs(bytes)} ${what}`);
  return {
    costs,
    largest,
    arithmetic: `${[pathMtu, ...steps].join(' ')} = ${largest}`,
    ruleOfThumb: gre && esp ? pathMtu - ThumbGre - ThumbEsp : null,
  };
}

export function transformName({ encryption, authentication, mode, udp }: EspCost): string {
  return `${transformText(encryption, authentication)}, ${mode} mode${udp ? ' in UDP' : ''}`;
}
