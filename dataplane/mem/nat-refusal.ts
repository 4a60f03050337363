// A flow that NAT cannot begin: there is no room for its session. Its packet is refused with an ICMP 3/13 (RFC 5508 REQ-8) and a message to the operator;
// what is wrong with a packet otherwise drops it without a word.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { IcmpError, UnreachableCode } from '../proto/icmp.js';

function isNoRoom(reason: Drop): boolean {
  return reason === Drop.NatNoPort || reason === Drop.NatFull || reason === Drop.NatNoAddress || reason === Drop.NatHostFull;
}

/** @returns a function that takes a packet out of the pass, for one of NAT's reasons */
export function makeNatRefusal({ drop, events, slots, vec }: Env): (id: number, reason: Drop) => void {
  const { src, dst, error, reason: reasons } = slots;
  const { refused } = vec;
  return function refuse(id, reason) {
    if (!isNoRoom(reason)) return drop(id, reason);
    events.noteExhaustion(reason === Drop.NatFull || reason === Drop.NatHostFull, src[id], dst[id]);
    error[id] = (IcmpError.Unreachable << 24) | (UnreachableCode.AdministrativelyProhibited << 16);
    reasons[id] = reason;
    refused.push(id);
  };
}
