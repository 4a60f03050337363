// Quick Mode, the side that answers (RFC 2409 §5.5). Whether an offer is acceptable is the policy's business; nothing outside the exchange
// changes before its answer. Message 2 is repeated until message 3 comes, because who began believes itself done when it has sent that.

import type { Action, Ms, RandomBytes } from '../actions.js';
import { AllOnes } from '../config/addresses.js';
import type { Ipv4 } from '../config/model.js';
import { u32Bytes } from '../isakmp/bytes.js';
import { startDh } from '../isakmp/keying-material.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { SaProposal, SaTransform } from '../isakmp/sa-payload.js';
import { WireError } from '../isakmp/wire-error.js';
import { type EspProposal, EspProtocol, needsOriginals, proposalOf, spiOf } from './esp-proposal.js';
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

interface Chosen {
  candidate: Candidate;
  selector: TrafficSelector;
  own: EspProposal;
  spi: number;
}

/** The identities of message 1 with the addresses that we know the ends by in place of those that the initiator does (RFC 3947 §5.2). */
function seenSelector(sa: Phase1Sa, { protocol, local, remote }: TrafficSelector, [initiator, responder]: [Ipv4, Ipv4]): TrafficSelector {
  const seen = (end: TrafficSelector['local'], original: Ipv4, address: Ipv4): TrafficSelector['local'] =>
    end.address === original && end.mask === AllOnes ? { ...end, address } : end;
  return { protocol, local: seen(local, responder, sa.local.address), remote: seen(remote, initiator, sa.remote.address) };
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
    const named = content.identities
      ? readSelector(content.identities[1], content.identities[0])
      : hostSelector(sa.local.address, sa.remote.address);
    const { candidate, selector, own, spi } = this.choose(content, named, policy);
    const { proposal, transform, form } = candidate;
    const outboundSpi = spiOf(proposal);
    const { sharedSecret, publicValue } = this.exchangeKeys(form, content);
    const nonce = this.random(NonceLength);
    const nonces: [Uint8Array, Uint8Array] = [content.nonce, nonce];
    const { originals: theirs } = content;
    const originals = needsOriginals(form) && theirs ? { local: theirs[1], remote: theirs[0] } : undefined;
    const pair = makePair({
      sa,
      initiator: false,
      selector,
      suite: form,
      own,
      inboundSpi: spi,
      outboundSpi,
      nonces,
      sharedSecret,
      originals,
    });
    this.answer = { nonces, pair };
    this.note(message);
    const seen: [Ipv4, Ipv4] = [sa.remote.address, sa.local.address];
    const agreed = { ...proposal, spi: u32Bytes(spi), transforms: [transform] };
    const reply = {
      offer: { ...content.offer, proposals: [agreed] },
      nonce,
      publicValue,
      identities: content.identities,
      originals: originals ? seen : null,
    };
    const actions = this.send(sealContent(sa, this.cipher, this.messageId, content.nonce, reply), true, now);
    return [{ kind: 'count', counter: 'ipsec_quick_mode_started' }, ...actions];
  }

  /** Transport mode behind a translator is for the ends as we see them; an offer of it without NAT-OA is none. Else what the identities name counts. */
  private choose(content: QuickContent, named: TrafficSelector, policy: QuickPolicy): Chosen {
    const candidates = candidatesOf(content.offer.proposals);
    const decide = (list: Candidate[], selector: TrafficSelector): Chosen => {
      const forms = list.map(({ form }) => form);
      const { chosen, own, spi } = policy.decide(this.sa, selector, forms);
      return { candidate: list[chosen], selector, own, spi };
    };
    const others = candidates.filter(({ form }) => !needsOriginals(form));
    if (!content.originals || others.length === candidates.length) return decide(others, named);
    const translated = candidates.filter(({ form }) => needsOriginals(form));
    try {
      return decide(translated, seenSelector(this.sa, named, content.originals));
    } catch (error) {
      if (!(error instanceof WireError) || others.length === 0) throw error;
      return decide(others, named);
    }
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
