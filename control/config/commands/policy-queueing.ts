// What a class of a policy does to its queue: priority, bandwidth, shape average, queue-limit, fair-queue. random-detect is in policy-red.ts.
// Does not: `shape peak`, `shape adaptive`, the number of flows of fair-queue.

import { integer } from '../arguments.js';
import type { BandwidthShare, PolicyClass, PriorityQueue, Shape } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { describeRate, LeastRate, MostRate } from './policy-police.js';

type ClassEdit = Edit<'config-pmap-c'>;
export type ClassField = Exclude<keyof PolicyClass, 'line' | 'name'>;

/** Sets one field of a class, remembering the line; `no` takes it away. */
export function classField<K extends ClassField>(field: K, what: string, read: (args: Args) => PolicyClass[K]) {
  return {
    run: (args: Args, { session, target }: ClassEdit): void => {
      target[field] = read(args);
      session.mark(target, field);
    },
    no: (_: Args, { session, target }: ClassEdit): void => {
      if (target[field] === undefined) session.warnAbsent(what);
      delete target[field];
    },
  };
}

function readPriority(args: Args): PriorityQueue {
  const level = args.optionalNumber('level') as PriorityQueue['level'] | null;
  const [kbps, percent, burstBytes] = ['kbps', 'percent', 'burst'].map((name) => args.optionalNumber(name));
  const rate = kbps !== null ? { kbps } : percent === null ? null : { percent };
  return { ...(level !== null && { level }), ...(rate && { rate }), ...(burstBytes !== null && { burstBytes }) };
}

const kbps = integer(8, 100_000_000);
const percent = integer(1, 100);
const priority = classField('priority', 'priority', readPriority);
const priorityBurst = argument<ClassEdit>('burst', integer(32, 64_000_000), 'Burst in bytes', priority);
const priorityRate: Node<ClassEdit>[] = [
  argument('kbps', kbps, 'Kilo bits per second', { ...priority, next: [priorityBurst] }),
  keyword('percent', '% of total bandwidth', {
    next: [argument('percent', percent, 'Percentage', { ...priority, next: [priorityBurst] })],
  }),
];

function readShare(args: Args): BandwidthShare {
  if (args.has('kbps')) return { kbps: args.number('kbps') };
  if (args.has('percent')) return { percent: args.number('percent') };
  return args.has('remaining') ? { remainingPercent: args.number('remaining') } : { remainingRatio: args.number('ratio') };
}

const bandwidth = classField('bandwidth', 'bandwidth', readShare);

function readShape(args: Args): Shape {
  const rate = args.has('percent') ? { percent: args.number('percent') } : { bps: args.number('bps') };
  const [bc, be] = [args.optionalNumber('bc'), args.optionalNumber('be')];
  return { rate, ...(bc !== null && { bc }), ...(be !== null && { be }) };
}

const shape = classField('shape', 'shape', readShape);
const shapeBits = integer(256, 1_000_000_000);
const shapeMs = integer(1, 2000);
const ms = (next: Node<ClassEdit>[]): Node<ClassEdit> => keyword('ms', 'milliseconds', { ...shape, next });

const queueLimit = classField('queueLimit', 'queue-limit', (args) => ({
  value: args.number('limit'),
  unit: (args.optionalText('unit') ?? 'packets') as 'packets',
}));
const unitNode = (unit: string, help: string): Node<ClassEdit> => keyword(unit, help, { ...queueLimit, set: ['unit', unit] });

export const queueingCommands: Node<ClassEdit>[] = [
  keyword('bandwidth', 'Bandwidth', {
    commit: true,
    no: bandwidth.no,
    next: [
      argument('kbps', kbps, 'Kilo Bits per second', bandwidth),
      keyword('percent', '% of total Bandwidth', { next: [argument('percent', percent, 'Percentage', bandwidth)] }),
      path(
        [['remaining', 'percent/ratio of the remaining bandwidth']],
        [
          keyword('percent', '% of the remaining bandwidth', { next: [argument('remaining', percent, 'Percentage', bandwidth)] }),
          keyword('ratio', 'ratio for sharing excess bandwidth', { next: [argument('ratio', integer(1, 1000), 'Ratio', bandwidth)] }),
        ],
      ),
    ],
  }),
  keyword('fair-queue', 'Enable Flow-based Fair Queuing in this Class', {
    commit: true,
    ...classField('fairQueue', 'fair-queue', () => true),
  }),
  keyword('priority', 'Strict Scheduling Priority for this Class', {
    commit: true,
    ...priority,
    next: [
      ...priorityRate,
      keyword('level', 'Multi-Level Priority Queue', {
        next: [argument('level', integer(1, 2), 'Multi-Level Priority Queue level', { ...priority, next: priorityRate })],
      }),
    ],
  }),
  keyword('queue-limit', 'Queue Max Threshold for Tail Drop', {
    commit: true,
    no: queueLimit.no,
    next: [
      argument('limit', integer(1, 8_192_000), 'In packets by default', {
        ...queueLimit,
        next: [unitNode('bytes', 'in bytes'), unitNode('ms', 'in milliseconds of the class’s rate'), unitNode('packets', 'in packets')],
      }),
    ],
  }),
  keyword('shape', 'Traffic Shaping', {
    commit: true,
    no: shape.no,
    next: [
      keyword('average', 'configure token bucket: CIR (bps) [Bc (bits) [Be (bits)]], send out Bc only per interval', {
        next: [
          argument('bps', integer(LeastRate, MostRate), 'Target Bit Rate (bits per second)', {
            ...shape,
            next: [
              argument('bc', shapeBits, 'bits per interval, sustained', {
                ...shape,
                next: [argument('be', integer(0, 1_000_000_000), 'bits per interval, excess', shape)],
              }),
            ],
          }),
          keyword('percent', '% of the rate above for shaping', {
            next: [
              argument('percent', percent, 'Percentage', {
                ...shape,
                next: [
                  argument('bc', shapeMs, 'sustained burst', {
                    ...shape,
                    next: [ms([argument('be', integer(0, 2000), 'excess burst', { ...shape, next: [ms([])] })])],
                  }),
                ],
              }),
            ],
          }),
        ],
      }),
      refused('adaptive', 'shape adaptive is not supported', 'shape average'),
      refused('peak', 'shape peak is not supported', 'shape average'),
    ],
  }),
];

function describePriority({ level, rate, burstBytes }: PriorityQueue): string {
  return [
    'priority',
    ...(level === undefined ? [] : [`level ${level}`]),
    ...(rate === undefined ? [] : ['kbps' in rate ? String(rate.kbps) : `percent ${rate.percent}`]),
    ...(burstBytes === undefined ? [] : [String(burstBytes)]),
  ].join(' ');
}

function describeShare(share: BandwidthShare): string {
  if ('kbps' in share) return String(share.kbps);
  if ('percent' in share) return `percent ${share.percent}`;
  return 'remainingPercent' in share ? `remaining percent ${share.remainingPercent}` : `remaining ratio ${share.remainingRatio}`;
}

function describeShape({ rate, bc, be }: Shape): string {
  const unit = 'percent' in rate ? ' ms' : '';
  const bursts = [bc, be].filter((burst) => burst !== undefined).map((burst) => ` ${burst}${unit}`);
  return `shape average ${describeRate(rate)}${bursts.join('')}`;
}

/** Lines of a class, in the order of a running configuration. */
export function printQueueing({ priority: queue, bandwidth: share, shape: shaper, queueLimit: limit, fairQueue }: PolicyClass): string[] {
  return [
    ...(queue ? [describePriority(queue)] : []),
    ...(share ? [`bandwidth ${describeShare(share)}`] : []),
    ...(shaper ? [describeShape(shaper)] : []),
    ...(limit ? [`queue-limit ${limit.value} ${limit.unit}`] : []),
    ...(fairQueue ? ['fair-queue'] : []),
  ];
}
