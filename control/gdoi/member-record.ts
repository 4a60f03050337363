// What a member remembers of one group beside its keys: counts and times, saved with them.

import type { Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { MemberKeys } from './member-keys.js';

/** Counts and times that `show` prints; saved with the keys. */
export interface MemberRecord {
  registeredWith: Ipv4 | null;
  localAddress: Ipv4 | null;
  succeededRegistrations: number;
  attemptedRegistrations: number;
  lastRekeyFrom: Ipv4 | null;
  lastRekeySequence: number;
  lastRekeyAt: Ms | null;
  rekeysReceived: number;
  rekeysReceivedSinceRegistration: number;
  rekeyAcksSent: number;
  /** Rekeys whose pseudotime was too far from ours, and the largest difference, ms; absent = 0. */
  timeSyncErrors?: number;
  maxTimeDeltaMs?: number;
}

/** A rekey was accepted. */
export function recordRekey(record: MemberRecord, from: Ipv4, sequence: number, now: Ms): void {
  record.rekeysReceived++;
  record.rekeysReceivedSinceRegistration++;
  record.lastRekeyFrom = from;
  record.lastRekeySequence = sequence;
  record.lastRekeyAt = now;
}

/** A registration is complete. */
export function recordRegistration(record: MemberRecord, sa: Phase1Sa): void {
  record.succeededRegistrations++;
  record.rekeysReceivedSinceRegistration = 0;
  record.registeredWith = sa.remote.address;
  record.localAddress = sa.local.address;
}

export interface SavedMember {
  keys: MemberKeys;
  record: MemberRecord;
}

export const freshRecord: MemberRecord = {
  registeredWith: null,
  localAddress: null,
  succeededRegistrations: 0,
  attemptedRegistrations: 0,
  lastRekeyFrom: null,
  lastRekeySequence: 0,
  lastRekeyAt: null,
  rekeysReceived: 0,
  rekeysReceivedSinceRegistration: 0,
  rekeyAcksSent: 0,
};
