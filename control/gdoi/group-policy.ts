// What a group's members share: policy and keys. The key server creates it, GROUPKEY-PULL and -PUSH carry it, compile/ turns it
// into table rows, `show crypto gdoi` prints it (without the keys).

import type { Ms } from '../actions.js';
import type { AclEntry, EspAuthentication, EspEncryption, Ipv4 } from '../config/model.js';

/** One ACE of the group's policy, as the SAT payloads carry it. Wildcards may be non-contiguous only where the sender refuses them. */
export type PolicyEntry = Omit<AclEntry, 'line' | 'sequence'>;

/** A traffic encryption key: one ESP SA that every member uses in both directions (RFC 6407 §5.5). */
export interface Tek {
  /** Never below 256 (RFC 4303 §2.1). */
  spi: number;
  encryption: EspEncryption;
  authentication: EspAuthentication | null;
  /** Without salt. */
  encryptionKey: Uint8Array;
  /** 4 bytes for counter modes, else empty (RFC 4106 §4). */
  salt: Uint8Array;
  integrityKey: Uint8Array;
  lifetimeSeconds: number;
  createdAt: Ms;
  expiresAt: Ms;
  /** Senders switch to this TEK then; receivers accept it at once. */
  activatesAt: Ms;
  /** 0 = no replay check. */
  replayWindow: number;
  /** Seconds of time-based anti-replay (dataplane/proto/tbar.ts), in place of the window; absent or 0 = none. */
  replaySeconds?: number;
  /** `udp-encapsulation`: ESP goes in UDP (RFC 3948), from port 4500 to port 4500; absent = it does not. */
  udp?: boolean;
  /** `sa receive-only`: opened but not sent with; absent = both directions. */
  receiveOnly?: boolean;
  /** Which SA of the policy it is of (`sa ipsec N` at the key server): TEKs of one SA replace each other. Absent = 0. */
  sa?: number;
  entries: PolicyEntry[];
}

/** The key encryption key that protects pushes (RFC 6407 §5.3). */
export interface Kek {
  /** Initiator and responder cookie of the pushes, 16 bytes. */
  spi: Uint8Array;
  cipher: '3des' | 'des' | 'aes-128' | 'aes-192' | 'aes-256';
  /** Static for the life of the KEK (RFC 6407 §5.3.3). */
  iv: Uint8Array;
  key: Uint8Array;
  signatureHash: 'md5' | 'sha' | 'sha256' | 'sha384' | 'sha512';
  /** DER SubjectPublicKeyInfo, RSA. */
  publicKey: Uint8Array;
  lifetimeSeconds: number;
  createdAt: Ms;
  expiresAt: Ms;
  /** Last sequence number used (key server) or accepted (member) under this SPI; the first push is 1. */
  sequence: number;
  source: Ipv4;
  /** Of the pushes. A key server has 0 here for unicast, each member its own address. */
  destination: Ipv4;
  acknowledge: boolean;
  /** PRF of acknowledgements (RFC 8263 §2.1, §2.3); absent = SHA-256. */
  acknowledgeHash?: 'sha256' | 'sha512';
}

/** Sender IDs this member owns for counter-mode TEKs (RFC 6407 §5.7.4, RFC 6054). */
export interface SenderIds {
  bits: 8 | 12 | 16 | 24 | 32;
  values: number[];
}
