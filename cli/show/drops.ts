// `show drops`: what the packet path dropped since `clear counters`, a matrix of reason and interface. The dataplane counts cells and nothing else is added up,
// so rows and columns come to one total at any moment.

import type { DropCell, InterfaceState, Snapshot } from '../../control/api/snapshot.js';

export interface DropTable {
  /** `interfaces`: packets by interface, without the zeros. */
  reasons: { name: string; help: string; packets: number; interfaces: Record<string, number> }[];
  /** And NoInterface, if it lost any. */
  interfaces: { name: string; receive: number; send: number }[];
  total: number;
}

/** Stands for the ports whose interfaces are configured no more. */
const NoInterface = '(none)';

/** An interface's counters since `clear counters`. */
export function countedSince({ cleared }: Snapshot, { name, counters }: InterfaceState): InterfaceState['counters'] {
  const then = cleared?.interfaces.find((item) => item.name === name)?.counters;
  if (then === undefined) return counters;
  const since = (key: keyof typeof counters): number => (counters[key] ?? 0) - (then[key] ?? 0);
  return {
    receivedPackets: since('receivedPackets'),
    receivedBytes: since('receivedBytes'),
    sentPackets: since('sentPackets'),
    sentBytes: since('sentBytes'),
    receiveDrops: since('receiveDrops'),
    sendDrops: since('sendDrops'),
    mssLowered: since('mssLowered'),
    mssMalformed: since('mssMalformed'),
  };
}

type Cell = Pick<DropCell, 'reason' | 'direction' | 'packets'> & { name: string };

/** Cells since `clear counters`. */
function cellsSince({ counters, cleared }: Snapshot): Cell[] {
  const then = new Map((cleared?.dropCells ?? []).map(({ port, reason, packets }) => [`${port} ${reason}`, packets]));
  return (counters.dropCells ?? [])
    .map(({ port, interface: name, reason, direction, packets }) => ({
      name: name ?? NoInterface,
      reason,
      direction,
      packets: packets - (then.get(`${port} ${reason}`) ?? 0),
    }))
    .filter(({ packets }) => packets > 0);
}

function sumOf(cells: readonly Cell[]): number {
  return cells.reduce((sum, { packets }) => sum + packets, 0);
}

export function dropTable(snapshot: Snapshot): DropTable {
  const cells = cellsSince(snapshot);
  const reasons = snapshot.counters.drops.map(({ name, help }) => {
    const row = cells.filter(({ reason }) => reason === name);
    const interfaces: Record<string, number> = {};
    for (const cell of row) interfaces[cell.name] = (interfaces[cell.name] ?? 0) + cell.packets;
    return { name, help, packets: sumOf(row), interfaces };
  });
  const isElsewhere = cells.some(({ name }) => name === NoInterface);
  const names = [...snapshot.interfaces.map(({ name }) => name), ...(isElsewhere ? [NoInterface] : [])];
  const interfaces = names.map((name) => {
    const lost = (wanted: Cell['direction']) => sumOf(cells.filter((cell) => cell.name === name && cell.direction === wanted));
    return { name, receive: lost('receive'), send: lost('send') };
  });
  return { reasons, interfaces, total: sumOf(cells) };
}

/** As IOS shortens it: `Gi0/0`. A Linux name stays. */
function shortName(name: string): string {
  return name.replace(/^([A-Z][a-z])[A-Za-z]*(?=[0-9])/, '$1');
}

export function renderDrops(snapshot: Snapshot): string[] {
  const { reasons, interfaces, total } = dropTable(snapshot);
  const dropped = reasons.filter(({ packets }) => packets > 0).sort((a, b) => b.packets - a.packets);
  const columns = interfaces.filter(({ receive, send }) => receive + send > 0);
  const width = Math.max(20, ...dropped.map(({ name }) => name.length));
  const row = (label: string, cells: (string | number)[]) =>
    `${label.padEnd(width)}${cells.map((cell) => ` ${String(cell).padStart(11)}`).join('')}`;
  const sums = (label: string, of: (column: (typeof columns)[number]) => number) => {
    const values = columns.map(of);
    return row(label, [...values, values.reduce((sum, value) => sum + value, 0)]);
  };
  return [
    row('Reason', [...columns.map(({ name }) => shortName(name)), 'Packets']),
    ...dropped.map(({ name, packets, interfaces: cells }) => row(name, [...columns.map((column) => cells[column.name] ?? 0), packets])),
    row('Total', [...columns.map(({ receive, send }) => receive + send), total]),
    sums('  received', ({ receive }) => receive),
    sums('  to be sent', ({ send }) => send),
    ...(dropped.length === 0 ? [] : ['', ...dropped.map(({ name, help }) => `${name}: ${help}`)]),
  ];
}
