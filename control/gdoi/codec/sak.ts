// SA KEK payload body, RFC 6407 §5.3: how pushes are protected. Does: fields and attributes. Does not: judge algorithms (received-policy.ts).
//
//  | Protocol | SRC ID type | SRC port (2) | SRC len | SRC | DST ID type | DST port (2) | DST len | DST | SPI (16) | 0 (4) | attributes

import { type Attribute, readAttributes, writeAttributes } from '../../isakmp/attributes.js';
import { concatBytes, u32Bytes } from '../../isakmp/bytes.js';
import { AttributeSet, gdoiError } from './attribute-set.js';
import { readSelector, type Selector, writeSelector } from './selector.js';

/** RFC 6407 §5.3; 9 RFC 8263 §2. */
export const enum KekAttribute {
  ManagementAlgorithm = 1,
  Algorithm = 2,
  KeyLength = 3,
  KeyLifetime = 4,
  SignatureHash = 5,
  SignatureAlgorithm = 6,
  SignatureKeyLength = 7,
  Reserved = 8,
  AckRequested = 9,
}
/** RFC 6407 §5.3.2, all CBC. */
export const enum KekAlgorithm {
  Des = 1,
  TripleDes = 2,
  Aes = 3,
}
/** RFC 6407 §5.3.6. */
export const SignatureAlgorithmRsa = 1;
/** RFC 8263 §2. */
export const enum AckType {
  KekSha256 = 1,
  LkhSha256 = 2,
  KekSha512 = 3,
  LkhSha512 = 4,
}

export interface Sak {
  /** IP protocol of pushes: 17. */
  protocol: number;
  source: Selector;
  destination: Selector;
  /** 16 bytes: cookie pair of the pushes. */
  spi: Uint8Array;
  algorithm: number;
  /** Bits; null where it is not sent. */
  keyLength: number | null;
  lifetimeSeconds: number | null;
  signatureHash: number | null;
  signatureAlgorithm: number;
  /** Bits. */
  signatureKeyLength: number | null;
  ackRequested: number | null;
  /** Logical key hierarchy and the like; nothing here supports one. */
  managementAlgorithm: number | null;
  /** Attributes of other vendors, ignored. */
  ignored: number[];
}

const Clause = 'RFC 6407 §5.3';
const SpiLength = 16;
const known = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** @throws WireError */
export function readSak(body: Uint8Array): Sak {
  if (body.length < 1) throw gdoiError(Clause, 'SA KEK payload is empty');
  const source = readSelector(body, 1, Clause);
  const destination = readSelector(body, source.end, Clause);
  const spiAt = destination.end;
  const attributesAt = spiAt + SpiLength + 4;
  if (attributesAt > body.length) throw gdoiError(Clause, `SA KEK payload body of ${body.length} bytes is cut short`);
  const attributes = new AttributeSet(readAttributes(body.subarray(attributesAt)), Clause, known);
  const algorithm = attributes.number(KekAttribute.Algorithm);
  const signatureAlgorithm = attributes.number(KekAttribute.SignatureAlgorithm);
  if (algorithm === null || signatureAlgorithm === null) throw gdoiError(Clause, 'SA KEK payload lacks KEK_ALGORITHM or SIG_ALGORITHM');
  return {
    protocol: body[0],
    source: source.selector,
    destination: destination.selector,
    spi: body.slice(spiAt, spiAt + SpiLength),
    algorithm,
    keyLength: attributes.number(KekAttribute.KeyLength),
    lifetimeSeconds: attributes.number(KekAttribute.KeyLifetime),
    signatureHash: attributes.number(KekAttribute.SignatureHash),
    signatureAlgorithm,
    signatureKeyLength: attributes.number(KekAttribute.SignatureKeyLength),
    ackRequested: attributes.number(KekAttribute.AckRequested),
    managementAlgorithm: attributes.number(KekAttribute.ManagementAlgorithm),
    ignored: attributes.ignored,
  };
}

/** @returns the payload body @throws RangeError when the SPI is not of 16 bytes */
export function writeSak(sak: Sak): Uint8Array {
  if (sak.spi.length !== SpiLength) throw new RangeError(`KEK SPI of ${sak.spi.length} bytes`);
  const attributes: Attribute[] = [];
  const add = (type: KekAttribute, value: number | null): void => {
    if (value !== null) attributes.push({ type, value });
  };
  add(KekAttribute.ManagementAlgorithm, sak.managementAlgorithm);
  add(KekAttribute.Algorithm, sak.algorithm);
  add(KekAttribute.KeyLength, sak.keyLength);
  if (sak.lifetimeSeconds !== null) attributes.push({ type: KekAttribute.KeyLifetime, value: u32Bytes(sak.lifetimeSeconds) });
  add(KekAttribute.SignatureHash, sak.signatureHash);
  add(KekAttribute.SignatureAlgorithm, sak.signatureAlgorithm);
  add(KekAttribute.SignatureKeyLength, sak.signatureKeyLength);
  add(KekAttribute.AckRequested, sak.ackRequested);
  return concatBytes(
    Uint8Array.of(sak.protocol),
    writeSelector(sak.source),
    writeSelector(sak.destination),
    sak.spi,
    u32Bytes(0),
    writeAttributes(attributes),
  );
}
