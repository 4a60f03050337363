// Quick Mode, the side that answers (RFC 2409 §5.5). Whether an offer is acceptable is the policy's business; nothing outside the exchange
// changes before its answer. Message 2 is repeated until message 3 comes, because who began believes itself done when it has sent that.

import type { Action, Ms, RandomBytes } from '../actions.js';
import { u32Bytes } from '../isakmp/bytes.js';
import { startDh } from '../isakmp/keying-material.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { SaProposal, SaTransform } from '../isakmp/sa-payload.js';
import { WireError } from '../isakmp/wire-error.js';
import { type EspProposal, EspProtocol, proposalOf, spiOf } from './esp-proposal.js';
import { counted, makePair, type NegotiatedPair, QuickExchange } from './quick-exchange.js';
import { NonceLength, openContent, openLast, type QuickContent, readContent, sealContent } from './quick-messages.js';
import { hostSelector, readSelector, type TrafficSelector } from './selector.js';

/** What the policy decides about an offer. */
export interface QuickDecision {
  /** Place in the offers. */
  chosen: number;
  /** What we want of it: lifetimes. */
  own: EspProposal;
  /** Of the SA towards us. */
  spi: number;
}

export interface QuickPolicy {
  /** @param offers in the peer's order of preference @throws WireError `ipsec_no_flow` or `ipsec_no_proposal` */
  decide(sa: Phase1Sa, selector: TrafficSelector, offers: readonly EspProposal[]): QuickDecision;
}

interface Candidate {
  proposal: SaProposal;
  transform: SaTransform;
  form: EspProposal;
}

/** What could be chosen. Proposals of one number are to be taken together (RFC 2408 §4.2), which is not done here. */
function candidatesOf(proposals: readonly SaProposal[]): Candidate[] {
  const single = proposals.filter(({ number }) => proposals.filter((other) => other.number === number).length === 1);
  return single
    .filter(({ protocol }) => protocol === EspProtocol)
    .flatMap((proposal) =>
      proposal.transforms.flatMap((transform) => {
        const form = proposalOf(transform);
        return form === null ? [] : [{ proposal, transform, form }];
      }),
    );
}

export class QuickResponder extends QuickExchange {
  private answer: { nonces: [Uint8Array, Uint8Array]; pair: NegotiatedPair } | null = null;
  /** The peer's SPI, as far as it is known: refusals name it. */
  offeredSpi: Uint8Array = new Uint8Array(0);

  constructor(sa: Phase1Sa, messageId: number, random: RandomBytes, now: Ms) {
    super(sa, messageId, random, now);
  }

  /** Agreed, though message 3 may be missing: what comes under its inbound SA may be opened, nothing sent. null before message 1 was accepted. */
  get pair(): NegotiatedPair | null {
    return this.answer?.pair ?? null;
  }

  /** Message 1. @throws WireError when it is refused; who began has proved itself unless provesNothing() says otherwise */
  begin(message: Uint8Array, policy: QuickPolicy, now: Ms): Action[] {
    const content = readContent(openContent(this.sa, this.cipher, message, this.messageId, null));
    this.offeredSpi = content.offer.proposals[0]?.spi ?? this.offeredSpi;
    const { sa } = this;
    const selector = content.identities
      ? readSelector(content.identities[1], content.identities[0])
      : hostSelector(sa.local.address, sa.remote.address);
    const candidates = candidatesOf(content.offer.proposals);
    const forms = candidates.map(({ form }) => form);
    const { chosen, own, spi } = policy.decide(sa, selector, forms);
    const { proposal, transform, form } = candidates[chosen];
    const outboundSpi = spiOf(proposal);
    const { sharedSecret, publicValue } = this.exchangeKeys(form, content);
    const nonce = this.random(NonceLength);
    const nonces: [Uint8Array, Uint8Array] = [content.nonce, nonce];
    const pair = makePair({ sa, initiator: false, selector, suite: form, own, inboundSpi: spi, outboundSpi, nonces, sharedSecret });
    this.answer = { nonces, pair };
    this.note(message);
    const agreed = { ...proposal, spi: u32Bytes(spi), transforms: [transform] };
    const reply = { offer: { ...content.offer, proposals: [agreed] }, nonce, publicValue, identities: content.identities };
    const actions = this.send(sealContent(sa, this.cipher, this.messageId, content.nonce, reply), true, now);
    return [{ kind: 'count', counter: 'ipsec_quick_mode_started' }, ...actions];
  }

  receive(message: Uint8Array, now: Ms): Action[] {
    const repeated = this.repeated(message);
    // Behind message 3 there is nothing to send again.
    if (repeated) return this.outcome ? [] : repeated;
    if (this.outcome || !this.answer)
      return [{ kind: 'count', counter: 'ipsec_quick_mode_unexpected', reason: 'a message behind the end of Quick Mode' }];
    try {
      openLast(this.sa, this.cipher, message, this.messageId, this.answer.nonces);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return [counted(error)];
    }
    this.note(message);
    this.sa.lastUsedAt = now;
    this.finish(this.answer.pair);
    return [];
  }

  private exchangeKeys(
    form: EspProposal,
    { publicValue }: QuickContent,
  ): { sharedSecret: Uint8Array | null; publicValue: Uint8Array | null } {
    if ((form.group !== null) !== (publicValue !== null))
      throw new WireError('RFC 2409 §5.5', 'group description without KE payload, or KE without group', 'ipsec_quick_mode_malformed');
    if (form.group === null || publicValue === null) return { sharedSecret: null, publicValue: null };
    const dh = startDh(form.group);
    return { sharedSecret: dh.sharedSecret(publicValue), publicValue: dh.publicValue };
  }
}
