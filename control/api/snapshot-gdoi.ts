// The snapshot's part about GDOI: groups as a member and as the key server sees them. No field can hold a key.

import { z } from 'zod';
import { aceState, count, seconds } from './snapshot-parts.js';

export const saCounters = z.object({
  sealedPackets: count,
  sealedBytes: count,
  openedPackets: count,
  openedBytes: count,
  replayDrops: count,
  integrityDrops: count,
  sendErrors: count,
  receiveErrors: count,
});

export const groupCounters = z.object({
  sealedPackets: count,
  sealedBytes: count,
  openedPackets: count,
  openedBytes: count,
  timeSent: count,
  timeAccepted: count,
  timeRefused: count,
});

/** `show crypto gdoi gm replay`. */
const timeReplay = z.object({
  /** An SA of the group is checked by time. */
  enabled: z.boolean(),
  pseudotimeSeconds: z.number().nullable(),
  /** Rekeys whose pseudotime was too far from ours, and the largest difference. */
  timeSyncErrors: count,
  maxTimeDeltaSeconds: z.number(),
  /** Samples of what was refused, oldest first. */
  errors: z.array(
    z.object({
      /** Unix ms. */
      at: z.number(),
      source: z.string(),
      ownSeconds: z.number(),
      /** null = the packet had no pseudotime. */
      peerSeconds: z.number().nullable(),
      windowSeconds: z.number(),
    }),
  ),
});

/** A TEK as a member or the key server sees it, without its keys. */
const tekState = z.object({
  spi: z.number(),
  /** As IOS prints it: `esp-256-aes esp-sha256-hmac`. */
  transform: z.string(),
  cipherKeyBytes: z.number(),
  integrityKeyBytes: z.number(),
  lifetimeSeconds: seconds,
  remainingSeconds: seconds,
  ageSeconds: seconds,
  /** 0 = no replay check by sequence numbers. */
  replayWindow: z.number(),
  /** Seconds of time-based anti-replay, 0 = none. */
  replaySeconds: z.number(),
  /** ESP goes in UDP. */
  udp: z.boolean().optional(),
});

export const memberTek = tekState.extend({
  /** New TEKs are received at once and sent with from here on. */
  sending: z.boolean(),
  counters: saCounters,
});

const memberKek = z.object({
  cipher: z.enum(['des', '3des', 'aes-128', 'aes-192', 'aes-256']),
  signatureHash: z.enum(['md5', 'sha', 'sha256', 'sha384', 'sha512']),
  /** Length of the DER SubjectPublicKeyInfo in bytes: IOS prints 8 times this as `Sig Key Length (bits)`. */
  publicKeyBytes: z.number(),
  remainingSeconds: seconds,
  /** 32 hex digits: the cookie pair of the pushes. */
  spi: z.string().regex(/^[0-9A-F]{32}$/),
  /** Bytes of one signature. */
  signatureBytes: z.number(),
  lifetimeSeconds: seconds,
  /** Last sequence number accepted under this KEK. */
  sequence: count,
  /** Acknowledgements are asked for (RFC 8263). */
  acknowledge: z.boolean(),
  /** Where pushes come from and go to. */
  source: z.string(),
  destination: z.string(),
});

/** A group this router is a member of; present from configuration on, registered or not. */
export const memberGroupState = z.object({
  group: z.string(),
  /** Number or address, as text. */
  identity: z.string(),
  serverAddresses: z.array(z.string()),
  /** Whether each answers: what it was last asked (server-watch.ts); null = not known. */
  keyServers: z
    .array(
      z.object({
        address: z.string(),
        answers: z.boolean().nullable(),
        heardSecondsAgo: seconds.nullable(),
        /** Why it does not. */
        reason: z.string().nullable(),
      }),
    )
    .optional(),
  /** Interfaces that carry a crypto map of this group. */
  interfaces: z.array(z.string()),
  localAddress: z.string(),
  /** Where it registered, or tries to. */
  remoteAddress: z.string(),
  version: z.string(),
  registered: z.boolean(),
  /** `Both`, `Inbound Only` (receive-only), `Inbound Optional` (passive). */
  saDirection: z.string(),
  /** In a map that drops in place of forwarding in the clear while the group is not registered, and after its keys have expired. */
  failClose: z.boolean(),
  /** Until re-registration, or the next try. */
  reregistersInSeconds: seconds.nullable(),
  succeededRegistrations: count,
  attemptedRegistrations: count,
  lastRekeyFrom: z.string().nullable(),
  lastRekeySequence: count,
  lastRekeySecondsAgo: seconds.nullable(),
  rekeysReceived: count,
  rekeysReceivedSinceRegistration: count,
  rekeyAcksSent: count,
  transport: z.enum(['unicast', 'multicast']),
  kek: memberKek.nullable(),
  teks: z.array(memberTek),
  /** What the key server sent. */
  acl: z.array(aceState),
  /** `match address` of the crypto map: denied in front of the key server's ACL. */
  localAclName: z.string().nullable(),
  localAcl: z.array(aceState),
  /** Sender IDs of counter modes (RFC 6407 §5.7.4). */
  senderIds: z.array(z.number()),
  replay: timeReplay,
  /** null without counter modes. */
  senderIdBits: z.number().nullable(),
  counters: groupCounters,
});

export const serverMember = z.object({
  address: z.string(),
  version: z.string(),
  state: z.string(),
  rekeysSent: count,
  rekeyRetries: count,
  rekeyAcksReceived: count,
  rekeyAcksMissed: count,
  /** The last four, newest first. */
  sentSequences: z.array(z.number()),
  receivedSequences: z.array(z.number()),
});

export const serverTek = tekState.extend({
  aclName: z.string(),
  /** null = it is not renewed any more. */
  rekeyInSeconds: seconds.nullable(),
});

const serverKek = z.object({
  /** 32 hex digits: the cookie pair of the pushes. */
  spi: z.string().regex(/^[0-9A-Fa-f]{32}$/),
  cipher: z.enum(['des', '3des', 'aes-128', 'aes-192', 'aes-256']),
  signatureHash: z.enum(['md5', 'sha', 'sha256', 'sha384', 'sha512']),
  /** DER SubjectPublicKeyInfo, bytes. */
  publicKeyBytes: z.number(),
  /** Bytes of one signature, i.e. of the modulus. */
  signatureBytes: z.number(),
  keyName: z.string(),
  lifetimeSeconds: seconds,
  remainingSeconds: seconds,
  rekeyInSeconds: seconds.nullable(),
});

/** `sa ipsec N` of a key server. */
const serverSa = z.object({
  sequence: z.number(),
  profile: z.string(),
  aclName: z.string(),
  acl: z.array(aceState),
  lifetimeSeconds: seconds,
  replayWindow: z.number(),
  replaySeconds: z.number(),
  udp: z.boolean().optional(),
});

/** A group this router is the key server of. */
export const serverGroupState = z.object({
  group: z.string(),
  identity: z.string(),
  address: z.string(),
  /** The configuration is complete and the KEK and TEKs exist. */
  serving: z.boolean(),
  version: z.string(),
  /** Some SA is of a counter mode (RFC 6407 §3.5). */
  counterMode: z.boolean(),
  senderIdBits: z.number(),
  senderIdsUsed: count,
  /** A changed policy waits for the next rekey. */
  policyPending: z.boolean(),
  transport: z.enum(['unicast', 'multicast']),
  acknowledgement: z.enum(['any', 'cisco', 'interoperable']),
  /** `sa receive-only`. */
  receiveOnly: z.boolean(),
  retransmitSeconds: seconds,
  retransmitNumber: count,
  /** Last sequence number used under the present KEK. */
  sequence: count,
  rekeysSent: count,
  retransmitsLastRekey: count,
  lastRekeyMilliseconds: count,
  registrations: count,
  members: z.array(serverMember),
  kek: serverKek.nullable(),
  teks: z.array(serverTek),
  sas: z.array(serverSa),
});
