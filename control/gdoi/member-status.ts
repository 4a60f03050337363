// A member's group as `show crypto gdoi` prints it, without keys.

import type { Ms } from '../actions.js';
import { formatIpv4, isMulticast } from '../config/addresses.js';
import { kekStatus, tekStatus } from './key-status.js';
import type { MemberGroup } from './member.js';
import { reregistrationTime } from './member-keys.js';
import { type MemberStatus, MemberVersion } from './status.js';

function reregistersAt(group: MemberGroup): Ms | null {
  const { registration } = group;
  if (registration.kind === 'waiting') return registration.until;
  return registration.kind === 'none' && group.keys.teks.length > 0 ? reregistrationTime(group.keys) : null;
}

/** @param localAcl `match address` of the crypto map */
export function memberStatus(group: MemberGroup, localAcl: string | null): MemberStatus {
  const { record, keys, registration, config } = group;
  const registered = keys.teks.length > 0;
  const { identity } = config;
  return {
    name: group.name,
    identity: identity?.kind === 'address' ? formatIpv4(identity.address) : String(identity?.number ?? ''),
    serverAddresses: config.serverAddresses,
    registered,
    state: registered ? 'Registered' : registration.kind === 'none' ? 'Not registered' : 'Registering',
    localAddress: registration.kind === 'phase1' ? registration.local.address : record.localAddress,
    remoteAddress: group.remoteAddress,
    registeredWith: registered ? record.registeredWith : null,
    version: MemberVersion,
    reregistersAt: reregistersAt(group),
    succeededRegistrations: record.succeededRegistrations,
    attemptedRegistrations: record.attemptedRegistrations,
    lastFailure: group.lastFailure,
    lastRekeyFrom: record.lastRekeyFrom,
    lastRekeySequence: record.lastRekeySequence,
    lastRekeyAt: record.lastRekeyAt,
    rekeysReceived: record.rekeysReceived,
    rekeysReceivedSinceRegistration: record.rekeysReceivedSinceRegistration,
    rekeyAcksSent: record.rekeyAcksSent,
    transport: keys.kek && isMulticast(keys.kek.destination) ? 'multicast' : 'unicast',
    kek: keys.kek && kekStatus(keys.kek),
    teks: keys.teks.map(tekStatus),
    acl: keys.teks[keys.teks.length - 1]?.entries ?? [],
    localAcl,
    senderIds: keys.senderIds,
    timeSyncErrors: record.timeSyncErrors ?? 0,
    maxTimeDeltaMs: record.maxTimeDeltaMs ?? 0,
  };
}
