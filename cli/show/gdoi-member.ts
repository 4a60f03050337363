// `show crypto gdoi`, `... group G`, `... gm`, `... gm acl`, `... detail` of a group member.

import type { MemberGroupState, MemberTekState, Snapshot } from '../../control/api/snapshot.js';
import { formatClock, formatGroupAce, formatSeconds, formatSpi } from './columns.js';
import { encapsulationName, renderServerGroup } from './gdoi-server.js';

const cipherNames: Record<string, [name: string, bits: number]> = {
  des: ['DES', 56],
  '3des': ['3DES', 192],
  'aes-128': ['AES', 128],
  'aes-192': ['AES', 192],
  'aes-256': ['AES', 256],
};
const signatureNames: Record<string, string> = {
  md5: 'HMAC_AUTH_MD5',
  sha: 'HMAC_AUTH_SHA',
  sha256: 'HMAC_AUTH_SHA256',
  sha384: 'HMAC_AUTH_SHA384',
  sha512: 'HMAC_AUTH_SHA512',
};

function renderGroupHead(state: MemberGroupState): string[] {
  return [
    `    Group Name               : ${state.group}`,
    `    Group Identity           : ${state.identity}`,
    '    Group Type               : GDOI (ISAKMP)',
    '    Crypto Path              : ipv4',
    '    Key Management Path      : ipv4',
    `    Rekeys received          : ${state.rekeysReceived}`,
    `    IPSec SA Direction       : ${state.saDirection}`,
    '',
    // Parsers in the field expect one address here; further servers stand below it.
    `     Group Server list       : ${state.serverAddresses[0] ?? ''}`,
    ...state.serverAddresses.slice(1).map((address) => `                               ${address}`),
  ];
}

/** `show crypto gdoi gm` of one group. */
export function renderMember(state: MemberGroupState): string[] {
  const line = (field: string, value: string | number) => `       ${field.padEnd(22)}: ${value}`;
  return [
    `Group Member Information For Group ${state.group}:`,
    `    IPSec SA Direction       : ${state.saDirection}`,
    `    ACL Received From KS     : gdoi_group_${state.group}_temp_acl`,
    '',
    `    Group member             : ${state.localAddress.padEnd(15)} vrf: None`,
    line('Local addr/port', `${state.localAddress}/848`),
    line('Remote addr/port', `${state.remoteAddress}/848`),
    line('fvrf/ivrf', 'None/None'),
    line('Version', state.version),
    line('Registration status', state.registered ? 'Registered' : 'Registering'),
    line(state.registered ? 'Registered with' : 'Registering to', state.remoteAddress),
    ...(state.reregistersInSeconds === null ? [] : [line('Re-registers in', `${formatSeconds(state.reregistersInSeconds)} sec`)]),
    line('Succeeded registration', state.succeededRegistrations),
    line('Attempted registration', state.attemptedRegistrations),
    line('Last rekey from', state.lastRekeyFrom ?? '0.0.0.0'),
    line('Last rekey seq num', state.lastRekeySequence),
    line('Unicast rekey received', state.transport === 'unicast' ? state.rekeysReceived : 0),
    line('Rekey ACKs sent', state.rekeyAcksSent),
    line('Rekey Rcvd(hh:mm:ss)', state.lastRekeySecondsAgo === null ? 'never' : formatClock(state.lastRekeySecondsAgo)),
    line('PFS Rekey received', 0),
    line('DP Error Monitoring', 'OFF'),
    '       IPSEC init reg executed    : 0',
    '       IPSEC init reg postponed   : 0',
    line('Active TEK Number', state.teks.length),
    line('SA Track (OID/status)', 'disabled'),
    `       Fail-Close Revert : ${state.failClose ? 'Enabled' : 'Disabled'}`,
  ];
}

function renderDownloadedAcl(state: MemberGroupState): string[] {
  const from = state.registered || state.acl.length > 0 ? state.remoteAddress : 'UNKNOWN';
  return [` ACL Downloaded From KS ${from}:`, ...state.acl.map((ace) => `   access-list   ${formatGroupAce(ace)}`)];
}

function renderTek(tek: MemberTekState): string[] {
  const counter = tek.replayWindow > 0 ? `Anti-Replay(Counter Based) : ${tek.replayWindow}` : 'Anti-Replay : Disabled';
  const replay = tek.replaySeconds > 0 ? `Anti-Replay(Time Based) : ${tek.replaySeconds} sec interval` : counter;
  return [
    '    IPsec SA:',
    `        spi: ${formatSpi(tek.spi)}`,
    `        transform: ${tek.transform}`,
    `        sa timing:remaining key lifetime (sec): (${formatSeconds(tek.remainingSeconds)})`,
    `        ${replay}`,
    '        tag method : disabled',
    `        alg key size: ${tek.cipherKeyBytes} (bytes)`,
    `        sig key size: ${tek.integrityKeyBytes} (bytes)`,
    `        encaps: ${encapsulationName(tek)}`,
    '',
  ];
}

function renderKek(state: MemberGroupState): string[] {
  if (!state.kek) return [];
  const [cipher, bits] = cipherNames[state.kek.cipher];
  return [
    '',
    'KEK POLICY:',
    `    Rekey Transport Type     : ${state.transport === 'unicast' ? 'Unicast' : 'Multicast'}`,
    `    Lifetime (secs)          : ${formatSeconds(state.kek.remainingSeconds)}`,
    `    Encrypt Algorithm        : ${cipher}`,
    `    Key Size                 : ${bits}`,
    `    Sig Hash Algorithm       : ${signatureNames[state.kek.signatureHash]}`,
    // The DER public key's length, as IOS counts it.
    `    Sig Key Length (bits)    : ${state.kek.publicKeyBytes * 8}`,
  ];
}

/** `show crypto gdoi group G` of a member: everything known about the group. */
export function renderMemberGroup(state: MemberGroupState): string[] {
  return [
    ...renderGroupHead(state),
    '',
    ...renderMember(state),
    '',
    '       allowable rekey cipher: any',
    '       allowable rekey hash  : any',
    '       allowable transformtag: any ESP',
    '',
    '    Rekeys cumulative',
    `       Total received        : ${state.rekeysReceived}`,
    `       After latest register : ${state.rekeysReceivedSinceRegistration}`,
    `       Rekey Acks sents      : ${state.rekeyAcksSent}`,
    '',
    ...renderDownloadedAcl(state),
    ...renderKek(state),
    '',
    'TEK POLICY for the current KS-Policy ACEs Downloaded:',
    ...state.interfaces.flatMap((name) => [`  ${name}:`, ...state.teks.flatMap(renderTek)]),
    '',
    'KGS POLICY:',
    `  REG_GM: local_addr ${state.localAddress}`,
    '',
    'P2P POLICY:',
    `  REG_GM: local_addr ${state.localAddress}`,
  ];
}

/** `show crypto gdoi` and `show crypto gdoi detail`: every group, whatever this router is to it. */
export function renderAllGroups(snapshot: Snapshot): string[] {
  const groups = [...snapshot.gdoiMembers.map(renderMemberGroup), ...snapshot.gdoiServers.map(renderServerGroup)];
  return groups.flatMap((lines, index) => [...(index > 0 ? [''] : []), 'GROUP INFORMATION', '', ...lines]);
}

/** `show crypto gdoi gm acl`. */
export function renderMemberAcl(state: MemberGroupState, onlyLocal: boolean): string[] {
  const local = [
    ' ACL Configured Locally: ',
    ...state.localAcl.map((ace) => `   access-list ${state.localAclName} ${formatGroupAce(ace)}`),
  ];
  return [`Group Name: ${state.group}`, ...(onlyLocal ? [] : renderDownloadedAcl(state)), ...local];
}
