// A key server's group as `show crypto gdoi ks ...` prints it, without keys.

import { formatIpv4 } from '../config/addresses.js';
import { type GdoiGroup, type GdoiServer, isCombinedMode } from '../config/model.js';
import { kekStatus, tekStatus } from './key-status.js';
import type { ServerGroup } from './server-group.js';
import { type ServerStatus, ServerVersion } from './status.js';

export function serverStatus(group: ServerGroup, config: GdoiGroup, server: GdoiServer): ServerStatus {
  const { identity } = config;
  const members = group.members.list();
  return {
    name: group.name,
    identity: identity?.kind === 'address' ? formatIpv4(identity.address) : String(identity?.number ?? ''),
    address: server.address ?? members[0]?.local.address ?? null,
    serving: group.serving(),
    version: ServerVersion,
    counterMode: group.keys.teks.some((tek) => isCombinedMode(tek.encryption)),
    problem: group.problem,
    policyPending: group.pending(),
    transport: server.rekeyTransport,
    acknowledgement: server.rekeyAcknowledgement,
    receiveOnly: server.receiveOnly,
    retransmitSeconds: server.rekeyRetransmitSeconds,
    retransmitNumber: server.rekeyRetransmitNumber,
    sequence: group.keys.kek?.sequence ?? 0,
    rekeysSent: group.rekeys.counts.rekeysSent,
    retransmitsLastRekey: group.rekeys.counts.retransmitsLastRekey,
    lastRekeyMilliseconds: group.rekeys.counts.lastRekeyMilliseconds,
    registrations: group.registrations,
    members: members.map(({ local: _local, remote: _remote, consecutiveMissed: _missed, everAcknowledged: _ever, ...member }) => member),
    kek: group.keys.kek && { ...kekStatus(group.keys.kek), keyName: server.rekeyAuthentication ?? '', rekeyAt: group.keys.kekDue() },
    teks: group.keys.teks.map((tek) => {
      const newest = group.keys.teks.findLast((other) => other.sa === tek.sa) === tek;
      const rekeyAt = newest ? tek.expiresAt - group.keys.rekeyLead(tek.lifetimeSeconds) * 1000 : null;
      return { ...tekStatus(tek), sa: tek.sa, aclName: tek.aclName, rekeyAt };
    }),
    sas: group.policies.map((policy) => ({
      sequence: policy.sequence,
      profile: policy.profile,
      aclName: policy.aclName,
      acl: policy.entries,
      lifetimeSeconds: policy.lifetimeSeconds,
      replayWindow: policy.replayWindow,
      replaySeconds: policy.replaySeconds,
      udp: policy.udp,
    })),
    senderIdBits: group.keys.senderIds.bits,
    senderIdsUsed: group.keys.senderIds.used,
  };
}
