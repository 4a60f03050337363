// Main mode, RFC 2409 §5: what both roles share. The roles are in main-mode-initiator.ts and main-mode-responder.ts, the ways to prove
// oneself (HASH for pre-shared keys §5.4, CERT and SIG for signatures §5.1) in authentication.ts and signature-authenticator.ts.
//
//   1  HDR, SA          ->        3  HDR, KE, Ni      ->        5  HDR*, IDii, proof   ->
//   2       <-  HDR, SA           4       <-  HDR, KE, Nr       6       <-  HDR*, IDir, proof
//
// A message that is refused changes nothing: the exchange waits for the true one, and ends by its timer. So nobody who merely sends
// datagrams can end it. A message that repeats the last accepted one byte for byte gets the stored reply and changes nothing either.
// Does not: public-key encryption, aggressive mode. Other vendor IDs and notifications are ignored.

import type { Action, Datagram, Endpoint, Ms } from '../actions.js';
import type { IsakmpPolicy } from '../config/model.js';
import type { Authenticator, ExchangeFacts, PayloadBody } from './authentication.js';
import { ExchangeRefusal, outOfState } from './exchange-refusal.js';
import { Exchange, HeaderFlag, type IsakmpHeader, PayloadType } from './header.js';
import { readIdentification, writeIdentification } from './identification.js';
import { type DhExchange, derivePhase1Keys, type Phase1Inputs, phase1Hash } from './keying-material.js';
import type { Liveness } from './liveness.js';
import { CbcChain } from './message-cipher.js';
import { findTranslation, natDiscovery, noTranslation } from './nat-traversal.js';
import { isInitialContact } from './notification.js';
import { type Payload, readPayloads, takePayload } from './payloads.js';
import type { Phase1Sa } from './phase1-sa.js';
import { GdoiPort } from './ports.js';
import { Doi } from './sa-payload.js';
import { noAbilities } from './vendor-ids.js';
import { WireError } from './wire-error.js';

/** Ours; RFC 2409 §5 allows 8 to 256. */
export const NonceLength = 32;
const MinNonceLength = 8;
const MaxNonceLength = 256;
const FirstConnectionId = 1001;

/** @returns an SA without keys, in MM_NO_STATE */
export function newPhase1Sa(
  serial: number,
  initiatorCookie: Uint8Array,
  initiator: boolean,
  local: Endpoint,
  remote: Endpoint,
  policy: IsakmpPolicy,
  now: Ms,
): Phase1Sa {
  const none = new Uint8Array(0);
  return {
    connectionId: FirstConnectionId + serial,
    initiatorCookie,
    responderCookie: new Uint8Array(8),
    initiator,
    local,
    remote,
    policy,
    cipher: policy.encryption,
    hash: policy.hash,
    doi: remote.port === GdoiPort ? Doi.Gdoi : Doi.Ipsec,
    skeyidD: none,
    skeyidA: none,
    key: none,
    lastIv: none,
    peerId: null,
    establishedAt: 0,
    expiresAt: 0,
    lastUsedAt: now,
    state: 'MM_NO_STATE',
    abilities: noAbilities,
    translation: noTranslation,
  };
}

/** State of one main mode exchange, whichever role. */
export abstract class MainMode {
  protected chain: CbcChain | null = null;
  protected lastReceived: Uint8Array | null = null;
  protected lastSent: Uint8Array = new Uint8Array(0);
  /** Body of the initiator's SA payload, exactly as sent: part of both hashes. */
  protected offer: Uint8Array = new Uint8Array(0);
  private skeyid: Uint8Array = new Uint8Array(0);
  private inputs: Phase1Inputs | null = null;
  /** What has proved the peer, secret; null: it is not up, or a certificate did. */
  preSharedKey: Uint8Array | null = null;
  /** Once it is up: keepalives of both kinds. */
  liveness: Liveness | null = null;

  protected constructor(
    readonly sa: Phase1Sa,
    /** Null until the initiator knows which policy was chosen. */
    protected authenticator: Authenticator | null,
  ) {}

  /**
   * @param datagram cut to the message's length; on port 4500 it may come from another port than earlier ones
   * @throws WireError when the message is refused; nothing has changed then
   */
  abstract receive(header: IsakmpHeader, datagram: Datagram, now: Ms): Action[];

  get up(): boolean {
    return this.sa.state === 'GDOI_IDLE';
  }

  /** Its number in the header. */
  get exchange(): Exchange {
    return Exchange.Main;
  }

  protected header(): Omit<IsakmpHeader, 'length' | 'nextPayload'> {
    const { initiatorCookie, responderCookie } = this.sa;
    return { initiatorCookie, responderCookie, exchange: this.exchange, flags: 0, messageId: 0 };
  }

  /** Stores the message for repetition. */
  protected send(bytes: Uint8Array): Action[] {
    this.lastSent = bytes;
    return [this.sendAction()];
  }

  protected repeat(): Action[] {
    return [{ kind: 'count', counter: 'ike_retransmits' }, this.sendAction()];
  }

  private sendAction(): Action {
    const datagram: Datagram = { local: this.sa.local, remote: this.sa.remote, bytes: this.lastSent };
    return { kind: 'send', datagram };
  }

  /** @throws WireError when the message is encrypted, or its chain is broken */
  protected readClear(header: IsakmpHeader, message: Uint8Array): Payload[] {
    if (header.flags & HeaderFlag.Encryption) throw outOfState('encrypted message before the keys are agreed');
    return readPayloads(header.nextPayload, message.subarray(28));
  }

  protected get facts(): ExchangeFacts {
    const { local, remote, doi, translation, peerId } = this.sa;
    return { local, remote, doi, translated: translation.remote, peerId };
  }

  /** Of message 3 or 4. */
  protected keyExchangePayloads(dh: DhExchange, nonce: Uint8Array): PayloadBody[] {
    return [
      { type: PayloadType.KeyExchange, body: dh.publicValue },
      { type: PayloadType.Nonce, body: nonce },
      ...(this.authenticator?.requests() ?? []),
      ...this.natDiscovery(),
    ];
  }

  /** Nothing before both have announced that they can. */
  protected natDiscovery(): PayloadBody[] {
    return this.sa.abilities.natTraversal ? natDiscovery(this.sa) : [];
  }

  /** KE and nonce bodies of message 3 or 4. @throws WireError */
  protected readKeyExchange(payloads: readonly Payload[]): { publicValue: Uint8Array; nonce: Uint8Array } {
    const peer = this.readNonceAndKey(payloads);
    if (this.sa.abilities.natTraversal) this.sa.translation = findTranslation(this.sa, payloads);
    return peer;
  }

  /** As readKeyExchange, of a message without NAT-D. */
  protected readNonceAndKey(payloads: readonly Payload[]): { publicValue: Uint8Array; nonce: Uint8Array } {
    const publicValue = takePayload(payloads, PayloadType.KeyExchange).body.slice();
    const nonce = takePayload(payloads, PayloadType.Nonce).body.slice();
    if (nonce.length < MinNonceLength || nonce.length > MaxNonceLength) {
      throw new WireError('RFC 2409 §5', `nonce of ${nonce.length} bytes`);
    }
    this.authenticator?.heed(payloads);
    return { publicValue, nonce };
  }

  /** After the second KE payload is known. @throws WireError on a bad public value, before anything changes */
  protected agree(dh: DhExchange, ourNonce: Uint8Array, peer: { publicValue: Uint8Array; nonce: Uint8Array }): void {
    const { initiator, initiatorCookie, responderCookie, cipher, hash } = this.sa;
    const sharedSecret = dh.sharedSecret(peer.publicValue);
    const inputs: Phase1Inputs = {
      cipher,
      hash,
      preSharedKey: this.authenticator?.preSharedKey ?? null,
      nonceInitiator: initiator ? ourNonce : peer.nonce,
      nonceResponder: initiator ? peer.nonce : ourNonce,
      initiatorCookie,
      responderCookie,
      publicInitiator: initiator ? dh.publicValue : peer.publicValue,
      publicResponder: initiator ? peer.publicValue : dh.publicValue,
      sharedSecret,
    };
    const keys = derivePhase1Keys(inputs);
    this.inputs = inputs;
    this.skeyid = keys.skeyid;
    Object.assign(this.sa, { skeyidD: keys.skeyidD, skeyidA: keys.skeyidA, key: keys.key });
    this.chain = new CbcChain(cipher, keys.key, keys.iv);
  }

  /** Message 5 or 6: our ID and what proves us. */
  protected sealProof(): Uint8Array {
    const id = this.ownId();
    return this.seal([{ type: PayloadType.Identification, body: id }, ...this.prove(id)]);
  }

  protected seal(payloads: readonly PayloadBody[]): Uint8Array {
    return (this.chain as CbcChain).seal(this.header(), payloads);
  }

  /** Body of our ID payload. */
  protected ownId(): Uint8Array {
    return writeIdentification((this.authenticator as Authenticator).identification(this.facts));
  }

  /** HASH, or certificates and SIG. @param id body of our ID payload */
  protected prove(id: Uint8Array): PayloadBody[] {
    const hash = phase1Hash(this.inputs as Phase1Inputs, this.skeyid, this.sa.initiator, this.offer, id);
    return (this.authenticator as Authenticator).prove(hash);
  }

  /** Reads the peer's message 5 or 6. @throws WireError when it does not prove the peer; the IV chain is as before then */
  protected openProof(message: Uint8Array, now: Ms, idBody: Uint8Array | null = null): void {
    try {
      (this.chain as CbcChain).open(message, (payloads) => this.verifyProof(payloads, now, idBody));
    } catch (error) {
      if (!(error instanceof WireError) || error.counter !== 'ike_undecryptable') throw error;
      const number = this.exchange === Exchange.Aggressive ? 3 : this.sa.initiator ? 6 : 5;
      const suspicion = this.sa.policy.authentication === 'pre-share' ? 'pre-shared key mismatch suspected: ' : '';
      throw new ExchangeRefusal(error.clause, `${suspicion}message ${number} did not decrypt`, error.counter, 5, 'IKMP_INVAL_KEY');
    }
  }

  /** @param idBody of the peer, when it came in an earlier message */
  protected verifyProof(payloads: readonly Payload[], now: Ms, idBody: Uint8Array | null = null): void {
    const authenticator = this.authenticator as Authenticator;
    const body = idBody ?? takePayload(payloads, PayloadType.Identification).body;
    const id = readIdentification(body);
    const expected = phase1Hash(this.inputs as Phase1Inputs, this.skeyid, !this.sa.initiator, this.offer, body);
    authenticator.heed(payloads);
    authenticator.verify(payloads, id, expected, this.facts, now);
    this.sa.peerId = id;
    this.sa.saidInitialContact = payloads.some((payload) => payload.type === PayloadType.Notification && isInitialContact(payload.body));
  }

  /** Both sides are proved and nothing more is sent in phase 1. */
  protected establish(now: Ms): Action[] {
    const { sa } = this;
    sa.lastIv = (this.chain as CbcChain).iv;
    sa.state = 'GDOI_IDLE';
    sa.establishedAt = now;
    sa.lastUsedAt = now;
    sa.expiresAt = now + sa.policy.lifetimeSeconds * 1000;
    // Only the stored reply, and which key it was, outlive the exchange.
    this.preSharedKey = this.authenticator?.preSharedKey ?? null;
    this.inputs = null;
    this.skeyid = new Uint8Array(0);
    this.authenticator = null;
    return [
      { kind: 'count', counter: 'ike_main_mode_completed' },
      { kind: 'key-log', initiatorCookie: sa.initiatorCookie, encryptionKey: sa.key },
    ];
  }
}
