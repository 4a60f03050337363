// Informational exchange under an SA, RFC 2409 §5.7: HDR*, HASH(1), N or D payloads; HASH(1) = prf(SKEYID_a, M-ID | N/D).
// Does: seal and open. Does not: decide what a notification means, answer (the exchange is one message), DPD.

import type { RandomBytes } from '../actions.js';
import { concatBytes } from './bytes.js';
import { Exchange, HeaderLength, type IsakmpHeader, PayloadType } from './header.js';
import { exchangeHash, MessageCipher, newMessageId, saHeader, sameHash } from './message-cipher.js';
import {
  type Deletion,
  type Notification,
  NotifyType,
  readDeletion,
  readNotification,
  writeDeletion,
  writeNotification,
} from './notification.js';
import { buildMessage, type Payload, readPayloads, writePayloads } from './payloads.js';
import type { Phase1Sa } from './phase1-sa.js';
import { WireError } from './wire-error.js';

export interface Informational {
  notifications: Notification[];
  deletions: Deletion[];
}

/** @param sa up @param payloads notifications or deletes @returns one message under a new message ID */
export function sealInformational(sa: Phase1Sa, random: RandomBytes, payloads: readonly { type: number; body: Uint8Array }[]): Uint8Array {
  const messageId = newMessageId(random);
  const hash = exchangeHash(sa, messageId, writePayloads(payloads));
  return new MessageCipher(sa, messageId).seal(saHeader(sa, Exchange.Informational, messageId), [
    { type: PayloadType.Hash, body: hash },
    ...payloads,
  ]);
}

/** The Delete that ends `sa`: protocol ISAKMP, SPI = both cookies (RFC 2408 §3.15). */
export function deletePayload(sa: Phase1Sa): { type: number; body: Uint8Array } {
  const spi = concatBytes(sa.initiatorCookie, sa.responderCookie);
  return { type: PayloadType.Delete, body: writeDeletion({ doi: sa.doi, protocol: 1, spiSize: 16, spis: [spi] }) };
}

/** @param data of the notification; its SPI is the SA's cookies */
export function notifyPayload(sa: Phase1Sa, type: number, data: Uint8Array): { type: number; body: Uint8Array } {
  const spi = concatBytes(sa.initiatorCookie, sa.responderCookie);
  return { type: PayloadType.Notification, body: writeNotification({ doi: sa.doi, protocol: 1, spi, type, data }) };
}

/** A notification in clear, when there are no keys yet (RFC 2409 §5.7). Holds nothing of the message it answers but its cookies. */
export function buildClearNotification(header: IsakmpHeader, messageId: number, doi: number, type: number): Uint8Array {
  const { initiatorCookie, responderCookie } = header;
  const none = new Uint8Array(0);
  return buildMessage({ initiatorCookie, responderCookie, exchange: Exchange.Informational, flags: 0, messageId }, [
    { type: PayloadType.Notification, body: writeNotification({ doi, protocol: 1, spi: none, type, data: none }) },
  ]);
}

/** @param message cut to its length, encrypted @throws WireError when it does not decrypt, HASH(1) is wrong, or a payload is malformed */
export function openInformational(sa: Phase1Sa, header: IsakmpHeader, message: Uint8Array): Informational {
  if (header.messageId === 0) throw new WireError('RFC 2409 §5.7', 'informational message without a message ID');
  const payloads = new MessageCipher(sa, header.messageId).open(message, ([first, ...rest]: Payload[]) => {
    const expected = exchangeHash(sa, header.messageId, ...rest.map((payload) => payload.whole));
    if (first?.type !== PayloadType.Hash || !sameHash(first.body, expected)) {
      throw new WireError('RFC 2409 §5.7', 'HASH(1) of an informational message is wrong', 'ike_auth_failed');
    }
  });
  const bodies = (type: number): Uint8Array[] => payloads.filter((payload) => payload.type === type).map((payload) => payload.body);
  return { notifications: bodies(PayloadType.Notification).map(readNotification), deletions: bodies(PayloadType.Delete).map(readDeletion) };
}

/** Which notifications a message in clear holds, as a log names them. Cut to its length. @throws WireError when it is malformed */
export function nameClearNotifications(header: IsakmpHeader, message: Uint8Array): string {
  const types = readPayloads(header.nextPayload, message.subarray(HeaderLength))
    .filter((payload) => payload.type === PayloadType.Notification)
    .map((payload) => readNotification(payload.body).type);
  return types.includes(NotifyType.NoProposalChosen) ? 'NO-PROPOSAL-CHOSEN' : `type ${types.join(' ') || 'none'}`;
}

const RememberedIds = 64;

/** Message IDs of informational messages that were acted upon: a recorded one that is sent again does nothing (RFC 2408 §3.1: unique per SA). */
export class HeardMessages {
  private readonly ids = new WeakMap<Phase1Sa, Set<number>>();

  /** @returns true the first time */
  add(sa: Phase1Sa, messageId: number): boolean {
    const seen = this.ids.get(sa) ?? new Set<number>();
    this.ids.set(sa, seen);
    if (seen.has(messageId)) return false;
    seen.add(messageId);
    // Sets keep the order of insertion: the oldest goes.
    if (seen.size > RememberedIds) for (const oldest of seen) return seen.delete(oldest);
    return true;
  }
}
