// Identification payload body, RFC 2407 §4.6.2. Does: the length of each type's data. Does not: interpret distinguished names.
//
//  +---------------+---------------+-------------------------------+
//  |    ID Type    |  Protocol ID  |             Port              |
//  +---------------+---------------+-------------------------------+
//  |                     Identification Data                       |
//  +---------------------------------------------------------------+

import type { Ipv4 } from '../config/model.js';
import { concatBytes, readU16, u32Bytes, writeU16 } from './bytes.js';
import { WireError } from './wire-error.js';

/** RFC 2407 §4.6.2.1; 13 RFC 8052 §2.1. */
export const enum IdType {
  Ipv4Address = 1,
  Fqdn = 2,
  UserFqdn = 3,
  Ipv4Subnet = 4,
  Ipv6Address = 5,
  Ipv6Subnet = 6,
  Ipv4Range = 7,
  Ipv6Range = 8,
  DerDn = 9,
  DerGn = 10,
  KeyId = 11,
  Oid = 13,
}

export interface Identification {
  type: number;
  /** IP protocol, 0 = any. */
  protocol: number;
  /** 0 = any. */
  port: number;
  data: Uint8Array;
}

const fixedLengths = new Map<number, number>([
  [IdType.Ipv4Address, 4],
  [IdType.Ipv4Subnet, 8],
  [IdType.Ipv6Address, 16],
  [IdType.Ipv6Subnet, 32],
  [IdType.Ipv4Range, 8],
  [IdType.Ipv6Range, 32],
]);

/** @param data of an ID of that type @throws WireError when the type fixes another length, or the data is empty */
export function checkIdLength(type: number, data: Uint8Array): void {
  const expected = fixedLengths.get(type);
  if (expected === undefined ? data.length > 0 : data.length === expected) return;
  throw new WireError('RFC 2407 §4.6.2.1', `ID type ${type} with ${data.length} bytes of data`);
}

/** @param body payload body @throws WireError */
export function readIdentification(body: Uint8Array): Identification {
  if (body.length < 4) throw new WireError('RFC 2407 §4.6.2', `ID payload body of ${body.length} bytes`);
  const id = { type: body[0], protocol: body[1], port: readU16(body, 2), data: body.slice(4) };
  checkIdLength(id.type, id.data);
  return id;
}

/** @returns the payload body */
export function writeIdentification(id: Identification): Uint8Array {
  const head = new Uint8Array(4);
  head[0] = id.type;
  head[1] = id.protocol;
  writeU16(head, 2, id.port);
  return concatBytes(head, id.data);
}

export function ipv4Identification(address: Ipv4, protocol: number, port: number): Identification {
  return { type: IdType.Ipv4Address, protocol, port, data: u32Bytes(address) };
}
