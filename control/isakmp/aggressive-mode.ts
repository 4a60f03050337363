// Aggressive mode, RFC 2409 §5: three messages, and the IDs in clear. With a pre-shared key message 2 carries a hash of it, which whoever asked can
// guess at for as long as he likes: so it is answered only where it is wanted, and only to identities that have a key of their own
// (findKeyByIdentity); others get silence.
//
//   1  HDR, SA, KE, Ni, IDii  ->       2  <-  HDR, SA, KE, Nr, IDir, proof [NAT-D, NAT-D]       3  HDR*, proof [NAT-D, NAT-D]  ->
//
// Does not: message 3 in clear. The initiator is up when it has sent message 3; if that is lost, its PULL gets no answer and it begins again (test/exchange/control/gdoi/aggressive-registration.test.ts).

import type { Action, Datagram, Endpoint, Ms } from '../actions.js';
import { equalBytes, isZero } from './bytes.js';
import { outOfState } from './exchange-refusal.js';
import { Exchange, HeaderFlag, HeaderLength, type IsakmpHeader, PayloadType } from './header.js';
import { type Identification, readIdentification } from './identification.js';
import { startDh } from './keying-material.js';
import { NonceLength } from './main-mode.js';
import { MainModeInitiator } from './main-mode-initiator.js';
import { MainModeResponder, type ResponderOptions } from './main-mode-responder.js';
import { findTranslation } from './nat-traversal.js';
import { buildMessage, type Payload, readPayloads, takePayload } from './payloads.js';
import { vendorIds } from './vendor-ids.js';
import { WireError } from './wire-error.js';

/** Who begins, of message 1. @param message cut to its length @throws WireError */
export function readInitiatorId(header: IsakmpHeader, message: Uint8Array): Identification {
  if (header.flags & HeaderFlag.Encryption) throw new WireError('RFC 2409 §5', 'message 1 is encrypted');
  const payloads = readPayloads(header.nextPayload, message.subarray(HeaderLength));
  return readIdentification(takePayload(payloads, PayloadType.Identification).body);
}

export class AggressiveResponder extends MainModeResponder {
  private peerIdBody: Uint8Array = new Uint8Array(0);
  /** Of message 3, as it is being read. */
  private ends: { local: Endpoint; remote: Endpoint };

  constructor(options: ResponderOptions, now: Ms) {
    super(options, now);
    this.ends = { local: options.local, remote: options.remote };
  }

  override get exchange(): Exchange {
    return Exchange.Aggressive;
  }

  /** Message 2. @throws WireError when message 1 has no KE, nonce or ID that can be used; the exchange must be dropped then */
  override answer(): Action[] {
    const { choice } = this.options;
    const payloads = readPayloads(choice.header.nextPayload, choice.message.subarray(HeaderLength));
    this.peerIdBody = takePayload(payloads, PayloadType.Identification).body.slice();
    const peer = this.readNonceAndKey(payloads);
    const dh = startDh(this.sa.policy.group);
    const nonce = this.random(NonceLength);
    this.agree(dh, nonce, peer);
    const id = this.ownId();
    this.sa.state = 'AG_INIT_EXCH';
    this.lastReceived = choice.message;
    const message = buildMessage(this.header(), [
      this.chosenSa(),
      ...this.keyExchangePayloads(dh, nonce),
      { type: PayloadType.Identification, body: id },
      ...this.prove(id),
      ...vendorIds(this.sa.abilities),
    ]);
    return [{ kind: 'count', counter: 'ike_aggressive_mode_started' }, ...this.send(message)];
  }

  /** Its Diffie-Hellman was done with message 1. */
  override awaitsKeys(): boolean {
    return false;
  }

  override receive(header: IsakmpHeader, { local, remote, bytes: message }: Datagram, now: Ms): Action[] {
    if (this.up) throw outOfState('aggressive mode is complete');
    if (this.lastReceived && equalBytes(this.lastReceived, message)) return this.repeat();
    if (isZero(header.responderCookie)) throw outOfState('another message 1 with the same cookie');
    if (!(header.flags & HeaderFlag.Encryption)) throw outOfState('message 3 is not encrypted');
    this.ends = { local, remote };
    this.openProof(message, now, this.peerIdBody);
    Object.assign(this.sa, this.ends);
    this.lastReceived = message.slice();
    return this.establish(now);
  }

  /** NAT-D comes with the proof, and speaks of the ends of that message. */
  protected override verifyProof(payloads: readonly Payload[], now: Ms, idBody: Uint8Array | null): void {
    if (this.sa.abilities.natTraversal) this.sa.translation = findTranslation({ ...this.sa, ...this.ends }, payloads);
    super.verifyProof(payloads, now, idBody);
  }
}

export class AggressiveInitiator extends MainModeInitiator {
  private idBody: Uint8Array = new Uint8Array(0);

  override get exchange(): Exchange {
    return Exchange.Aggressive;
  }

  /** Message 1. The group cannot be negotiated, nor the method: all offered policies have those of the first. */
  override start(now: Ms): Action[] {
    const [first] = this.policies;
    this.policies = this.policies.filter(({ group, authentication }) => group === first.group && authentication === first.authentication);
    this.authenticator = this.options.authenticatorFor(first.authentication);
    this.sa.state = 'AG_NO_STATE';
    this.dh = startDh(first.group);
    this.nonce = this.random(NonceLength);
    this.idBody = this.ownId();
    const message = buildMessage(this.header(), [
      this.offeredSa(),
      ...this.keyExchangePayloads(this.dh, this.nonce),
      { type: PayloadType.Identification, body: this.idBody },
      ...vendorIds(this.options.abilities),
    ]);
    return [{ kind: 'count', counter: 'ike_aggressive_mode_started' }, ...this.advance(message, now)];
  }

  /** Message 2, answered with message 3. A message 2 that is refused leaves all that counts as it was: the next one sets it anew. */
  override receive(header: IsakmpHeader, { bytes: message }: Datagram, now: Ms): Action[] {
    const repeated = this.lastReceived !== null && equalBytes(this.lastReceived, message);
    if (this.up) {
      if (repeated) return this.repeat();
      throw outOfState('aggressive mode is complete');
    }
    const payloads = this.readClear(header, message);
    this.takeChoice(header, payloads);
    this.agree(this.dh as NonNullable<typeof this.dh>, this.nonce, this.readKeyExchange(payloads));
    this.verifyProof(payloads, now);
    this.leaveForNatPort();
    this.lastReceived = message.slice();
    this.dh = null;
    const actions = this.send(this.seal([...this.prove(this.idBody), ...this.natDiscovery()]));
    return [...actions, ...this.establish(now)];
  }
}
