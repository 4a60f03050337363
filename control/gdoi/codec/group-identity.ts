// The group in the ID payload of a PULL, RFC 6407 §5.1: ID_KEY_ID with a 4-octet number, or ID_IPV4_ADDR; protocol and port 0.

import type { GdoiGroup } from '../../config/model.js';
import { readU32, u32Bytes } from '../../isakmp/bytes.js';
import { type Identification, IdType, readIdentification, writeIdentification } from '../../isakmp/identification.js';
import { WireError } from '../../isakmp/wire-error.js';
import { gdoiError } from './attribute-set.js';

export type GroupIdentity = NonNullable<GdoiGroup['identity']>;

/** @returns the payload body */
export function writeGroupIdentity(identity: GroupIdentity): Uint8Array {
  const id: Identification =
    identity.kind === 'number'
      ? { type: IdType.KeyId, protocol: 0, port: 0, data: u32Bytes(identity.number) }
      : { type: IdType.Ipv4Address, protocol: 0, port: 0, data: u32Bytes(identity.address) };
  return writeIdentification(id);
}

/** @param body payload body @throws WireError on another type, or data that is not of four octets */
export function readGroupIdentity(body: Uint8Array): GroupIdentity {
  const { type, data } = readIdentification(body);
  if (type === IdType.Ipv4Address) return { kind: 'address', address: readU32(data, 0) };
  if (type !== IdType.KeyId) throw gdoiError('RFC 6407 §5.1', `group identity of type ${type}`);
  if (data.length !== 4) throw gdoiError('RFC 6407 §5.1', `group number of ${data.length} octets`);
  return { kind: 'number', number: readU32(data, 0) };
}

/** `777`, `10.1.1.1`: one key per identity. */
export function identityKey(identity: GroupIdentity): string {
  return identity.kind === 'number' ? `number ${identity.number}` : `address ${identity.address}`;
}

/** The data of a notification is the ID payload of a group, and not of this one. Other data, which other key servers may send, names none. */
export function namesAnother(group: GroupIdentity | null, data: Uint8Array): boolean {
  try {
    return group !== null && identityKey(readGroupIdentity(data)) !== identityKey(group);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return false;
  }
}
