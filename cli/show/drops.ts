// `show drops`: what the packet path dropped, by reason and by the interface that lost it, since `clear counters`. Both ways of counting
// come to one total; a difference can only be what was dropped between two readings.

import type { InterfaceState, Snapshot } from '../../control/api/snapshot.js';

export interface DropTable {
  reasons: { name: string; help: string; packets: number }[];
  interfaces: { name: string; receive: number; send: number }[];
  total: number;
  /** Dropped at no configured interface. */
  elsewhere: number;
}

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

export function dropTable(snapshot: Snapshot): DropTable {
  const then = snapshot.cleared?.drops ?? [];
  const reasons = snapshot.counters.drops.map(({ name, help, value }, index) => ({ name, help, packets: value - (then[index] ?? 0) }));
  const interfaces = snapshot.interfaces.map((state) => {
    const { receiveDrops, sendDrops } = countedSince(snapshot, state);
    return { name: state.name, receive: receiveDrops, send: sendDrops };
  });
  const total = reasons.reduce((sum, { packets }) => sum + packets, 0);
  return { reasons, interfaces, total, elsewhere: total - interfaces.reduce((sum, { receive, send }) => sum + receive + send, 0) };
}

export function renderDrops(snapshot: Snapshot): string[] {
  const { reasons, interfaces, total, elsewhere } = dropTable(snapshot);
  const dropped = reasons.filter(({ packets }) => packets > 0).sort((a, b) => b.packets - a.packets);
  const number = (value: number) => String(value).padStart(12);
  return [
    `${'Packets'.padStart(12)}  Reason`,
    ...dropped.map(({ name, help, packets }) => `${number(packets)}  ${name}: ${help}`),
    `${number(total)}  total`,
    '',
    `${'Received'.padStart(12)}${'To be sent'.padStart(12)}  Interface`,
    ...interfaces.map(({ name, receive, send }) => `${number(receive)}${number(send)}  ${name}`),
    ...(elsewhere === 0 ? [] : [`${number(elsewhere)}${number(0)}  none of them`]),
  ];
}
