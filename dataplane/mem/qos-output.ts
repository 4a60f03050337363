// What leaves by a port with `service-policy output`: classified, marked, policed, put into the queue of its class, and taken out of it when the port
// may send. Queues hold slots. Ports are sixteen at the most, so the time at which each may send next stands in a row that is looked through: what a timer
// wheel is for. With several workers each port's queues are one worker's, so that the rate holds for the interface.
// No allocation after the factory. Does not: read a clock, sleep: `waitMs` says how long one may.

import { Drop, PathCount, QosCount, RedCount } from '../counters/declare.js';
import { Latency, latencyPlace } from '../counters/latency.js';
import { setCongestion } from '../proto/ipv4.js';
import { Cap, Dscp, QosClass, QosDirection, QosUse } from '../tables/layout.js';
import { Passes, type QosPolicy } from './qos-policy.js';
import { QosQueues, QosVerdict } from './qos-queues.js';
import { type CounterBlocks, PortRow } from './shared.js';
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
  take(id: number, nowUs: number, onward: Vector): void;
  /** What a port may send now. */
  release(port: number, nowUs: number, onward: Vector): void;
  /** May a port send something? */
  isDue(nowUs: number): boolean;
  /** Milliseconds until one may, Infinity = nothing waits. */
  waitMs(nowUs: number): number;
  /** After new tables: what waited under others comes once more. */
  adopt(nowUs: number, onward: Vector): void;
}

export function makeQosOutput(
  slots: Slots,
  tables: Tables,
  counters: Pick<CounterBlocks, 'qos' | 'qosWaits' | 'qosReds' | 'path'>,
  policy: QosPolicy,
  drop: (id: number, reason: Drop) => void,
  random: () => number,
): QosOutput {
  const { view, off, len, txPort } = slots;
  const { qosUses, qosClasses: classes, ports } = tables;
  const { qos: counts, qosWaits, qosReds, path } = counters;
  const { flow } = policy;
  const queues = new QosQueues(len, random);
  const isUsed = new Uint8Array(Cap.Ports);
  /** Microseconds; Infinity = nothing waits. */
  const dueAt = new Float64Array(Cap.Ports).fill(Number.POSITIVE_INFINITY);
  const queuedAt = new Float64Array(SlotShape.Count);
  /** Of RED: where a packet is counted. */
  const redAt = new Int32Array(SlotShape.Count);
  let held = 0;

  /** @returns row of QosRed, -1 = none */
  function redOf(leaf: number): number {
    return classes[classes[leaf * QosClass.Words + QosClass.Queue] * QosClass.Words + QosClass.Red];
  }

  function countRed(leaf: number, tos: number, counter: RedCount, bytes: number): void {
    const red = redOf(leaf);
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
    if (held < Held.Most) return true;
    const isUrgent = classes[classes[leaf * QosClass.Words + QosClass.Queue] * QosClass.Words + QosClass.Priority] !== 0;
    return isUrgent && held < Held.MostUrgent;
  }

  function enqueue(id: number, leaf: number, nowUs: number) {
    const bytes = len[id];
    const tos = view.getUint8(off[id] + 1);
    if (!hasBuffer(leaf)) {
      policy.count(leaf, QosCount.NoBufferPackets, 1, bytes);
      return drop(id, Drop.QueueNoBuffer);
    }
    const verdict = queues.offer(leaf, id, tos, flow[0] >>> 0, nowUs);
    const red = redOf(leaf);
    if (red >= 0) counts[leaf * QosCount.Count + QosCount.MeanQueue] = queues.averageOf(red);
    if (verdict > QosVerdict.Marked) return refuse(id, leaf, verdict, tos);
    if (verdict === QosVerdict.Marked) {
      setCongestion(view, off[id]);
      counts[leaf * QosCount.Count + QosCount.EcnMarked]++;
      countRed(leaf, tos, RedCount.EcnPackets, bytes);
    }
    policy.count(leaf, QosCount.QueuedPackets, 1, bytes);
    queuedAt[id] = nowUs;
    redAt[id] = tos;
    held++;
    path[PathCount.Queued]++;
    dueAt[txPort[id]] = 0;
  }

  function leave(id: number, nowUs: number): void {
    const leaf = queues.classOf[id];
    const bytes = len[id];
    for (let index = leaf; index >= 0; index = classes[index * QosClass.Words + QosClass.Parent]) {
      const at = index * QosCount.Count;
      counts[at + QosCount.QueuedPackets]--;
      counts[at + QosCount.QueuedBytes] -= bytes;
      counts[at + QosCount.SentPackets]++;
      counts[at + QosCount.SentBytes] += bytes;
    }
    countRed(leaf, redAt[id], RedCount.SentPackets, bytes);
    qosWaits[leaf * Latency.Places + latencyPlace(nowUs - queuedAt[id])]++;
    held--;
    path[PathCount.Queued]--;
  }

  return {
    isUsed,
    take(id, nowUs, onward) {
      const use = (txPort[id] * 2 + QosDirection.Output) * QosUse.Words;
      const leaf = policy.classify(id, use);
      const reason = policy.treat(id, leaf, nowUs, Drop.PoliceOut);
      if (reason !== Passes) drop(id, reason);
      else if (qosUses[use + QosUse.Queues] !== 0) enqueue(id, leaf, nowUs);
      else {
        policy.count(leaf, QosCount.SentPackets, 1, len[id]);
        onward.push(id);
      }
    },
    release(port, nowUs, onward) {
      if (dueAt[port] > nowUs) return;
      for (let id = queues.take(port, nowUs); id >= 0; id = queues.take(port, nowUs)) {
        leave(id, nowUs);
        // What waited for a tunnel that has no ends any more must not go anywhere as it is.
        if (ports[port * PortRow.Words + PortRow.Up] === 0) drop(id, Drop.PortDown);
        else onward.push(id);
      }
      dueAt[port] = nowUs + queues.queues.waitUs;
    },
    isDue(nowUs) {
      if (held === 0) return false;
      for (let port = 0; port < Cap.Ports; port++) if (dueAt[port] <= nowUs) return true;
      return false;
    },
    waitMs(nowUs) {
      if (held === 0) return Number.POSITIVE_INFINITY;
      let first = Number.POSITIVE_INFINITY;
      for (let port = 0; port < Cap.Ports; port++) if (dueAt[port] < first) first = dueAt[port];
      return Math.max(0, (first - nowUs) / 1000);
    },
    adopt(nowUs, onward) {
      queues.drain(onward);
      held = 0;
      path[PathCount.Queued] = 0;
      counts.fill(0);
      qosWaits.fill(0);
      qosReds.fill(0);
      dueAt.fill(Number.POSITIVE_INFINITY);
      for (let port = 0; port < Cap.Ports; port++)
        isUsed[port] = Number(qosUses[(port * 2 + QosDirection.Output) * QosUse.Words + QosUse.ClassCount] !== 0);
      queues.plant(tables, nowUs);
    },
  };
}
