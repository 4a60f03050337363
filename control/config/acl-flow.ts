// Does an access list permit a flow? One entry after the other, for what asks seldom: packets are the classifier's (dataplane/proto/classifier.ts).

import type { AccessList, AclEntry, Config, PortMatch } from './model.js';
import { expandEntry } from './object-groups.js';

/** Addresses are unsigned; ports are 0 where the protocol has none. */
export interface Flow {
  protocol: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
}

function portMatches(match: PortMatch | null, port: number): boolean {
  if (match === null) return true;
  const [first, second] = match.ports;
  switch (match.operator) {
    case 'eq':
      return match.ports.includes(port);
    case 'neq':
      return !match.ports.includes(port);
    case 'gt':
      return port > first;
    case 'lt':
      return port < first;
    case 'range':
      return port >= first && port <= (second ?? first);
  }
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

/** Asks for what packets of one flow differ in: its permit may permit some of them, its deny may leave some. */
function asksMore({ icmp, established, flags, dscp, precedence, tos, fragments }: AclEntry): boolean {
  return [icmp, established, flags, dscp, precedence, tos, fragments].some((criterion) => criterion !== undefined);
}

/** @returns true when the list permits any packet of the flow, as far as its addresses, protocol and ports say */
export function permitsFlow(config: Config, list: AccessList, flow: Flow): boolean {
  for (const entry of list.entries) {
    if (entry.action === 'deny' && asksMore(entry)) continue;
    if (expandEntry(config, entry).some((plain) => matches(plain, flow))) return entry.action === 'permit';
  }
  return false;
}
