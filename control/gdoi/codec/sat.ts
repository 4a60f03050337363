// SA TEK payload body for ESP and AH, RFC 6407 §5.5: one ACE and the SA that protects it. One SAT per ACE, all with the SA's SPI.
//
//  | Protocol-ID | IP protocol | SRC ID type | SRC port (2) | SRC len | SRC | DST ID type | DST port (2) | DST len | DST |
//  | Transform ID | SPI (4) | RFC 2407 attributes
//
// Not on the wire: the "DST ID Prot" octet, which RFC 6407 names in its text but not in its figure (no implementation sends it).
// Ours, because the vendor's numbers for the same things are unpublished; from the private range of IPsec SA attributes
// (32001-32767), all TV, all may be absent:
//   32001 ACE_ACTION     1 permit (assumed when absent), 2 deny: what the ACE matches is not encrypted
//   32002 REPLAY_WINDOW  packets, 0 = no replay check; 64 when absent
//   32003 SA_NUMBER      which SA of the policy (`sa ipsec N`): a TEK replaces those of the same number. In the first SAT of an SPI
//   32004 REPLAY_TIME    seconds, time-based anti-replay (dataplane/proto/tbar.ts) in place of the window. In the first SAT of an SPI

import { type Attribute, numberOf, readAttributes, writeAttributes } from '../../isakmp/attributes.js';
import { concatBytes, readU32, u32Bytes } from '../../isakmp/bytes.js';
import { AttributeSet, gdoiError } from './attribute-set.js';
import { readSelector, type Selector, writeSelector } from './selector.js';

/** RFC 6407 §5.5. */
export const enum SecurityProtocol {
  Esp = 1,
  Ah = 2,
}
/** RFC 2407 §4.4.4, RFC 4106 §8.5, RFC 4543 §7; only what we send or accept. */
export const enum EspTransform {
  Des = 2,
  TripleDes = 3,
  Null = 11,
  AesCbc = 12,
  AesGcm16 = 20,
  NullAuthAesGmac = 23,
  /** ChaCha20-Poly1305 has a number in IKEv2 alone (RFC 7634 §5); this is of those for private use (RFC 2407 §6.5). */
  PrivateChaCha20Poly1305 = 249,
}
/** RFC 2407 §4.5; 5-7 RFC 4868. */
export const enum EspAuthAlgorithm {
  HmacMd5 = 1,
  HmacSha1 = 2,
  HmacSha256 = 5,
  HmacSha384 = 6,
  HmacSha512 = 7,
}
/** RFC 2407 §4.5; 11 RFC 4304; 14 and 15 RFC 6407 §5.5.1.1. */
export const enum SaAttribute {
  LifeType = 1,
  LifeDuration = 2,
  GroupDescription = 3,
  Encapsulation = 4,
  Authentication = 5,
  KeyLength = 6,
  ExtendedSequence = 11,
  AddressPreservation = 14,
  Direction = 15,
  AceAction = 32001,
  ReplayWindow = 32002,
  SaNumber = 32003,
  ReplayTime = 32004,
}
export const enum LifeType {
  Seconds = 1,
  Kilobytes = 2,
}
/** RFC 2407 §4.5; 3 RFC 3947 §5.1. */
export const enum Encapsulation {
  Tunnel = 1,
  Transport = 2,
  UdpTunnel = 3,
}
export const enum AddressPreservation {
  None = 1,
  SourceOnly = 2,
  DestinationOnly = 3,
  Both = 4,
}
export const enum Direction {
  SenderOnly = 1,
  ReceiverOnly = 2,
  Symmetric = 3,
}
export const enum AceActionValue {
  Permit = 1,
  Deny = 2,
}

export interface Sat {
  securityProtocol: number;
  /** 0 = any. */
  ipProtocol: number;
  source: Selector;
  destination: Selector;
  transform: number;
  spi: number;
  /** null where the attribute is not sent. */
  encapsulation: number | null;
  authentication: number | null;
  /** Bits. */
  keyLength: number | null;
  lifetimeSeconds: number | null;
  lifetimeKilobytes: number | null;
  extendedSequence: number | null;
  addressPreservation: number | null;
  direction: number | null;
  aceAction: number | null;
  replayWindow: number | null;
  saNumber: number | null;
  /** Seconds. */
  replayTime: number | null;
  /** Attributes of other vendors, ignored. */
  ignored: number[];
}

const Clause = 'RFC 6407 §5.5';
const known = [
  SaAttribute.LifeType,
  SaAttribute.LifeDuration,
  SaAttribute.GroupDescription,
  SaAttribute.Encapsulation,
  SaAttribute.Authentication,
  SaAttribute.KeyLength,
  SaAttribute.ExtendedSequence,
  SaAttribute.AddressPreservation,
  SaAttribute.Direction,
  SaAttribute.AceAction,
  SaAttribute.ReplayWindow,
  SaAttribute.SaNumber,
  SaAttribute.ReplayTime,
];

/** RFC 2407 §4.5.4: a duration follows its type; one of each type. */
function readLifetimes(list: readonly Attribute[]): { seconds: number | null; kilobytes: number | null } {
  let seconds: number | null = null;
  let kilobytes: number | null = null;
  let type: number | null = null;
  for (const attribute of list) {
    if (attribute.type === SaAttribute.LifeType) {
      if (type !== null) throw gdoiError('RFC 2407 §4.5.4', 'life type without a duration');
      type = numberOf(attribute);
    } else if (attribute.type === SaAttribute.LifeDuration) {
      const duration = numberOf(attribute);
      if (type === LifeType.Seconds && seconds === null) seconds = duration;
      else if (type === LifeType.Kilobytes && kilobytes === null) kilobytes = duration;
      else throw gdoiError('RFC 2407 §4.5.4', `life duration for type ${type ?? 'none'}`);
      type = null;
    }
  }
  if (type !== null) throw gdoiError('RFC 2407 §4.5.4', 'life type without a duration');
  return { seconds, kilobytes };
}

/** @throws WireError */
export function readSat(body: Uint8Array): Sat {
  if (body.length < 2) throw gdoiError(Clause, 'SA TEK payload is cut short');
  const securityProtocol = body[0];
  if (securityProtocol !== SecurityProtocol.Esp && securityProtocol !== SecurityProtocol.Ah)
    throw gdoiError(Clause, `protocol ${securityProtocol} is neither ESP nor AH`);
  const source = readSelector(body, 2, Clause);
  const destination = readSelector(body, source.end, Clause);
  const at = destination.end;
  if (at + 5 > body.length) throw gdoiError(Clause, `SA TEK payload body of ${body.length} bytes is cut short`);
  const list = readAttributes(body.subarray(at + 5));
  const attributes = new AttributeSet(list, Clause, known, [SaAttribute.LifeType, SaAttribute.LifeDuration]);
  const lifetimes = readLifetimes(list);
  return {
    securityProtocol,
    ipProtocol: body[1],
    source: source.selector,
    destination: destination.selector,
    transform: body[at],
    spi: readU32(body, at + 1),
    encapsulation: attributes.number(SaAttribute.Encapsulation),
    authentication: attributes.number(SaAttribute.Authentication),
    keyLength: attributes.number(SaAttribute.KeyLength),
    lifetimeSeconds: lifetimes.seconds,
    lifetimeKilobytes: lifetimes.kilobytes,
    extendedSequence: attributes.number(SaAttribute.ExtendedSequence),
    addressPreservation: attributes.number(SaAttribute.AddressPreservation),
    direction: attributes.number(SaAttribute.Direction),
    aceAction: attributes.number(SaAttribute.AceAction),
    replayWindow: attributes.number(SaAttribute.ReplayWindow),
    saNumber: attributes.number(SaAttribute.SaNumber),
    replayTime: attributes.number(SaAttribute.ReplayTime),
    ignored: attributes.ignored,
  };
}

/** @returns the payload body */
export function writeSat(sat: Sat): Uint8Array {
  const attributes: Attribute[] = [];
  const add = (type: SaAttribute, value: number | null): void => {
    if (value !== null) attributes.push({ type, value });
  };
  const addLifetime = (type: LifeType, duration: number | null): void => {
    if (duration === null) return;
    attributes.push({ type: SaAttribute.LifeType, value: type });
    attributes.push({ type: SaAttribute.LifeDuration, value: duration > 0xffff ? u32Bytes(duration) : duration });
  };
  add(SaAttribute.Encapsulation, sat.encapsulation);
  add(SaAttribute.Authentication, sat.authentication);
  add(SaAttribute.KeyLength, sat.keyLength);
  addLifetime(LifeType.Seconds, sat.lifetimeSeconds);
  addLifetime(LifeType.Kilobytes, sat.lifetimeKilobytes);
  add(SaAttribute.ExtendedSequence, sat.extendedSequence);
  add(SaAttribute.AddressPreservation, sat.addressPreservation);
  add(SaAttribute.Direction, sat.direction);
  add(SaAttribute.AceAction, sat.aceAction);
  add(SaAttribute.ReplayWindow, sat.replayWindow);
  add(SaAttribute.SaNumber, sat.saNumber);
  add(SaAttribute.ReplayTime, sat.replayTime);
  return concatBytes(
    Uint8Array.of(sat.securityProtocol, sat.ipProtocol),
    writeSelector(sat.source),
    writeSelector(sat.destination),
    Uint8Array.of(sat.transform),
    u32Bytes(sat.spi),
    writeAttributes(attributes),
  );
}
