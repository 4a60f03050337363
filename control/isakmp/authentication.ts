// How both sides of phase 1 prove themselves: pre-shared keys (RFC 2409 §5.4) or RSA signatures with certificates (RFC 2409 §5.1, RFC 4945).
// One object serves one exchange; main mode asks it for the payloads that prove us and shows it those of the peer.

import type { Endpoint, Ms } from '../actions.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { PayloadType } from './header.js';
import { type Identification, type IdType, ipv4Identification } from './identification.js';
import { sameHash } from './message-cipher.js';
import { type Payload, takePayload } from './payloads.js';
import { GdoiPort, IkePort } from './ports.js';
import { Doi } from './sa-payload.js';

const UdpProtocol = 17;

export interface PayloadBody {
  type: number;
  body: Uint8Array;
}

/** What an authenticator may know of the exchange. */
export interface ExchangeFacts {
  local: Endpoint;
  remote: Endpoint;
  doi: number;
  /** An address translator stands between: the peer's address is not its own. */
  translated: boolean;
  /** What the peer calls itself, once it has said so. */
  peerId: Identification | null;
}

/** What we call ourselves. */
export type OwnName = { type: IdType.Fqdn | IdType.UserFqdn; text: string };

export interface Authenticator {
  /** As configured; null: SKEYID comes from nonces and g^xy (RFC 2409 §5). */
  readonly preSharedKey: Uint8Array | null;
  /** For the messages with KE: certificate requests. */
  requests(): PayloadBody[];
  /** The peer's requests, in whichever message they come. */
  heed(payloads: readonly Payload[]): void;
  identification(facts: ExchangeFacts): Identification;
  /** HASH, or certificates and SIG. @param hash HASH_I or HASH_R of us */
  prove(hash: Uint8Array): PayloadBody[];
  /**
   * @param payloads of the message that proves the peer @param id its ID @param expected its HASH
   * @throws WireError when they do not prove it
   */
  verify(payloads: readonly Payload[], id: Identification, expected: Uint8Array, facts: ExchangeFacts, now: Ms): void;
}

/** RFC 2407 §4.6.2: phase 1's port is 0 or UDP 500; GDOI's own is 848. */
export function portOf(doi: number): number {
  return doi === Doi.Gdoi ? GdoiPort : IkePort;
}

export function addressId({ local, doi }: ExchangeFacts): Identification {
  return ipv4Identification(local.address, UdpProtocol, portOf(doi));
}

export function nameId(type: IdType.Fqdn | IdType.UserFqdn | IdType.DerDn, data: Uint8Array, { doi }: ExchangeFacts): Identification {
  return { type, protocol: UdpProtocol, port: portOf(doi), data };
}

export function notProved(text: string): ExchangeRefusal {
  return new ExchangeRefusal('RFC 2409 §5', text, 'ike_auth_failed', 5, 'IKMP_INVAL_KEY');
}

/** A pre-shared key is bound to the peer's address, so any ID is accepted (RFC 2409 §5.4). */
export class PreSharedKeyAuthenticator implements Authenticator {
  constructor(
    readonly preSharedKey: Uint8Array,
    /** What we call ourselves to whom; null = our address. */
    private readonly nameFor: (peerId: Identification | null) => OwnName | null = () => null,
  ) {}

  requests(): PayloadBody[] {
    return [];
  }

  heed(): void {}

  identification(facts: ExchangeFacts): Identification {
    const name = this.nameFor(facts.peerId);
    return name === null ? addressId(facts) : nameId(name.type, new TextEncoder().encode(name.text), facts);
  }

  prove(hash: Uint8Array): PayloadBody[] {
    return [{ type: PayloadType.Hash, body: hash }];
  }

  verify(payloads: readonly Payload[], _id: Identification, expected: Uint8Array): void {
    if (!sameHash(expected, takePayload(payloads, PayloadType.Hash).body)) throw notProved('the HASH payload does not prove its sender');
  }
}
