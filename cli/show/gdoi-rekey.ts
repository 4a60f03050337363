// `show crypto gdoi gm rekey`, `rekey sa`, `gm pubkey`, `gm identifier`, `ks identifier`, `feature`.

import type { MemberGroupState, ServerGroupState } from '../../control/api/snapshot.js';
import { rekeyConnectionId as connectionId } from '../../control/api/snapshot-isakmp.js';
import type { GdoiFeature } from '../../control/config/exec.js';

/** `show crypto gdoi gm rekey [detail]` of one group. */
export function renderMemberRekey(state: MemberGroupState, detail: boolean): string[] {
  const line = (field: string, value: number) => `    ${field.padEnd(44)} : ${value}`;
  const counts = [
    `Group ${state.group} (${state.transport === 'unicast' ? 'Unicast' : 'Multicast'})`,
    line('Number of Rekeys received (cumulative)', state.rekeysReceived),
    line('Number of Rekeys received after registration', state.rekeysReceivedSinceRegistration),
    line('Number of Rekey Acks sent', state.rekeyAcksSent),
  ];
  if (!detail) return counts;
  const { kek } = state;
  const row = (name: string, ...[dst, src, id, mine, his]: string[]) =>
    `${name.padEnd(8)}: ${dst.padEnd(16)}${src.padEnd(17)}${id.padEnd(8)}${mine.padEnd(11)}${his}`;
  const empty = (name: string) => `${name.padEnd(8)}: ---             ---               ---    ---        ---`;
  const fields = kek && [kek.destination, kek.source, String(connectionId(kek.spi)), kek.spi.slice(0, 8), kek.spi.slice(16, 24)];
  return [
    ...counts,
    '',
    'Rekey (KEK) SA information :',
    '          dst             src             conn-id  my-cookie  his-cookie',
    // A member has one KEK at a time: the push that brings a new one is the last that the old one opens.
    fields ? row('New', ...fields) : empty('New'),
    empty('Current'),
    empty('Previous'),
    '',
  ];
}

/** Of a KEK, by its name in the snapshot. */
export const kekCiphers: Record<string, [name: string, ivBytes: number, keyBytes: number]> = {
  des: ['DES', 8, 8],
  '3des': ['3DES', 8, 24],
  'aes-128': ['AES', 16, 16],
  'aes-192': ['AES', 16, 24],
  'aes-256': ['AES', 16, 32],
};

/** `show crypto gdoi rekey sa [detail]`. */
export function renderRekeySas(states: readonly MemberGroupState[], detail: boolean): string[] {
  const active = states.filter(({ kek }) => kek !== null);
  const made = states.reduce((sum, { succeededRegistrations }) => sum + succeededRegistrations, 0);
  return [
    'KEK SA DB STATS:',
    `    num_active = ${active.length}`,
    `    num_malloc = ${Math.max(made, active.length)}`,
    `    num_free = ${Math.max(made, active.length) - active.length}`,
    ...active.flatMap((state, index) => ['', ...renderRekeySa(state, index, detail)]),
  ];
}

function renderRekeySa(state: MemberGroupState, index: number, detail: boolean): string[] {
  const { kek } = state;
  if (!kek) return [];
  const [cipher, ivBytes, keyBytes] = kekCiphers[kek.cipher];
  const pair = (left: string, leftValue: string | number, right: string, rightValue: string | number) =>
    `    ${left.padEnd(19)}: ${String(leftValue).padEnd(12)}${right.padEnd(18)}: ${rightValue}`;
  const head = [
    `  KEK POLICY (transport type : ${state.transport === 'unicast' ? 'Unicast' : 'Multicast'})`,
    `   Local addr/port : ${state.localAddress}/848`,
    `   Remote addr/port : ${state.remoteAddress}/848`,
    `    spi : 0x${kek.spi}`,
  ];
  if (!detail) return head;
  return [
    ...head,
    pair('management alg', 'disabled', 'encrypt alg', cipher.padEnd(10)),
    pair('crypto iv length', ivBytes, 'key size', String(keyBytes).padEnd(8)),
    `    orig life(sec)     : ${String(kek.lifetimeSeconds).padEnd(10)}`,
    pair('sig hash algorithm', 'enabled', 'sig key length', String(kek.publicKeyBytes).padEnd(8)),
    `    sig size           : ${kek.signatureBytes}`,
    `    acknowledgement    : ${kek.acknowledge ? 'Interoperable' : 'None'}`,
    `    conn_id (IKEv1)    : ${connectionId(kek.spi)}`,
    pair('seq num', kek.sequence, 'prev seq num', String(Math.max(0, kek.sequence - 1)).padEnd(8)),
    `    handle             : ${(0x40000000 + index + 1).toString(16).toUpperCase()}  `,
    `    Interface          : ${state.interfaces[0] ?? 'None'}`,
    `    Group Name         : ${state.group.padEnd(20)}`,
  ];
}

/** `show crypto gdoi gm pubkey`: no member here has a key pair of its own for the group (CKM). */
export function renderPublicKeyGroups(states: readonly MemberGroupState[]): string[] {
  return states.map(({ group }) => `  GDOI Group: ${group}`);
}

const groupSizes: Record<number, string> = { 8: 'SMALL', 12: 'SMALL', 16: 'SMALL', 24: 'MEDIUM', 32: 'LARGE' };
const hex = (value: number, bits: number) =>
  `0x${value
    .toString(16)
    .toUpperCase()
    .padStart(bits / 4, '0')}`;

/** `show crypto gdoi gm identifier` of one group (RFC 6054 §3, RFC 6407 §3.5). */
export function renderMemberIdentifiers(state: MemberGroupState, detail = false): string[] {
  const { senderIds, senderIdBits: bits } = state;
  const head = [`GM Sender ID (SID) Information for Group ${state.group}:`, `    Group Member: ${state.localAddress.padEnd(15)} vrf: None`];
  if (bits === null) return [...head, '    Transform Mode                : Non-Counter'];
  return [
    ...head,
    '    Transform Mode                : Counter',
    '    CURRENT SIDs:',
    '        Shared Across Interfaces? : Yes',
    `        SID Length (Group Size)   : ${bits} bits (${groupSizes[bits]})`,
    `        # of SIDs Downloaded      : ${senderIds.length}`,
    `        First SID Downloaded      : ${senderIds.length > 0 ? hex(senderIds[0], bits) : 'None'}`,
    `        Last SID Downloaded       : ${senderIds.length > 0 ? hex(senderIds[senderIds.length - 1], bits) : 'None'}`,
    ...(detail ? ['        SIDs Downloaded           :', ...senderIds.map((sid) => `            ${hex(sid, bits)}`)] : []),
  ];
}

/** `show crypto gdoi ks identifier` of one group. */
export function renderServerIdentifiers(state: ServerGroupState, detail = false): string[] {
  const head = `KS Sender ID (KSSID) Information for Group ${state.group}:`;
  if (!state.counterMode) return [head, '    Transform Mode                 : Non-Counter'];
  const { senderIdBits: bits, senderIdsUsed: used } = state;
  return [
    head,
    '    Transform Mode                 : Counter',
    `    SID Length (Group Size)        : ${bits} bits (${groupSizes[bits]})`,
    `    Last GMSID Used                : ${used > 0 ? hex(used - 1, bits) : 'none'}`,
    `    GMSIDs Used                    : ${used}`,
    `    GMSIDs Remaining               : ${2 ** bits - used}`,
    // RFC 6054 §3: out of the whole space, in sequence.
    ...(detail ? [`    GMSID Range                    : ${hex(0, bits)} - ${hex(2 ** bits - 1, bits)}`] : []),
  ];
}

/** What this implementation does as a member, and but for longer lifetimes (`rekey lifetime days`) as a key server. */
const features: Record<GdoiFeature, boolean> = {
  ckm: false,
  'crl-check': false,
  'cts-sgt': false,
  'dp-recovery': false,
  'gdoi-interop-ack': true,
  'gdoi-mib': false,
  gikev2: false,
  'gm-removal': true,
  'ip-d3p': false,
  'long-sa-lifetime': true,
  pfs: false,
  'policy-replace': true,
  'suite-b': true,
};

function serverHas(feature: GdoiFeature): boolean {
  return features[feature] && feature !== 'long-sa-lifetime';
}

/** The JSON form of the command. */
export function featureState(feature: GdoiFeature, members: readonly MemberGroupState[], servers: readonly ServerGroupState[]): object {
  const supported = features[feature];
  const version = (address: string, text: string, has = supported) => ({ address, version: text, supported: has });
  return {
    feature,
    gdoiServers: servers.map((state) => ({
      group: state.group,
      server: version(state.address, state.version, serverHas(feature)),
      members: state.members.map((member) => version(member.address, member.version)),
    })),
    gdoiMembers: members.map((state) => ({ group: state.group, member: version(state.localAddress, state.version) })),
  };
}

/** `show crypto gdoi feature NAME`. */
export function renderFeature(feature: GdoiFeature, members: readonly MemberGroupState[], servers: readonly ServerGroupState[]): string[] {
  const row = (address: string, version: string, supported = features[feature]) =>
    `        ${address.padEnd(17)}${version.padEnd(15)}${supported ? 'Yes' : 'No'}`;
  const memberHead = '    Group Member ID     Version   Feature Supported';
  const blocks = [
    ...servers.map((state) => [
      `Group Name: ${state.group}`,
      '    Key Server ID       Version   Feature Supported',
      row(state.address, state.version, serverHas(feature)),
      '',
      memberHead,
      ...state.members.map(({ address, version }) => row(address, version)),
    ]),
    ...members.map((state) => [`Group Name: ${state.group}`, memberHead, row(state.localAddress, state.version)]),
  ];
  return blocks.flatMap((lines, index) => (index > 0 ? ['', ...lines] : lines));
}
