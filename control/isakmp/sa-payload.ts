// Phase-1 SA payload body with its proposals and transforms, RFC 2408 §3.4-3.6, RFC 2409 App. A. Does: DOI 2 (RFC 6407 §2.1), DOI 1
// accepted. Does not: phase 2, GDOI's own SA payload (control/gdoi), several protocols in one proposal.
//
//   SA body                        Proposal body                             Transform body
//  +---------------------------+  +--------+--------+--------+----------+   +--------+--------+-----------+
//  |  DOI (4), Situation (4)   |  | Number | Proto  |SPI size|Transforms|   | Number |   ID   | RESERVED2 |
//  |  Proposal payloads        |  |  SPI, then Transform payloads        |   |  Attributes                 |
//  +---------------------------+  +--------+--------+--------+----------+   +--------+--------+-----------+

import { type DhGroup, dhGroups, type IkeCipher, type IkeHash, type IsakmpPolicy } from '../config/model.js';
import { type Attribute, numberOf, readAttributes, writeAttributes } from './attributes.js';
import { concatBytes, readU32, u32Bytes } from './bytes.js';
import { PayloadType } from './header.js';
import { type Payload, readPayloads, writePayloads } from './payloads.js';
import { WireError } from './wire-error.js';

/** RFC 6407 §2.1; 1 is IPsec's (RFC 2407). */
export const enum Doi {
  Ipsec = 1,
  Gdoi = 2,
}

/** Situation of DOI 1 (RFC 2407 §4.2.1); GDOI's is 0. */
export const IdentityOnly = 1;

export const enum Protocol {
  Isakmp = 1,
}
const KeyIke = 1;
/** RFC 2408 §3.5 lets an ISAKMP proposal carry an SPI of 0 to 16 bytes, which is ignored. */
const MaxSpiLength = 16;

export interface SaTransform {
  number: number;
  id: number;
  attributes: Attribute[];
}

export interface SaProposal {
  number: number;
  protocol: number;
  spi: Uint8Array;
  transforms: SaTransform[];
}

export interface SaOffer {
  doi: number;
  situation: number;
  proposals: SaProposal[];
}

/** Reads a chain in which every payload has the type of the first. */
function readChain(type: number, bytes: Uint8Array): Payload[] {
  const list = readPayloads(type, bytes);
  if (list.some((payload) => payload.type !== type))
    throw new WireError('RFC 2408 §3.5', `a payload of another type between those of type ${type}`);
  return list;
}

function readTransform(body: Uint8Array): SaTransform {
  if (body.length < 4) throw new WireError('RFC 2408 §3.6', `transform body of ${body.length} bytes`);
  return { number: body[0], id: body[1], attributes: readAttributes(body.subarray(4)) };
}

function readProposal(body: Uint8Array): SaProposal {
  if (body.length < 4) throw new WireError('RFC 2408 §3.5', `proposal body of ${body.length} bytes`);
  const [number, protocol, spiLength, count] = body;
  if (spiLength > MaxSpiLength || 4 + spiLength > body.length)
    throw new WireError('RFC 2408 §3.5', `proposal with an SPI of ${spiLength} bytes`);
  const transforms = readChain(PayloadType.Transform, body.subarray(4 + spiLength)).map((payload) => readTransform(payload.body));
  if (transforms.length !== count) throw new WireError('RFC 2408 §3.5', `proposal says ${count} transforms and has ${transforms.length}`);
  return { number, protocol, spi: body.slice(4, 4 + spiLength), transforms };
}

/** @param body of a phase-1 SA payload @throws WireError */
export function readSa(body: Uint8Array): SaOffer {
  if (body.length < 8) throw new WireError('RFC 2408 §3.4', `SA body of ${body.length} bytes`);
  const doi = readU32(body, 0);
  const situation = readU32(body, 4);
  if (doi !== Doi.Gdoi && doi !== Doi.Ipsec) throw new WireError('RFC 6407 §2.1', `DOI ${doi} is neither GDOI nor IPsec`);
  // RFC 6407 §2.1: GDOI's situation is zero; RFC 2407 §4.2.1: IPsec's is SIT_IDENTITY_ONLY. Others would be followed by labels.
  if (situation !== 0 && situation !== 1) throw new WireError('RFC 6407 §2.1', `situation ${situation} is not supported`);
  return { doi, situation, proposals: readChain(PayloadType.Proposal, body.subarray(8)).map((payload) => readProposal(payload.body)) };
}

/** @returns the payload body */
export function writeSa(offer: SaOffer): Uint8Array {
  const proposals = offer.proposals.map(({ number, protocol, spi, transforms }) => {
    const chain = transforms.map((item) => ({
      type: PayloadType.Transform,
      body: concatBytes(new Uint8Array([item.number, item.id, 0, 0]), writeAttributes(item.attributes)),
    }));
    const head = new Uint8Array([number, protocol, spi.length, transforms.length]);
    return { type: PayloadType.Proposal, body: concatBytes(head, spi, writePayloads(chain)) };
  });
  return concatBytes(u32Bytes(offer.doi), u32Bytes(offer.situation), writePayloads(proposals));
}

const enum Oakley {
  Encryption = 1,
  Hash = 2,
  Authentication = 3,
  Group = 4,
  LifeType = 11,
  LifeDuration = 12,
  KeyLength = 14,
}
const PreShared = 1;
const RsaSignature = 3;
const LifeSeconds = 1;
const encryptionNumbers: Record<IkeCipher, { number: number; bits: number | null }> = {
  des: { number: 1, bits: null },
  '3des': { number: 5, bits: null },
  'aes-128': { number: 7, bits: 128 },
  'aes-192': { number: 7, bits: 192 },
  'aes-256': { number: 7, bits: 256 },
};
const hashNumbers: Record<IkeHash, number> = { md5: 1, sha: 2, sha256: 4, sha384: 5, sha512: 6 };

/** What a transform says, in the words of the configuration. `lifetimeSeconds` null: none stated. */
export interface TransformPolicy {
  encryption: IkeCipher;
  hash: IkeHash;
  authentication: IsakmpPolicy['authentication'];
  group: DhGroup;
  lifetimeSeconds: number | null;
}

/** The transform of one policy (RFC 2409 App. A). @param number within the proposal, from 1 */
export function transformOf(policy: IsakmpPolicy, number: number): SaTransform {
  const { number: encryption, bits } = encryptionNumbers[policy.encryption];
  const seconds = policy.lifetimeSeconds;
  const attributes: Attribute[] = [
    { type: Oakley.Encryption, value: encryption },
    { type: Oakley.Hash, value: hashNumbers[policy.hash] },
    { type: Oakley.Group, value: policy.group },
    { type: Oakley.Authentication, value: policy.authentication === 'pre-share' ? PreShared : RsaSignature },
    { type: Oakley.LifeType, value: LifeSeconds },
    { type: Oakley.LifeDuration, value: seconds > 0xffff ? u32Bytes(seconds) : seconds },
  ];
  if (bits !== null) attributes.push({ type: Oakley.KeyLength, value: bits });
  return { number, id: KeyIke, attributes };
}

/**
 * @returns null when the transform asks for anything we do not have: an unknown attribute or value, a missing one, one given twice, AES without
 *   key length, DES with one, a lifetime in kilobytes or of zero. Such a transform is never chosen (bad proposals are not malformed).
 * @throws WireError on an attribute of the wrong form
 */
export function policyOf(transform: SaTransform): TransformPolicy | null {
  const values = new Map<number, number>();
  for (const attribute of transform.attributes) {
    if (values.has(attribute.type)) return null;
    values.set(attribute.type, numberOf(attribute));
  }
  const take = (type: number): number | undefined => {
    const value = values.get(type);
    values.delete(type);
    return value;
  };
  if (transform.id !== KeyIke) return null;
  const cipher = take(Oakley.Encryption);
  const bits = take(Oakley.KeyLength) ?? null;
  const encryption = (Object.keys(encryptionNumbers) as IkeCipher[]).find((name) => {
    const form = encryptionNumbers[name];
    return form.number === cipher && form.bits === bits;
  });
  const digest = take(Oakley.Hash);
  const hash = (Object.keys(hashNumbers) as IkeHash[]).find((name) => hashNumbers[name] === digest);
  const method = take(Oakley.Authentication);
  const dh = take(Oakley.Group);
  const group = dhGroups.find((item) => item === dh);
  const lifeType = take(Oakley.LifeType);
  const duration = take(Oakley.LifeDuration) ?? null;
  if (!encryption || !hash || !group || values.size > 0) return null;
  if (method !== PreShared && method !== RsaSignature) return null;
  if ((duration !== null && (lifeType !== LifeSeconds || duration === 0)) || (duration === null && lifeType !== undefined)) return null;
  const authentication = method === PreShared ? 'pre-share' : 'rsa-sig';
  return { encryption, hash, authentication, group, lifetimeSeconds: duration };
}

/** Same algorithms; the lifetime is not compared: the shorter one holds, as on IOS. */
export function matchesPolicy(transform: TransformPolicy, policy: IsakmpPolicy): boolean {
  const { encryption, hash, authentication, group } = transform;
  return encryption === policy.encryption && hash === policy.hash && authentication === policy.authentication && group === policy.group;
}
