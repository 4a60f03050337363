// Groups as member and as key server: the engine's status with relative times, and the dataplane's counters.

import { GroupCount } from '../../dataplane/counters/declare.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { Ms } from '../actions.js';
import type { AceState, MemberGroupState, ServerGroupState } from '../api/snapshot.js';
import type { Allocation } from '../compile/allocation.js';
import { entriesOf, groupOrigin, localOrigin } from '../compile/crypto-entries.js';
import { directionOf, directionTexts, type SaDirection } from '../compile/direction.js';
import { outboundTeks } from '../compile/outbound.js';
import type { Tables } from '../compile/tables.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Config, Ipv4 } from '../config/model.js';
import { isFailClosed } from '../config/verify/fail-close.js';
import type { PolicyEntry, Tek } from '../gdoi/group-policy.js';
import type { MemberStatus, ServerStatus, TekStatus } from '../gdoi/status.js';
import type { GroupClocks } from '../group-clocks.js';
import type { ServerAnswer } from '../server-watch.js';
import { aceState, hitsOf } from './access-lists.js';
import { interfacesOfMap, saCounters } from './ipsec.js';

export interface GroupContext {
  config: Config;
  allocation: Allocation;
  tables: Tables | null;
  dataplane: SnapshotHead | null;
  teksOf: (group: string) => Tek[];
  /** Chosen at this member, null = what the key server says. */
  directionOf: (group: string) => SaDirection | null;
  clocks: GroupClocks;
  /** Its key servers, and whether they answer. */
  answersOf: (group: string) => ServerAnswer[];
  now: Ms;
}

function until(time: Ms, now: Ms): number {
  return Math.max(0, Math.round((time - now) / 1000));
}

function untilOrNull(time: Ms | null, now: Ms): number | null {
  return time === null ? null : until(time, now);
}

function dotted(address: Ipv4 | null): string {
  return address === null ? '0.0.0.0' : formatIpv4(address);
}

function tekState(tek: TekStatus, now: Ms) {
  return {
    spi: tek.spi >>> 0,
    transform: tek.transform,
    cipherKeyBytes: tek.cipherKeyBytes,
    integrityKeyBytes: tek.integrityKeyBytes,
    lifetimeSeconds: tek.lifetimeSeconds,
    remainingSeconds: until(tek.expiresAt, now),
    ageSeconds: Math.max(0, Math.round((now - tek.createdAt) / 1000)),
    replayWindow: tek.replayWindow,
    replaySeconds: tek.replaySeconds,
    udp: tek.udp,
  };
}

/** @param list where the packet path counts the entries' hits */
function listedAces(list: string, entries: readonly PolicyEntry[], context: GroupContext): AceState[] {
  return entries.map((entry, index) => aceState(entry, null, hitsOf(context.tables, context.dataplane?.aceHits ?? [], list, index)));
}

function replayState(status: MemberStatus, sending: readonly Tek[], clocks: GroupClocks): MemberGroupState['replay'] {
  const pseudotime = clocks.pseudotimeOf(status.name);
  return {
    enabled: sending.some(({ replaySeconds }) => replaySeconds),
    pseudotimeSeconds: pseudotime === null ? null : pseudotime / 1000,
    timeSyncErrors: status.timeSyncErrors,
    maxTimeDeltaSeconds: status.maxTimeDeltaMs / 1000,
    errors: clocks.errorsOf(status.name).map(({ at, source, ownMs, peerMs, windowSeconds }) => ({
      at,
      source: formatIpv4(source),
      ownSeconds: ownMs / 1000,
      peerSeconds: peerMs < 0 ? null : peerMs / 1000,
      windowSeconds,
    })),
  };
}

export function memberState(status: MemberStatus, context: GroupContext): MemberGroupState {
  const { config, now, dataplane } = context;
  const maps = [...config.cryptoMaps.values()].flat().filter((entry) => entry.group === status.name);
  const localEntries = entriesOf(config, status.localAcl);
  const teks = context.teksOf(status.name);
  const sending = outboundTeks(teks, now);
  const group = dataplane?.groups[context.allocation.groups.take(status.name)] ?? [];
  return {
    group: status.name,
    identity: status.identity,
    serverAddresses: status.serverAddresses.map(formatIpv4),
    keyServers: context.answersOf(status.name).map(({ address, answers, heardAt, reason }) => ({
      address: formatIpv4(address),
      answers,
      heardSecondsAgo: heardAt === null ? null : until(now, heardAt),
      reason,
    })),
    interfaces: [...new Set(maps.flatMap((entry) => interfacesOfMap(config, entry.name)))],
    localAddress: dotted(status.localAddress),
    remoteAddress: dotted(status.registeredWith ?? status.remoteAddress),
    version: status.version,
    registered: status.registered,
    saDirection:
      directionTexts[
        sending.length > 0 ? directionOf(sending[0], context.directionOf(status.name)) : (context.directionOf(status.name) ?? 'both')
      ],
    failClose: maps.length > 0 && maps.every(({ name }) => isFailClosed(config, name)),
    reregistersInSeconds: untilOrNull(status.reregistersAt, now),
    succeededRegistrations: status.succeededRegistrations,
    attemptedRegistrations: status.attemptedRegistrations,
    lastRekeyFrom: status.lastRekeyFrom === null ? null : formatIpv4(status.lastRekeyFrom),
    lastRekeySequence: status.lastRekeySequence,
    lastRekeySecondsAgo: status.lastRekeyAt === null ? null : Math.max(0, Math.round((now - status.lastRekeyAt) / 1000)),
    rekeysReceived: status.rekeysReceived,
    rekeysReceivedSinceRegistration: status.rekeysReceivedSinceRegistration,
    rekeyAcksSent: status.rekeyAcksSent,
    transport: status.transport,
    kek: status.kek && {
      cipher: status.kek.cipher,
      signatureHash: status.kek.signatureHash,
      publicKeyBytes: status.kek.publicKeyBytes,
      remainingSeconds: until(status.kek.expiresAt, now),
      spi: status.kek.spi,
      signatureBytes: status.kek.signatureBytes,
      lifetimeSeconds: status.kek.lifetimeSeconds,
      sequence: status.kek.sequence,
      acknowledge: status.kek.acknowledge,
      source: formatIpv4(status.kek.source),
      // A KEK that a unicast rekey brought names nobody: one message does for all members.
      destination: dotted(status.kek.destination || status.localAddress),
    },
    teks: status.teks.map((tek) => {
      const keys = teks.find(({ spi }) => spi === tek.spi);
      return { ...tekState(tek, now), sending: sending.some(({ spi }) => spi === tek.spi), counters: saCounters(keys ?? null, dataplane) };
    }),
    acl: listedAces(
      groupOrigin(status.name),
      sending.flatMap(({ entries }) => entries),
      context,
    ),
    localAclName: status.localAcl,
    localAcl: listedAces(localOrigin(status.name), localEntries, context),
    senderIds: status.senderIds?.values ?? [],
    senderIdBits: status.senderIds?.bits ?? null,
    counters: {
      sealedPackets: group[GroupCount.SealedPackets] ?? 0,
      sealedBytes: group[GroupCount.SealedBytes] ?? 0,
      openedPackets: group[GroupCount.OpenedPackets] ?? 0,
      openedBytes: group[GroupCount.OpenedBytes] ?? 0,
      timeSent: group[GroupCount.TimeSent] ?? 0,
      timeAccepted: group[GroupCount.TimeAccepted] ?? 0,
      timeRefused: group[GroupCount.TimeRefused] ?? 0,
    },
    replay: replayState(status, sending, context.clocks),
  };
}

export function serverState(status: ServerStatus, now: Ms): ServerGroupState {
  return {
    group: status.name,
    identity: status.identity,
    address: dotted(status.address),
    serving: status.serving,
    version: status.version,
    counterMode: status.counterMode,
    senderIdBits: status.senderIdBits,
    senderIdsUsed: status.senderIdsUsed,
    policyPending: status.policyPending,
    transport: status.transport,
    acknowledgement: status.acknowledgement,
    receiveOnly: status.receiveOnly,
    retransmitSeconds: status.retransmitSeconds,
    retransmitNumber: status.retransmitNumber,
    sequence: status.sequence,
    rekeysSent: status.rekeysSent,
    retransmitsLastRekey: status.retransmitsLastRekey,
    lastRekeyMilliseconds: status.lastRekeyMilliseconds,
    registrations: status.registrations,
    members: status.members.map((member) => ({ ...member, address: formatIpv4(member.address) })),
    kek: status.kek && {
      spi: status.kek.spi,
      cipher: status.kek.cipher,
      signatureHash: status.kek.signatureHash,
      publicKeyBytes: status.kek.publicKeyBytes,
      signatureBytes: status.kek.signatureBytes,
      keyName: status.kek.keyName,
      lifetimeSeconds: status.kek.lifetimeSeconds,
      remainingSeconds: until(status.kek.expiresAt, now),
      rekeyInSeconds: untilOrNull(status.kek.rekeyAt, now),
    },
    teks: status.teks.map((tek) => ({ ...tekState(tek, now), aclName: tek.aclName, rekeyInSeconds: untilOrNull(tek.rekeyAt, now) })),
    sas: status.sas.map((sa) => ({ ...sa, acl: sa.acl.map((entry) => aceState(entry, null, null)) })),
  };
}
