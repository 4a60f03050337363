// What leaves by a port with `service-policy output`: classified, marked, policed, put into the queue of its class, and taken out of it when the port
// may send. Queues hold slots. Ports are sixteen at the most, so the time at which each may send next stands in a row that is looked through: what a timer
// wheel is for. With several workers each port's queues are one worker's, so that the rate holds for the interface.
// No allocation after the factory. Does not: read a clock, sleep: `waitMs` says how long one may.

import { Drop, PathCount, QosCount, RedCount } from '../counters/declare.js';
import { Latency, latencyPlace } from '../counters/latency.js';
import { setCongestion } from '../proto/ipv4.js';
import { Cap, Dscp, QosCap, QosClass, QosDirection, QosUse } from '../tables/layout.js';
import { Clock } from './clock.js';
import { Passes, type QosPolicy } from './qos-policy.js';
import { QosQueues, QosVerdict } from './qos-queues.js';
import { BankCount, type CounterBlocks, PortRow } from './shared.js';
import { SlotShape, type Slots } from './slots.js';
import type { Tables } from './tables.js';
import type { Vector } from './vector.js';

/** Slots that wait at the most: the rest is for what is on its way. Those of priority classes have some to themselves. */
const enum Held {
  Most = 3072,
  MostUrgent = 3328,
}

export interface QosOutput {
  /** Not 0: the port has a service-policy output. */
  readonly isUsed: Uint8Array;
  /** Puts a packet into its queue, or passes it on where there are none, or drops it. */
  take(id: number, onward: Vector): void;
  /** What a port may send now. */
  release(port: number, onward: Vector): void;
  /** Nothing waits. */
  isEmpty(): boolean;
  /** May a port send something? */
  isDue(): boolean;
  /** Milliseconds until one may, Infinity = nothing waits. */
  waitMs(nowUs: number): number;
  /** After new tables: what waited under others comes once more. */
  adopt(onward: Vector): void;
}

export function makeQosOutput(
  slots: Slots,
  tables: Tables,
  counters: Pick<CounterBlocks, 'qos' | 'qosWaits' | 'qosReds' | 'path'>,
  policy: QosPolicy,
  drop: (id: number, reason: Drop) => void,
  clock: Float64Array,
  random: () => number,
): QosOutput {
  const { view, off, len, txPort } = slots;
  const { qosUses, qosClasses: classes, ports } = tables;
  const { qos: counts, qosWaits, qosReds, path } = counters;
  const { flow } = policy;
  const queues = new QosQueues(len, clock, random);
  const { waitUs } = queues.queues;
  const isUsed = new Uint8Array(Cap.Ports);
  /** Microseconds; Infinity = nothing waits. */
  const dueAt = new Float64Array(Cap.Ports).fill(Number.POSITIVE_INFINITY);
  const queuedAt = new Float64Array(SlotShape.Count);
  /** Of RED: where a packet is counted. */
  const redAt = new Int32Array(SlotShape.Count);
  /** By class: row of QosRed of the queue it is in, -1 = none; not 0: that queue is a priority one. */
  const reds = new Int32Array(QosCap.Classes);
  const urgent = new Uint8Array(QosCap.Classes);
  let held = 0;

  function countRed(leaf: number, tos: number, counter: RedCount, bytes: number): void {
    const red = reds[leaf];
    if (red < 0) return;
    const at = (red * Dscp.Count + (tos >>> 2)) * RedCount.Count + counter;
    qosReds[at]++;
    qosReds[at + 1] += bytes;
  }

  function refuse(id: number, leaf: number, verdict: QosVerdict, tos: number): void {
    const bytes = len[id];
    if (verdict === QosVerdict.Random) {
      policy.count(leaf, QosCount.RandomDropPackets, 1, bytes);
      countRed(leaf, tos, RedCount.RandomPackets, bytes);
      drop(id, Drop.QueueRandom);
    } else if (verdict === QosVerdict.OverRate) {
      policy.count(leaf, QosCount.OverRatePackets, 1, bytes);
      drop(id, Drop.QueueOverRate);
    } else {
      policy.count(leaf, QosCount.TailDropPackets, 1, bytes);
      countRed(leaf, tos, RedCount.TailPackets, bytes);
      drop(id, Drop.QueueFull);
    }
  }

  function hasBuffer(leaf: number): boolean {
    return held < Held.Most || (urgent[leaf] !== 0 && held < Held.MostUrgent);
  }

  function enqueue(id: number, leaf: number) {
    const bytes = len[id];
    const tos = view.getUint8(off[id] + 1);
    if (!hasBuffer(leaf)) {
      policy.count(leaf, QosCount.NoBufferPackets, 1, bytes);
      return drop(id, Drop.QueueNoBuffer);
    }
    const verdict = queues.offer(leaf, id, tos, flow[0]);
    const red = reds[leaf];
    if (red >= 0) counts[leaf * QosCount.Count + QosCount.MeanQueue] = queues.averageOf(red);
    if (verdict > QosVerdict.Marked) return refuse(id, leaf, verdict, tos);
    if (verdict === QosVerdict.Marked) {
      setCongestion(view, off[id]);
      counts[leaf * QosCount.Count + QosCount.EcnMarked]++;
      countRed(leaf, tos, RedCount.EcnPackets, bytes);
    }
    queuedAt[id] = clock[Clock.Us];
    redAt[id] = tos;
    held++;
    path[PathCount.Queued]++;
    dueAt[txPort[id]] = 0;
  }

  function leave(id: number): void {
    const leaf = queues.classOf[id];
    const bytes = len[id];
    policy.count(leaf, QosCount.SentPackets, 1, bytes);
    countRed(leaf, redAt[id], RedCount.SentPackets, bytes);
    qosWaits[leaf * Latency.Places + latencyPlace(clock[Clock.Us] - queuedAt[id])]++;
    held--;
    path[PathCount.Queued]--;
  }

  return {
    isUsed,
    take(id, onward) {
      const use = (txPort[id] * 2 + QosDirection.Output) * QosUse.Words;
      const leaf = policy.classify(id, use);
      const reason = policy.treat(id, leaf, Drop.PoliceOut);
      if (reason !== Passes) drop(id, reason);
      else if (qosUses[use + QosUse.Queues] !== 0) enqueue(id, leaf);
      else {
        policy.count(leaf, QosCount.SentPackets, 1, len[id]);
        onward.push(id);
      }
    },
    release(port, onward) {
      if (dueAt[port] > clock[Clock.Us]) return;
      for (let id = queues.take(port); id >= 0; id = queues.take(port)) {
        leave(id);
        // What waited for a tunnel that has no ends any more must not go anywhere as it is.
        if (ports[port * PortRow.Words + PortRow.Up] === 0) drop(id, Drop.PortDown);
        else onward.push(id);
      }
      dueAt[port] = clock[Clock.Us] + waitUs[0];
    },
    isEmpty() {
      return held === 0;
    },
    isDue() {
      if (held === 0) return false;
      for (let port = 0; port < Cap.Ports; port++) if (dueAt[port] <= clock[Clock.Us]) return true;
      return false;
    },
    waitMs(nowUs) {
      if (held === 0) return Number.POSITIVE_INFINITY;
      let first = Number.POSITIVE_INFINITY;
      for (let port = 0; port < Cap.Ports; port++) if (dueAt[port] < first) first = dueAt[port];
      return Math.max(0, (first - nowUs) / 1000);
    },
    adopt(onward) {
      queues.drain(onward);
      held = 0;
      path[PathCount.Queued] = 0;
      counts.fill(0);
      qosWaits.fill(0);
      qosReds.fill(0);
      dueAt.fill(Number.POSITIVE_INFINITY);
      for (let port = 0; port < Cap.Ports; port++)
        isUsed[port] = Number(qosUses[(port * 2 + QosDirection.Output) * QosUse.Words + QosUse.ClassCount] !== 0);
      for (let index = 0; index < tables.counts[BankCount.QosClasses]; index++) {
        const queue = classes[index * QosClass.Words + QosClass.Queue] * QosClass.Words;
        reds[index] = classes[queue + QosClass.Red];
        urgent[index] = classes[queue + QosClass.Priority];
      }
      queues.plant(tables);
    },
  };
}
