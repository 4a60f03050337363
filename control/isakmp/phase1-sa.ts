// An ISAKMP SA: what main mode agrees on, and what PULL and informational exchanges use. Holds keys: never print one whole.

import type { Endpoint, Ms } from '../actions.js';
import type { IkeCipher, IkeHash, IsakmpPolicy } from '../config/model.js';
import type { Identification } from './identification.js';
import type { Translation } from './nat-traversal.js';
import type { Abilities } from './vendor-ids.js';

/** As `show crypto isakmp sa` prints them. GDOI_IDLE: up; MM_*: main mode after message 1, 2 and 4; AG_*: aggressive mode after message 1 and 2. */
export type Phase1State = 'MM_NO_STATE' | 'MM_SA_SETUP' | 'MM_KEY_EXCH' | 'AG_NO_STATE' | 'AG_INIT_EXCH' | 'GDOI_IDLE';

export interface Phase1Sa {
  /** From 1001, as on IOS. */
  connectionId: number;
  /** 8 bytes. */
  initiatorCookie: Uint8Array;
  /** 8 bytes; zero before the responder's first message. */
  responderCookie: Uint8Array;
  /** We began it. */
  initiator: boolean;
  local: Endpoint;
  remote: Endpoint;
  /** As negotiated; `lifetimeSeconds` is the shorter of both sides'. */
  policy: IsakmpPolicy;
  cipher: IkeCipher;
  hash: IkeHash;
  /** Of SA payload, notifications and deletes: what the initiator began with, 2 on port 848 (RFC 6407 §2.1), 1 (IPsec) elsewhere; we answer either. */
  doi: number;
  /** Keys: empty until GDOI_IDLE. */
  skeyidD: Uint8Array;
  skeyidA: Uint8Array;
  /** Of the cipher, after expansion (RFC 2409 App. B). */
  key: Uint8Array;
  /** Last ciphertext block of phase 1: later exchanges derive their IV from it. */
  lastIv: Uint8Array;
  /** Null until GDOI_IDLE. Any type, protocol and port is accepted: a pre-shared key is bound to the address (RFC 2409 §5.4). */
  peerId: Identification | null;
  /** Name of the ISAKMP profile that the peer matches, once it is up. Absent = none. */
  profile?: string;
  establishedAt: Ms;
  expiresAt: Ms;
  /** The peer said INITIAL-CONTACT with its proof (RFC 2407 §4.6.3.3): what there was with it before, it has no more. Absent = no. */
  saidInitialContact?: boolean;
  /** Its user has SAs that need it: it does not end because it is idle. Absent = no. */
  inUse?: boolean;
  /** Set by the engine with every message of the SA; an idle SA is deleted. Users may set it when they send. */
  lastUsedAt: Ms;
  /** The peer last proved under it, up, that it is there. Absent = not since it came up. */
  heardAt?: Ms;
  state: Phase1State;
  /** What both sides have announced. */
  abilities: Abilities;
  /** Who stands behind an address translator: known from message 3 or 4 on. On one, the SA moves to port 4500. */
  translation: Translation;
}
