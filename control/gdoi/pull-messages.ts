// What both sides of GROUPKEY-PULL share, RFC 6407 §3.2: exchange type 32 under a phase-1 SA, HASH first in every message.
//
//   1 GM->KS HDR*, HASH(1), Ni, ID           HASH(1) = prf(SKEYID_a, M-ID | Ni | ID)
//   2 KS->GM HDR*, HASH(2), Nr, SA           HASH(2) = prf(SKEYID_a, M-ID | Ni_b | Nr | SA)
//   3 GM->KS HDR*, HASH(3) [, GAP]           HASH(3) = prf(SKEYID_a, M-ID | Ni_b | Nr_b [| GAP])
//   4 KS->GM HDR*, HASH(4), [SEQ,] KD        HASH(4) = prf(SKEYID_a, M-ID | Ni_b | Nr_b [| SEQ] | KD)

import { createHash } from 'node:crypto';
import { equalBytes } from '../isakmp/bytes.js';
import { Exchange, PayloadType } from '../isakmp/header.js';
import { exchangeHash, type MessageCipher, saHeader, sameHash } from '../isakmp/message-cipher.js';
import { type Payload, writePayloads } from '../isakmp/payloads.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';

/** RFC 6407 §3.2 through RFC 2409 §5: 8 to 256 octets; fewer than 8 would let an exchange be predicted. */
const MinNonce = 8;
const MaxNonce = 256;
export const NonceLength = 20;

/** @param nonces Ni_b, Nr_b as far as the message's hash covers them */
export function sealPull(
  sa: Phase1Sa,
  cipher: MessageCipher,
  messageId: number,
  nonces: readonly Uint8Array[],
  rest: readonly { type: number; body: Uint8Array }[],
): Uint8Array {
  const hash = exchangeHash(sa, messageId, ...nonces, writePayloads(rest));
  return cipher.seal(saHeader(sa, Exchange.GroupkeyPull, messageId), [{ type: PayloadType.Hash, body: hash }, ...rest]);
}

/** @returns the payloads behind HASH @throws WireError when the message does not decrypt or its hash is wrong: the cipher's IV stays */
export function openPull(
  sa: Phase1Sa,
  cipher: MessageCipher,
  message: Uint8Array,
  messageId: number,
  nonces: readonly Uint8Array[],
): Payload[] {
  const payloads = cipher.open(message, ([first, ...rest]) => {
    const expected = exchangeHash(sa, messageId, ...nonces, ...rest.map((payload) => payload.whole));
    if (first?.type !== PayloadType.Hash || !sameHash(first.body, expected))
      throw new WireError('RFC 6407 §3.2', 'HASH payload of a GROUPKEY-PULL message is wrong', 'gdoi_pull_auth_failed');
  });
  return payloads.slice(1);
}

/** @throws WireError when the nonce's length is out of bounds */
export function nonceOf(payload: Payload): Uint8Array {
  const { length } = payload.body;
  if (length < MinNonce || length > MaxNonce) throw new WireError('RFC 2409 §5', `nonce of ${length} bytes`, 'gdoi_malformed');
  return payload.body.slice();
}

/** Remembers one message, to know its repetition. */
export class LastMessage {
  private digest = new Uint8Array(0);

  note(message: Uint8Array): void {
    this.digest = new Uint8Array(createHash('sha256').update(message).digest());
  }

  is(message: Uint8Array): boolean {
    return equalBytes(this.digest, new Uint8Array(createHash('sha256').update(message).digest()));
  }
}
