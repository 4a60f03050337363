// `class-map` and `policy-map` as the rest of control sees them. Plain data, like model.ts. What is absent was not configured.

/** One `match` line. `not`: it holds when what it names does not. */
export type ClassMatch = { not: boolean } & (
  | { kind: 'any' }
  | { kind: 'access-group'; list: string }
  | { kind: 'class-map'; name: string }
  /** Any of the values; `ip`: written as `match ip dscp`, the same on IPv4. 0..63 (RFC 2474 §3), 0..7 (RFC 791 §3.1). */
  | { kind: 'dscp' | 'precedence'; ip: boolean; values: number[] }
  | { kind: 'packet-length'; least: number; most: number }
  /** A name of qos-protocols.ts. */
  | { kind: 'protocol'; name: string }
  | { kind: 'qos-group'; group: number }
);

export interface ClassMap {
  line: number;
  name: string;
  /** A packet is of the class when any, or all, of its matches hold. */
  match: 'any' | 'all';
  description: string | null;
  /** Without any, no packet is of the class. */
  matches: ClassMatch[];
}

/** The class that all packets are in that no other class of their policy took. */
export const DefaultClass = 'class-default';

/** Part of the rate above: of the interface, or of the parent's shaper. */
export interface Percent {
  percent: number;
}
export type QosRate = { bps: number } | Percent;
/** Of a policer: bytes, or what the rate carries in so many milliseconds. */
export type Burst = { bytes: number } | { ms: number };

export interface PriorityQueue {
  /** 1 goes before 2; absent = `priority` without a level. */
  level?: 1 | 2;
  /** Policed to it while the interface is congested; absent = never. */
  rate?: { kbps: number } | Percent;
  burstBytes?: number;
}

export type BandwidthShare = { kbps: number } | Percent | { remainingPercent: number } | { remainingRatio: number };

export interface Shape {
  rate: QosRate;
  /** Bits (ms with a percentage): what is sent at once after silence; absent = `defaultShapeMs` (qos-rates.ts) of the rate. */
  bc?: number;
  /** Bits (ms with a percentage) of excess. */
  be?: number;
}

export type PoliceAction =
  | { kind: 'transmit' | 'drop' }
  | { kind: 'set-dscp-transmit' | 'set-prec-transmit' | 'set-qos-transmit'; value: number };
export const colours = ['conform', 'exceed', 'violate'] as const;
export type Colour = (typeof colours)[number];

/** `police`: one rate (RFC 2697), or two with `pir` (RFC 2698). */
export interface Police {
  line: number;
  cir: QosRate;
  bc?: Burst;
  pir?: QosRate;
  be?: Burst;
  /** Absent: see {@link policeAction}. */
  actions: Partial<Record<Colour, PoliceAction>>;
}

/** As IOS: what violates does as what exceeds. */
export function policeAction({ actions }: Police, colour: Colour): PoliceAction {
  if (colour === 'conform') return actions.conform ?? { kind: 'transmit' };
  const exceed = actions.exceed ?? { kind: 'drop' };
  return colour === 'exceed' ? exceed : (actions.violate ?? exceed);
}

/** Packets of queue, with 0..63 for `dscp` and 0..7 for `precedence` as keys. */
export interface Threshold {
  least: number;
  most: number;
  /** One of so many is dropped at `most`. */
  markDenominator: number;
}

export interface RandomDetect {
  by: 'dscp' | 'precedence';
  /** Marks ECN-capable packets (RFC 3168 §5) in place of dropping them. */
  ecn: boolean;
  /** The average moves by 1 / 2^weight (RFC 2309 calls its scheme RED). */
  weight: number;
  /** In ascending order. */
  thresholds: Map<number, Threshold>;
}
export const defaultMarkDenominator = 10;
export const defaultRedWeight = 9;

export const queueUnits = ['packets', 'bytes', 'ms'] as const;

/** `class NAME` of a policy: what is done to the packets of a class. */
export interface PolicyClass {
  line: number;
  name: string;
  priority?: PriorityQueue;
  bandwidth?: BandwidthShare;
  shape?: Shape;
  police?: Police;
  queueLimit?: { value: number; unit: (typeof queueUnits)[number] };
  fairQueue?: true;
  randomDetect?: RandomDetect;
  /** Of `dscp` and `precedence` one at most: both are the same bits. */
  set?: { dscp?: number; precedence?: number; qosGroup?: number };
  /** A policy-map for what this one's shaper lets through. */
  servicePolicy?: string;
}

export interface PolicyMap {
  line: number;
  name: string;
  description: string | null;
  /** In order: the first that a packet is of has it. class-default is asked last wherever it stands. */
  classes: PolicyClass[];
}

/** Actions that keep packets in queues: only where packets leave. */
export const queueingActions = ['priority', 'bandwidth', 'shape', 'queueLimit', 'fairQueue', 'randomDetect'] as const;
