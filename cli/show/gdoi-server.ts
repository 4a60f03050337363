// `show crypto gdoi ks`, `ks members`, `ks policy`, `ks acl`, and the group as its key server sees it.

import type { ServerGroupState, ServerMemberState, ServerTekState } from '../../control/api/snapshot.js';
import { formatGroupAce, formatSeconds } from './columns.js';
import { kekCiphers } from './gdoi-rekey.js';

const acknowledgements: Record<ServerGroupState['acknowledgement'], string> = {
  any: 'Any',
  cisco: 'Cisco',
  interoperable: 'Interoperable',
};

const seconds = (value: number | null) => (value === null ? 'n/a' : formatSeconds(value));

/** `show crypto gdoi group G` on the group's key server. */
export function renderServerGroup(state: ServerGroupState): string[] {
  const line = (field: string, value: string | number) => `    ${field.padEnd(25)}: ${value}`;
  const current = state.teks.filter((tek) => tek.rekeyInSeconds !== null);
  return [
    line('Group Name', `${state.group} (${state.transport === 'unicast' ? 'Unicast' : 'Multicast'})`),
    line('Group Identity', state.identity),
    line('Group Type', 'GDOI (ISAKMP)'),
    line('Crypto Path', 'ipv4'),
    line('Key Management Path', 'ipv4'),
    line('Group Members', state.members.length),
    line('IPSec SA Direction', state.receiveOnly ? 'Inbound Only' : 'Both'),
    line('Active Group Server', 'Local'),
    line('Group Rekey Lifetime', `${state.kek?.lifetimeSeconds ?? 0} secs`),
    '    Group Rekey',
    line('    Remaining Lifetime', `${formatSeconds(state.kek?.remainingSeconds ?? 0)} secs`),
    line('    Time to Rekey', `${seconds(state.kek?.rekeyInSeconds ?? null)} secs`),
    line('    Acknowledgement Cfg', acknowledgements[state.acknowledgement]),
    line('Rekey Retransmit Period', `${state.retransmitSeconds} secs`),
    line('Rekey Retransmit Attempts', state.retransmitNumber),
    ...state.sas.flatMap((sa) => {
      const tek = current.find((candidate) => candidate.aclName === sa.aclName);
      return [
        '',
        line('  IPSec SA Number', sa.sequence),
        line('  IPSec SA Rekey Lifetime', `${sa.lifetimeSeconds} secs`),
        line('  Profile Name', sa.profile),
        line('  Replay method', sa.replaySeconds > 0 ? 'Time Based' : sa.replayWindow > 0 ? 'Count Based' : 'Disabled'),
        ...(sa.replayWindow > 0 || sa.replaySeconds > 0 ? [line('  Replay Window Size', sa.replaySeconds || sa.replayWindow)] : []),
        // Not IOS, so only when there is something to say.
        ...(sa.udp ? [line('  Encapsulation', 'ESP in UDP 4500')] : []),
        '      SA Rekey',
        line('     Remaining Lifetime', `${formatSeconds(tek?.remainingSeconds ?? 0)} secs`),
        line('     Time to Rekey', `${seconds(tek?.rekeyInSeconds ?? null)} secs`),
        line('  ACL Configured', `access-list ${sa.aclName}`),
      ];
    }),
    '',
    line(' Group Server list', 'Local'),
  ];
}

/** `show crypto gdoi ks [detail]`. */
export function renderServers(groups: readonly ServerGroupState[], detail: boolean): string[] {
  const total = groups.reduce((sum, state) => sum + state.members.length, 0);
  return [`Total group members registered to this box: ${total}`, ...groups.flatMap((state) => ['', ...renderServer(state, detail)])];
}

function renderServer(state: ServerGroupState, detail: boolean): string[] {
  return [
    `Key Server Information For Group ${state.group}:`,
    `    Group Name               : ${state.group}`,
    '    Re-auth on new CRL       : Disabled',
    `    Group Identity           : ${state.identity}`,
    '    Group Type               : GDOI (ISAKMP)',
    `    Group Members            : ${state.members.length}`,
    `    Rekey Acknowledgement Cfg: ${acknowledgements[state.acknowledgement]}`,
    `    IPSec SA Direction       : ${state.receiveOnly ? 'Inbound Only' : 'Both'}`,
    '    IP D3P Window            : Disabled',
    '    Split Resiliency Factor  : 0',
    '    CKM status               : Disabled',
    `    ACL Configured:${detail ? ' ' : ''}`, // as IOS prints it
    ...state.sas.map((sa) => `        access-list ${sa.aclName}`),
    // Not IOS, so only when there is something to say.
    ...(state.policyPending ? ['    Policy changes pending   : yes, until the next rekey'] : []),
  ];
}

/** `show crypto gdoi ks members` of one group. */
export function renderServerMembers(state: ServerGroupState): string[] {
  return [
    `Number of rekeys sent for group ${state.group} : ${state.rekeysSent}`,
    `Number of retransmits during the last rekey for group ${state.group} : ${state.retransmitsLastRekey}`,
    `Duration of the last rekey for group ${state.group} : ${Math.round(state.lastRekeyMilliseconds)} msec`,
    '',
    ...state.members.flatMap((member) => renderServerMember(state, member)),
  ];
}

function renderServerMember(state: ServerGroupState, member: ServerMemberState): string[] {
  const sequences = (list: number[]) => [0, 1, 2, 3].map((index) => String(list[index] ?? 0).padEnd(6)).join('');
  return [
    `Group Member ID    : ${member.address}  GM Version: ${member.version}`,
    ` Group ID          : ${state.identity}`,
    ` Group Name        : ${state.group}`,
    ' Group Type        : GDOI (ISAKMP)',
    ` GM State          : ${member.state}`,
    ` Key Server ID     : ${state.address}`,
    ` Rekeys sent       : ${member.rekeysSent}`,
    ` Rekeys retries    : ${member.rekeyRetries}`,
    ` Rekey Acks Rcvd   : ${member.rekeyAcksReceived}`,
    ` Rekey Acks missed : ${member.rekeyAcksMissed}`,
    '',
    ` Sent seq num : ${sequences(member.sentSequences)}`,
    ` Rcvd seq num : ${sequences(member.receivedSequences)}`,
    '',
    '',
  ];
}

/** `show crypto gdoi ks members summary`. */
export function renderServerMemberSummary(groups: readonly ServerGroupState[]): string[] {
  return [
    'Group Member Information : ',
    ...groups.flatMap((state) => [
      '',
      `Group Name: ${state.group}, ID: ${state.identity}, Group Members: ${state.members.length}`,
      `Key Server ID: ${state.address}, GMDB state: LOCAL, Group Members: ${state.members.length}`,
      '  Member ID     Version      Rekey sent     Rekey Ack missed',
      ...state.members.map(
        (m) => `  ${m.address.padEnd(12)} ${m.version.padEnd(14)} ${String(m.rekeysSent).padEnd(15)} ${m.rekeyAcksMissed}`,
      ),
      '',
    ]),
  ];
}

/** Two fields on a line, as `ks policy` sets them. */
function pair(left: string, leftValue: string | number, right: string, rightValue: string | number): string {
  return `    ${left.padEnd(19)}: ${String(leftValue).padEnd(14)}${right.padEnd(22)}: ${rightValue}`;
}

/** `show crypto gdoi ks policy` of one group. @param index gives the group and the server their handles */
export function renderServerPolicy(state: ServerGroupState, index: number): string[] {
  const handle = `0x${(0x40000002 + index).toString(16).toUpperCase()}`;
  return [
    'Key Server Policy:',
    `For group ${state.group} (handle: ${handle}) server ${state.address} (handle: ${handle}):`,
    '',
    `  # of teks : ${state.teks.length}  Seq num : ${state.sequence}`,
    ...renderServerKek(state),
    ...state.teks.flatMap((tek, at) => ['', ...(at > 0 ? [''] : []), ...renderServerTek(tek)]),
  ];
}

function renderServerKek(state: ServerGroupState): string[] {
  const { kek } = state;
  if (!kek) return ['  KEK POLICY (none)'];
  const [cipher, ivBytes, keyBytes] = kekCiphers[kek.cipher];
  return [
    `  KEK POLICY (transport type : ${state.transport === 'unicast' ? 'Unicast' : 'Multicast'})`,
    `    spi : 0x${kek.spi.toUpperCase()}`,
    pair('management alg', 'disabled', 'encrypt alg', cipher),
    pair('crypto iv length', ivBytes, 'key size', keyBytes),
    pair('orig life(sec)', kek.lifetimeSeconds, 'remaining life(sec)', formatSeconds(kek.remainingSeconds)),
    `    time to rekey (sec): ${seconds(kek.rekeyInSeconds)}`,
    pair('sig hash algorithm', 'enabled', 'sig key length', kek.publicKeyBytes),
    `    sig size           : ${kek.signatureBytes}`,
    `    sig key name       : ${kek.keyName}`,
    `    acknowledgement    : ${acknowledgements[state.acknowledgement]}`,
  ];
}

/** IOS has one name here; the other is ours. */
export function encapsulationName({ udp }: Pick<ServerTekState, 'udp'>): string {
  return udp ? 'ENCAPS_TUNNEL_UDP' : 'ENCAPS_TUNNEL';
}

function renderServerTek(tek: ServerTekState): string[] {
  return [
    `  TEK POLICY (encaps : ${encapsulationName(tek)})`,
    `    spi                : 0x${tek.spi.toString(16).toUpperCase()}`,
    `    access-list        : ${tek.aclName}`,
    `    transform          : ${tek.transform}`,
    pair('alg key size', tek.cipherKeyBytes, 'sig key size', tek.integrityKeyBytes),
    pair('orig life(sec)', tek.lifetimeSeconds, 'remaining life(sec)', formatSeconds(tek.remainingSeconds)),
    pair('tek life(sec)', tek.lifetimeSeconds, 'elapsed time(sec)', formatSeconds(tek.ageSeconds)),
    pair('override life(sec)', 0, 'antireplay window size', tek.replaySeconds || tek.replayWindow),
    `    time to rekey (sec): ${seconds(tek.rekeyInSeconds)}`,
  ];
}

/** `show crypto gdoi ks acl`. */
export function renderServerAcl(state: ServerGroupState): string[] {
  return [
    `Group Name: ${state.group}`,
    ' Configured ACL:',
    ...state.sas.flatMap((sa) => sa.acl.map((ace) => `   access-list ${sa.aclName}  ${formatGroupAce(ace)}`)),
    '',
  ];
}
