// GROUPKEY-PULL, member side (RFC 6407 §3). receive() and tick() return actions; what came of it is in `outcome`.
// A message that does not prove its sender is counted and ignored: the true one may still come. A policy that we cannot do ends the exchange.

import type { Action, Ms, RandomBytes } from '../actions.js';
import { isCombinedMode } from '../config/model.js';
import { PayloadType } from '../isakmp/header.js';
import { MessageCipher, newMessageId } from '../isakmp/message-cipher.js';
import { type Payload, takePayload } from '../isakmp/payloads.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { Retransmission } from '../isakmp/retransmission.js';
import { WireError } from '../isakmp/wire-error.js';
import { writeGap } from './codec/gap.js';
import { type GroupIdentity, writeGroupIdentity } from './codec/group-identity.js';
import { readKd } from './codec/kd.js';
import { readSa } from './codec/sa.js';
import { readSequence } from './codec/sequence.js';
import { LastMessage, NonceLength, nonceOf, openPull, sealPull } from './pull-messages.js';
import { judgeOffer, type OfferedPolicy, type ReceivedPolicy, takeKeys } from './received-policy.js';

export type PullOutcome =
  | { kind: 'done'; policy: ReceivedPolicy /** Private attribute types that were ignored. */; ignored: number[] }
  /** `refused`: the key server offered what we cannot do (RFC 6407 §3.3: tell it by deleting the phase-1 SA). */
  | { kind: 'failed'; reason: string; refused: boolean };

/** A peer that repeats itself is answered again so many times: more would make us an amplifier. */
const MaxRepeats = 5;

export class GroupkeyPull {
  outcome: PullOutcome | null = null;
  readonly messageId: number;
  private readonly cipher: MessageCipher;
  private readonly initiatorNonce: Uint8Array;
  private responderNonce: Uint8Array | null = null;
  private offer: OfferedPolicy | null = null;
  private lastSent = new Uint8Array(0);
  private readonly lastReceived = new LastMessage();
  private repeats = 0;
  private timer: Retransmission | null = null;

  constructor(
    readonly sa: Phase1Sa,
    private readonly identity: GroupIdentity,
    private readonly senderIdsWanted: number,
    private readonly random: RandomBytes,
  ) {
    this.messageId = newMessageId(random);
    this.cipher = new MessageCipher(sa, this.messageId);
    this.initiatorNonce = random(NonceLength);
  }

  /** Message 1. */
  start(now: Ms): Action[] {
    return this.send(
      sealPull(
        this.sa,
        this.cipher,
        this.messageId,
        [],
        [
          { type: PayloadType.Nonce, body: this.initiatorNonce },
          { type: PayloadType.Identification, body: writeGroupIdentity(this.identity) },
        ],
      ),
      now,
    );
  }

  /** @param message of this exchange's message ID, cut to its length */
  receive(message: Uint8Array, now: Ms): Action[] {
    if (this.outcome) return [];
    if (this.lastReceived.is(message)) return this.repeat();
    try {
      return this.offer ? this.receiveKeys(message, now) : this.receiveOffer(message, now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // After the hash was right, what is wrong is the key server's own doing: waiting for a better message is vain.
      const unproven = error.counter === 'ike_undecryptable' || error.counter === 'gdoi_pull_auth_failed';
      if (!unproven) this.outcome = { kind: 'failed', reason: `${error.message} (${error.clause})`, refused: true };
      return [{ kind: 'count', counter: error.counter, reason: `${error.message} (${error.clause})` }];
    }
  }

  tick(now: Ms): Action[] {
    if (this.outcome || !this.timer || this.timer.due > now) return [];
    if (this.timer.again(now)) return [{ kind: 'count', counter: 'gdoi_pull_retransmits' }, this.sendAction()];
    this.outcome = { kind: 'failed', reason: 'the key server does not answer', refused: false };
    return [];
  }

  nextTick(): Ms | null {
    return this.outcome ? null : (this.timer?.due ?? null);
  }

  /** The key server said no, or the SA is gone. */
  fail(reason: string): void {
    this.outcome ??= { kind: 'failed', reason, refused: false };
  }

  private receiveOffer(message: Uint8Array, now: Ms): Action[] {
    const payloads = this.open(message, [this.initiatorNonce]);
    this.lastReceived.note(message);
    const nonce = nonceOf(takePayload(payloads, PayloadType.Nonce));
    const offer = judgeOffer(readSa(takePayload(payloads, PayloadType.Sa).body));
    if (offer.teks.length === 0) throw new WireError('RFC 6407 §3.3', 'policy without a TEK', 'gdoi_policy_rejected');
    this.responderNonce = nonce;
    this.offer = offer;
    return this.send(sealPull(this.sa, this.cipher, this.messageId, [this.initiatorNonce, nonce], this.requestSenderIds(offer)), now);
  }

  /** RFC 6407 §3.5, §5.4: a GAP payload when more than the one sender ID is wanted that comes without being asked for. */
  private requestSenderIds(offer: OfferedPolicy): { type: number; body: Uint8Array }[] {
    if (this.senderIdsWanted <= 1 || !offer.teks.some((tek) => isCombinedMode(tek.encryption))) return [];
    const gap = {
      activationDelaySeconds: null,
      deactivationDelaySeconds: null,
      senderIdRequest: this.senderIdsWanted,
      pseudotimeMs: null,
      ignored: [],
    };
    return [{ type: PayloadType.GroupAssociatedPolicy, body: writeGap(gap) }];
  }

  private receiveKeys(message: Uint8Array, now: Ms): Action[] {
    const payloads = this.open(message, [this.initiatorNonce, this.responderNonce as Uint8Array]);
    const offer = this.offer as OfferedPolicy;
    const sequences = payloads.filter(({ type }) => type === PayloadType.Sequence);
    // RFC 6407 §3.2: SEQ if and only if the policy has a KEK.
    if (sequences.length !== (offer.kek ? 1 : 0))
      throw new WireError('RFC 6407 §3.2', `${sequences.length} SEQ payloads`, 'gdoi_policy_rejected');
    const sequence = offer.kek ? readSequence(sequences[0].body) : 0;
    const policy = takeKeys(offer, readKd(takePayload(payloads, PayloadType.KeyDownload).body), 'pull', null, sequence, now);
    this.outcome = { kind: 'done', policy, ignored: offer.ignored };
    return [];
  }

  private open(message: Uint8Array, nonces: readonly Uint8Array[]): Payload[] {
    return openPull(this.sa, this.cipher, message, this.messageId, nonces);
  }

  private send(message: Uint8Array, now: Ms): Action[] {
    this.lastSent = new Uint8Array(message);
    this.timer = new Retransmission(this.random, now);
    this.sa.lastUsedAt = now;
    return [this.sendAction()];
  }

  private repeat(): Action[] {
    if (this.repeats >= MaxRepeats) return [];
    this.repeats++;
    return [{ kind: 'count', counter: 'gdoi_pull_retransmits' }, this.sendAction()];
  }

  private sendAction(): Action {
    return { kind: 'send', datagram: { local: this.sa.local, remote: this.sa.remote, bytes: this.lastSent } };
  }
}
