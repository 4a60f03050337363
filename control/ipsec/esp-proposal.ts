// Phase-2 SA payload: what a transform of an ESP proposal says, RFC 2407 §4.4.4 and §4.5, in the words of the configuration. The framing
// (proposals, transforms, attributes) is isakmp/sa-payload.ts. Does: encapsulation modes of RFC 3947 §5.1, lifetimes in seconds and kilobytes, the
// group for PFS. Does not: AH, IPComp, bundles of several protocols: such transforms are never chosen.

import { type DhGroup, dhGroups, type EspAuthentication, type EspEncryption, isCombinedMode } from '../config/model.js';
import { SaAttribute } from '../gdoi/codec/sat.js';
import { authenticationNumber, authenticationOf, encryptionOf, transformNumbers } from '../gdoi/esp-transforms.js';
import { type Attribute, numberOf } from '../isakmp/attributes.js';
import { readU32, u32Bytes } from '../isakmp/bytes.js';
import { Doi, IdentityOnly, type SaOffer, type SaProposal, type SaTransform } from '../isakmp/sa-payload.js';
import { WireError } from '../isakmp/wire-error.js';

/** RFC 2407 §4.4.1. */
export const EspProtocol = 3;
/** RFC 4303 §2.1: smaller SPIs are reserved. */
export const LeastSpi = 256;

/** RFC 2407 §4.5; 3 and 4 RFC 3947 §5.1. */
const enum Encapsulation {
  Tunnel = 1,
  Transport = 2,
  UdpTunnel = 3,
  UdpTransport = 4,
}
/** RFC 4304 §2. */
const ExtendedNumbers = 1;
const Seconds = 1;
const Kilobytes = 2;
/** RFC 2407 §4.5: what holds when no lifetime is stated. */
export const UnstatedLifetimeSeconds = 28_800;

export interface EspProposal {
  encryption: EspEncryption;
  /** null for combined-mode ciphers. */
  authentication: EspAuthentication | null;
  mode: 'tunnel' | 'transport';
  /** ESP in UDP 4500 (RFC 3948). */
  udp: boolean;
  /** Sequence numbers of 64 bits (RFC 4304 §2). */
  extended?: boolean;
  /** Of the key exchange for perfect forward secrecy; null = none. */
  group: DhGroup | null;
  /** null: not stated. */
  lifetimeSeconds: number | null;
  lifetimeKilobytes: number | null;
}

function encapsulationOf({ mode, udp }: Pick<EspProposal, 'mode' | 'udp'>): number {
  if (mode === 'tunnel') return udp ? Encapsulation.UdpTunnel : Encapsulation.Tunnel;
  return udp ? Encapsulation.UdpTransport : Encapsulation.Transport;
}

/** Transport mode behind a translator: both sides tell the addresses that they know (RFC 3947 §5.2). */
export function needsOriginals({ mode, udp }: Pick<EspProposal, 'mode' | 'udp'>): boolean {
  return mode === 'transport' && udp;
}

/** @param number within the proposal, from 1 */
export function transformOf(proposal: EspProposal, number: number): SaTransform {
  const { transform, keyLength } = transformNumbers(proposal.encryption);
  const attributes: Attribute[] = [];
  const addLifetime = (type: number, duration: number | null): void => {
    if (duration === null) return;
    attributes.push({ type: SaAttribute.LifeType, value: type });
    attributes.push({ type: SaAttribute.LifeDuration, value: duration > 0xffff ? u32Bytes(duration) : duration });
  };
  if (proposal.group !== null) attributes.push({ type: SaAttribute.GroupDescription, value: proposal.group });
  attributes.push({ type: SaAttribute.Encapsulation, value: encapsulationOf(proposal) });
  addLifetime(Seconds, proposal.lifetimeSeconds);
  addLifetime(Kilobytes, proposal.lifetimeKilobytes);
  if (proposal.authentication !== null)
    attributes.push({ type: SaAttribute.Authentication, value: authenticationNumber(proposal.authentication) });
  if (keyLength !== null) attributes.push({ type: SaAttribute.KeyLength, value: keyLength });
  if (proposal.extended) attributes.push({ type: SaAttribute.ExtendedSequence, value: ExtendedNumbers });
  return { number, id: transform, attributes };
}

/** RFC 2407 §4.5.4: a duration follows its type. @returns null when they do not pair, one is given twice or is 0 */
function lifetimesOf(list: readonly Attribute[]): { seconds: number | null; kilobytes: number | null } | null {
  const found = new Map<number, number>();
  let type: number | null = null;
  for (const attribute of list) {
    const value = numberOf(attribute);
    if (attribute.type === SaAttribute.LifeType) {
      if (type !== null || found.has(value) || (value !== Seconds && value !== Kilobytes)) return null;
      type = value;
    } else if (attribute.type === SaAttribute.LifeDuration) {
      if (type === null || value === 0) return null;
      found.set(type, value);
      type = null;
    }
  }
  return type === null ? { seconds: found.get(Seconds) ?? null, kilobytes: found.get(Kilobytes) ?? null } : null;
}

/**
 * @returns null when it asks for anything that is not done here: such a transform is never chosen, and is no reason to refuse the others
 * @throws WireError on an attribute of the wrong form
 */
export function proposalOf(transform: SaTransform): EspProposal | null {
  const isLifetime = ({ type }: Attribute): boolean => type === SaAttribute.LifeType || type === SaAttribute.LifeDuration;
  const lifetimes = lifetimesOf(transform.attributes.filter(isLifetime));
  const values = new Map<number, number>();
  for (const attribute of transform.attributes) {
    if (isLifetime(attribute)) continue;
    if (values.has(attribute.type)) return null;
    values.set(attribute.type, numberOf(attribute));
  }
  const take = (type: number): number | null => {
    const value = values.get(type) ?? null;
    values.delete(type);
    return value;
  };
  const encryption = encryptionOf(transform.id, take(SaAttribute.KeyLength));
  const integrity = take(SaAttribute.Authentication);
  const authentication = integrity === null ? null : authenticationOf(integrity);
  const encapsulation = take(SaAttribute.Encapsulation);
  const dh = take(SaAttribute.GroupDescription);
  const numbers = take(SaAttribute.ExtendedSequence);
  const group = dh === null ? null : (dhGroups.find((item) => item === dh) ?? null);
  // RFC 2407 §4.5: without an encapsulation mode it is the implementation's own matter: not ours to guess.
  if (!lifetimes || encryption === null || values.size > 0 || encapsulation === null) return null;
  if (encapsulation < Encapsulation.Tunnel || encapsulation > Encapsulation.UdpTransport) return null;
  if (numbers !== null && numbers !== ExtendedNumbers) return null;
  if ((dh !== null && group === null) || (integrity !== null && authentication === null)) return null;
  // Encryption without integrity, or integrity twice (bad-input 14).
  if (isCombinedMode(encryption) !== (authentication === null)) return null;
  return {
    encryption,
    authentication,
    mode: encapsulation === Encapsulation.Tunnel || encapsulation === Encapsulation.UdpTunnel ? 'tunnel' : 'transport',
    udp: encapsulation >= Encapsulation.UdpTunnel,
    ...(numbers === null ? {} : { extended: true }),
    group,
    lifetimeSeconds: lifetimes.seconds,
    lifetimeKilobytes: lifetimes.kilobytes,
  };
}

/** Everything but lifetimes: those may differ, and the shorter holds. */
export function sameSuite(a: EspProposal, b: EspProposal): boolean {
  return (
    a.encryption === b.encryption &&
    a.authentication === b.authentication &&
    a.mode === b.mode &&
    a.udp === b.udp &&
    (a.extended === true) === (b.extended === true) &&
    a.group === b.group
  );
}

/** One proposal for each, in order of preference: any one of them may be chosen (RFC 2408 §4.2). @param spi of the SA towards the sender */
export function offerOf(proposals: readonly EspProposal[], spi: number): SaOffer {
  const list = proposals.map((proposal, index): SaProposal => {
    return { number: index + 1, protocol: EspProtocol, spi: u32Bytes(spi), transforms: [transformOf(proposal, 1)] };
  });
  return { doi: Doi.Ipsec, situation: IdentityOnly, proposals: list };
}

/** @throws WireError unless it is the SPI of an ESP SA */
export function spiOf({ spi }: SaProposal): number {
  if (spi.length !== 4)
    throw new WireError('RFC 2407 §4.4.1', `ESP proposal with an SPI of ${spi.length} bytes`, 'ipsec_quick_mode_malformed');
  const value = readU32(spi, 0);
  if (value < LeastSpi) throw new WireError('RFC 4303 §2.1', `SPI ${value} is reserved`, 'ipsec_quick_mode_malformed');
  return value;
}
