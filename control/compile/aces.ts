// Access list entries -> ACE rows. A row matches one range of ports, so `neq` and several ports take more rows with the same action.

import { Ace, AceAction, AceLog, AclFact } from '../../dataplane/tables/layout.js';
import type { PortMatch, TcpFlag } from '../config/model.js';
import { namesGroups } from '../config/object-groups.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';

type Range = [low: number, high: number];
const anyPort: Range[] = [[0, 65535]];

/** What is between and around some ports. */
function gapsOf(ports: readonly number[]): Range[] {
  const sorted = [...ports].sort((a, b) => a - b);
  return [...sorted, 65536].map((port, i) => [i === 0 ? 0 : sorted[i - 1] + 1, port - 1]);
}

/** @returns inclusive ranges; may be empty (`lt 0`, `gt 65535` match nothing) */
export function portRanges(match: PortMatch | null): Range[] {
  if (match === null) return anyPort;
  const [first, second] = match.ports;
  const ranges: Record<PortMatch['operator'], () => Range[]> = {
    eq: () => match.ports.map((port) => [port, port]),
    neq: () => gapsOf(match.ports),
    gt: () => [[first + 1, 65535]],
    lt: () => [[0, first - 1]],
    range: () => [[first, second ?? first]],
  };
  return ranges[match.operator]().filter(([low, high]) => low <= high);
}

/** Bits of a TCP header's flags (RFC 9293 §3.1). */
const flagBits: Record<TcpFlag, number> = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 };

function bitsOf(flags: readonly TcpFlag[]): number {
  return flags.reduce((bits, flag) => bits | flagBits[flag], 0);
}

/** Ace.Mask, Ace.Value, Ace.AnyOf of what an entry asks besides addresses and ports. */
function factsOf(entry: PolicyEntry): { mask: number; value: number; anyOf: number } {
  const facts = { mask: 0, value: 0, anyOf: 0 };
  const ask = (mask: number, value: number): void => {
    facts.mask |= mask;
    facts.value |= value;
  };
  if (entry.dscp !== undefined) ask(0xfc, entry.dscp << 2);
  if (entry.precedence !== undefined) ask(0xe0, entry.precedence << 5);
  if (entry.tos !== undefined) ask(0x1e, entry.tos << 1);
  if (entry.fragments) ask(AclFact.Later, AclFact.Later);
  const { icmp, established, flags } = entry;
  if (icmp || established || flags) ask(AclFact.Known, AclFact.Known);
  if (icmp) ask(0xff << AclFact.FirstShift, icmp.type << AclFact.FirstShift);
  if (icmp && icmp.code !== null) ask(0xff << AclFact.SecondShift, icmp.code << AclFact.SecondShift);
  if (established) facts.anyOf = bitsOf(['ack', 'rst']);
  if (!flags) return facts;
  const [set, clear] = [bitsOf(flags.set), bitsOf(flags.clear)];
  if (flags.mode === 'any') facts.anyOf = set | clear | (clear << 8);
  else ask((set | clear) << AclFact.FirstShift, set << AclFact.FirstShift);
  return facts;
}

const logs: Record<NonNullable<PolicyEntry['log']>, AceLog> = { log: AceLog.Log, 'log-input': AceLog.LogInput };

/**
 * Rows of one entry without object groups, Ace.Words words each, appended to `words`.
 * @param counter of its hits, < Cap.AceCounters @returns how many rows
 */
export function appendAceRows(words: number[], entry: PolicyEntry, counter = 0): number {
  // What would be left of it matches more than it says.
  if (namesGroups(entry)) throw new TypeError('an entry that names object groups is expanded first (config/object-groups.ts)');
  let rows = 0;
  const { mask, value, anyOf } = factsOf(entry);
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
      row[Ace.Mask] = mask;
      row[Ace.Value] = value;
      row[Ace.AnyOf] = anyOf;
      row[Ace.Counter] = counter;
      row[Ace.Log] = entry.log ? logs[entry.log] : AceLog.None;
      words.push(...row);
      rows++;
    }
  }
  return rows;
}
