// Key server: configuration -> what the group shares. Refuses what SAT payloads cannot say (RFC 6407 §5.5.1: one port, one prefix per side)
// rather than sending something else than the operator wrote.

import { wildcardToPrefixLength } from '../config/addresses.js';
import { protocolsWithPorts } from '../config/commands/service-names.js';
import {
  type AclEntry,
  type Config,
  type EspAuthentication,
  type EspEncryption,
  type GdoiGroup,
  type GdoiSa,
  isCombinedMode,
  type PortMatch,
} from '../config/model.js';
import { rekeyDestination } from '../config/rekey-address.js';
import { beyondCrypto } from '../config/verify/access-lists.js';
import { MaxSats } from './codec/sa.js';
import type { PolicyEntry } from './group-policy.js';

/** Below this there is no room for a rekey, its repetitions and the change-over. */
export const MinTekLifetimeSeconds = 15;
/** Long SA lifetime, as in IOS: 30 days. */
export const MaxLifetimeSeconds = 30 * 86400;
/** One PULL message must fit a UDP datagram together with old and new TEKs: about 75 bytes per ACE and TEK. */
const MaxAces = 400;
/** Layout of the dataplane and IOS: `replay counter window-size 1024` is the largest. */
export const MaxReplayWindow = 1024;

/** `sa ipsec N`, resolved. */
export interface SaPolicy {
  sequence: number;
  profile: string;
  aclName: string;
  encryption: EspEncryption;
  authentication: EspAuthentication | null;
  lifetimeSeconds: number;
  /** Packets, 0 = no replay check by sequence numbers. */
  replayWindow: number;
  /** Seconds of time-based anti-replay, 0 = none. */
  replaySeconds: number;
  /** ESP in UDP. */
  udp: boolean;
  receiveOnly: boolean;
  entries: PolicyEntry[];
}

/** Why the group cannot be served: one line per reason. */
export class PolicyError extends Error {
  constructor(readonly reasons: string[]) {
    super(reasons.join('; '));
  }
}

function portReason(match: PortMatch | null, protocol: number | null): string | null {
  if (!match) return null;
  if (protocol === null || !protocolsWithPorts.has(protocol)) return 'a port without a protocol that has ports';
  if (match.operator !== 'eq' || match.ports.length !== 1)
    return `'${match.operator}' ports (only 'eq' with one port can be sent to members)`;
  return match.ports[0] === 0 ? 'port 0, which means any port to members' : null;
}

/** @returns null when a SAT payload can say it */
export function inexpressible(entry: PolicyEntry): string | null {
  if (entry.protocol === 0) return 'protocol 0, which means any protocol to members';
  if (wildcardToPrefixLength(entry.sourceWildcard) === null || wildcardToPrefixLength(entry.destinationWildcard) === null)
    return 'a wildcard with holes';
  const [beyond] = beyondCrypto(entry);
  if (beyond !== undefined) return `"${beyond}", which no message can carry`;
  return portReason(entry.sourcePort, entry.protocol) ?? portReason(entry.destinationPort, entry.protocol);
}

function policyEntry({ line: _line, sequence: _sequence, ...entry }: AclEntry): PolicyEntry {
  return entry;
}

function resolveSa(config: Config, sa: GdoiSa, receiveOnly: boolean, reasons: string[]): SaPolicy | null {
  const where = `sa ipsec ${sa.sequence}`;
  const reject = (reason: string): null => {
    reasons.push(`${where}: ${reason}`);
    return null;
  };
  const profile = sa.profile === null ? undefined : config.ipsecProfiles.get(sa.profile);
  if (!profile) return reject(sa.profile === null ? 'has no profile' : `profile ${sa.profile} does not exist`);
  // IOS sends the first transform set of the profile to all members.
  const transform = config.transformSets.get(profile.transformSets[0] ?? '');
  if (!transform) return reject(`profile ${profile.name} has no transform set`);
  if (transform.mode === 'transport') return reject(`transform set ${transform.name}: transport mode is not supported for groups`);
  if (transform.encryption === 'esp-des') return reject(`transform set ${transform.name}: single DES`);
  if (isCombinedMode(transform.encryption) !== (transform.authentication === null))
    return reject(`transform set ${transform.name}: encryption and authentication do not go together`);
  const acl = sa.matchAddress === null ? undefined : config.accessLists.get(sa.matchAddress);
  if (!acl) return reject(sa.matchAddress === null ? 'has no access list' : `access list ${sa.matchAddress} does not exist`);
  if (acl.entries.length === 0) return reject(`access list ${acl.name} is empty`);
  if (acl.entries.length > MaxAces) return reject(`access list ${acl.name} has more than ${MaxAces} entries`);
  const problems = acl.entries.flatMap((entry) => {
    const why = inexpressible(entry);
    return why ? [`access list ${acl.name} entry ${entry.sequence} has ${why}`] : [];
  });
  if (problems.length > 0) {
    for (const problem of problems) reject(problem);
    return null;
  }
  const lifetimeSeconds = profile.lifetimeSeconds ?? config.ipsec.lifetimeSeconds;
  if (lifetimeSeconds < MinTekLifetimeSeconds || lifetimeSeconds > MaxLifetimeSeconds)
    return reject(`lifetime of ${lifetimeSeconds} seconds: expected ${MinTekLifetimeSeconds} to ${MaxLifetimeSeconds}`);
  const replayWindow = sa.replay.method === 'counter' ? sa.replay.windowSize : 0;
  if (replayWindow > MaxReplayWindow) return reject(`replay window of ${replayWindow} packets: at most ${MaxReplayWindow}`);
  return {
    sequence: sa.sequence,
    profile: profile.name,
    aclName: acl.name,
    encryption: transform.encryption,
    authentication: transform.authentication,
    lifetimeSeconds,
    replayWindow,
    replaySeconds: sa.replay.method === 'time' ? sa.replay.windowSeconds : 0,
    udp: sa.udpEncapsulation === true,
    receiveOnly,
    entries: acl.entries.map(policyEntry),
  };
}

/** @returns the SAs in order of their number @throws PolicyError */
export function resolvePolicy(config: Config, group: GdoiGroup): SaPolicy[] {
  const reasons: string[] = [];
  const sas = [...(group.server?.sas.values() ?? [])].sort((a, b) => a.sequence - b.sequence);
  if (group.identity === null) reasons.push('the group has no identity');
  if (sas.length === 0) reasons.push('no sa ipsec is configured');
  const destination = group.server ? rekeyDestination(config, group.server) : { address: null };
  if ('problem' in destination) reasons.push(destination.problem);
  const policies = sas.map((sa) => resolveSa(config, sa, group.server?.receiveOnly === true, reasons)).filter((policy) => policy !== null);
  const aces = policies.reduce((sum, policy) => sum + policy.entries.length, 0);
  if (aces > Math.min(MaxAces, MaxSats)) reasons.push(`${aces} access list entries in all: at most ${MaxAces} fit one message`);
  if (reasons.length > 0) throw new PolicyError(reasons);
  return policies;
}
