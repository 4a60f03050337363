// Quick Mode, the side that begins (RFC 2409 §5.5). receive() and tick() return actions; what came of it is in `outcome`. A message that does
// not prove its sender is counted and ignored; an answer of the peer that we did not offer ends the exchange.

import type { Action, Ms, RandomBytes } from '../actions.js';
import type { DhGroup, Ipv4 } from '../config/model.js';
import { equalBytes } from '../isakmp/bytes.js';
import { HeaderFlag, readHeader } from '../isakmp/header.js';
import { type Identification, writeIdentification } from '../isakmp/identification.js';
import { type DhExchange, startDh } from '../isakmp/keying-material.js';
import { newMessageId } from '../isakmp/message-cipher.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import { type EspProposal, EspProtocol, needsOriginals, offerOf, proposalOf, sameSuite, spiOf } from './esp-proposal.js';
import { counted, makePair, provesNothing, QuickExchange } from './quick-exchange.js';
import { NonceLength, openContent, type QuickContent, readContent, sealContent, sealLast } from './quick-messages.js';
import { identificationOf, type TrafficSelector } from './selector.js';

export interface QuickRequest {
  selector: TrafficSelector;
  /** In order of preference; all with the same group (RFC 2409 §5.5). */
  proposals: readonly EspProposal[];
  /** Of the SA towards us. */
  spi: number;
}

export class QuickInitiator extends QuickExchange {
  private readonly nonce: Uint8Array;
  private readonly dh: DhExchange | null;
  private readonly identities: [Identification, Identification];

  constructor(
    sa: Phase1Sa,
    readonly request: QuickRequest,
    random: RandomBytes,
    now: Ms,
  ) {
    super(sa, newMessageId(random), random, now);
    this.nonce = random(NonceLength);
    const group: DhGroup | null = request.proposals[0].group;
    this.dh = group === null ? null : startDh(group);
    const { protocol, local, remote } = request.selector;
    this.identities = [identificationOf(local, protocol), identificationOf(remote, protocol)];
  }

  /** Message 1. */
  start(now: Ms): Action[] {
    const content = {
      offer: offerOf(this.request.proposals, this.request.spi),
      nonce: this.nonce,
      publicValue: this.dh?.publicValue ?? null,
      identities: this.identities,
      originals: this.request.proposals.some(needsOriginals) ? ([this.sa.local.address, this.sa.remote.address] as [Ipv4, Ipv4]) : null,
    };
    const message = sealContent(this.sa, this.cipher, this.messageId, null, content);
    return [{ kind: 'count', counter: 'ipsec_quick_mode_started' }, ...this.send(message, true, now)];
  }

  receive(message: Uint8Array, now: Ms): Action[] {
    const repeated = this.repeated(message);
    if (repeated) return repeated;
    if (this.outcome) return [{ kind: 'count', counter: 'ipsec_quick_mode_unexpected', reason: 'a message behind the end of Quick Mode' }];
    try {
      const content = readContent(openContent(this.sa, this.cipher, message, this.messageId, this.nonce));
      return this.accept(content, message, now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (!provesNothing(error)) this.fail(`${error.message} (${error.clause})`);
      return [counted(error)];
    }
  }

  private accept(content: QuickContent, message: Uint8Array, now: Ms): Action[] {
    const { suite, own, spi } = this.chosen(content);
    this.checkIdentities(content.identities);
    if ((content.publicValue !== null) !== (this.dh !== null))
      throw new WireError('RFC 2409 §5.5', 'KE payload where none was sent, or none where one was', 'ipsec_quick_mode_malformed');
    const sharedSecret = this.dh && content.publicValue ? this.dh.sharedSecret(content.publicValue) : null;
    if (needsOriginals(suite) && !content.originals)
      throw new WireError('RFC 3947 §5.2', 'transport mode in UDP without NAT-OA payloads', 'ipsec_quick_mode_malformed');
    const originals =
      needsOriginals(suite) && content.originals ? { local: content.originals[0], remote: content.originals[1] } : undefined;
    const nonces = [this.nonce, content.nonce] as const;
    const pair = makePair({
      sa: this.sa,
      initiator: true,
      selector: this.request.selector,
      suite,
      own,
      inboundSpi: this.request.spi,
      outboundSpi: spi,
      nonces,
      sharedSecret,
      originals,
    });
    // Not covered by any HASH: whoever sets it on the way delays us by PairLife's SettleMs and no more.
    if (readHeader(message).flags & HeaderFlag.Commit) pair.awaitsConnected = true;
    this.note(message);
    const actions = this.send(sealLast(this.sa, this.cipher, this.messageId, nonces), false, now);
    this.finish(pair);
    return actions;
  }

  /** The one transform of the one proposal, which must be one that we offered, under its number (RFC 2408 §4.2). */
  private chosen({ offer }: QuickContent): { suite: EspProposal; own: EspProposal; spi: number } {
    const [proposal, ...others] = offer.proposals;
    const suite = proposal?.transforms.length === 1 ? proposalOf(proposal.transforms[0]) : null;
    const own = this.request.proposals[(proposal?.number ?? 0) - 1];
    const isOurs =
      others.length === 0 && proposal?.protocol === EspProtocol && suite !== null && own !== undefined && sameSuite(suite, own);
    if (!isOurs) throw new WireError('RFC 2408 §4.2', 'the peer chose what was not offered', 'ipsec_no_proposal');
    return { suite, own, spi: spiOf(proposal) };
  }

  private checkIdentities(ids: QuickContent['identities']): void {
    const isSame = ids?.every((id, index) => equalBytes(writeIdentification(id), writeIdentification(this.identities[index])));
    if (!isSame) throw new WireError('RFC 2409 §5.5', 'the peer answered with other client identities', 'ipsec_no_flow');
  }
}
