// Does an access list permit a flow? One entry after the other, for what asks seldom: packets are the classifier's (dataplane/proto/classifier.ts).

import { asksMore } from '../config/acl-overlap.js';
import type { AccessList, AclEntry, Config, PortMatch } from '../config/model.js';
import { expandEntry } from '../config/object-groups.js';
import { portRanges } from './aces.js';

/** Addresses are unsigned; ports are 0 where the protocol has none. */
export interface Flow {
  protocol: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
}

function portMatches(match: PortMatch | null, port: number): boolean {
  return portRanges(match).some(([low, high]) => port >= low && port <= high);
}

function matches(entry: AclEntry, flow: Flow): boolean {
  return (
    (entry.protocol === null || entry.protocol === flow.protocol) &&
    ((entry.source ^ flow.source) & ~entry.sourceWildcard) === 0 &&
    ((entry.destination ^ flow.destination) & ~entry.destinationWildcard) === 0 &&
    portMatches(entry.sourcePort, flow.sourcePort) &&
    portMatches(entry.destinationPort, flow.destinationPort)
  );
}

/** @returns true when the list permits any packet of the flow, as far as its addresses, protocol and ports say */
export function permitsFlow(config: Config, list: AccessList, flow: Flow): boolean {
  for (const entry of list.entries) {
    if (entry.action === 'deny' && asksMore(entry)) continue; // it may leave some packets of the flow
    if (expandEntry(config, entry).some((plain) => matches(plain, flow))) return entry.action === 'permit';
  }
  return false;
}
