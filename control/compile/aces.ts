// Access list entries -> ACE rows. A row matches one range of ports, so `neq` takes two rows with the same action.

import { Ace, AceAction } from '../../dataplane/tables/layout.js';
import type { PortMatch } from '../config/model.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';

const anyPort: [number, number][] = [[0, 65535]];

/** @returns inclusive ranges; may be empty (`lt 0`, `gt 65535` match nothing) */
export function portRanges(match: PortMatch | null): [number, number][] {
  if (match === null) return anyPort;
  const [first, second] = match.ports;
  const ranges: Record<PortMatch['operator'], [number, number][]> = {
    eq: [[first, first]],
    neq: [
      [0, first - 1],
      [first + 1, 65535],
    ],
    gt: [[first + 1, 65535]],
    lt: [[0, first - 1]],
    range: [[first, second ?? first]],
  };
  return ranges[match.operator].filter(([low, high]) => low <= high);
}

/** Rows of one entry, Ace.Words words each, appended to `words`. @returns how many rows */
export function appendAceRows(words: number[], entry: PolicyEntry): number {
  let rows = 0;
  for (const [sourceLow, sourceHigh] of portRanges(entry.sourcePort)) {
    for (const [destinationLow, destinationHigh] of portRanges(entry.destinationPort)) {
      const row = new Array<number>(Ace.Words).fill(0);
      row[Ace.Action] = entry.action === 'permit' ? AceAction.Permit : AceAction.Deny;
      row[Ace.Protocol] = entry.protocol ?? -1;
      row[Ace.SrcCare] = ~entry.sourceWildcard;
      row[Ace.Src] = entry.source & ~entry.sourceWildcard;
      row[Ace.DstCare] = ~entry.destinationWildcard;
      row[Ace.Dst] = entry.destination & ~entry.destinationWildcard;
      row[Ace.SrcPortLow] = sourceLow;
      row[Ace.SrcPortHigh] = sourceHigh;
      row[Ace.DstPortLow] = destinationLow;
      row[Ace.DstPortHigh] = destinationHigh;
      words.push(...row);
      rows++;
    }
  }
  return rows;
}
