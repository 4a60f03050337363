// `show policy-map interface [IF] [input|output] [class C]`. IOS's words; the line `(time in queue p50/p99)` is ours.

import type { ClassAtWork, PolicyAtWork, PolicyInterfaceState } from '../../control/api/snapshot-qos-interface.js';

/** At least four digits, in thousands when there are more. */
function bps(value: number): string {
  return String(value < 1000 ? Math.round(value) : Math.round(value / 1000) * 1000).padStart(4, '0');
}

const counts = ({ packets, bytes }: { packets: number; bytes: number }): string => `${packets}/${bytes}`;
const sums = ({ packets, bytes }: { packets: number; bytes: number }): string => `${packets} packets, ${bytes} bytes`;

function queueDrops({ drops }: ClassAtWork): number {
  return drops.tail.packets + drops.random.packets + drops.overRate.packets + drops.noBuffer.packets;
}

function waits({ wait: { p50Us, p99Us } }: ClassAtWork): string[] {
  return p50Us === null ? [] : [`(time in queue p50/p99) ${p50Us}/${p99Us} us`];
}

function renderRed(red: NonNullable<ClassAtWork['red']>): string[] {
  const { by, ecn, weight, meanPackets, rows } = red;
  const head = [
    by === 'dscp' ? 'dscp' : 'class',
    'Transmitted',
    'Random drop',
    'Tail drop',
    'Minimum',
    'Maximum',
    'Mark',
    ...(ecn ? ['ECN mark'] : []),
  ];
  const second = ['', 'pkts/bytes', 'pkts/bytes', 'pkts/bytes', 'thresh', 'thresh', 'prob', ...(ecn ? ['pkts/bytes'] : [])];
  const widths = [11, 20, 17, 17, 14, 14, 9, 12];
  const row = (cells: readonly string[]): string => `  ${cells.map((cell, n) => cell.padEnd(widths[n])).join('')}`.trimEnd();
  return [
    `  Exp-weight-constant: ${weight} (1/${2 ** weight})`,
    `  Mean queue depth: ${Math.round(meanPackets)} packets`,
    ...(ecn ? ['  explicit congestion notification'] : []),
    row(head),
    row(second),
    ...rows.map((item) =>
      row([
        item.name,
        counts(item.sent),
        counts(item.random),
        counts(item.tail),
        String(item.least),
        String(item.most),
        `1/${item.markDenominator}`,
        ...(ecn ? [counts(item.ecnMarked)] : []),
      ]),
    ),
  ];
}

function renderQueue(item: ClassAtWork): string[] {
  const { queue, priority, queued, sent, drops, red } = item;
  if (priority) {
    const { percent, kbps, burstBytes } = priority;
    const rate =
      kbps === null
        ? 'Strict'
        : `${percent === null ? '' : `${percent}% (`}${kbps} kbps${percent === null ? '' : ')'}, burst bytes ${burstBytes}`;
    return [`Priority: ${rate}, b/w exceed drops: ${drops.overRate.packets}`, ...waits(item)];
  }
  if (!queue) return [];
  const isFair = queue.flowLimit !== null;
  return [
    'Queueing',
    `queue limit ${queue.limit} ${queue.unit}`,
    `(queue depth/total drops/no-buffer drops${isFair ? '/flowdrops' : ''}) ${queued.packets}/${queueDrops(item)}/${drops.noBuffer.packets}${isFair ? `/${drops.tail.packets}` : ''}`,
    `(pkts output/bytes output) ${counts(sent)}`,
    ...waits(item),
    ...(queue.shape
      ? [`shape (average) cir ${queue.shape.bps}, bc ${queue.shape.bc}, be ${queue.shape.be}`, `target shape rate ${queue.shape.bps}`]
      : []),
    ...(queue.bandwidth === null ? [] : [queue.bandwidth]),
    ...(red ? renderRed(red) : []),
  ];
}

function renderPolice(police: NonNullable<ClassAtWork['police']>): string[] {
  const { cirBps, bcBytes, pirBps, beBytes, conformed, exceeded, violated } = police;
  const colour = (name: string, { action, counted }: typeof conformed): string[] => [
    `  ${name} ${sums(counted)}; actions:`,
    `    ${action}`,
  ];
  return [
    'police:',
    pirBps === null
      ? `    cir ${cirBps} bps, bc ${bcBytes} bytes${beBytes > 0 ? `, be ${beBytes} bytes` : ''}`
      : `    cir ${cirBps} bps, bc ${bcBytes} bytes, pir ${pirBps} bps, be ${beBytes} bytes`,
    ...colour('conformed', conformed),
    ...colour('exceeded', exceeded),
    ...(violated ? colour('violated', violated) : []),
  ];
}

function renderClass(item: ClassAtWork): string[] {
  const { name, match, offered, rates, matches, police, set, marked, queue, policy } = item;
  const lines = [
    sums(offered),
    `5 minute offered rate ${bps(rates?.offeredBps ?? 0)} bps, drop rate ${bps(rates?.dropBps ?? 0)} bps`,
    ...(matches.length === 0 ? ['none'] : matches).map((words) => `Match: ${words.trimStart()}`),
    ...renderQueue(item),
    ...(police ? renderPolice(police) : []),
    ...(set.length === 0 ? [] : ['QoS Set', ...set.flatMap((words) => [`  ${words}`, `    Packets marked ${marked}`])]),
    ...(queue?.flowLimit ? [`Fair-queue: per-flow queue limit ${queue.flowLimit} packets`] : []),
    ...(policy ? ['', `Service-policy : ${policy.name}`, '', ...renderPolicy(policy).map((line) => (line === '' ? '' : `  ${line}`))] : []),
  ];
  return [`Class-map: ${name} (match-${match})`, ...lines.map((line) => (line === '' ? '' : `  ${line}`)), ''];
}

/** Those with priority wait in one place, as far as IOS shows it. */
function renderUrgent(classes: readonly ClassAtWork[]): string[] {
  const urgent = classes.filter(({ priority, queue }) => priority !== null && queue !== null);
  if (urgent.length === 0) return [];
  const sum = (of: (item: ClassAtWork) => number): number => urgent.reduce((total, item) => total + of(item), 0);
  const [{ queue }] = urgent;
  return [
    'queue stats for all priority classes:',
    '  Queueing',
    `  queue limit ${queue?.limit} ${queue?.unit}`,
    `  (queue depth/total drops/no-buffer drops) ${sum(({ queued }) => queued.packets)}/${sum(queueDrops)}/${sum(({ drops }) => drops.noBuffer.packets)}`,
    `  (pkts output/bytes output) ${sum(({ sent }) => sent.packets)}/${sum(({ sent }) => sent.bytes)}`,
    '',
  ];
}

function renderPolicy({ classes }: PolicyAtWork): string[] {
  return [...renderUrgent(classes), ...classes.flatMap(renderClass)];
}

export function renderPolicyInterfaces(states: readonly PolicyInterfaceState[]): string[] {
  return states.flatMap(({ interface: name, direction, policy }) => [
    name,
    '',
    `  Service-policy ${direction}: ${policy.name}`,
    '',
    ...renderPolicy(policy).map((line) => (line === '' ? '' : `    ${line}`)),
  ]);
}

/** Classes of that name, wherever they are: what is around them is left out. */
function withClass(policy: PolicyAtWork, name: string): PolicyAtWork[] {
  const own = policy.classes.filter((item) => item.name === name);
  const below = policy.classes.flatMap((item) => (item.policy ? withClass(item.policy, name) : []));
  return own.length > 0 ? [{ ...policy, classes: own }] : below;
}

export function chooseClass(states: readonly PolicyInterfaceState[], name: string | null): PolicyInterfaceState[] {
  if (name === null) return [...states];
  return states.flatMap((state) => withClass(state.policy, name).map((policy) => ({ ...state, policy })));
}
