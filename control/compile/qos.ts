// service-policies -> rows of dataplane/tables/layout-qos.ts: for each interface and direction the classes of its policy, those of the policies below
// it, and the tests that lead to them. class-default is always there, as the last class.

import { Cap, Dscp } from '../../dataplane/tables/layout.js';
import { QosAction, QosCap, QosClass, QosCurve, QosDirection, QosRed, QosUse } from '../../dataplane/tables/layout-qos.js';
import { isTunnel } from '../config/interface-names.js';
import {
  colours,
  DefaultClass,
  type PoliceAction,
  type PolicyClass,
  type PolicyMap,
  policeAction,
  type RandomDetect,
} from '../config/model.js';
import { interfaceBps, policeRates, priorityBps, priorityBurst, shapeRates } from '../config/qos-rates.js';
import { thresholdOf } from '../config/red-curves.js';
import { findQueueing } from '../config/verify/qos-policies.js';
import { CapacityError } from './allocation.js';
import { tosBits } from './policy.js';
import { quantaOf } from './qos-shares.js';
import { addClass, type QosContext, type QosTests } from './qos-tests.js';

/** What made a row of a class. */
export interface QosOrigin {
  interface: string;
  direction: 'input' | 'output';
  policy: string;
  class: string;
  /** Row of the class below which its policy is, -1 = none. */
  parent: number;
}

export interface QosRows {
  /** Rows of layout-qos.ts; QosUse: two for each port. */
  uses: number[];
  tests: QosTests;
  classes: number[];
  reds: number[];
  /** Classes with fair-queue. */
  fairClasses: number;
  origins: QosOrigin[];
}

const None = -1;
const KeepAll = 0xff;
/** As IOS: of queues in general, and of those with priority. Packets. */
const DefaultLimit = 64;
const PriorityLimit = 512;
const PacketBytes = 1500;
const UnlimitedBps = 1e11;

function writeRate(row: number[], at: number, bps: number): void {
  const bytes = Math.floor(bps / 8);
  row[at] = Math.floor(bytes / 2 ** 32);
  row[at + 1] = bytes | 0;
}

/** Of one class, where it is used. */
interface Place {
  item: PolicyClass;
  /** Its own row, and that of its policy's class-default. */
  row: number;
  fallback: number;
  /** Bits a second that its policy shares, and what it is promised of them. */
  above: number;
  quantum: number;
}

function writeAction(row: number[], at: number, action: PoliceAction): void {
  const [keep, set] =
    action.kind === 'set-dscp-transmit'
      ? tosBits({ dscp: action.value })
      : action.kind === 'set-prec-transmit'
        ? tosBits({ precedence: action.value })
        : [KeepAll, 0];
  row[at + QosAction.Drop] = Number(action.kind === 'drop');
  row[at + QosAction.TosKeep] = keep;
  row[at + QosAction.TosSet] = set;
  row[at + QosAction.Group] = action.kind === 'set-qos-transmit' ? action.value : None;
}

function writeMarks(row: number[], { set = {} }: PolicyClass): void {
  const [keep, bits] = set.dscp === undefined && set.precedence === undefined ? [KeepAll, 0] : tosBits(set);
  row[QosClass.TosKeep] = keep;
  row[QosClass.TosSet] = bits;
  row[QosClass.Group] = set.qosGroup ?? None;
}

function writePolice(row: number[], { item: { police }, above }: Place): void {
  for (const [n, colour] of colours.entries())
    writeAction(row, QosClass.Actions + n * QosAction.Words, police ? policeAction(police, colour) : { kind: 'transmit' });
  if (!police) return;
  const { cirBps, pirBps, bcBytes, beBytes } = policeRates(police, above);
  writeRate(row, QosClass.CirHigh, cirBps);
  writeRate(row, QosClass.PirHigh, pirBps ?? 0);
  row[QosClass.CommittedBurst] = bcBytes;
  row[QosClass.ExcessBurst] = beBytes;
}

/** A class waits in a queue of its own when an action asks for one; the rest share class-default's, as on IOS. */
function hasQueue({ name, priority, bandwidth, shape }: PolicyClass): boolean {
  return name === DefaultClass || priority !== undefined || bandwidth !== undefined || shape !== undefined;
}

function writeQueue(row: number[], { item, row: own, fallback, above, quantum }: Place): void {
  const { priority, shape, queueLimit } = item;
  row[QosClass.Queue] = hasQueue(item) ? own : fallback;
  row[QosClass.Quantum] = quantum;
  if (priority) {
    const bps = priorityBps(priority, above);
    row[QosClass.Priority] = priority.level ?? 1;
    if (bps !== null) {
      writeRate(row, QosClass.PriorityHigh, bps);
      row[QosClass.PriorityBurst] = priorityBurst(priority, bps);
    }
  }
  if (shape) {
    const { bps, bc, be } = shapeRates(shape, above);
    writeRate(row, QosClass.ShapeHigh, bps);
    row[QosClass.ShapeBurst] = Math.max(1, Math.ceil((bc + be) / 8));
  }
  const { value, unit } = queueLimit ?? { value: priority ? PriorityLimit : DefaultLimit, unit: 'packets' };
  if (unit === 'packets') row[QosClass.LimitPackets] = value;
  else row[QosClass.LimitBytes] = unit === 'bytes' ? value : Math.max(1, Math.ceil((rateOf(item, above) * value) / 8000));
  row[QosClass.Flows] = item.fairQueue ? QosCap.Flows : 0;
}

/** What a class can count on, bits a second: for times that become bytes. */
function rateOf({ shape, bandwidth, priority }: PolicyClass, above: number): number {
  if (shape) return shapeRates(shape, above).bps;
  if (bandwidth && 'kbps' in bandwidth) return bandwidth.kbps * 1000;
  if (bandwidth && 'percent' in bandwidth) return (bandwidth.percent * above) / 100;
  return (priority && priorityBps(priority, above)) ?? above;
}

function addRed(rows: QosRows, detect: RandomDetect, bps: number): number {
  const { by, ecn, weight } = detect;
  const index = rows.reds.length / QosRed.Words;
  if (index >= QosCap.Reds) throw new CapacityError(`more than ${QosCap.Reds} classes with random-detect, where policies use them`);
  const row = new Array<number>(QosRed.Words).fill(0);
  row[QosRed.WeightExponent] = weight;
  row[QosRed.Ecn] = Number(ecn);
  row[QosRed.PacketUs] = Math.max(1, Math.ceil((PacketBytes * 8e6) / bps));
  for (let dscp = 0; dscp < Dscp.Count; dscp++) {
    const { least, most, markDenominator } = thresholdOf(detect, by === 'dscp' ? dscp : dscp >> 3);
    const at = QosRed.Curves + dscp * QosCurve.Words;
    row[at + QosCurve.Least] = least;
    row[at + QosCurve.Most] = most;
    row[at + QosCurve.Denominator] = markDenominator;
  }
  rows.reds.push(...row);
  return index;
}

/** Classes in the order in which they are asked, class-default last. */
function ordered({ classes, line }: PolicyMap): PolicyClass[] {
  const rest = classes.find(({ name }) => name === DefaultClass) ?? { line, name: DefaultClass };
  return [...classes.filter(({ name }) => name !== DefaultClass), rest];
}

/** @param above bits a second that the policy shares @returns where to begin, and its rows */
function addPolicy(
  rows: QosRows,
  policy: PolicyMap,
  above: number,
  parent: number,
  use: Pick<QosOrigin, 'interface' | 'direction'>,
  context: QosContext,
): [start: number, first: number, count: number] {
  const classes = ordered(policy);
  const first = rows.origins.length;
  const fallback = first + classes.length - 1;
  if (fallback >= QosCap.Classes) throw new CapacityError(`more than ${QosCap.Classes} classes, where policies use them`);
  const quanta = quantaOf(classes, above);
  rows.fairClasses += classes.filter(({ fairQueue }) => fairQueue).length;
  if (rows.fairClasses > QosCap.FairClasses)
    throw new CapacityError(`more than ${QosCap.FairClasses} classes with fair-queue, where policies use them`);
  const made = classes.map((item, n) => {
    const row = new Array<number>(QosClass.Words).fill(0);
    const place = { item, row: first + n, fallback, above, quantum: quanta[n] };
    row[QosClass.Parent] = parent;
    writeMarks(row, item);
    writePolice(row, place);
    writeQueue(row, place);
    row[QosClass.Red] = item.randomDetect ? addRed(rows, item.randomDetect, rateOf(item, above)) : None;
    rows.classes.push(...row);
    rows.origins.push({ ...use, policy: policy.name, class: item.name, parent });
    return place;
  });
  for (const { item, row } of made) {
    const child = context.config.policyMaps.get(item.servicePolicy ?? '');
    if (!child) continue;
    const rate = item.shape ? shapeRates(item.shape, above).bps : above;
    const below = addPolicy(rows, child, rate, row, use, context);
    const at = row * QosClass.Words;
    [rows.classes[at + QosClass.ChildStart], rows.classes[at + QosClass.ChildFirst], rows.classes[at + QosClass.ChildCount]] = below;
  }
  let start = ~fallback;
  for (const { item, row } of [...made].reverse()) {
    const classMap = context.config.classMaps.get(item.name);
    if (classMap && item.name !== DefaultClass) start = addClass(rows.tests, classMap, ~row, start, context);
  }
  return [start, first, classes.length];
}

/** @param context a verified configuration @throws CapacityError when the tables do not hold it */
export function compileQos(context: QosContext): QosRows {
  const { config, portOf } = context;
  const rows: QosRows = {
    uses: new Array<number>(Cap.Ports * 2 * QosUse.Words).fill(0),
    tests: { words: [], visits: 0 },
    classes: [],
    reds: [],
    fairClasses: 0,
    origins: [],
  };
  for (const item of config.interfaces.values()) {
    const bps = interfaceBps(item);
    for (const [direction, name] of [
      ['input', item.servicePolicyIn],
      ['output', item.servicePolicyOut],
    ] as const) {
      const policy = config.policyMaps.get(name ?? '');
      if (!policy) continue;
      const at = (portOf(item.name) * 2 + (direction === 'input' ? QosDirection.Input : QosDirection.Output)) * QosUse.Words;
      const added = addPolicy(rows, policy, bps, None, { interface: item.name, direction }, context);
      [rows.uses[at + QosUse.Start], rows.uses[at + QosUse.FirstClass], rows.uses[at + QosUse.ClassCount]] = added;
      // A tunnel has no rate of its own: its policy's shaper is.
      writeRate(rows.uses, at + QosUse.RateHigh, isTunnel(item.name) ? UnlimitedBps : bps);
      rows.uses[at + QosUse.Queues] = Number(findQueueing(config, policy) !== undefined);
    }
  }
  return rows;
}
