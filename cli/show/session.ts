// `show crypto session [detail]`: of a member, one session for each interface with a crypto map (its peer is the group: 0.0.0.0); of a key
// server, and of a gateway with peers, one for each peer: an address, behind a translator with its port. VRFs and descriptions are not here.

import type { IpsecFlowState, IpsecInterfaceState, IsakmpSaState, Snapshot } from '../../control/api/snapshot.js';
import { formatClock, formatProtocol, formatSeconds } from './columns.js';

export interface Session {
  interface: string;
  peer: string;
  peerPort: number;
  /** `UP-ACTIVE`: keys and an IKE SA, `UP-NO-IKE`: keys, `UP-IDLE`: an IKE SA, `DOWN-NEGOTIATING`, `DOWN`. */
  status: string;
  ikeSas: IsakmpSaState[];
  flows: IpsecFlowState[];
}

function statusOf(ikeSas: readonly IsakmpSaState[], flows: readonly IpsecFlowState[]): string {
  const up = ikeSas.some(({ remainingSeconds }) => remainingSeconds !== null);
  if (flows.some(({ inbound }) => inbound.length > 0)) return up ? 'UP-ACTIVE' : 'UP-NO-IKE';
  if (up) return 'UP-IDLE';
  return ikeSas.length > 0 ? 'DOWN-NEGOTIATING' : 'DOWN';
}

/** A member talks to its key servers from the address that it registers from. */
function memberSession(state: IpsecInterfaceState, { gdoiMembers, isakmpSas }: Snapshot): Session {
  const groups = gdoiMembers.filter(({ interfaces }) => interfaces.includes(state.interface));
  const isOurs = (sa: IsakmpSaState) =>
    groups.some(({ localAddress, serverAddresses }) => sa.local === localAddress && serverAddresses.includes(sa.remote));
  const ikeSas = isakmpSas.filter(isOurs);
  const { peer, peerPort } = state.flows[0] ?? { peer: '0.0.0.0', peerPort: 848 };
  return { interface: state.interface, peer, peerPort, status: statusOf(ikeSas, state.flows), ikeSas, flows: state.flows };
}

const Group = '0.0.0.0';

/** One for each peer of the interface's map. */
function peerSessions(state: IpsecInterfaceState, { isakmpSas }: Snapshot): Session[] {
  const byPeer = new Map<string, IpsecFlowState[]>();
  for (const flow of state.flows) if (flow.peer !== Group) byPeer.set(flow.peer, [...(byPeer.get(flow.peer) ?? []), flow]);
  return [...byPeer].flatMap(([peer, whole]) => {
    const ports = [...new Set(whole.filter(({ outboundSpi }) => outboundSpi !== 0).map(({ peerPort }) => peerPort))];
    const sas = isakmpSas.filter((sa) => sa.remote === peer && sa.local === whole[0].localEndpoint);
    const session = (flows: IpsecFlowState[], peerPort: number, ikeSas: IsakmpSaState[]): Session => {
      return { interface: state.interface, peer, peerPort, status: statusOf(ikeSas, flows), ikeSas, flows };
    };
    if (ports.length < 2) return [session(whole, whole[0].peerPort, sas)];
    // Several behind one translator. What nobody has an SA for stands with the first.
    return ports.map((port, index) =>
      session(
        whole.filter(({ peerPort, outboundSpi }) => (outboundSpi === 0 ? index === 0 : peerPort === port)),
        port,
        sas.filter(({ remotePort }) => remotePort === port),
      ),
    );
  });
}

function interfaceSessions(state: IpsecInterfaceState, snapshot: Snapshot): Session[] {
  const peers = peerSessions(state, snapshot);
  const groupFlows = state.flows.filter(({ peer }) => peer === Group);
  return peers.length > 0 && groupFlows.length === 0 ? peers : [memberSession({ ...state, flows: groupFlows }, snapshot), ...peers];
}

export function sessionsOf(snapshot: Snapshot): Session[] {
  const members = snapshot.ipsec.flatMap((state) => interfaceSessions(state, snapshot));
  const claimed = new Set(members.flatMap(({ ikeSas }) => ikeSas));
  const peers = new Map<string, IsakmpSaState[]>();
  for (const sa of snapshot.isakmpSas) {
    if (claimed.has(sa)) continue;
    const key = `${sa.local} ${sa.remote}`;
    peers.set(key, [...(peers.get(key) ?? []), sa]);
  }
  const named = (address: string) =>
    snapshot.interfaces.find(({ addresses }) => addresses.some((text) => text.split('/')[0] === address))?.name ?? 'unknown';
  const others = [...peers.values()].map((ikeSas) => {
    const [{ local, remote, remotePort }] = ikeSas;
    return { interface: named(local), peer: remote, peerPort: remotePort, status: statusOf(ikeSas, []), ikeSas, flows: [] };
  });
  return [...members, ...others];
}

/** `3d18h`, below a day `05:50:03`. */
function formatUptime(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return formatClock(seconds);
  const days = Math.floor(hours / 24);
  const two = (value: number) => String(value).padStart(2, '0');
  return days < 7 ? `${days}d${two(hours % 24)}h` : `${Math.floor(days / 7)}w${days % 7}d`;
}

function renderIkeSa(sa: IsakmpSaState, detail: boolean): string[] {
  const state = sa.remainingSeconds === null ? 'Inactive' : 'Active';
  const line = `  IKEv1 SA: local ${sa.local}/${sa.localPort} remote ${sa.remote}/${sa.remotePort} ${state} `;
  if (!detail) return [line];
  const life = sa.remainingSeconds === null ? '0' : formatClock(sa.remainingSeconds);
  return [line, `          Capabilities:${sa.capabilities || '(none)'} connid:${sa.connectionId} lifetime:${life}`];
}

function formatEnd({ address, mask, port }: IpsecFlowState['local']): string {
  const host = mask === '255.255.255.255' ? `host ${address}` : `${address}/${mask}`;
  return port === 0 ? host : `${host} port ${port}`;
}

function renderFlow(flow: IpsecFlowState, detail: boolean): string[] {
  const protocol = flow.local.protocol === 0 ? formatProtocol(null) : String(flow.local.protocol);
  const lines = [
    `  IPSEC FLOW: ${flow.action} ${protocol} ${formatEnd(flow.local)} ${formatEnd(flow.remote)} `,
    `        Active SAs: ${flow.inbound.length + flow.outbound.length}, origin: crypto map`,
  ];
  if (!detail) return lines;
  const life = (sas: IpsecFlowState['inbound']) => {
    const volume = sas.at(-1)?.remainingKilobytes ?? 'KB Vol Rekey Disabled';
    return `life (KB/Sec) ${volume}/${formatSeconds(Math.max(0, ...sas.map(({ remainingSeconds }) => remainingSeconds)))}`;
  };
  return [
    ...lines,
    `        Inbound:  #pkts dec'ed ${flow.decapsulated} drop ${flow.receiveErrors} ${life(flow.inbound)}`,
    `        Outbound: #pkts enc'ed ${flow.encapsulated} drop ${flow.sendErrors} ${life(flow.outbound)}`,
  ];
}

function renderSession(session: Session, detail: boolean): string[] {
  const { ikeSas, flows } = session;
  const ages = ikeSas.flatMap(({ ageSeconds }) => (ageSeconds === null ? [] : [ageSeconds]));
  const uptime = detail && ages.length > 0 ? [`Uptime: ${formatUptime(Math.max(...ages))}`] : [];
  const name = ikeSas.findLast((sa) => sa.profile !== undefined)?.profile;
  const profile = !detail || name === undefined ? [] : [`Profile: ${name}`];
  const peer = `Peer: ${session.peer} port ${session.peerPort} `;
  const id = ikeSas.findLast(({ phase1Id }) => phase1Id !== null)?.phase1Id ?? '(none)';
  const about = detail ? [`${peer}fvrf: (none) ivrf: (none)`, `      Phase1_id: ${id}`, '      Desc: (none)'] : [peer];
  return [
    '',
    `Interface: ${session.interface}`,
    ...profile,
    ...uptime,
    `Session status: ${session.status}     `,
    ...about,
    '  Session ID: 0  ',
    ...ikeSas.flatMap((sa) => renderIkeSa(sa, detail)),
    ...flows.flatMap((flow) => renderFlow(flow, detail)),
  ];
}

const codes = [
  '',
  'Code: C - IKE Configuration mode, D - Dead Peer Detection     ',
  'K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     ',
  'X - IKE Extended Authentication, F - IKE Fragmentation',
  'R - IKE Auto Reconnect, U - IKE Dynamic Route Update',
  'S - SIP VPN',
];

export function renderSessions(snapshot: Snapshot, detail: boolean): string[] {
  const head = ['Crypto session current status', ...(detail ? codes : [])];
  return [...head, ...sessionsOf(snapshot).flatMap((session) => renderSession(session, detail))];
}
