// GROUPKEY-PULL, key-server side (RFC 6407 §3). Knows exchanges, hashes, repetitions and limits; what the group's policy is and what a
// completed registration changes is the group's business (server-group.ts). Nothing outside the exchange changes before a valid HASH(3).

import type { Action, Ms, RandomBytes } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import { type IsakmpHeader, PayloadType } from '../isakmp/header.js';
import { notifyPayload, sealInformational } from '../isakmp/informational.js';
import type { LogLimit } from '../isakmp/log-limit.js';
import { MessageCipher } from '../isakmp/message-cipher.js';
import { NotifyType } from '../isakmp/notification.js';
import { type Payload, takePayload } from '../isakmp/payloads.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import type { Refusal } from './authorization.js';
import { readGap } from './codec/gap.js';
import { type GroupIdentity, readGroupIdentity, writeGroupIdentity } from './codec/group-identity.js';
import { type KeyPacket, writeKd } from './codec/kd.js';
import { type GdoiSa, writeSa } from './codec/sa.js';
import { writeSequence } from './codec/sequence.js';
import { LastMessage, NonceLength, nonceOf, openPull, sealPull } from './pull-messages.js';
import { ServedExchanges } from './served-exchanges.js';

const MaxRepeats = 16;

export interface PullOffer {
  sa: GdoiSa;
  /**
   * HASH(3) was right: the registration happens now.
   * @param senderIds how many the member wants, null = it does not say
   */
  complete(senderIds: number | null, now: Ms): PullGrant;
}

export interface PullGrant {
  /** What must be carried out before message 4 leaves: saved state. */
  before: Action[];
  /** null: the offer is out of date, the member must begin again. `sequence` null = the group has no KEK. */
  keys: { sequence: number | null; packets: KeyPacket[] } | null;
  after: Action[];
}

/** Why a member gets nothing, for the log. `mnemonic`: it is not authorized. */
export interface Refused {
  refused: string;
  mnemonic?: Refusal['mnemonic'];
}

/** What the responder asks the key server. */
export interface PullServer {
  offer(identity: GroupIdentity, sa: Phase1Sa, now: Ms): PullOffer | Refused;
  /** @returns false when no more registrations are to be completed in this second */
  admit(sa: Phase1Sa, now: Ms): boolean;
}

interface ServedExchange {
  sa: Phase1Sa;
  identity: GroupIdentity;
  cipher: MessageCipher;
  messageId: number;
  createdAt: Ms;
  initiatorNonce: Uint8Array;
  responderNonce: Uint8Array;
  offer: PullOffer;
  complete: boolean;
  reply: Uint8Array;
  received: LastMessage;
  repeats: number;
}

export class PullResponder {
  private readonly exchanges = new ServedExchanges<ServedExchange>();

  constructor(
    private readonly server: PullServer,
    private readonly random: RandomBytes,
    private readonly limit: LogLimit,
  ) {}

  receive(sa: Phase1Sa, message: Uint8Array, header: IsakmpHeader, now: Ms): Action[] {
    const exchange = this.exchanges.find(sa, header.messageId);
    try {
      if (!exchange) return this.begin(sa, message, header.messageId, now);
      if (exchange.received.is(message)) return this.repeat(exchange);
      if (exchange.complete) throw new WireError('RFC 6407 §3.2', 'message behind the end of a GROUPKEY-PULL', 'gdoi_pull_unexpected');
      // Before anything is computed: the member repeats the message, and one of its repetitions finds the gate open.
      if (!this.server.admit(sa, now)) return this.overRate(sa, now);
      return this.finish(exchange, message, now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return [{ kind: 'count', counter: error.counter, reason: `${error.message} (${error.clause})` }];
    }
  }

  /** The SA is gone, and with it its exchanges. */
  forget(sa: Phase1Sa): void {
    this.exchanges.forget(sa);
  }

  tick(now: Ms): void {
    this.exchanges.dropOld(now);
  }

  private begin(sa: Phase1Sa, message: Uint8Array, messageId: number, now: Ms): Action[] {
    if (messageId === 0) throw new WireError('RFC 6407 §3.2', 'GROUPKEY-PULL without a message ID', 'gdoi_malformed');
    const cipher = new MessageCipher(sa, messageId);
    const payloads = openPull(sa, cipher, message, messageId, []);
    const initiatorNonce = nonceOf(takePayload(payloads, PayloadType.Nonce));
    const identity = readGroupIdentity(takePayload(payloads, PayloadType.Identification).body);
    sa.lastUsedAt = now;
    const offer = this.server.offer(identity, sa, now);
    if ('refused' in offer) {
      return [
        { kind: 'count', counter: offer.mnemonic ? 'gdoi_pull_unauthorized' : 'gdoi_pull_unknown_group' },
        ...this.limit.log(1, offer.mnemonic ?? 'UNAUTHORIZED_IDENTITY', offer.refused, now).map(asGdoi),
        this.refuse(sa, identity),
      ];
    }
    const responderNonce = this.random(NonceLength);
    const reply = sealPull(
      sa,
      cipher,
      messageId,
      [initiatorNonce],
      [
        { type: PayloadType.Nonce, body: responderNonce },
        { type: PayloadType.Sa, body: writeSa(offer.sa) },
      ],
    );
    const received = new LastMessage();
    received.note(message);
    const exchange = {
      sa,
      identity,
      cipher,
      messageId,
      createdAt: now,
      initiatorNonce,
      responderNonce,
      offer,
      complete: false,
      reply,
      received,
      repeats: 0,
    };
    this.exchanges.makeRoom(sa);
    this.exchanges.add(exchange);
    return [this.send(exchange)];
  }

  private finish(exchange: ServedExchange, message: Uint8Array, now: Ms): Action[] {
    const { sa, cipher, messageId, initiatorNonce, responderNonce } = exchange;
    const nonces = [initiatorNonce, responderNonce];
    const payloads = openPull(sa, cipher, message, messageId, nonces);
    const senderIds = this.readRequest(payloads);
    sa.lastUsedAt = now;
    const grant = exchange.offer.complete(senderIds, now);
    if (!grant.keys) {
      this.exchanges.delete(exchange);
      return [...grant.before, this.refuse(sa, exchange.identity), ...grant.after];
    }
    const { sequence, packets } = grant.keys;
    const rest = [{ type: PayloadType.KeyDownload as number, body: writeKd(packets) }];
    if (sequence !== null) rest.unshift({ type: PayloadType.Sequence, body: writeSequence(sequence) });
    exchange.reply = sealPull(sa, cipher, messageId, nonces, rest);
    exchange.complete = true;
    exchange.repeats = 0;
    exchange.received.note(message);
    return [...grant.before, this.send(exchange), ...grant.after];
  }

  private readRequest(payloads: readonly Payload[]): number | null {
    const gap = payloads.find(({ type }) => type === PayloadType.GroupAssociatedPolicy);
    return gap ? readGap(gap.body).senderIdRequest : null;
  }

  private overRate(sa: Phase1Sa, now: Ms): Action[] {
    const text = `Registration of ${formatIpv4(sa.remote.address)} put off: more per second than the configured rate`;
    return [{ kind: 'count', counter: 'gdoi_pull_rate_limited' }, ...this.limit.log(4, 'KS_REGISTRATION_RATE', text, now).map(asGdoi)];
  }

  private repeat(exchange: ServedExchange): Action[] {
    if (exchange.repeats >= MaxRepeats) return [];
    exchange.repeats++;
    return [{ kind: 'count', counter: 'gdoi_pull_retransmits' }, this.send(exchange)];
  }

  /** Names the group: several may be asked for under one SA, and RFC 2408 §3.14 leaves the data of a notification to its sender. */
  private refuse(sa: Phase1Sa, identity: GroupIdentity): Action {
    const notification = notifyPayload(sa, NotifyType.InvalidIdInformation, writeGroupIdentity(identity));
    const bytes = sealInformational(sa, this.random, [notification]);
    return { kind: 'send', datagram: { local: sa.local, remote: sa.remote, bytes } };
  }

  private send(exchange: ServedExchange): Action {
    return { kind: 'send', datagram: { local: exchange.sa.local, remote: exchange.sa.remote, bytes: exchange.reply } };
  }
}

/** LogLimit speaks for facility CRYPTO; GDOI's own messages are IOS's %GDOI. */
export function asGdoi(action: Action): Action {
  return action.kind === 'log' ? { ...action, facility: 'GDOI' } : action;
}
