// Snapshot -> Prometheus text. Every metric is declared here, once: name, help, labels and where in the snapshot its samples are. A
// registry per scrape keeps no stale series of SAs that are gone. prom-client writes the format (escaping included).

import { Counter, Gauge, type Histogram, Registry } from 'prom-client';
import { counterValue } from './counter-value.js';
import { each, interfaceLabels, type Metric, one, onInterface, onMember, onProcess, onServer, type Sample } from './metric.js';
import { pathMetrics } from './metric-path.js';
import { qosMetrics } from './metric-qos.js';
import type { DropCell, GroupCounters, InterfaceState, SaCounters, Snapshot } from './snapshot.js';

export function formatSpi(spi: number): string {
  return `0x${spi.toString(16).toUpperCase().padStart(8, '0')}`;
}

const memberTeks = (snapshot: Snapshot) => snapshot.gdoiMembers.flatMap(({ group, teks }) => teks.map((tek) => ({ group, ...tek })));
const serverTeks = (snapshot: Snapshot) => snapshot.gdoiServers.flatMap(({ group, teks }) => teks.map((tek) => ({ group, ...tek })));
const tekLabels = (tek: { group: string; spi: number }) => ({ group: tek.group, spi: formatSpi(tek.spi) });
const onSa = (name: string, help: string, value: (tek: ReturnType<typeof memberTeks>[number]) => number) =>
  each(`sa_${name}`, help, memberTeks, tekLabels, value);
const onServerTek = (name: string, help: string, value: (tek: ReturnType<typeof serverTeks>[number]) => number) =>
  each(`server_tek_${name}`, help, serverTeks, tekLabels, value);

const saCounts: [keyof SaCounters, string, string][] = [
  ['sealedPackets', 'sealed_packets_total', 'Packets encrypted with the SA'],
  ['sealedBytes', 'sealed_bytes_total', 'Bytes of inner packets encrypted with the SA'],
  ['openedPackets', 'opened_packets_total', 'Packets verified and decrypted with the SA'],
  ['openedBytes', 'opened_bytes_total', 'Bytes of inner packets decrypted with the SA'],
  ['replayDrops', 'replay_drops_total', 'Packets of the SA that failed the replay check'],
  ['integrityDrops', 'integrity_drops_total', 'Packets of the SA that failed the integrity check'],
  ['sendErrors', 'send_errors_total', 'Packets the SA could not encrypt'],
  ['receiveErrors', 'receive_errors_total', 'Packets the SA could not decrypt, for any reason'],
];
const groupCounts: [keyof GroupCounters, string, string][] = [
  ['sealedPackets', 'sealed_packets_total', 'Packets of the group encrypted'],
  ['sealedBytes', 'sealed_bytes_total', 'Bytes of inner packets of the group encrypted'],
  ['openedPackets', 'opened_packets_total', 'Packets of the group decrypted'],
  ['openedBytes', 'opened_bytes_total', 'Bytes of inner packets of the group decrypted'],
  ['timeSent', 'time_sent_packets_total', 'Packets of the group sent with a pseudotime (time-based anti-replay)'],
  ['timeAccepted', 'time_accepted_packets_total', 'Packets of the group whose pseudotime was within the window'],
  ['timeRefused', 'time_refused_packets_total', 'Packets of the group whose pseudotime was not'],
];
const portCounts: [keyof InterfaceState['counters'], string, string][] = [
  ['receivedPackets', 'receive_packets_total', 'Datagrams received on the interface'],
  ['receivedBytes', 'receive_bytes_total', 'Bytes of datagrams received on the interface'],
  ['sentPackets', 'transmit_packets_total', 'Datagrams sent on the interface'],
  ['sentBytes', 'transmit_bytes_total', 'Bytes of datagrams sent on the interface'],
  ['receiveDrops', 'receive_drops_total', 'Datagrams received on the interface and dropped'],
  ['sendDrops', 'transmit_drops_total', 'Datagrams dropped at the interface when sending'],
  ['mssLowered', 'mss_lowered_total', 'TCP SYNs whose maximum segment size was lowered (ip tcp adjust-mss)'],
  ['mssMalformed', 'mss_malformed_total', 'TCP SYNs that ip tcp adjust-mss could not read, left as they are'],
];
const tunnels = ({ interfaces }: Snapshot) => interfaces.filter(({ tunnel }) => tunnel !== undefined);
/** Without the KEKs, which are listed as SAs too. */
const phase1 = ({ isakmpSas }: Snapshot) => isakmpSas.filter(({ state }) => state !== 'GDOI_REKEY');
const sum = (numbers: number[]) => numbers.reduce((total, value) => total + value, 0);

const metrics: Metric[] = [
  { name: 'info', help: 'Version and hostname, always 1', samples: (s) => [[{ version: s.version, hostname: s.hostname }, 1]] },
  one('uptime_seconds', 'Since control started', (s) => s.uptimeSeconds),
  one('dataplane_connected', 'Whether the dataplane answers control', (s) => Number(s.dataplaneConnected)),
  one('workers', 'Forwarding workers of the dataplane', (s) => s.workers),
  {
    name: 'aes_info',
    help: 'Library whose AES the workers use, always 1',
    samples: ({ aes }) => (aes === null ? [] : [[{ library: aes }, 1]]),
  },
  onInterface('up', 'Line protocol', (i) => Number(i.up)),
  onInterface('admin_up', 'Not shut down', (i) => Number(i.adminUp)),
  each(
    'interface_driver_info',
    'Port driver in use, always 1',
    (s) => s.interfaces.filter(({ driver }) => driver !== null),
    (i) => ({ interface: i.name, driver: i.driver ?? '', offloads: i.offloads ? 'on' : 'off' }),
    () => 1,
  ),
  each(
    'interface_interrupt_moderation_seconds',
    'How often the kernel looks for packets of an xdp port while many come, 0 = each is told at once',
    (s) => s.interfaces.filter(({ moderationUs }) => moderationUs != null),
    interfaceLabels,
    (i) => (i.moderationUs ?? 0) / 1e6,
  ),
  each(
    'tunnel_recursions_total',
    'How often recursive routing has taken a tunnel down',
    tunnels,
    interfaceLabels,
    (i) => i.tunnel?.recursions ?? 0,
  ),
  onInterface('mtu_bytes', 'IP MTU', (i) => i.ipMtu),
  {
    name: 'interface_closed',
    help: 'Whether nothing passes in the clear now (fail-close), because a group is not registered',
    samples: ({ interfaces, failClose }) => {
      const closed = new Set(failClose.flatMap(({ closedInterfaces }) => closedInterfaces));
      return interfaces.map(({ name }) => [{ interface: name }, Number(closed.has(name))]);
    },
  },
  ...portCounts.map(([key, name, help]) => onInterface(name, help, (i) => i.counters[key] ?? 0)),
  ...saCounts.map(([key, name, help]) => onSa(name, help, (tek) => tek.counters[key])),
  onSa('age_seconds', 'Since the SA was installed', (tek) => tek.ageSeconds),
  onSa('remaining_seconds', 'Until the SA expires', (tek) => tek.remainingSeconds),
  one('ike_sas', 'ISAKMP SAs that are up', (s) => phase1(s).filter(({ ageSeconds }) => ageSeconds !== null).length),
  one(
    'ike_sas_negotiating',
    'ISAKMP SAs that are being negotiated',
    (s) => phase1(s).filter(({ ageSeconds }) => ageSeconds === null).length,
  ),
  one('ipsec_sas', 'ESP SAs between gateways, both directions', (s) =>
    s.ipsec
      .flatMap(({ flows }) => flows.filter(({ peer }) => peer !== '0.0.0.0'))
      .reduce((sum, { inbound, outbound }) => sum + inbound.length + outbound.length, 0),
  ),
  one(
    'ike_admission_rate',
    'Key exchanges and registrations a second that a key server takes up at most',
    (s) => s.admission.ratePerSecond,
  ),
  onMember('registered', 'Whether the member is registered with a key server', (g) => Number(g.registered)),
  each(
    'group_server_unreachable',
    'Whether a key server of the group left unanswered what it was last asked: a registration, or R-U-THERE while the status page is open',
    (s) => s.gdoiMembers.flatMap(({ group, keyServers = [] }) => keyServers.map((server) => ({ group, ...server }))),
    ({ group, address }) => ({ group, server: address }),
    ({ answers }) => Number(answers === false),
  ),
  onMember('fail_close', 'Whether traffic is dropped while the group has no keys', (g) => Number(g.failClose)),
  onMember('encrypting', 'Whether the member encrypts: not before registration, nor while the group is receive-only', (g) =>
    Number(g.teks.some(({ sending }) => sending) && g.saDirection !== 'Inbound Only'),
  ),
  onMember('time_sync_errors_total', 'Rekeys whose pseudotime was too far from ours', (g) => g.replay.timeSyncErrors),
  onMember('teks', 'SAs of the group that are installed', (g) => g.teks.length),
  onMember('kek_remaining_seconds', 'Until the KEK expires, 0 without one', (g) => g.kek?.remainingSeconds ?? 0),
  onMember('registrations_total', 'Completed registrations', (g) => g.succeededRegistrations),
  onMember('registration_attempts_total', 'Started registrations', (g) => g.attemptedRegistrations),
  onMember('rekeys_received_total', 'Rekeys accepted', (g) => g.rekeysReceived),
  onMember('rekey_acks_sent_total', 'Rekeys acknowledged', (g) => g.rekeyAcksSent),
  ...groupCounts.map(([key, name, help]) => onMember(name, help, (g) => g.counters[key])),
  ...pathMetrics,
  each(
    'certificate_expiry_seconds',
    'When a certificate of a trustpoint expires, Unix time',
    (s) => (s.trustpoints ?? []).flatMap(({ name, certificates }) => certificates.map((item) => ({ name, ...item }))),
    ({ name, kind, serial }) => ({ trustpoint: name, kind, serial }),
    ({ notAfter }) => notAfter / 1000,
  ),
  each(
    'crl_next_update_seconds',
    'Until when a revocation list of a trustpoint is good, Unix time',
    (s) => (s.trustpoints ?? []).flatMap(({ name, crls }) => crls.map((item) => ({ name, ...item }))),
    ({ name, issuer }) => ({ trustpoint: name, issuer: issuer.join(',') }),
    ({ nextUpdate }) => nextUpdate / 1000,
  ),
  onServer('serving', 'Whether the key server hands out policy', (g) => Number(g.serving)),
  onServer('policy_pending', 'Whether a changed policy waits for the next rekey', (g) => Number(g.policyPending)),
  onServer('members', 'Registered members', (g) => g.members.length),
  onServer('receive_only', 'Whether the members are told to encrypt nothing', (g) => Number(g.receiveOnly)),
  onServer('sender_ids_used', 'Sender IDs given out under the present keys', (g) => g.senderIdsUsed),
  onServer('sender_ids_remaining', 'Sender IDs left until all keys are replaced', (g) =>
    g.counterMode ? Math.max(0, 2 ** g.senderIdBits - g.senderIdsUsed) : 0,
  ),
  onServer('teks', 'Live TEKs', (g) => g.teks.length),
  onServer('registrations_total', 'Registrations served', (g) => g.registrations),
  onServer('rekeys_sent_total', 'Rekeys sent', (g) => g.rekeysSent),
  onServer('rekey_acks_received', 'Acknowledgements of the present members: a member that leaves takes its own along', (g) =>
    sum(g.members.map((m) => m.rekeyAcksReceived)),
  ),
  onServer('rekey_acks_missed', 'Acknowledgements that the present members owe', (g) => sum(g.members.map((m) => m.rekeyAcksMissed))),
  onServer('kek_remaining_seconds', 'Until the KEK expires, 0 without one', (g) => g.kek?.remainingSeconds ?? 0),
  onServerTek('age_seconds', 'Since the TEK was made', (tek) => tek.ageSeconds),
  onServerTek('remaining_seconds', 'Until the TEK expires', (tek) => tek.remainingSeconds),
  each(
    'drops_total',
    'Packets dropped by the dataplane, by reason',
    (s) => s.counters.drops,
    ({ name }) => ({ reason: name }),
    ({ value }) => value,
  ),
  each(
    'interface_drops_total',
    'The same packets by the interface that lost them: received by it, or to be sent by it',
    (s) => dropsByInterface(s.counters.dropCells ?? []),
    ({ interface: name, reason, direction }) => ({ interface: name ?? '', reason, direction }),
    ({ packets }) => packets,
  ),
  each(
    'access_list_matches_total',
    'Packets that an entry of an access list on an interface matched; clear access-list counters sets it back',
    (s) => s.accessLists.flatMap(({ name, filters, entries }) => (filters ? entries.map((entry) => ({ name, ...entry })) : [])),
    ({ name, sequence, action }) => ({ list: name, sequence: String(sequence), action }),
    ({ hits }) => hits ?? 0,
  ),
  ...(['packets', 'bytes'] as const).map((unit) =>
    each(
      `route_map_matched_${unit}_total`,
      `${unit === 'packets' ? 'Packets' : 'Bytes of packets'} that an entry of a route-map matched in policy routing`,
      (s) => s.routeMaps.filter(({ matched }) => matched !== undefined),
      ({ name, action, sequence }) => ({ route_map: name, action, sequence: String(sequence) }),
      ({ matched }) => matched?.[unit] ?? 0,
    ),
  ),
  one('nat_sessions', 'NAT sessions there are', ({ counters }) => counterValue(counters.nat, 'sessions')),
  ...qosMetrics,
  one('path_queued_packets', 'Datagrams in queues of service-policies', ({ counters }) => counterValue(counters.path, 'queued_packets')),
  one('path_held_packets', 'Fragments that wait for the first of their datagram', ({ counters }) =>
    counterValue(counters.path, 'held_packets'),
  ),
  onProcess('up', 'Whether the process runs', (p) => Number(p.pid !== null)),
  onProcess('resident_memory_bytes', 'Resident memory', (p) => p.rssBytes),
  onProcess('restarts_total', 'Restarts by the supervisor', (p) => p.restarts),
];

/** Ports whose interfaces are gone are one: a label of their own would need a name. */
function dropsByInterface(cells: readonly DropCell[]): DropCell[] {
  const sums = new Map<string, DropCell>();
  for (const cell of cells) {
    const key = `${cell.interface} ${cell.reason}`;
    sums.set(key, { ...cell, packets: cell.packets + (sums.get(key)?.packets ?? 0) });
  }
  return [...sums.values()];
}

/** Counters that name and explain themselves: the dataplane's path block, those of NAT, and control's counters. */
function selfDeclared(snapshot: Snapshot): Metric[] {
  const declare = (prefix: string, list: (s: Snapshot) => Snapshot['counters']['path']) =>
    list(snapshot).map(({ name, help, value }) => one(`${prefix}${name}_total`, help, () => value));
  const nat = declare('nat_', (s) => s.counters.nat.filter(({ name }) => name !== 'sessions')); // a gauge, above
  const path = declare('path_', (s) => s.counters.path.filter(({ name }) => name !== 'held_packets' && name !== 'queued_packets'));
  return [...path, ...nat, ...declare('', (s) => s.counters.control)];
}

/** prom-client's own would want to see each packet. */
function histogramOf(name: string, help: string, buckets: readonly Sample[]): Histogram {
  const values = buckets.flatMap(([labels, value]) => {
    const bucket = { metricName: `${name}_bucket`, labels, value };
    const { le, ...others } = labels;
    return le === '+Inf' ? [bucket, { metricName: `${name}_count`, labels: others, value }] : [bucket];
  });
  return { name, get: async () => ({ name, help, type: 'histogram', values }) } as unknown as Histogram;
}

/** @returns the exposition text, every sample labelled with the instance */
export async function renderMetrics(snapshot: Snapshot): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels({ instance: snapshot.instance });
  for (const { name, help, samples, isHistogram } of [...metrics, ...selfDeclared(snapshot)]) {
    const values = samples(snapshot);
    // Without labels prom-client would print a sample of 0, which is gone when the list has its first.
    const labelNames = values.length > 0 ? Object.keys(values[0][0]) : ['none'];
    const declaration = { name: `groupwire_${name}`, help, labelNames, registers: [registry] };
    if (isHistogram) registry.registerMetric(histogramOf(declaration.name, help, values));
    else if (name.endsWith('_total')) {
      const counter = new Counter(declaration);
      for (const [labels, value] of values) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(declaration);
      for (const [labels, value] of values) gauge.set(labels, value);
    }
  }
  return registry.metrics();
}
