// The queues of all ports with a `service-policy output`, as their rows say (tables/layout-qos.ts): a root for each port, a node for each class that has
// a queue, leaves for the flows of fair-queue; and what may enter them: conditional policer of priority classes, random early detection, limits.
// Does not: choose a class (proto/qos-classes.ts), police or mark, count, drop, write ECN marks: the stage does, by the verdict.

import { Color, fillMeter, Meter, meterPacket } from '../proto/meter.js';
import { Ecn, Red, RedCurve, RedVerdict, redAverage, redIdle, redVerdict } from '../proto/red.js';
import { Cap, Dscp, QosCap, QosClass, QosCurve, QosDirection, QosRed, QosUse } from '../tables/layout.js';
import { Clock } from './clock.js';
import { Queue, Queues } from './queues.js';
import type { Vector } from './vector.js';

export const enum QosVerdict {
  Queued = 0,
  /** Queued, and its ECN field is to say that congestion was met. */
  Marked = 1,
  /** Behind a limit. */
  Full = 2,
  /** By random early detection. */
  Random = 3,
  /** Priority beyond its rate while others wait. */
  OverRate = 4,
}

/** Roots, classes, flows. */
const MostNodes = Cap.Ports + QosCap.Classes + QosCap.FairClasses * QosCap.Flows;
/** What a port, and a shaper at the least, sends at once after silence, microseconds of its rate: a worker sleeps for whole milliseconds, and wakes late. */
const PortBurstUs = 4000;
const LeastBurst = 1500;
const MicrosPerSecond = 1_000_000;

export interface QosTables {
  qosUses: Int32Array;
  qosClasses: Int32Array;
  qosReds: Int32Array;
}

/** Bytes a second in two words. */
export function readRate(words: Int32Array, at: number): number {
  return words[at] * 2 ** 32 + (words[at + 1] >>> 0);
}

export class QosQueues {
  readonly queues: Queues;
  /** By port: node, -1 = the port has no queues. */
  readonly roots = new Int32Array(Cap.Ports).fill(-1);
  /** By class: the node in which its packets wait, -1 = none. */
  readonly nodes = new Int32Array(QosCap.Classes).fill(-1);
  /** By packet: the class it was queued for. */
  readonly classOf: Int32Array;
  private readonly priorities = new Float64Array(QosCap.Classes * Meter.Words);
  private readonly reds = new Float64Array(QosCap.Reds * Red.Words);
  private readonly curves = new Float64Array(QosCap.Reds * Dscp.Count * RedCurve.Words);
  private readonly ecn = new Uint8Array(QosCap.Reds);
  private classes: Int32Array = new Int32Array(0);
  private nextNode = 0;
  private nextShaper = 0;

  /** @param len bytes of each packet, by id @param clock of the passes @param random a whole number of 0 to RedChances - 1 */
  constructor(
    private readonly len: Int32Array,
    private readonly clock: Float64Array,
    private readonly random: () => number,
  ) {
    this.queues = new Queues(MostNodes, Cap.Ports + QosCap.Classes, len, clock);
    this.classOf = new Int32Array(len.length).fill(-1);
  }

  /** Makes the queues anew. They must be empty: what waited has been taken out. @param tables the worker's own arrays, which stay as they are until the next call */
  plant(tables: QosTables): void {
    const { qosUses, qosClasses, qosReds } = tables;
    this.classes = qosClasses;
    this.nodes.fill(-1);
    this.roots.fill(-1);
    this.nextNode = 0;
    this.nextShaper = 0;
    this.readReds(qosReds);
    for (let port = 0; port < Cap.Ports; port++) {
      const use = (port * 2 + QosDirection.Output) * QosUse.Words;
      if (qosUses[use + QosUse.ClassCount] === 0 || qosUses[use + QosUse.Queues] === 0) continue;
      const root = this.takeNodes(1);
      const rate = readRate(qosUses, use + QosUse.RateHigh);
      this.queues.shape(root, this.nextShaper++, rate, Math.max(LeastBurst, (rate * PortBurstUs) / MicrosPerSecond));
      this.roots[port] = root;
      this.plantPolicy(root, qosUses[use + QosUse.FirstClass], qosUses[use + QosUse.ClassCount]);
    }
  }

  /** Takes out everything that waits, whatever shapers say. */
  drain(to: Vector): void {
    for (let node = 0; node < this.nextNode; node++) this.queues.drain(node, to);
  }

  private takeNodes(count: number): number {
    const first = this.nextNode;
    this.nextNode += count;
    for (let node = first; node < this.nextNode; node++) this.queues.reset(node);
    return first;
  }

  private plantPolicy(group: number, firstClass: number, count: number): void {
    const { classes, nodes, queues } = this;
    const isOwn = (index: number): boolean => classes[index * QosClass.Words + QosClass.Queue] === index;
    let own = 0;
    for (let index = firstClass; index < firstClass + count; index++) if (isOwn(index)) own++;
    let node = this.takeNodes(own);
    queues.adopt(group, node, own);
    for (let index = firstClass; index < firstClass + count; index++) if (isOwn(index)) nodes[index] = node++;
    for (let index = firstClass; index < firstClass + count; index++) {
      if (isOwn(index)) this.plantClass(index);
      else nodes[index] = nodes[classes[index * QosClass.Words + QosClass.Queue]];
    }
  }

  private plantClass(index: number): void {
    const { classes, queues } = this;
    const row = index * QosClass.Words;
    const node = this.nodes[index];
    const at = node * Queue.Words;
    queues.rows[at + Queue.Priority] = classes[row + QosClass.Priority];
    queues.rows[at + Queue.Quantum] = classes[row + QosClass.Quantum];
    const shape = readRate(classes, row + QosClass.ShapeHigh);
    const burst = Math.max(classes[row + QosClass.ShapeBurst], LeastBurst, (shape * PortBurstUs) / MicrosPerSecond);
    if (shape > 0) queues.shape(node, this.nextShaper++, shape, burst);
    this.plantPriority(row, index);
    if (classes[row + QosClass.ChildCount] > 0) {
      this.plantPolicy(node, classes[row + QosClass.ChildFirst], classes[row + QosClass.ChildCount]);
      return;
    }
    queues.rows[at + Queue.LimitPackets] = classes[row + QosClass.LimitPackets];
    queues.rows[at + Queue.LimitBytes] = classes[row + QosClass.LimitBytes];
    const flows = classes[row + QosClass.Flows];
    if (flows === 0) return;
    const first = this.takeNodes(flows);
    queues.adopt(node, first, flows);
    // As IOS: a flow may have a quarter of the class's queue.
    const limit = Math.ceil(classes[row + QosClass.LimitPackets] / 4);
    for (let flow = first; flow < first + flows; flow++) queues.rows[flow * Queue.Words + Queue.LimitPackets] = limit;
  }

  private plantPriority(row: number, index: number): void {
    const { classes, priorities } = this;
    const at = index * Meter.Words;
    priorities.fill(0, at, at + Meter.Words);
    priorities[at + Meter.CommittedRate] = readRate(classes, row + QosClass.PriorityHigh);
    priorities[at + Meter.CommittedBurst] = classes[row + QosClass.PriorityBurst];
    fillMeter(priorities, at, this.clock[Clock.Us]);
  }

  private readReds(rows: Int32Array): void {
    const { reds, curves } = this;
    for (let red = 0; red < rows.length / QosRed.Words; red++) {
      const row = red * QosRed.Words;
      const at = red * Red.Words;
      this.ecn[red] = rows[row + QosRed.Ecn];
      reds[at + Red.Average] = 0;
      reds[at + Red.Weight] = 2 ** -rows[row + QosRed.WeightExponent];
      reds[at + Red.IdleSince] = -1;
      reds[at + Red.PacketUs] = rows[row + QosRed.PacketUs];
      for (let dscp = 0; dscp < Dscp.Count; dscp++) {
        const from = row + QosRed.Curves + dscp * QosCurve.Words;
        const to = (red * Dscp.Count + dscp) * RedCurve.Words;
        curves[to + RedCurve.Least] = rows[from + QosCurve.Least];
        curves[to + RedCurve.Most] = rows[from + QosCurve.Most];
        curves[to + RedCurve.Probability] = 1 / rows[from + QosCurve.Denominator];
      }
    }
  }

  /**
   * Puts a packet into the queue of its class, or says why not: then it is still the caller's.
   * @param index of the class, a leaf of its tree @param tos of the packet as it will leave @param flow hash of its flow, a signed word
   */
  offer(index: number, id: number, tos: number, flow: number): QosVerdict {
    const { classes, queues, nodes, len } = this;
    const queued = classes[index * QosClass.Words + QosClass.Queue];
    const row = queued * QosClass.Words;
    const node = nodes[queued];
    const isOver = classes[row + QosClass.Priority] !== 0 && this.isOverRate(queued, node, len[id]);
    if (isOver) return QosVerdict.OverRate;
    const flows = classes[row + QosClass.Flows];
    const leaf = flows === 0 ? node : queues.rows[node * Queue.Words + Queue.First] + ((flow >>> 0) % flows);
    let verdict = QosVerdict.Queued;
    if (classes[row + QosClass.Red] >= 0) {
      verdict = this.detect(classes[row + QosClass.Red], node, tos);
      if (verdict === QosVerdict.Random) return verdict;
    }
    if (queues.isFull(leaf, len[id])) return QosVerdict.Full;
    queues.enqueue(leaf, id);
    this.classOf[id] = index;
    return verdict;
  }

  /** As IOS: a priority class is held to its rate only while something waits. Its bucket is kept in any case. */
  private isOverRate(index: number, node: number, bytes: number): boolean {
    const { priorities, queues } = this;
    const at = index * Meter.Words;
    if (priorities[at + Meter.CommittedRate] === 0) return false;
    const color = meterPacket(priorities, at, bytes, this.clock);
    let root = node;
    while (queues.rows[root * Queue.Words + Queue.Parent] >= 0) root = queues.rows[root * Queue.Words + Queue.Parent];
    return color !== Color.Conform && queues.rows[root * Queue.Words + Queue.Packets] > 0;
  }

  /** RFC 3168 §7: ECN-capable packets are marked where chance would drop another, and dropped where the average is above. */
  private detect(red: number, node: number, tos: number): QosVerdict {
    const { reds, curves, queues } = this;
    redAverage(reds, red * Red.Words, queues.rows[node * Queue.Words + Queue.Packets], this.clock);
    const curve = (red * Dscp.Count + (tos >>> 2)) * RedCurve.Words;
    const verdict = redVerdict(reds, red * Red.Words, curves, curve, this.random());
    if (verdict === RedVerdict.Pass) return QosVerdict.Queued;
    const isCapable = (tos & Ecn.CongestionExperienced) !== Ecn.NotCapable;
    return verdict === RedVerdict.Early && isCapable && this.ecn[red] !== 0 ? QosVerdict.Marked : QosVerdict.Random;
  }

  /** Packets. @param red row of QosRed */
  averageOf(red: number): number {
    return this.reds[red * Red.Words + Red.Average];
  }

  /** The packet that leaves a port next. @returns -1: none may now, `queues.waitUs` says when */
  take(port: number): number {
    const root = this.roots[port];
    if (root < 0) return -1;
    const { queues, classes, nodes } = this;
    const id = queues.dequeue(root);
    if (id < 0) return id;
    const queued = classes[this.classOf[id] * QosClass.Words + QosClass.Queue];
    const red = classes[queued * QosClass.Words + QosClass.Red];
    if (red >= 0 && queues.rows[nodes[queued] * Queue.Words + Queue.Packets] === 0) redIdle(this.reds, red * Red.Words, this.clock);
    return id;
  }
}
