// Messages of Quick Mode under their phase-1 SA, RFC 2409 §5.5: which hash covers what, and what is in them.
//
//   1 I->R HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] [, NAT-OAi, NAT-OAr]   HASH(1) = prf(SKEYID_a, M-ID | SA | Ni …)
//   2 R->I HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr] [, NAT-OAi, NAT-OAr]   HASH(2) = prf(SKEYID_a, M-ID | Ni_b | SA | Nr …)
//   3 I->R HDR*, HASH(3)                                 HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b)

import type { Ipv4 } from '../config/model.js';
import { readU32, u32Bytes } from '../isakmp/bytes.js';
import { PayloadType } from '../isakmp/header.js';
import { type Identification, IdType, ipv4Identification, readIdentification, writeIdentification } from '../isakmp/identification.js';
import { exchangeHash, type MessageCipher, prf, saHeader, sameHash } from '../isakmp/message-cipher.js';
import { type Payload, takePayload, writePayloads } from '../isakmp/payloads.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { Doi, readSa, type SaOffer, writeSa } from '../isakmp/sa-payload.js';
import { WireError } from '../isakmp/wire-error.js';

/** RFC 2409 App. A; GDOI has the same number for GROUPKEY-PULL. */
const QuickMode = 32;
/** RFC 2409 §5: 8 to 256 octets. */
const MinNonce = 8;
const MaxNonce = 256;
export const NonceLength = 20;

/** Of messages 1 and 2. */
export interface QuickContent {
  offer: SaOffer;
  nonce: Uint8Array;
  /** Body of KE; null without perfect forward secrecy. */
  publicValue: Uint8Array | null;
  /** IDci and IDcr: the initiator's side first, in both messages. null = the ends of the phase-1 SA themselves. */
  identities: [Identification, Identification] | null;
  /** NAT-OAi and NAT-OAr: the initiator's address first, in both messages (RFC 3947 §5.2). null = none are there. */
  originals?: [Ipv4, Ipv4] | null;
}

function malformed(clause: string, text: string): WireError {
  return new WireError(clause, text, 'ipsec_quick_mode_malformed');
}

function wrongHash(n: number): WireError {
  return new WireError('RFC 2409 §5.5', `HASH(${n}) of Quick Mode is wrong`, 'ipsec_quick_mode_auth_failed');
}

/** Message 1 or 2. @param initiatorNonce Ni_b, in message 2 */
export function sealContent(
  sa: Phase1Sa,
  cipher: MessageCipher,
  messageId: number,
  initiatorNonce: Uint8Array | null,
  { offer, nonce, publicValue, identities, originals }: QuickContent,
): Uint8Array {
  const rest = [
    { type: PayloadType.Sa, body: writeSa(offer) },
    { type: PayloadType.Nonce, body: nonce },
    ...(publicValue === null ? [] : [{ type: PayloadType.KeyExchange, body: publicValue }]),
    ...(identities ?? []).map((id) => ({ type: PayloadType.Identification, body: writeIdentification(id) })),
    ...(originals ?? []).map((address) => ({ type: PayloadType.NatOriginalAddress, body: writeOriginal(address) })),
  ];
  const hash = exchangeHash(sa, messageId, initiatorNonce ?? new Uint8Array(0), writePayloads(rest));
  return cipher.seal(saHeader(sa, QuickMode, messageId), [{ type: PayloadType.Hash, body: hash }, ...rest]);
}

/**
 * Message 1 or 2: decrypts, and verifies its hash.
 * @param initiatorNonce Ni_b, in message 2 @returns the payloads behind HASH, views on memory of their own
 * @throws WireError `ike_undecryptable` or `ipsec_quick_mode_auth_failed`: it proves nothing, the true message may still come
 */
export function openContent(
  sa: Phase1Sa,
  cipher: MessageCipher,
  message: Uint8Array,
  messageId: number,
  initiatorNonce: Uint8Array | null,
): Payload[] {
  const payloads = cipher.open(message, ([first, ...rest]) => {
    const expected = exchangeHash(sa, messageId, initiatorNonce ?? new Uint8Array(0), ...rest.map(({ whole }) => whole));
    if (first?.type !== PayloadType.Hash || !sameHash(first.body, expected)) throw wrongHash(initiatorNonce === null ? 1 : 2);
  });
  return payloads.slice(1);
}

/** What an authenticated peer says. @throws WireError when it breaks the format */
export function readContent(payloads: readonly Payload[]): QuickContent {
  if (payloads[0]?.type !== PayloadType.Sa) throw malformed('RFC 2409 §5.5', 'no SA payload behind HASH');
  const offer = readSa(takePayload(payloads, PayloadType.Sa).body);
  if (offer.doi !== Doi.Ipsec) throw malformed('RFC 2407 §4.6.1', `SA payload of DOI ${offer.doi}`);
  const nonce = takePayload(payloads, PayloadType.Nonce).body;
  if (nonce.length < MinNonce || nonce.length > MaxNonce) throw malformed('RFC 2409 §5', `nonce of ${nonce.length} bytes`);
  const keys = payloads.filter(({ type }) => type === PayloadType.KeyExchange);
  if (keys.length > 1) throw malformed('RFC 2409 §5.5', `${keys.length} KE payloads`);
  const ids = payloads.filter(({ type }) => type === PayloadType.Identification).map(({ body }) => readIdentification(body));
  if (ids.length !== 0 && ids.length !== 2) throw malformed('RFC 2409 §5.5', `${ids.length} client identities`);
  const originals = payloads.filter(({ type }) => type === PayloadType.NatOriginalAddress).map(({ body }) => readOriginal(body));
  if (originals.length !== 0 && originals.length !== 2) throw malformed('RFC 3947 §5.2', `${originals.length} NAT-OA payloads`);
  return {
    offer,
    nonce: nonce.slice(),
    publicValue: keys.length === 0 ? null : keys[0].body.slice(),
    identities: ids.length === 0 ? null : [ids[0], ids[1]],
    originals: originals.length === 0 ? null : [originals[0], originals[1]],
  };
}

/** NAT-OA is an ID payload without protocol and port. */
function writeOriginal(address: Ipv4): Uint8Array {
  return writeIdentification(ipv4Identification(address, 0, 0));
}

function readOriginal(body: Uint8Array): Ipv4 {
  const { type, data } = readIdentification(body);
  if (type !== IdType.Ipv4Address) throw malformed('RFC 3947 §5.2', `NAT-OA payload of ID type ${type}`);
  return readU32(data, 0);
}

function lastHash(sa: Phase1Sa, messageId: number, nonces: readonly Uint8Array[]): Uint8Array {
  return prf(sa.hash, sa.skeyidA, new Uint8Array(1), u32Bytes(messageId), ...nonces);
}

/** Message 3. @param nonces Ni_b, Nr_b */
export function sealLast(sa: Phase1Sa, cipher: MessageCipher, messageId: number, nonces: readonly Uint8Array[]): Uint8Array {
  return cipher.seal(saHeader(sa, QuickMode, messageId), [{ type: PayloadType.Hash, body: lastHash(sa, messageId, nonces) }]);
}

/** Message 3. @throws WireError when it does not prove that the peer has had our nonce */
export function openLast(sa: Phase1Sa, cipher: MessageCipher, message: Uint8Array, messageId: number, nonces: readonly Uint8Array[]): void {
  cipher.open(message, ([first]) => {
    if (first?.type !== PayloadType.Hash || !sameHash(first.body, lastHash(sa, messageId, nonces))) throw wrongHash(3);
  });
}
