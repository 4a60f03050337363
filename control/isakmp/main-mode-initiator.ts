// Main mode, initiator (RFC 2409 §5.4). Offers every policy in one proposal, repeats its last message by timer, five times in all.

import type { Action, Datagram, Endpoint, Ms, RandomBytes } from '../actions.js';
import type { IsakmpPolicy } from '../config/model.js';
import type { Authenticator, PayloadBody } from './authentication.js';
import { equalBytes, isZero } from './bytes.js';
import { ExchangeRefusal, outOfState } from './exchange-refusal.js';
import { HeaderFlag, type IsakmpHeader, PayloadType } from './header.js';
import { type DhExchange, startDh } from './keying-material.js';
import { MainMode, NonceLength, newPhase1Sa } from './main-mode.js';
import { buildMessage, type Payload, takePayload } from './payloads.js';
import { NatPort } from './ports.js';
import { Retransmission } from './retransmission.js';
import { Doi, IdentityOnly, matchesPolicy, Protocol, policyOf, readSa, transformOf, writeSa } from './sa-payload.js';
import { type Abilities, bothCan, readAbilities, vendorIds } from './vendor-ids.js';

export interface InitiatorOptions {
  serial: number;
  local: Endpoint;
  remote: Endpoint;
  /** At least one, ascending priority. */
  policies: readonly IsakmpPolicy[];
  /** Never null for the methods of these policies. */
  authenticatorFor(method: IsakmpPolicy['authentication']): Authenticator | null;
  random: RandomBytes;
  /** What we announce. */
  abilities: Abilities;
}

export class MainModeInitiator extends MainMode {
  /** The last refusal of an answer, or what the peer notified in clear: a hint for the operator when the exchange fails. */
  hint: string | null = null;
  /** The end that message 1 went to. */
  readonly begunWith: Endpoint;
  protected policies: readonly IsakmpPolicy[];
  protected readonly random: RandomBytes;
  private timer: Retransmission;
  protected dh: DhExchange | null = null;
  protected nonce: Uint8Array = new Uint8Array(0);

  constructor(
    protected readonly options: InitiatorOptions,
    now: Ms,
  ) {
    const { serial, local, remote, policies, random } = options;
    super(newPhase1Sa(serial, random(8), true, local, remote, policies[0], now), null);
    this.policies = policies;
    this.begunWith = remote;
    this.random = random;
    this.timer = new Retransmission(random, now);
  }

  /** When tick() has something to do. */
  get due(): Ms {
    return this.timer.due;
  }

  /** Message 1. */
  start(now: Ms): Action[] {
    const message = buildMessage(this.header(), [this.offeredSa(), ...vendorIds(this.options.abilities)]);
    return [{ kind: 'count', counter: 'ike_main_mode_started' }, ...this.advance(message, now)];
  }

  protected offeredSa(): PayloadBody {
    const transforms = this.policies.map((policy, i) => transformOf(policy, i + 1));
    const { doi } = this.sa;
    this.offer = writeSa({
      doi,
      situation: doi === Doi.Gdoi ? 0 : IdentityOnly,
      proposals: [{ number: 1, protocol: Protocol.Isakmp, spi: new Uint8Array(0), transforms }],
    });
    return { type: PayloadType.Sa, body: this.offer };
  }

  override receive(header: IsakmpHeader, { bytes: message }: Datagram, now: Ms): Action[] {
    if (this.up || (this.lastReceived && equalBytes(this.lastReceived, message))) throw outOfState('repeated answer');
    let actions: Action[];
    if (this.sa.state === 'MM_NO_STATE') actions = this.receiveChoice(header, message, now);
    else if (this.sa.state === 'MM_SA_SETUP') actions = this.receiveKeyExchange(header, message, now);
    else actions = this.receiveProof(header, message, now);
    this.lastReceived = message.slice();
    this.hint = null;
    return actions;
  }

  /** Repeats the last message when due. @returns null when it is time to give up */
  tick(now: Ms): Action[] | null {
    if (now < this.timer.due) return [];
    return this.timer.again(now) ? this.repeat() : null;
  }

  /** Why the exchange failed, for the log and the user. */
  failureReason(): string {
    const awaited = this.sa.state.endsWith('_NO_STATE') ? 1 : this.sa.state === 'MM_SA_SETUP' ? 3 : 5;
    const suspicion =
      this.sa.policy.authentication === 'pre-share' ? 'pre-shared key mismatch suspected' : 'our certificate may be refused';
    const hint = this.hint ?? (awaited === 5 ? suspicion : null);
    return `no ${this.hint ? 'valid ' : ''}answer to message ${awaited}${hint ? `: ${hint}` : ''}`;
  }

  protected advance(message: Uint8Array, now: Ms): Action[] {
    this.timer = new Retransmission(this.random, now);
    return this.send(message);
  }

  /** Message 2. */
  private receiveChoice(header: IsakmpHeader, message: Uint8Array, now: Ms): Action[] {
    this.takeChoice(header, this.readClear(header, message));
    const { policy } = this.sa;
    this.authenticator = this.options.authenticatorFor(policy.authentication);
    this.dh = startDh(policy.group);
    this.nonce = this.random(NonceLength);
    this.sa.state = 'MM_SA_SETUP';
    return this.advance(buildMessage(this.header(), this.keyExchangePayloads(this.dh, this.nonce)), now);
  }

  /** One proposal with one of our transforms (RFC 2409 §5: unchanged; a shorter lifetime is accepted). @throws WireError, before anything changes */
  protected takeChoice(header: IsakmpHeader, payloads: readonly Payload[]): void {
    if (isZero(header.responderCookie)) throw outOfState('answer without a responder cookie');
    const answer = readSa(takePayload(payloads, PayloadType.Sa).body);
    const proposal = answer.proposals[0];
    const single = answer.proposals.length === 1 && proposal.protocol === Protocol.Isakmp && proposal.transforms.length === 1;
    const choice = single ? policyOf(proposal.transforms[0]) : null;
    const policy =
      choice && this.policies.find((item) => matchesPolicy(choice, item) && (choice.lifetimeSeconds ?? 0) <= item.lifetimeSeconds);
    if (!choice || !policy) {
      const text = 'responded with attribute not offered or changed';
      throw new ExchangeRefusal('RFC 2409 §5', text, 'ike_no_proposal', 6, 'IKMP_SA_NOT_OFFERED');
    }
    Object.assign(this.sa, {
      policy: { ...policy, lifetimeSeconds: choice.lifetimeSeconds ?? policy.lifetimeSeconds },
      cipher: policy.encryption,
      hash: policy.hash,
      responderCookie: header.responderCookie,
      doi: answer.doi,
      abilities: bothCan(this.options.abilities, readAbilities(payloads)),
    });
  }

  /** Message 4. */
  private receiveKeyExchange(header: IsakmpHeader, message: Uint8Array, now: Ms): Action[] {
    const peer = this.readKeyExchange(this.readClear(header, message));
    this.agree(this.dh as DhExchange, this.nonce, peer);
    this.dh = null;
    this.sa.state = 'MM_KEY_EXCH';
    this.leaveForNatPort();
    return this.advance(this.sealProof(), now);
  }

  /** RFC 3947 §4: with a translator between, everything from message 5 on goes to and from port 4500. What began there stays. */
  protected leaveForNatPort(): void {
    const { translation, local, remote } = this.sa;
    if ((!translation.local && !translation.remote) || local.port === NatPort) return;
    this.sa.local = { ...local, port: NatPort };
    this.sa.remote = { ...remote, port: NatPort };
  }

  /** Message 6. */
  private receiveProof(header: IsakmpHeader, message: Uint8Array, now: Ms): Action[] {
    if (!(header.flags & HeaderFlag.Encryption)) throw outOfState('message 6 is not encrypted');
    this.openProof(message, now);
    return this.establish(now);
  }
}
