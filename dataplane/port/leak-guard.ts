// The leak guard (DESIGN §2): what a group's policy wants encrypted is routed to a blackhole behind all rules of ours, for the moment
// when this process and its TUNs are gone. While the pipeline runs, its own rules come first and nothing reaches the guard but
// traffic of devices that are not ours, and programs that bind to a device. Pure.
//
// A policy rule cannot name the egress port, so the guard covers every way out. An ACL that is denied in one crypto entry may be
// permitted in the next: `goto` goes on there, and only what the last entry denies is let through.
//
// A port that is closed (`fail-close`) is guarded as a whole. Which way a packet would leave is a matter of routes, so those of main stand in
// a table of their own, in which whatever leads out of a closed port is a blackhole (planClearTable), and its rule is the last.

import { Ace, AceAction, CryptoEntry, CryptoFlag } from '../tables/layout.js';
import type { Prefix } from './addresses.js';
import { RouteTable, RouteType } from './linux-state.js';
import { anyPacket, type PortDevices, Pref, type Rule, type Selectors, Table } from './rules.js';

/**
 * @param aces Ace rows @param cryptoEntries CryptoEntry rows @param ports those that are open
 * @returns rules from pref 130 on, in the order of the ACEs
 */
export function planGuard(aces: Int32Array, cryptoEntries: Int32Array, ports: readonly PortDevices[]): Rule[] {
  const blocks = readRanges(cryptoEntries, CryptoFlag.Registered | CryptoFlag.PeerOut)
    .map(([first, count, flags]) => ({ block: readBlock(aces, first, count), isClear: (flags & CryptoFlag.ReceiveOnly) !== 0 }))
    .filter(({ block }) => block.length > 0);
  const closed = planClosed(aces, cryptoEntries, ports);
  const rules: Rule[] = [];
  let pref = Pref.Guard as number;
  for (const [index, { block, isClear }] of blocks.entries()) {
    const onPermit = isClear ? { lookup: RouteTable.Main } : { drop: RouteType.Blackhole };
    const next = pref + block.length;
    const onDeny = index + 1 < blocks.length || closed.length > 0 ? { goto: next } : { lookup: RouteTable.Main };
    for (const { permit, rule } of block) rules.push({ ...rule, pref: pref++, action: permit ? onPermit : onDeny });
  }
  return [...rules, ...closed.map((rule) => ({ ...rule, pref: pref++ }))];
}

/** Ports that are closed and open in the kernel. */
export function closedPorts(cryptoEntries: Int32Array, ports: readonly PortDevices[]): PortDevices[] {
  const closed = new Set<number>();
  for (let at = 0; at + CryptoEntry.Words <= cryptoEntries.length; at += CryptoEntry.Words)
    if ((cryptoEntries[at + CryptoEntry.Flags] & CryptoFlag.ClosedOut) !== 0) closed.add(cryptoEntries[at + CryptoEntry.Port]);
  return ports.filter(({ port }) => closed.has(port));
}

/** What comes in on closed ports, then what leaves by them; pref is the caller's. Exceptions of two closed maps count for both: a rule does not see the way out. */
function planClosed(aces: Int32Array, entries: Int32Array, ports: readonly PortDevices[]): Rule[] {
  const closed = closedPorts(entries, ports);
  if (closed.length === 0) return [];
  const rules: Rule[] = [];
  const add = (block: readonly GuardEntry[], iif: string | null, onPermit: Rule['action']): void => {
    for (const { permit, rule } of block) rules.push({ ...rule, iif, pref: 0, action: permit ? onPermit : { lookup: RouteTable.Main } });
  };
  for (const { port, device } of closed) {
    const drop = { drop: RouteType.Blackhole };
    for (const [first, count] of readRanges(entries, CryptoFlag.ClosedIn, port)) add(readBlock(aces, first, count), device, drop);
  }
  // The last row of a list permits everything, which is what the rule of the table says: behind it nothing would be reached.
  for (const [first, count] of readRanges(entries, CryptoFlag.ClosedOut))
    add(readBlock(aces, first, count - 1), null, { lookup: Table.Clear });
  rules.push({ ...anyPacket, pref: 0, action: { lookup: Table.Clear } });
  return rules;
}

/** ACE ranges of the entries with one of some flags, each once: two ports with one map would double the rules. @param port of this port only */
function readRanges(entries: Int32Array, flag: number, port?: number): [first: number, count: number, flags: number][] {
  const ranges = new Map<string, [number, number, number]>();
  for (let at = 0; at + CryptoEntry.Words <= entries.length; at += CryptoEntry.Words) {
    if ((entries[at + CryptoEntry.Flags] & flag) === 0) continue;
    if (port !== undefined && entries[at + CryptoEntry.Port] !== port) continue;
    const range: [number, number, number] = [
      entries[at + CryptoEntry.AclFirst],
      entries[at + CryptoEntry.AclCount],
      entries[at + CryptoEntry.Flags],
    ];
    ranges.set(range.join(' '), range);
  }
  return [...ranges.values()];
}

interface GuardEntry {
  permit: boolean;
  rule: Selectors;
}

function readBlock(aces: Int32Array, first: number, count: number): GuardEntry[] {
  const block: GuardEntry[] = [];
  for (let at = first * Ace.Words; at < (first + count) * Ace.Words; at += Ace.Words) {
    const permit = aces[at + Ace.Action] === AceAction.Permit;
    const from = coveringPrefix(aces[at + Ace.Src], aces[at + Ace.SrcCare]);
    const to = coveringPrefix(aces[at + Ace.Dst], aces[at + Ace.DstCare]);
    // A rule cannot match scattered bits. Covering more is safe for a permit (drops more), not for a deny (lets more through).
    // Nor TCP flags, ICMP types and the like.
    if (!permit && !(from.exact && to.exact && aces[at + Ace.Mask] === 0)) continue;
    // A rule that names ports does not match fragments behind the first one: a permit covers the whole protocol instead.
    const sourcePorts = permit ? null : portRange(aces[at + Ace.SrcPortLow], aces[at + Ace.SrcPortHigh]);
    const destinationPorts = permit ? null : portRange(aces[at + Ace.DstPortLow], aces[at + Ace.DstPortHigh]);
    const ipProtocol = aces[at + Ace.Protocol];
    if (!permit && (ipProtocol === 0 || isEmpty(sourcePorts) || isEmpty(destinationPorts))) continue;
    block.push({
      permit,
      rule: {
        ...anyPacket,
        from: from.prefix,
        to: to.prefix,
        ipProtocol: ipProtocol <= 0 ? null : ipProtocol, // the kernel takes 0 for any
        sourcePorts,
        destinationPorts,
      },
    });
  }
  return block;
}

/** The longest prefix that covers all addresses with these bits; `exact` when it covers no others. prefix null = any. */
function coveringPrefix(address: number, care: number): { prefix: Prefix | null; exact: boolean } {
  const prefixLength = Math.clz32(~care);
  const mask = prefixLength === 0 ? 0 : (-1 << (32 - prefixLength)) >>> 0;
  return { prefix: prefixLength === 0 ? null : { address: (address & mask) >>> 0, prefixLength }, exact: care >>> 0 === mask };
}

/** The kernel takes 1..65534 in a rule: a deny is cut to that, so that never more is let through. */
function portRange(low: number, high: number): [number, number] | null {
  if (low <= 0 && high >= 65535) return null;
  return [Math.max(low, 1), Math.min(high, 65534)];
}

function isEmpty(range: [number, number] | null): boolean {
  return range !== null && range[0] > range[1];
}
