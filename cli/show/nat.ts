// `show ip nat translations`, `show ip nat statistics`.

import { counterValue } from '../../control/api/counter-value.js';
import type { Snapshot } from '../../control/api/snapshot.js';
import type { NatTranslation, NatTranslations } from '../../control/api/snapshot-nat.js';
import type { NatSelection } from '../../control/config/exec-nat.js';
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
  if (item.state === 'static' || item.state === 'simple')
    return [`  Map-Id(In):${item.mapping ?? 0}, Input-IDB: ${item.interface ?? '-'}, flags: ${item.state}`];
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

/** Those that are asked for. Their number is that of all when all are asked for, else of those that were fetched. */
export function chooseTranslations(all: NatTranslations, { protocol, inside, outside }: NatSelection): NatTranslations {
  if (protocol === null && inside === null && outside === null) return all;
  const isAt = (address: string | null, ...ends: string[]): boolean =>
    address === null || ends.some((end) => end === address || end.startsWith(`${address}:`));
  const translations = all.translations.filter(
    (item) =>
      (protocol === null || item.protocol === protocol) &&
      isAt(inside, item.insideLocal, item.insideGlobal) &&
      isAt(outside, item.outsideLocal, item.outsideGlobal),
  );
  return { ...all, total: translations.length, translations };
}

function list(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`  ${names.join(', ')}`];
}

/** What `| json` of `show ip nat statistics` is. Numbers of translations are those that were fetched. */
export function natStatistics({ nat, counters }: Snapshot, translations: NatTranslations | null) {
  const all = translations?.translations ?? [];
  const flows = all.filter(({ state }) => state !== 'static' && state !== 'simple');
  const refcount = (id: number) => flows.filter(({ mapping }) => mapping === id).length;
  return {
    ...nat,
    mappings: nat.mappings.map((mapping) => ({ ...mapping, refcount: refcount(mapping.id) })),
    pools: nat.pools.map((pool) => ({ ...pool, allocated: allocatedOf(pool, nat.mappings, all) })),
    counters: counters.nat,
    drops: counters.drops.filter(({ name }) => name.startsWith('nat_')),
  };
}

function addressNumber(text: string): number {
  return text
    .split(':')[0]
    .split('.')
    .reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** Addresses of a pool that translations use. */
function allocatedOf(
  { name, first, last }: Snapshot['nat']['pools'][number],
  mappings: Snapshot['nat']['mappings'],
  translations: readonly NatTranslation[],
): number {
  const uses = new Map(mappings.filter(({ pool }) => pool === name).map(({ id, use }) => [id, use]));
  const used = new Set<number>();
  for (const { mapping, insideGlobal, insideLocal, outsideLocal } of translations) {
    const use = uses.get(mapping ?? 0);
    if (use === undefined) continue;
    const end = use === 'inside source' ? insideGlobal : use === 'outside source' ? outsideLocal : insideLocal;
    const address = addressNumber(end);
    if (address >= addressNumber(first) && address <= addressNumber(last)) used.add(address);
  }
  return used.size;
}

type Statistics = ReturnType<typeof natStatistics>;

function renderMapping(
  { id, source, name, interface: to, pool, refcount }: Statistics['mappings'][number],
  { pools }: Statistics,
): string[] {
  const target = pool === null ? `interface ${to}` : `pool ${pool}`;
  const lines = [`[Id: ${id}] ${source === 'list' ? 'access-list' : source} ${name} ${target} refcount ${refcount}`];
  const used = pools.find((candidate) => candidate.name === pool);
  if (!used) return lines;
  const percent = Math.floor((used.allocated * 100) / used.addresses);
  return [
    ...lines,
    ` pool ${used.name}: netmask ${used.netmask}`,
    `\tstart ${used.first} end ${used.last}`,
    `\ttype ${used.type}, total addresses ${used.addresses}, allocated ${used.allocated} (${percent}%), misses 0`,
  ];
}

/** `show ip nat statistics`. A miss is a packet that made a translation, a hit one that found it. */
export function renderNatStatistics(snapshot: Snapshot, translations: NatTranslations | null): string[] {
  const statistics = natStatistics(snapshot, translations);
  const { inside, outside, mappings, counters, drops, statics } = statistics;
  const flows = counterValue(counters, 'sessions');
  const simple = translations?.translations.filter(({ state }) => state === 'simple').length ?? 0;
  const misses = counterValue(counters, 'sessions_created');
  const packets = counterValue(counters, 'outbound_packets') + counterValue(counters, 'inbound_packets');
  const noPort = counterValue(drops, 'nat_no_port');
  const full = counterValue(drops, 'nat_full') + counterValue(drops, 'nat_host_full');
  const dropped = drops.reduce((sum, { value }) => sum + value, 0);
  const section = (title: string, use: string): string[] => {
    const meant = mappings.filter((mapping) => mapping.use === use);
    return meant.length === 0 ? [] : [`-- ${title}`, ...meant.flatMap((mapping) => renderMapping(mapping, statistics))];
  };
  return [
    `Total active translations: ${statics + simple + flows} (${statics} static, ${simple + flows} dynamic; ${flows} extended)`,
    'Outside interfaces:',
    ...list(outside),
    'Inside interfaces:',
    ...list(inside),
    `Hits: ${Math.max(0, packets - misses)}  Misses: ${misses}`,
    `CEF Translated packets: ${packets}, CEF Punted packets: 0`,
    `Expired translations: ${counterValue(counters, 'sessions_expired')}`,
    'Dynamic mappings:',
    ...section('Inside Source', 'inside source'),
    ...section('Inside Destination', 'inside destination'),
    ...section('Outside Source', 'outside source'),
    `Pool stats drop: ${counterValue(drops, 'nat_no_address')}  Mapping stats drop: ${dropped}`,
    `Port block alloc fail: ${noPort}`,
    'IP alias add fail: 0',
    `Limit entry add fail: ${full}`,
  ];
}
