// ISAKMP header, RFC 2408 §3.1. Does: fields, lengths, version 1.0. Does not: NAT-T's non-ESP marker (nat-traversal.ts), IKEv2.
//
//   0                   1                   2                   3
//  +---------------------------------------------------------------+
//  |                       Initiator Cookie (8)                    |
//  |                       Responder Cookie (8)                    |
//  +---------------+-------+-------+---------------+---------------+
//  | Next Payload  | MjVer | MnVer | Exchange Type |     Flags     |
//  +---------------+-------+-------+---------------+---------------+
//  |                          Message ID                           |
//  |                            Length                             |
//  +---------------------------------------------------------------+

import { readU32, writeU32 } from './bytes.js';
import { WireError } from './wire-error.js';

export const HeaderLength = 28;
const Version = 0x10;

/** RFC 2408 §3.1; 32 and 33 RFC 6407 §3.2.1 and §4.2; 35 RFC 8263 §3.1. */
export const enum Exchange {
  Main = 2,
  Aggressive = 4,
  Informational = 5,
  /** The number of Quick Mode too (RFC 2409 App. A): what an SA is for tells them apart (ike-users.ts). */
  GroupkeyPull = 32,
  GroupkeyPush = 33,
  GroupkeyPushAck = 35,
}

/** RFC 2408 §3.1; 15-18 and 22 RFC 6407 §5.1; 19 RFC 3547; 20 and 21 RFC 3947. 33 is G-IKEv2's and never used here. */
export const enum PayloadType {
  None = 0,
  Sa = 1,
  Proposal = 2,
  Transform = 3,
  KeyExchange = 4,
  Identification = 5,
  Certificate = 6,
  CertificateRequest = 7,
  Hash = 8,
  Signature = 9,
  Nonce = 10,
  Notification = 11,
  Delete = 12,
  VendorId = 13,
  SaKek = 15,
  SaTek = 16,
  KeyDownload = 17,
  Sequence = 18,
  ProofOfPossession = 19,
  NatDiscovery = 20,
  NatOriginalAddress = 21,
  GroupAssociatedPolicy = 22,
}

export const enum HeaderFlag {
  Encryption = 1,
  Commit = 2,
  Authentication = 4,
}

export interface IsakmpHeader {
  /** 8 bytes. */
  initiatorCookie: Uint8Array;
  /** 8 bytes; zero in the first message. */
  responderCookie: Uint8Array;
  nextPayload: number;
  exchange: number;
  flags: number;
  /** Unsigned 32 bit. */
  messageId: number;
  /** Bytes, header included; never more than the datagram. What follows in the datagram is ignored. */
  length: number;
}

/** @param bytes one datagram @throws WireError when it is no ISAKMP 1.0 message */
export function readHeader(bytes: Uint8Array): IsakmpHeader {
  if (bytes.length < HeaderLength) throw new WireError('RFC 2408 §3.1', `datagram of ${bytes.length} bytes is shorter than the header`);
  if (bytes[17] !== Version) throw new WireError('RFC 2408 §5.2', `version ${bytes[17] >> 4}.${bytes[17] & 15} is not 1.0`);
  const length = readU32(bytes, 24);
  if (length < HeaderLength) throw new WireError('RFC 2408 §3.1', `length ${length} is below the header's`);
  if (length > bytes.length) throw new WireError('RFC 2408 §5.1', `length ${length} exceeds the datagram of ${bytes.length} bytes`);
  return {
    initiatorCookie: bytes.slice(0, 8),
    responderCookie: bytes.slice(8, 16),
    nextPayload: bytes[16],
    exchange: bytes[18],
    flags: bytes[19],
    messageId: readU32(bytes, 20),
    length,
  };
}

/** @returns 28 bytes; `length` is written as given */
export function writeHeader(header: IsakmpHeader): Uint8Array {
  const out = new Uint8Array(HeaderLength);
  out.set(header.initiatorCookie, 0);
  out.set(header.responderCookie, 8);
  out[16] = header.nextPayload;
  out[17] = Version;
  out[18] = header.exchange;
  out[19] = header.flags;
  writeU32(out, 20, header.messageId);
  writeU32(out, 24, header.length);
  return out;
}
