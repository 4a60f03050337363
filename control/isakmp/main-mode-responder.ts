// Main mode, responder (RFC 2409 §5.4). Has no timer of its own: the initiator repeats, the responder answers a repeated message with
// its stored reply. The engine gives up exchanges that stay half open.

import type { Action, Endpoint, Ms, RandomBytes } from '../actions.js';
import type { IsakmpPolicy } from '../config/model.js';
import type { Authenticator } from './authentication.js';
import { equalBytes, isZero } from './bytes.js';
import { ExchangeRefusal, outOfState } from './exchange-refusal.js';
import { HeaderFlag, HeaderLength, type IsakmpHeader, PayloadType } from './header.js';
import { startDh } from './keying-material.js';
import { MainMode, NonceLength, newPhase1Sa } from './main-mode.js';
import { buildMessage, readPayloads } from './payloads.js';
import { matchesPolicy, Protocol, policyOf, readSa, type SaOffer, type SaProposal, type SaTransform, writeSa } from './sa-payload.js';
import { WireError } from './wire-error.js';

export interface ResponderOptions {
  serial: number;
  local: Endpoint;
  remote: Endpoint;
  choice: OfferChoice;
  /** For the chosen policy's method. */
  authenticator: Authenticator;
  random: RandomBytes;
}

/** Message 1, read and answered for. */
export interface OfferChoice {
  header: IsakmpHeader;
  message: Uint8Array;
  /** Body of the SA payload as received. */
  body: Uint8Array;
  offer: SaOffer;
  proposal: SaProposal;
  transform: SaTransform;
  /** Ours, with the shorter lifetime. */
  policy: IsakmpPolicy;
}

/** None of an offer's transforms matches a policy: the initiator is told, in its own DOI. */
export class NoProposalChosen extends ExchangeRefusal {
  constructor(readonly doi: number) {
    super('RFC 2409 §5', 'no offered ISAKMP transform matches a policy', 'ike_no_proposal', 6, 'IKMP_MODE_FAILURE');
  }
}

/**
 * Reads message 1 and takes the first of the initiator's transforms that one of our policies, in priority order, matches.
 * @param message cut to its length @param policies those that can be used with this peer
 * @throws WireError when malformed; NoProposalChosen when nothing matches
 */
export function chooseTransform(header: IsakmpHeader, message: Uint8Array, policies: readonly IsakmpPolicy[]): OfferChoice {
  if (header.flags & HeaderFlag.Encryption) throw new WireError('RFC 2409 §5', 'message 1 is encrypted');
  if (header.messageId !== 0) throw new WireError('RFC 2408 §3.1', 'message 1 has a message ID');
  if (isZero(header.initiatorCookie)) throw new WireError('RFC 2408 §2.5.3', 'initiator cookie is zero');
  const payloads = readPayloads(header.nextPayload, message.subarray(HeaderLength));
  if (payloads[0]?.type !== PayloadType.Sa) throw new WireError('RFC 2409 §5', 'message 1 does not begin with an SA payload');
  const body = payloads[0].body.slice();
  const offer = readSa(body);
  for (const proposal of offer.proposals) {
    if (proposal.protocol !== Protocol.Isakmp) continue;
    for (const transform of proposal.transforms) {
      const asked = policyOf(transform);
      const policy = asked && policies.find((item) => matchesPolicy(asked, item));
      if (!asked || !policy) continue;
      const lifetimeSeconds = Math.min(policy.lifetimeSeconds, asked.lifetimeSeconds ?? policy.lifetimeSeconds);
      return { header, message: message.slice(), body, offer, proposal, transform, policy: { ...policy, lifetimeSeconds } };
    }
  }
  throw new NoProposalChosen(offer.doi);
}

export class MainModeResponder extends MainMode {
  readonly startedAt: Ms;
  private readonly random: RandomBytes;

  constructor(
    private readonly options: ResponderOptions,
    now: Ms,
  ) {
    const { serial, local, remote, choice, random } = options;
    super(newPhase1Sa(serial, choice.header.initiatorCookie, false, local, remote, choice.policy, now), options.authenticator);
    this.random = random;
    this.startedAt = now;
    this.offer = choice.body;
    this.sa.doi = choice.offer.doi;
    do this.sa.responderCookie = random(8);
    while (isZero(this.sa.responderCookie));
  }

  /** Message 2: the chosen transform, unchanged (RFC 2409 §5). */
  answer(): Action[] {
    const { offer, proposal, transform, message } = this.options.choice;
    const body = writeSa({ ...offer, proposals: [{ ...proposal, transforms: [transform] }] });
    this.sa.state = 'MM_SA_SETUP';
    this.lastReceived = message;
    return [
      { kind: 'count', counter: 'ike_main_mode_started' },
      ...this.send(buildMessage(this.header(), [{ type: PayloadType.Sa, body }])),
    ];
  }

  /** This would be message 3. */
  awaitsKeys(message: Uint8Array): boolean {
    return this.sa.state === 'MM_SA_SETUP' && !(this.lastReceived && equalBytes(this.lastReceived, message));
  }

  override receive(header: IsakmpHeader, message: Uint8Array, now: Ms): Action[] {
    if (this.lastReceived && equalBytes(this.lastReceived, message)) return this.repeat();
    if (isZero(header.responderCookie)) throw outOfState('another message 1 with the same cookie');
    let actions: Action[];
    if (this.sa.state === 'MM_SA_SETUP') actions = this.receiveKeyExchange(header, message);
    else if (this.sa.state === 'MM_KEY_EXCH') actions = this.receiveProof(header, message, now);
    else throw outOfState('main mode is complete');
    this.lastReceived = message.slice();
    return actions;
  }

  /** Message 3, answered with message 4. */
  private receiveKeyExchange(header: IsakmpHeader, message: Uint8Array): Action[] {
    const peer = this.readKeyExchange(this.readClear(header, message));
    const dh = startDh(this.sa.policy.group);
    const nonce = this.random(NonceLength);
    this.agree(dh, nonce, peer);
    this.sa.state = 'MM_KEY_EXCH';
    return this.send(buildMessage(this.header(), this.keyExchangePayloads(dh, nonce)));
  }

  /** Message 5, answered with message 6. */
  private receiveProof(header: IsakmpHeader, message: Uint8Array, now: Ms): Action[] {
    if (!(header.flags & HeaderFlag.Encryption)) throw outOfState('message 5 is not encrypted');
    this.openProof(message, now);
    const actions = this.send(this.sealProof());
    return [...actions, ...this.establish(now)];
  }
}
