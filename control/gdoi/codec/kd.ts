// Key Download payload body, RFC 6407 §5.6: the keys for the SAs of the SA payload. Holds keys: never print one.
//
//  | Number of key packets (2) | RESERVED2 (2) | packets: | KD type | RESERVED | length (2) | SPI size | SPI | attributes |
//
// Does: TEK, KEK and SID packets. Does not: LKH (type 3) and source authentication keys: refused, they need the hierarchy.

import { type Attribute, bytesOf, readAttributes, writeAttributes } from '../../isakmp/attributes.js';
import { concatBytes, readU16, readU32, u32Bytes, writeU16 } from '../../isakmp/bytes.js';
import { AttributeSet, gdoiError } from './attribute-set.js';

const enum KdType {
  Tek = 1,
  Kek = 2,
  Lkh = 3,
  Sid = 4,
}
const enum TekKey {
  Algorithm = 1,
  Integrity = 2,
  SourceAuthentication = 3,
}
const enum KekKey {
  Algorithm = 1,
  Signature = 2,
}
const enum SidClass {
  Bits = 1,
  Value = 2,
}

export interface TekPacket {
  spi: number;
  /** Encryption key, with the 4-byte salt behind it for counter modes (RFC 6407 §5.6.1). */
  algorithmKey: Uint8Array | null;
  integrityKey: Uint8Array | null;
}
export interface KekPacket {
  /** 16 bytes. */
  spi: Uint8Array;
  /** IV, then key (RFC 6407 §5.6.2.1). */
  algorithmKey: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  signatureKey: Uint8Array | null;
}
export interface SidPacket {
  bits: number;
  values: number[];
}
/** In wire order. */
export type KeyPacket = ({ kind: 'tek' } & TekPacket) | ({ kind: 'kek' } & KekPacket) | ({ kind: 'sid' } & SidPacket);

/** A SID per packet is plenty: more than a member can use (dataplane rows hold 8) is refused. */
const MaxSenderIds = 256;
const HeadLength = 4;
const PacketHead = 5;
const Clause = 'RFC 6407 §5.6';

function readTek(spi: Uint8Array, list: Attribute[]): KeyPacket {
  if (spi.length !== 4) throw gdoiError(Clause, `TEK key packet with an SPI of ${spi.length} bytes`);
  const attributes = new AttributeSet(list, 'RFC 6407 §5.6.1', [TekKey.Algorithm, TekKey.Integrity]);
  return {
    kind: 'tek',
    spi: readU32(spi, 0),
    algorithmKey: attributes.bytes(TekKey.Algorithm),
    integrityKey: attributes.bytes(TekKey.Integrity),
  };
}

function readKek(spi: Uint8Array, list: Attribute[]): KeyPacket {
  if (spi.length !== 16) throw gdoiError(Clause, `KEK key packet with an SPI of ${spi.length} bytes`);
  const attributes = new AttributeSet(list, 'RFC 6407 §5.6.2', [KekKey.Algorithm, KekKey.Signature]);
  const algorithmKey = attributes.bytes(KekKey.Algorithm);
  if (!algorithmKey) throw gdoiError('RFC 6407 §5.6.2', 'KEK key packet without a key');
  return { kind: 'kek', spi, algorithmKey, signatureKey: attributes.bytes(KekKey.Signature) };
}

function readSid(spi: Uint8Array, list: Attribute[]): KeyPacket {
  const clause = 'RFC 6407 §5.6.4';
  if (spi.length !== 0) throw gdoiError(clause, `SID key packet with an SPI of ${spi.length} bytes`);
  const attributes = new AttributeSet(list, clause, [SidClass.Bits, SidClass.Value], [SidClass.Value]);
  const bits = attributes.number(SidClass.Bits);
  if (bits === null || bits < 1 || bits > 32) throw gdoiError(clause, `sender IDs of ${bits ?? 'no'} bits`);
  const values: number[] = [];
  for (const attribute of attributes.all(SidClass.Value)) {
    const bytes = bytesOf(attribute);
    if (bytes.length === 0 || bytes.length > 8) throw gdoiError(clause, `sender ID of ${bytes.length} bytes`);
    const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    if (value >= 2 ** bits) throw gdoiError(clause, `sender ID does not fit ${bits} bits`);
    if (values.includes(value)) throw gdoiError(clause, 'sender ID twice');
    if (values.length >= MaxSenderIds) throw gdoiError(clause, `more than ${MaxSenderIds} sender IDs`);
    values.push(value);
  }
  if (values.length === 0) throw gdoiError(clause, 'SID key packet without a sender ID');
  return { kind: 'sid', bits, values };
}

/** @param body payload body @throws WireError when counts, lengths or types are wrong */
export function readKd(body: Uint8Array): KeyPacket[] {
  if (body.length < HeadLength) throw gdoiError(Clause, `key download body of ${body.length} bytes`);
  const count = readU16(body, 0);
  const packets: KeyPacket[] = [];
  let at = HeadLength;
  while (at < body.length) {
    if (packets.length >= count) throw gdoiError(Clause, `more than the ${count} key packets announced`);
    if (at + PacketHead > body.length) throw gdoiError(Clause, 'key packet is cut short');
    const length = readU16(body, at + 2);
    const spiEnd = at + PacketHead + body[at + 4];
    if (length < PacketHead || at + length > body.length) throw gdoiError(Clause, `key packet of ${length} bytes`);
    if (spiEnd > at + length) throw gdoiError(Clause, `SPI of ${body[at + 4]} bytes exceeds its key packet`);
    const spi = body.slice(at + PacketHead, spiEnd);
    const list = readAttributes(body.subarray(spiEnd, at + length));
    if (body[at] === KdType.Tek) packets.push(readTek(spi, list));
    else if (body[at] === KdType.Kek) packets.push(readKek(spi, list));
    else if (body[at] === KdType.Sid) packets.push(readSid(spi, list));
    else throw gdoiError(Clause, `key packet type ${body[at]} is not supported`);
    at += length;
  }
  if (packets.length !== count) throw gdoiError(Clause, `${packets.length} key packets where ${count} are announced`);
  return packets;
}

function sidBytes(value: number, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(bits / 8));
  for (let i = out.length - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) out[i] = rest % 256;
  return out;
}

function packetParts(packet: KeyPacket): { type: number; spi: Uint8Array; attributes: Attribute[] } {
  if (packet.kind === 'sid') {
    const values = packet.values.map((value) => ({ type: SidClass.Value as number, value: sidBytes(value, packet.bits) }));
    return { type: KdType.Sid, spi: new Uint8Array(0), attributes: [{ type: SidClass.Bits, value: packet.bits }, ...values] };
  }
  const attributes: Attribute[] = [];
  if (packet.algorithmKey) attributes.push({ type: TekKey.Algorithm, value: packet.algorithmKey });
  const second = packet.kind === 'tek' ? packet.integrityKey : packet.signatureKey;
  if (second) attributes.push({ type: packet.kind === 'tek' ? TekKey.Integrity : KekKey.Signature, value: second });
  if (packet.kind === 'tek') return { type: KdType.Tek, spi: u32Bytes(packet.spi), attributes };
  return { type: KdType.Kek, spi: packet.spi, attributes };
}

/** @returns the payload body */
export function writeKd(packets: readonly KeyPacket[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(packets.length >>> 8, packets.length, 0, 0)];
  for (const packet of packets) {
    const { type, spi, attributes } = packetParts(packet);
    const encoded = writeAttributes(attributes);
    const head = Uint8Array.of(type, 0, 0, 0, spi.length);
    writeU16(head, 2, PacketHead + spi.length + encoded.length);
    parts.push(head, spi, encoded);
  }
  return concatBytes(...parts);
}
