// What a service-policy says of a packet, at the input or at the output: its class, what is done to its ToS octet, what policers let pass; and what
// is counted of it, for its class and those above. Does not: queue (qos-output.ts).

import { type Drop, QosCount } from '../counters/declare.js';
import { readFacts } from '../proto/acl.js';
import { Ip4, IpProto, setTos } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import type { Color } from '../proto/meter.js';
import { classOf, QosKey } from '../proto/qos-classes.js';
import { QosAction, QosCap, QosClass, QosTest, QosTestKind, QosUse } from '../tables/layout.js';
import { mix } from './hash.js';
import { ClassCache } from './qos-class-cache.js';
import type { CounterBlocks } from './shared.js';
import { BankCount } from './shared.js';
import { PacketFlag, QosColumn, type Slots } from './slots.js';
import type { Tables } from './tables.js';

/** Of treat(): it goes on. Else the reason to drop it. */
export const Passes = -1;

export interface QosPolicy {
  /** Hash of the flow of the packet that was classified last. */
  readonly flow: Int32Array;
  /** After every new table. */
  adopt(): void;
  /** What a packet is now, in `keys` at its row, for queues behind an encapsulation. */
  keep(id: number): void;
  /** @param use row of QosUse, in words @returns the innermost class */
  classify(id: number, use: number): number;
  /** Marks and polices a packet of a class. @returns Passes, or why it is dropped: then it is still the caller's, and counted */
  treat(id: number, leaf: number, reason: Drop): number;
  /** Adds a packet to two counters of a class and of those above it. @param count the one of packets; bytes stand behind it */
  count(leaf: number, count: QosCount, packets: number, bytes: number): void;
}

/** Of what tells a flow, and what its packets differ in that classes may ask for. Odd factors, no secret: a place that flows share costs a look, no more. */
function hashOf(key: Int32Array): number {
  const ports = (key[QosKey.SrcPort] << 16) ^ key[QosKey.DstPort];
  return mix(key[QosKey.Src], key[QosKey.Dst], ports, key[QosKey.Protocol], 0x9e3779b1, 0x85ebca6b);
}

export function makeQosPolicy(
  slots: Slots,
  tables: Tables,
  { qos: counts }: Pick<CounterBlocks, 'qos'>,
  color: (index: number, bytes: number) => Color,
): QosPolicy {
  const { view, off, len, l4Off, proto, src, dst, sport, dport, tos, flags, qos, keys } = slots;
  const { qosUses, qosTests, qosLists, qosClasses: classes, aces, aclWords } = tables;
  const key = new Int32Array(QosKey.Words);
  const flow = new Int32Array(1);
  const cache = new ClassCache();
  /** Not 0: the class, or one that it is in, marks; polices. */
  const marks = new Uint8Array(QosCap.Classes);
  const polices = new Uint8Array(QosCap.Classes);

  function isMarked(index: number): boolean {
    return classes[index * QosClass.Words + QosClass.TosKeep] !== 0xff || classes[index * QosClass.Words + QosClass.Group] >= 0;
  }

  function isPoliced(index: number): boolean {
    return (classes[index * QosClass.Words + QosClass.CirHigh] | classes[index * QosClass.Words + QosClass.CirLow]) !== 0;
  }

  /** What the packet is as it stands. */
  function read(id: number, to: Int32Array, at: number) {
    const octet = view.getUint8(off[id] + Ip4.Tos);
    const later = (flags[id] & PacketFlag.LaterFragment) !== 0;
    to[at + QosKey.Src] = src[id];
    to[at + QosKey.Dst] = dst[id];
    to[at + QosKey.Tos] = octet;
    to[at + QosKey.Length] = len[id];
    to[at + QosKey.Group] = qos[id] & QosColumn.Group;
    if ((flags[id] & PacketFlag.Sealed) !== 0) return readSealed(id, octet, to, at);
    to[at + QosKey.Protocol] = proto[id];
    to[at + QosKey.SrcPort] = sport[id];
    to[at + QosKey.DstPort] = dport[id];
    to[at + QosKey.Facts] = readFacts(view, l4Off[id], off[id] + len[id], proto[id], octet, later);
  }

  /** Columns are those of what is inside: its outer header, ESP or ESP in UDP, stands in the packet alone. */
  function readSealed(id: number, octet: number, to: Int32Array, at: number): void {
    const protocol = view.getUint8(off[id] + Ip4.Protocol);
    const isUdp = protocol === IpProto.Udp;
    const l4 = off[id] + ((view.getUint8(off[id]) & 15) << 2);
    to[at + QosKey.Protocol] = protocol;
    to[at + QosKey.SrcPort] = isUdp ? view.getUint16(l4) : Port.None;
    to[at + QosKey.DstPort] = isUdp ? view.getUint16(l4 + 2) : Port.None;
    to[at + QosKey.Facts] = octet;
  }

  function count(leaf: number, counter: QosCount, packets: number, bytes: number): void {
    for (let index = leaf; index >= 0; index = classes[index * QosClass.Words + QosClass.Parent]) {
      const at = index * QosCount.Count + counter;
      counts[at] += packets;
      counts[at + 1] += bytes;
    }
  }

  /** Bits of the ToS octet, and the qos-group. */
  function mark(id: number, keep: number, bits: number, group: number): void {
    const at = off[id];
    const before = view.getUint8(at + Ip4.Tos);
    const octet = (before & keep) | bits;
    if (octet !== before) {
      setTos(view, at, octet);
      tos[id] = octet;
    }
    if (group >= 0) qos[id] = (qos[id] & ~QosColumn.Group) | group;
  }

  /** @returns false = the class's policer drops it */
  function police(id: number, index: number): boolean {
    const bytes = len[id];
    const verdict = color(index, bytes);
    const counter = index * QosCount.Count + QosCount.ConformPackets + 2 * verdict;
    counts[counter]++;
    counts[counter + 1] += bytes;
    const action = index * QosClass.Words + QosClass.Actions + verdict * QosAction.Words;
    if (classes[action + QosAction.Drop] !== 0) return false;
    mark(id, classes[action + QosAction.TosKeep], classes[action + QosAction.TosSet], classes[action + QosAction.Group]);
    return true;
  }

  /** From the outside in, so that the innermost says the last word. */
  function markAll(id: number, index: number): void {
    const row = index * QosClass.Words;
    if (classes[row + QosClass.Parent] >= 0) markAll(id, classes[row + QosClass.Parent]);
    if (!isMarked(index)) return;
    mark(id, classes[row + QosClass.TosKeep], classes[row + QosClass.TosSet], classes[row + QosClass.Group]);
    counts[index * QosCount.Count + QosCount.Marked]++;
  }

  function walk(use: number): number {
    let index = classOf(qosTests, qosLists, aces, aclWords, qosUses[use + QosUse.Start], key);
    while (classes[index * QosClass.Words + QosClass.ChildCount] !== 0)
      index = classOf(qosTests, qosLists, aces, aclWords, classes[index * QosClass.Words + QosClass.ChildStart], key);
    return index;
  }

  return {
    flow,
    count,
    adopt() {
      cache.forget();
      cache.asksLength = false;
      // A class stands behind those that it is in.
      for (let index = 0; index < tables.counts[BankCount.QosClasses]; index++) {
        const parent = classes[index * QosClass.Words + QosClass.Parent];
        marks[index] = Number(isMarked(index) || (parent >= 0 && marks[parent] !== 0));
        polices[index] = Number(isPoliced(index) || (parent >= 0 && polices[parent] !== 0));
      }
      for (let test = 0; test < tables.counts[BankCount.QosTests]; test++)
        if (qosTests[test * QosTest.Words + QosTest.Kind] === QosTestKind.Length) cache.asksLength = true;
    },
    keep(id) {
      read(id, keys, id * QosKey.Words);
      qos[id] |= QosColumn.Known;
    },
    classify(id, use) {
      if ((qos[id] & QosColumn.Known) === 0) read(id, key, 0);
      else for (let word = 0; word < QosKey.Words; word++) key[word] = keys[id * QosKey.Words + word];
      const hash = hashOf(key);
      flow[0] = hash;
      const known = cache.find(hash, key, use);
      if (known >= 0) return known;
      const index = walk(use);
      cache.write(hash, key, use, index);
      return index;
    },
    treat(id, leaf, reason) {
      const bytes = len[id];
      count(leaf, QosCount.OfferedPackets, 1, bytes);
      if (marks[leaf] !== 0) markAll(id, leaf);
      if (polices[leaf] === 0) return Passes;
      for (let index = leaf; index >= 0; index = classes[index * QosClass.Words + QosClass.Parent]) {
        if (!isPoliced(index) || police(id, index)) continue;
        count(leaf, QosCount.PoliceDropPackets, 1, bytes);
        return reason;
      }
      return Passes;
    },
  };
}
