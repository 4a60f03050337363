// GROUPKEY-PUSH, RFC 6407 §4: built by the key server, opened by the member.
//
//   HDR*, SEQ, [D,] [SA, KD,] SIG        cookies = KEK SPI, M-ID 0, flags = encryption only, encrypted with the KEK (static IV)
//
// SIG covers "rekey" | header | payloads before SIG. The hashed header has E set and a Length with SIG but without encryption padding
// (gdoi-wire §0, from traces); verification accepts the padded length as well.

import type { KeyObject } from 'node:crypto';
import { concatBytes, toHex } from '../isakmp/bytes.js';
import { Exchange, HeaderFlag, HeaderLength, PayloadType, readHeader, writeHeader } from '../isakmp/header.js';
import { CbcChain } from '../isakmp/message-cipher.js';
import { type Payload, writePayloads } from '../isakmp/payloads.js';
import { WireError } from '../isakmp/wire-error.js';
import { readPublicKey, type SignatureEncoding, signatureLength, signPush, verifyPush } from '../pki/push-signature.js';
import { type GroupDeletion, readGroupDeletion } from './codec/deletion.js';
import { type KeyPacket, readKd, writeKd } from './codec/kd.js';
import { type GdoiSa, readSa, writeSa } from './codec/sa.js';
import { readSequence, writeSequence } from './codec/sequence.js';
import type { Kek } from './group-policy.js';

const Label = new TextEncoder().encode('rekey');
export const MaxSequence = 0xffffffff;

export interface PushContents {
  sequence: number;
  /** Bodies of Delete payloads. */
  deletions: readonly Uint8Array[];
  policy: { sa: GdoiSa; packets: readonly KeyPacket[] } | null;
}

export interface OpenedPush {
  sequence: number;
  deletions: GroupDeletion[];
  policy: { sa: GdoiSa; packets: KeyPacket[] } | null;
}

function pushHeader(kek: Kek) {
  return {
    initiatorCookie: kek.spi.slice(0, 8),
    responderCookie: kek.spi.slice(8),
    exchange: Exchange.GroupkeyPush,
    flags: HeaderFlag.Encryption,
    messageId: 0,
  };
}

/**
 * @param kek protects the message; the one that members have now, also when the message carries its successor
 * @returns one UDP payload
 */
export function buildPush(kek: Kek, contents: PushContents, key: KeyObject, encoding: SignatureEncoding = 'digest-info'): Uint8Array {
  const payloads: { type: number; body: Uint8Array }[] = [{ type: PayloadType.Sequence, body: writeSequence(contents.sequence) }];
  for (const body of contents.deletions) payloads.push({ type: PayloadType.Delete, body });
  if (contents.policy) {
    payloads.push({ type: PayloadType.Sa, body: writeSa(contents.policy.sa) });
    payloads.push({ type: PayloadType.KeyDownload, body: writeKd(contents.policy.packets) });
  }
  const length = signatureLength(key);
  const chain = writePayloads([...payloads, { type: PayloadType.Signature, body: new Uint8Array(length) }]);
  const header = writeHeader({ ...pushHeader(kek), nextPayload: PayloadType.Sequence, length: HeaderLength + chain.length });
  const signed = [Label, header, chain.subarray(0, chain.length - length - 4)];
  const signature = signPush(key, kek.signatureHash, signed, encoding);
  const cipher = new CbcChain(kek.cipher, kek.key, kek.iv);
  return cipher.seal(pushHeader(kek), [...payloads, { type: PayloadType.Signature, body: signature }]);
}

function readStructure(payloads: readonly Payload[]): OpenedPush & { signature: Payload } {
  let at = 0;
  const next = (type: number): Payload | null => (payloads[at]?.type === type ? payloads[at++] : null);
  const sequence = next(PayloadType.Sequence);
  if (!sequence) throw malformed('the first payload is not SEQ');
  const deletions: GroupDeletion[] = [];
  for (let payload = next(PayloadType.Delete); payload; payload = next(PayloadType.Delete))
    deletions.push(...readGroupDeletion(payload.body));
  const sa = next(PayloadType.Sa);
  const kd = next(PayloadType.KeyDownload);
  const signature = next(PayloadType.Signature);
  if (!signature || at !== payloads.length || (sa === null) !== (kd === null)) throw malformed('payloads are not SEQ, D, SA, KD, SIG');
  if (!sa && deletions.length === 0) throw malformed('neither a policy nor a deletion');
  return {
    sequence: readSequence(sequence.body),
    deletions,
    policy: sa && kd ? { sa: readSa(sa.body), packets: readKd(kd.body) } : null,
    signature,
  };
}

function malformed(message: string): WireError {
  return new WireError('RFC 6407 §4', message, 'gdoi_push_rejected_malformed');
}

/** One error for all reasons before the signature: the sender of a forgery learns nothing. */
function asMalformed(error: unknown): never {
  if (error instanceof WireError) throw new WireError(error.clause, error.message, 'gdoi_push_rejected_malformed');
  throw error;
}

/**
 * Decrypts, checks structure, sequence and signature, in this order (RFC 6407 §4.4); applies nothing.
 * @param message cut to its header's length @param kek whose SPI is the message's cookie pair
 * @throws WireError with counter gdoi_push_rejected_malformed, _sequence or _signature
 */
export function openPush(kek: Kek, message: Uint8Array): OpenedPush {
  let payloads: Payload[];
  let opened: OpenedPush & { signature: Payload };
  const header = readHeader(message);
  try {
    if (header.flags !== HeaderFlag.Encryption) throw malformed(`flags ${header.flags}`);
    if (header.messageId !== 0) throw malformed('message ID is not 0');
    payloads = new CbcChain(kek.cipher, kek.key, kek.iv).open(message);
    opened = readStructure(payloads);
  } catch (error) {
    asMalformed(error);
  }
  const { signature, ...push } = opened;
  if (push.sequence <= kek.sequence) {
    throw new WireError('RFC 6407 §4.4', `sequence ${push.sequence} is not above ${kek.sequence}`, 'gdoi_push_rejected_sequence');
  }
  const before = concatBytes(...payloads.slice(0, -1).map((payload) => payload.whole));
  const alternatives = [HeaderLength + before.length + signature.whole.length, header.length].map((length) => [
    Label,
    writeHeader({ ...header, length }),
    before,
  ]);
  if (!verifyPush(readPublicKey(kek.publicKey), kek.signatureHash, alternatives, signature.body)) {
    throw new WireError('RFC 6407 §4.4', 'signature is wrong', 'gdoi_push_rejected_signature');
  }
  return push;
}

/** Key of the KEK that a message of exchange 33 or 35 belongs to. */
export function kekName(spi: Uint8Array): string {
  return toHex(spi);
}
