// What both roles of a Quick Mode exchange share: its result, its repetitions, its end.

import { createHash } from 'node:crypto';
import type { Action, Ms, RandomBytes } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import { equalBytes } from '../isakmp/bytes.js';
import { MessageCipher } from '../isakmp/message-cipher.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { Retransmission } from '../isakmp/retransmission.js';
import type { WireError } from '../isakmp/wire-error.js';
import { type EspProposal, UnstatedLifetimeSeconds } from './esp-proposal.js';
import { deriveKeys, type SaKeys } from './keymat.js';
import type { TrafficSelector } from './selector.js';

/** Addresses of both ends as the other one knows its own and sees ours: its checksums in transport mode are made with them (RFC 3947 §5.2). */
export interface OriginalAddresses {
  local: Ipv4;
  remote: Ipv4;
}

/** What was agreed: an SA in each direction. Holds keys: never print one whole. */
export interface NegotiatedPair {
  /** We began the exchange. */
  initiator: boolean;
  selector: TrafficSelector;
  suite: EspProposal;
  /** Chosen by us. */
  inboundSpi: number;
  /** Chosen by the peer. */
  outboundSpi: number;
  inbound: SaKeys;
  outbound: SaKeys;
  lifetimeSeconds: number;
  /** null = no limit. */
  lifetimeKilobytes: number | null;
  /** Of transport mode behind a translator. */
  originals?: OriginalAddresses;
  /** The peer set the commit bit: it says CONNECTED when it takes the SA towards it into use (RFC 2408 §3.1). Absent = it did not. */
  awaitsConnected?: true;
}

/** @param own what we want, @param theirs as their transform states it: the shorter one holds */
export function shorterLifetimes(own: EspProposal, theirs: EspProposal): Pick<NegotiatedPair, 'lifetimeSeconds' | 'lifetimeKilobytes'> {
  const volumes = [own.lifetimeKilobytes, theirs.lifetimeKilobytes].filter((volume) => volume !== null);
  return {
    lifetimeSeconds: Math.min(own.lifetimeSeconds ?? UnstatedLifetimeSeconds, theirs.lifetimeSeconds ?? UnstatedLifetimeSeconds),
    lifetimeKilobytes: volumes.length > 0 ? Math.min(...volumes) : null,
  };
}

export interface PairInputs {
  sa: Phase1Sa;
  initiator: boolean;
  selector: TrafficSelector;
  /** As offered. */
  suite: EspProposal;
  /** What we want. */
  own: EspProposal;
  inboundSpi: number;
  outboundSpi: number;
  nonces: readonly [Uint8Array, Uint8Array];
  sharedSecret: Uint8Array | null;
  originals?: OriginalAddresses;
}

export function makePair({ sa, suite, own, nonces, sharedSecret, ...rest }: PairInputs): NegotiatedPair {
  const keysOf = (spi: number): SaKeys => deriveKeys(sa, suite, sharedSecret, spi, nonces);
  const { initiator, selector, inboundSpi, outboundSpi, originals } = rest;
  const keys = { inbound: keysOf(inboundSpi), outbound: keysOf(outboundSpi) };
  return { initiator, selector, suite, inboundSpi, outboundSpi, ...keys, ...shorterLifetimes(own, suite), ...(originals && { originals }) };
}

export type QuickOutcome =
  | { kind: 'done'; pair: NegotiatedPair }
  /** `unanswered`: the peer may have lost the phase-1 SA, of which it says nothing. */
  | { kind: 'failed'; reason: string; unanswered: boolean };

/** A peer that repeats itself is answered again so many times: more would make us an amplifier. */
const MaxRepeats = 5;

export abstract class QuickExchange {
  outcome: QuickOutcome | null = null;
  protected readonly cipher: MessageCipher;
  private lastSent: Uint8Array = new Uint8Array(0);
  private lastReceived: Uint8Array = new Uint8Array(0);
  private repeats = 0;
  private timer: Retransmission | null = null;

  protected constructor(
    readonly sa: Phase1Sa,
    readonly messageId: number,
    protected readonly random: RandomBytes,
    readonly startedAt: Ms,
  ) {
    this.cipher = new MessageCipher(sa, messageId);
  }

  /** @param message of this exchange's message ID, cut to its length */
  abstract receive(message: Uint8Array, now: Ms): Action[];

  tick(now: Ms): Action[] {
    if (!this.timer || this.timer.due > now) return [];
    if (this.timer.again(now)) return [{ kind: 'count', counter: 'ipsec_quick_mode_retransmits' }, this.sendAction()];
    this.outcome = { kind: 'failed', reason: 'the peer does not answer', unanswered: true };
    this.timer = null;
    return [];
  }

  nextTick(): Ms | null {
    return this.timer?.due ?? null;
  }

  fail(reason: string): void {
    this.outcome ??= { kind: 'failed', reason, unanswered: false };
    this.timer = null;
  }

  protected finish(pair: NegotiatedPair): void {
    this.outcome = { kind: 'done', pair };
    this.timer = null;
  }

  /** @param awaitsAnswer repeat it until one comes */
  protected send(message: Uint8Array, awaitsAnswer: boolean, now: Ms): Action[] {
    this.lastSent = message;
    this.repeats = 0;
    this.timer = awaitsAnswer ? new Retransmission(this.random, now) : null;
    this.sa.lastUsedAt = now;
    return [this.sendAction()];
  }

  /** Remembers a message that was accepted, to know its repetition. */
  protected note(message: Uint8Array): void {
    this.lastReceived = digestOf(message);
  }

  /** @returns null when it is another message than the last accepted one */
  protected repeated(message: Uint8Array): Action[] | null {
    if (!equalBytes(this.lastReceived, digestOf(message))) return null;
    if (this.repeats >= MaxRepeats) return [];
    this.repeats++;
    return [{ kind: 'count', counter: 'ipsec_quick_mode_retransmits' }, this.sendAction()];
  }

  private sendAction(): Action {
    return { kind: 'send', datagram: { local: this.sa.local, remote: this.sa.remote, bytes: this.lastSent } };
  }
}

function digestOf(message: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(message).digest());
}

/** Anybody could have sent it: nothing follows from it. */
export function provesNothing({ counter }: WireError): boolean {
  return counter === 'ike_undecryptable' || counter === 'ipsec_quick_mode_auth_failed';
}

export function counted(error: WireError): Action {
  return { kind: 'count', counter: error.counter, reason: `${error.message} (${error.clause})` };
}
