// `show ip nat translations`, `show ip nat statistics`.

import type { Snapshot } from '../../control/api/snapshot.js';
import type { NatTranslation, NatTranslations } from '../../control/api/snapshot-nat.js';
import { formatClock } from './columns.js';

const columns = [5, 22, 22, 22] as const;

function row(...cells: string[]): string {
  return cells
    .map((cell, index) => `${cell} `.padEnd(columns[index] ?? 0))
    .join('')
    .trimEnd();
}

function renderTranslation({ protocol, insideGlobal, insideLocal, outsideLocal, outsideGlobal }: NatTranslation): string {
  return row(protocol, insideGlobal, insideLocal, outsideLocal, outsideGlobal);
}

/** `04/09/11 10:51:48`, UTC. */
function formatStamp(time: number): string {
  const [date, clock] = new Date(time).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${month}/${day}/${year.slice(-2)} ${clock.slice(0, 8)}`;
}

/** The three lines below a translation. The MAC address is always zero, as a packet's link is not remembered. */
function renderDetail(item: NatTranslation, takenAt: number): string[] {
  const at = (secondsAgo: number) => formatStamp(takenAt - secondsAgo * 1000);
  const timeout = item.timeoutSeconds === null ? 'never' : formatClock(item.timeoutSeconds);
  return [
    `  create ${at(item.createdSecondsAgo)}, use ${at(item.usedSecondsAgo)}, timeout: ${timeout}`,
    `  Map-Id(In):${item.mapping ?? 0}, Mac-Address: 0000.0000.0000 Input-IDB: ${item.interface ?? '-'}`,
    `  entry-id: 0x${item.id.toString(16).padStart(8, '0')}, use_count:1`,
  ];
}

/** `show ip nat translations [verbose]`. */
export function renderNatTranslations({ takenAt, total, translations }: NatTranslations, verbose: boolean): string[] {
  return [
    row('Pro', 'Inside global', 'Inside local', 'Outside local', 'Outside global'),
    ...translations.flatMap((item) => [renderTranslation(item), ...(verbose ? renderDetail(item, takenAt) : [])]),
    `Total number of translations: ${total}`,
    ...(total > translations.length ? [`% Only ${translations.length} of them are shown`] : []),
  ];
}

function counted(counters: readonly { name: string; value: number }[], name: string): number {
  return counters.find((counter) => counter.name === name)?.value ?? 0;
}

function list(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`  ${names.join(', ')}`];
}

/** What `| json` of `show ip nat statistics` is. */
export function natStatistics({ nat, counters }: Snapshot, translations: NatTranslations | null) {
  const refcount = (id: number) => translations?.translations.filter(({ mapping }) => mapping === id).length ?? 0;
  return {
    ...nat,
    mappings: nat.mappings.map((mapping) => ({ ...mapping, refcount: refcount(mapping.id) })),
    counters: counters.nat,
    drops: counters.drops.filter(({ name }) => name.startsWith('nat_')),
  };
}

/** `show ip nat statistics`. A miss is a packet that made a translation, a hit one that found it. */
export function renderNatStatistics(snapshot: Snapshot, translations: NatTranslations | null): string[] {
  const { inside, outside, mappings, counters, drops } = natStatistics(snapshot, translations);
  const total = counted(counters, 'sessions');
  const misses = counted(counters, 'sessions_created');
  const packets = counted(counters, 'outbound_packets') + counted(counters, 'inbound_packets');
  const noPort = counted(drops, 'nat_no_port');
  const full = counted(drops, 'nat_full');
  const dropped = drops.reduce((sum, { value }) => sum + value, 0);
  return [
    `Total active translations: ${total} (0 static, ${total} dynamic; ${total} extended)`,
    'Outside interfaces:',
    ...list(outside),
    'Inside interfaces:',
    ...list(inside),
    `Hits: ${Math.max(0, packets - misses)}  Misses: ${misses}`,
    `CEF Translated packets: ${packets}, CEF Punted packets: 0`,
    `Expired translations: ${counted(counters, 'sessions_expired')}`,
    'Dynamic mappings:',
    '-- Inside Source',
    ...mappings.map(
      ({ id, source, name, interface: to, refcount }) =>
        `[Id: ${id}] ${source === 'list' ? 'access-list' : source} ${name} interface ${to} refcount ${refcount}`,
    ),
    `Pool stats drop: 0  Mapping stats drop: ${dropped}`,
    `Port block alloc fail: ${noPort}`,
    'IP alias add fail: 0',
    `Limit entry add fail: ${full}`,
  ];
}
