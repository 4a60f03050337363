// What `show crypto gdoi ...` and /metrics print about groups: plain data without keys. Times are absolute (Ms); the caller subtracts.

import type { Ms } from '../actions.js';
import type { GdoiServer, Ipv4 } from '../config/model.js';
import type { Kek, PolicyEntry, SenderIds } from './group-policy.js';

/** GET VPN version that members of this implementation announce, and that is shown for members of a key server. */
export const MemberVersion = '1.0.26';
/** The same of a key server. */
export const ServerVersion = '1.0.27';

/** A TEK without its keys. */
export interface TekStatus {
  spi: number;
  /** As IOS prints it: `esp-256-aes esp-sha256-hmac`. */
  transform: string;
  cipherKeyBytes: number;
  integrityKeyBytes: number;
  lifetimeSeconds: number;
  createdAt: Ms;
  expiresAt: Ms;
  activatesAt: Ms;
  /** 0 = no replay check by sequence numbers. */
  replayWindow: number;
  /** Seconds of time-based anti-replay, 0 = none. */
  replaySeconds: number;
  /** ESP goes in UDP. */
  udp: boolean;
}

/** A KEK without its key. */
export interface KekStatus {
  /** 32 hex digits, upper case. */
  spi: string;
  cipher: Kek['cipher'];
  signatureHash: Kek['signatureHash'];
  /** DER SubjectPublicKeyInfo, bytes. */
  publicKeyBytes: number;
  /** Bytes of one signature. */
  signatureBytes: number;
  lifetimeSeconds: number;
  createdAt: Ms;
  expiresAt: Ms;
  sequence: number;
  acknowledge: boolean;
  source: Ipv4;
  /** Multicast address of the pushes; another address = unicast. */
  destination: Ipv4;
}

export interface MemberStatus {
  name: string;
  /** `777` or `10.1.1.1`. */
  identity: string;
  serverAddresses: Ipv4[];
  registered: boolean;
  /** Registration in words: `Registered`, `Registering`, `Not registered`. */
  state: string;
  /** Towards the key server; null before the first try. */
  localAddress: Ipv4 | null;
  /** Registered with, or being tried. */
  remoteAddress: Ipv4 | null;
  registeredWith: Ipv4 | null;
  /** Version that we implement, as members announce it. */
  version: string;
  /** Next re-registration, or next try; null while one runs. */
  reregistersAt: Ms | null;
  succeededRegistrations: number;
  attemptedRegistrations: number;
  /** Why the last try failed; null after a success. */
  lastFailure: string | null;
  lastRekeyFrom: Ipv4 | null;
  lastRekeySequence: number;
  lastRekeyAt: Ms | null;
  rekeysReceived: number;
  rekeysReceivedSinceRegistration: number;
  rekeyAcksSent: number;
  transport: 'unicast' | 'multicast';
  kek: KekStatus | null;
  /** Usable, newest last. */
  teks: TekStatus[];
  /** What the key server sent. */
  acl: PolicyEntry[];
  localAcl: string | null;
  senderIds: SenderIds | null;
  timeSyncErrors: number;
  maxTimeDeltaMs: number;
}

export interface ServerMemberStatus {
  address: Ipv4;
  version: string;
  /** `Registered`. */
  state: string;
  registeredAt: Ms;
  rekeysSent: number;
  rekeyRetries: number;
  rekeyAcksReceived: number;
  rekeyAcksMissed: number;
  /** The last four, newest first. */
  sentSequences: number[];
  receivedSequences: number[];
}

export interface ServerTekStatus extends TekStatus {
  /** `sa ipsec N`. */
  sa: number;
  aclName: string;
  /** null = it is not renewed any more. */
  rekeyAt: Ms | null;
}

export interface ServerSaStatus {
  sequence: number;
  profile: string;
  aclName: string;
  acl: PolicyEntry[];
  lifetimeSeconds: number;
  replayWindow: number;
  replaySeconds: number;
  udp: boolean;
}

export interface ServerStatus {
  name: string;
  identity: string;
  /** `address ipv4`, else where members register. */
  address: Ipv4 | null;
  /** The configuration is complete and the keys exist. */
  serving: boolean;
  version: string;
  /** Some SA is of a counter mode: members have sender IDs (RFC 6407 §3.5). */
  counterMode: boolean;
  /** Why it is not serving; null when it is. */
  problem: string | null;
  /** The configuration has changed and members have not got it: the next rekey brings it. */
  policyPending: boolean;
  transport: 'unicast' | 'multicast';
  acknowledgement: GdoiServer['rekeyAcknowledgement'];
  receiveOnly: boolean;
  retransmitSeconds: number;
  retransmitNumber: number;
  /** Last sequence number used under the present KEK. */
  sequence: number;
  rekeysSent: number;
  retransmitsLastRekey: number;
  lastRekeyMilliseconds: number;
  registrations: number;
  members: ServerMemberStatus[];
  kek: (KekStatus & { keyName: string; rekeyAt: Ms | null }) | null;
  /** Newest last; the expired ones are gone. */
  teks: ServerTekStatus[];
  sas: ServerSaStatus[];
  senderIdBits: SenderIds['bits'];
  /** Sender IDs given out under the present TEKs. */
  senderIdsUsed: number;
}
