// Which worker a packet is for when there are several: everybody's answer must be the same. What is nobody's belongs to the worker of its source.
//
// NAT: who has the session has its global port (path/45) or its address (nat-rules.ts), so what comes from outside for one of our addresses, or one that
// NAT answers for, belongs to that worker, and so do flows of our own programs. What `ip nat outside source` alone translates is the inside host's. Protocols without ports have one session for each outside address: they are the worker's of that address, both ways. Fragments
// meet at the worker of their source first (path/20), and go on from there once their ports are known.

import type { Env } from '../env.js';
import { ownerOf } from '../native/native.js';
import { IpProto } from '../proto/ipv4.js';
import { End, natHasPorts } from '../proto/nat.js';
import { isLocal } from './hash.js';
import { NatSide, PortRow } from './shared.js';
import { PacketFlag } from './slots.js';

/** @param id a packet that ip-input has parsed. What is turned round from inside belongs where it would belong if it came from outside. */
export function ownerOfPacket(env: Env, id: number, workers: number): number {
  const { src, dst, rxPort, flags, proto } = env.slots;
  const { ports } = env.tables;
  if ((flags[id] & PacketFlag.Hairpin) !== 0) return ownerFromOutside(env, id, workers);
  const side = ports[rxPort[id] * PortRow.Words + PortRow.Nat];
  if (env.natRules.isEmpty || side === NatSide.None) return ownerOf(src[id], workers);
  const isPortless = !natHasPorts(proto[id]) && proto[id] !== IpProto.Icmp;
  if (side === NatSide.Inside) return ownerOf(isPortless ? dst[id] : src[id], workers);
  if (isPortless) return ownerOf((flags[id] & PacketFlag.FromHost) !== 0 ? dst[id] : src[id], workers);
  if ((flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0) return ownerOfFragment(env, id, workers);
  return ownerByPort(env, id, workers);
}

/** The same for a fragment: where it meets the others, or, once it has, where it goes on. */
export function ownerOfFragment(env: Env, id: number, workers: number): number {
  const { src, rxPort, flags, firstPorts } = env.slots;
  const isOutside = env.tables.ports[rxPort[id] * PortRow.Words + PortRow.Nat] === NatSide.Outside;
  const isKnown = (flags[id] & PacketFlag.Joined) !== 0;
  if (!isOutside || !isKnown) return ownerOf(src[id], workers);
  return ownerOfGlobal(env, id, env.slots.proto[id], firstPorts[id] & 0xffff, workers);
}

/** Of what NAT turns round (path/33): its source is a global address already. */
export function ownerFromOutside(env: Env, id: number, workers: number): number {
  const { src, flags, proto, firstPorts } = env.slots;
  if (!natHasPorts(proto[id]) && proto[id] !== IpProto.Icmp) return ownerOf(src[id], workers);
  if ((flags[id] & PacketFlag.Joined) !== 0) return ownerOfGlobal(env, id, proto[id], firstPorts[id] & 0xffff, workers);
  return ownerByPort(env, id, workers);
}

function ownerByPort(env: Env, id: number, workers: number): number {
  const { src, flags } = env.slots;
  const { nat } = env;
  if ((flags[id] & PacketFlag.FromHost) === 0) {
    const port = nat.portOf(id, End.Destination);
    return ownerOfGlobal(env, id, nat.portProtocol, port, workers);
  }
  const port = nat.portOf(id, End.Source);
  return port < 0 ? ownerOf(src[id], workers) : port % workers;
}

/** Of what comes from outside. @param port of its destination, -1 = none */
function ownerOfGlobal(env: Env, id: number, protocol: number, port: number, workers: number): number {
  const { src, dst } = env.slots;
  const { natRules } = env;
  if (!isLocal(env.tables.localSet, dst[id]) && !natRules.isGlobal(dst[id]))
    return ownerOf(natRules.translatesOutside ? dst[id] : src[id], workers);
  const owner = natRules.ownerOf(protocol, dst[id], port, workers);
  return owner < 0 ? ownerOf(src[id], workers) : owner;
}
