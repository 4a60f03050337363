// `show crypto isakmp sa [detail|count]` and `show crypto call admission statistics`.

import { counterValue } from '../../control/api/counter-value.js';
import type { IsakmpSaState, Snapshot } from '../../control/api/snapshot.js';
import { formatClock } from './columns.js';

type Suite = NonNullable<IsakmpSaState['suite']>;

const encryptions: Record<Suite['encryption'], string> = {
  des: 'des',
  '3des': '3des',
  'aes-128': 'aes',
  'aes-192': 'aes',
  'aes-256': 'aes',
};
const authentications: Record<Suite['authentication'], string> = { 'pre-share': 'psk', 'rsa-sig': 'rsig' };
/** IOS numbers SAs from here on in its software engine. */
const FirstConnectionId = 1000;

function isUp(sa: IsakmpSaState): boolean {
  return sa.remainingSeconds !== null;
}

export function renderIsakmpSas({ isakmpSas }: Snapshot): string[] {
  return [
    'IPv4 Crypto ISAKMP SA',
    'dst             src             state          conn-id status',
    ...isakmpSas.map(
      (sa) =>
        `${sa.destination.padEnd(15)} ${sa.source.padEnd(15)} ${sa.state.padEnd(14)} ${String(sa.connectionId).padStart(7)} ${sa.status}`,
    ),
    '',
    'IPv6 Crypto ISAKMP SA',
    '',
  ];
}

/** The columns of one SA: blank what is not agreed yet. There are no VRFs. */
function renderDetail(sa: IsakmpSaState): string[] {
  const { suite } = sa;
  const columns = [
    String(sa.connectionId).padEnd(5),
    sa.local.padEnd(15),
    sa.remote.padEnd(15),
    ''.padEnd(6),
    sa.status.padEnd(6),
    (suite ? encryptions[suite.encryption] : '').padEnd(4),
    (suite?.hash ?? '').padEnd(6),
    (suite ? authentications[suite.authentication] : '').padEnd(4),
    String(suite?.group ?? 0).padEnd(2),
    (sa.remainingSeconds === null ? '0' : formatClock(sa.remainingSeconds)).padEnd(8),
    sa.capabilities.padEnd(3),
  ];
  return [columns.join(' '), `       Engine-id:Conn-id =  SW:${sa.connectionId - FirstConnectionId}`, ' '];
}

export function renderIsakmpSaDetails({ isakmpSas }: Snapshot): string[] {
  return [
    'IPv4 Crypto ISAKMP SA',
    ' ',
    'C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.',
    ' ',
    ...isakmpSas.flatMap(renderDetail),
    'IPv6 Crypto ISAKMP SA',
    '',
  ];
}

export function countIsakmpSas({ isakmpSas }: Snapshot): { active: number; negotiating: number } {
  const active = isakmpSas.filter(isUp).length;
  return { active, negotiating: isakmpSas.length - active };
}

/** Nothing stands by here, and what is deleted is gone at once. */
export function renderIsakmpSaCount(snapshot: Snapshot): string[] {
  const { active, negotiating } = countIsakmpSas(snapshot);
  return [
    `Active ISAKMP SA's: ${active}`,
    "Standby ISAKMP SA's: 0",
    `Currently being negotiated ISAKMP SA's: ${negotiating}`,
    "Dead ISAKMP SA's: 0",
  ];
}

/** The JSON form, and what the text is made of. */
export function admissionStatistics(snapshot: Snapshot) {
  const counted = (name: string) => counterValue(snapshot.counters.control, name);
  const sas = { ...snapshot, isakmpSas: snapshot.isakmpSas.filter(({ state }) => state !== 'GDOI_REKEY') };
  return {
    ...snapshot.admission,
    ...countIsakmpSas(sas),
    incoming: counted('ike_requests_received'),
    incomingAccepted: counted('ike_requests_accepted'),
    outgoing: counted('ike_requests_sent'),
    outgoingAccepted: counted('ike_requests_begun'),
    halfOpenLimited: counted('ike_half_open_limited'),
    keyExchangesPutOff: counted('ike_rate_limited'),
    registrationsPutOff: counted('gdoi_pull_rate_limited'),
  };
}

const rule = '-'.repeat(69);

/** IOS's lines, and below them the limit that is ours. */
export function renderAdmission(snapshot: Snapshot): string[] {
  const s = admissionStatistics(snapshot);
  const field = (label: string, value: number) => label + String(value).padStart(30 - label.length);
  const row = (head: string, total: number, middle: string, second: number, last: string, third: number) =>
    `${field(head, total)} ${middle}${String(second).padStart(18 - middle.length)} ${last}${String(third).padStart(19 - last.length)}`;
  return [
    rule,
    '               Crypto Call Admission Control Statistics',
    rule,
    row('System Resource Limit:', 0, 'Max IKE SAs:', 0, 'Max in nego:', s.mostNegotiating),
    row('Total IKE SA Count:', s.active + s.negotiating, 'active:', s.active, 'negotiating:', s.negotiating),
    row('Incoming IKE Requests:', s.incoming, 'accepted:', s.incomingAccepted, 'rejected:', s.incoming - s.incomingAccepted),
    row('Outgoing IKE Requests:', s.outgoing, 'accepted:', s.outgoingAccepted, 'rejected:', s.outgoing - s.outgoingAccepted),
    row('Rejected IKE Requests:', s.halfOpenLimited, 'rsrc low:', 0, 'SA limit:', s.halfOpenLimited),
    '',
    `Max in nego of one address: ${s.mostNegotiatingPerAddress}`,
    `IKE rate limit: ${s.ratePerSecond} per second`,
    `    Key exchanges put off : ${s.keyExchangesPutOff}`,
    `    Registrations put off : ${s.registrationsPutOff}`,
  ];
}
