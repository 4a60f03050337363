// 20-reassemble: virtual reassembly, as IOS does it where NAT is: fragments are checked against each other, wait for their first, and carry its ports from
// then on, so that lists, NAT and crypto maps judge a datagram by one answer. In: policy-in's vector, left in it, and esp-open's: ESP in UDP, and all of it for `drop-fragments`. Of it what came by an `ip nat` port in
// fragments, of protocols with ports and ICMP; a router that translates nothing passes fragments as they come (RFC 1812 §5.3), unless `ip virtual-reassembly` wants them looked at.
// What may be ESP in UDP too: 23-assemble tells it by the ports. Out: the same; what was held stands behind its first, in order of arrival. Drops: fragment-overlap,
// fragment-duplicate, fragment-limit, fragment-timeout, hand-over-full; fragment-refused: `drop-fragments`.
// Several workers: a datagram's fragments meet at the worker of their source, and those from outside go on to the worker that has the port, which
// only the first names (mem/owner.ts). Does not: put datagrams together.

import { Drop, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { Fate } from '../mem/fragments.js';
import { HandOverSerial, makeHandTo } from '../mem/hand-over.js';
import { ownerOfFragment } from '../mem/owner.js';
import { NatSide, PortFragments, PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import type { Vector } from '../mem/vector.js';
import { Ip4, IpProto, isMulticast } from '../proto/ipv4.js';
import { hasPorts } from '../proto/l4.js';
import { End } from '../proto/nat.js';

const enum Bits {
  Fragment = 24, // PacketFlag.LaterFragment | MoreFragments
  /** They are not looked at: of this host, decrypted, or known from another worker. */
  Exempt = 515, // PacketFlag.FromHost | Decrypted | Joined
}

export function makeReassemble(env: Env): () => void {
  const { clock, drop, nat, slots, groupUdp, fragments: table, handOver, workerIndex, workers } = env;
  const { view, off, len, l4Off, proto, src, dst, sport, dport, rxPort, flags, firstPorts } = slots;
  const { ports } = env.tables;
  const handTo = makeHandTo(env);
  const { path } = env.counters;
  const { espOpen, policyIn } = env.vec;
  const waiting = new Int32Array(SlotShape.Count);

  function isOurs(id: number): boolean {
    if ((flags[id] & Bits.Fragment) === 0 || (flags[id] & Bits.Exempt) !== 0) return false;
    if (isRefused(id)) return true;
    if (!hasPorts(proto[id]) && proto[id] !== IpProto.Icmp) return false;
    const port = rxPort[id] * PortRow.Words;
    const isLookedAt = ports[port + PortRow.Nat] !== NatSide.None || ports[port + PortRow.Fragments] !== PortFragments.Pass;
    return (isLookedAt && !isMulticast(dst[id])) || (proto[id] === IpProto.Udp && groupUdp.mayBeEsp(id));
  }

  function isRefused(id: number): boolean {
    return ports[rxPort[id] * PortRow.Words + PortRow.Fragments] === PortFragments.Drop;
  }

  function portsOfFirst(id: number): number {
    if (hasPorts(proto[id])) return (sport[id] << 16) | (dport[id] & 0xffff);
    return (nat.portOf(id, End.Source) << 16) | (nat.portOf(id, End.Destination) & 0xffff);
  }

  /** The packet goes on, here or at the worker that has its port. */
  function pass(id: number, word: number, out: Vector): void {
    flags[id] |= PacketFlag.Joined;
    firstPorts[id] = word;
    if (hasPorts(proto[id])) {
      sport[id] = word >>> 16;
      dport[id] = word & 0xffff;
    }
    const owner = handOver === null ? workerIndex : ownerOfFragment(env, id, workers);
    if (owner === workerIndex) {
      out.push(id);
    } else {
      handTo(id, owner, HandOverSerial.Received);
    }
  }

  function take(id: number, out: Vector): void {
    const word = view.getUint16(off[id] + Ip4.FlagsOffset);
    const from = (word & Ip4.OffsetMask) << 3;
    const to = from + off[id] + len[id] - l4Off[id];
    const more = (word & Ip4.MoreFragments) !== 0;
    const first = from === 0 ? portsOfFirst(id) : 0;
    const name = (view.getUint16(off[id] + Ip4.Id) << 8) | proto[id];
    const fate = table.take(id, src[id], dst[id], name, from, to, more, first, clock[Clock.Ms], rxPort[id]);
    if (fate === Fate.Pass) {
      pass(id, table.ports, out);
      for (let i = 0; i < table.releasedCount; i++) pass(table.released[i], table.ports, out);
    } else if (fate < 0) {
      drop(id, ~fate);
    }
  }

  function reassembleIn(vector: Vector): void {
    let first = 0;
    while (first < vector.length && !isOurs(vector.ids[first])) first++;
    if (first === vector.length) return;
    const count = vector.length - first;
    for (let i = 0; i < count; i++) waiting[i] = vector.ids[first + i];
    vector.length = first;
    for (let i = 0; i < count; i++) {
      if (!isOurs(waiting[i])) vector.push(waiting[i]);
      else if (isRefused(waiting[i])) drop(waiting[i], Drop.FragmentRefused);
      else take(waiting[i], vector);
    }
  }

  return function reassemble() {
    reassembleIn(espOpen);
    reassembleIn(policyIn);
    path[PathCount.Held] = table.held;
  };
}
