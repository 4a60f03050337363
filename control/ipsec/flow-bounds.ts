// How much peers may make us keep. Lines of access lists are what the configuration has; smaller flows, and those of dynamic maps, are whatever peers
// ask for, and each costs rows of the tables and slots of the packet path.

import { WireError } from '../isakmp/wire-error.js';
import { type FlowPolicy, isPart, policyKey } from './flow-policy.js';
import type { PeerEnd } from './peer-end.js';
import { flowKey, type SaPair, type SaPairs } from './sa-pairs.js';
import type { TrafficSelector } from './selector.js';

/** Flows of one peer that no line names. */
export const MostParts = 16;
/** With one peer; replacements included. */
const MostPairsOfPeer = 48;
/** In all: two SAs each, of 256. */
const MostPairs = 110;

interface Bounds {
  policyOf(key: string): FlowPolicy | undefined;
  hasRoom(): boolean;
}

function refuse(text: string): WireError {
  return new WireError('RFC 2408 §3.14.1', text, 'ipsec_too_many');
}

/** @throws WireError `ipsec_too_many` when another pair for this flow is too much */
export function checkRoom(policy: FlowPolicy, selector: TrafficSelector, peer: PeerEnd, pairs: SaPairs, bounds: Bounds): void {
  const own = pairs.ofPeer(peer);
  if (pairs.size >= MostPairs || own.length >= MostPairsOfPeer) throw refuse('too many pairs of SAs');
  if (pairs.ofFlow(flowKey({ policy: policyKey(policy), selector })).length > 0 || !isPart(policy, selector)) return;
  const isExtra = (pair: SaPair): boolean => {
    const its = bounds.policyOf(pair.policy);
    return its !== undefined && isPart(its, pair.selector);
  };
  if (new Set(own.filter(isExtra).map(flowKey)).size >= MostParts) throw refuse(`more than ${MostParts} flows that no access list has`);
  if (!bounds.hasRoom()) throw refuse('the tables hold no more flows');
}
