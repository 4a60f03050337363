// Do two access lists want the same packet? Both are lists of a group's policy: first match decides, and only permits protect. Answers
// "no" only when it is sure: two permits that meet are apart if one earlier deny of either list covers all that they share.

import type { AclEntry, PortMatch } from './model.js';

export type AnyEntry = Omit<AclEntry, 'line' | 'sequence'>;

/** What a packet must have: bits that count, their values, inclusive ports. protocol null = any. */
interface Box {
  protocol: number | null;
  source: [value: number, care: number];
  destination: [value: number, care: number];
  sourcePorts: [number, number];
  destinationPorts: [number, number];
}

const allPorts: [number, number] = [0, 65535];

/** Ports that the match covers at most, or at least (`inner`); `neq` and several ports have holes. */
function portsOf(match: PortMatch | null, inner: boolean): [number, number] | null {
  if (match === null) return allPorts;
  const [first, second] = match.ports;
  switch (match.operator) {
    case 'eq':
      if (match.ports.length > 1) return inner ? null : [Math.min(...match.ports), Math.max(...match.ports)];
      return [first, first];
    case 'gt':
      return [first + 1, 65535];
    case 'lt':
      return [0, first - 1];
    case 'range':
      return [first, second ?? first];
    case 'neq':
      return inner ? null : allPorts;
  }
}

/** Asks for more than addresses, protocol and ports: it covers less than they say. */
export function asksMore({ icmp, established, flags, dscp, precedence, tos, fragments }: AnyEntry): boolean {
  return [icmp, established, flags, dscp, precedence, tos, fragments].some((criterion) => criterion !== undefined);
}

function boxOf(entry: AnyEntry, inner: boolean): Box | null {
  if (inner && asksMore(entry)) return null;
  const sourcePorts = portsOf(entry.sourcePort, inner);
  const destinationPorts = portsOf(entry.destinationPort, inner);
  if (!sourcePorts || !destinationPorts) return null;
  return {
    protocol: entry.protocol,
    source: [entry.source, ~entry.sourceWildcard],
    destination: [entry.destination, ~entry.destinationWildcard],
    sourcePorts,
    destinationPorts,
  };
}

function sharedBits([a, careA]: Box['source'], [b, careB]: Box['source']): Box['source'] | null {
  if (((a ^ b) & careA & careB) !== 0) return null;
  return [(a & careA) | (b & careB), careA | careB];
}

function sharedPorts([a, b]: [number, number], [c, d]: [number, number]): [number, number] | null {
  const shared: [number, number] = [Math.max(a, c), Math.min(b, d)];
  return shared[0] <= shared[1] ? shared : null;
}

function intersect(a: Box, b: Box): Box | null {
  if (a.protocol !== null && b.protocol !== null && a.protocol !== b.protocol) return null;
  const source = sharedBits(a.source, b.source);
  const destination = sharedBits(a.destination, b.destination);
  const sourcePorts = sharedPorts(a.sourcePorts, b.sourcePorts);
  const destinationPorts = sharedPorts(a.destinationPorts, b.destinationPorts);
  if (!source || !destination || !sourcePorts || !destinationPorts) return null;
  return { protocol: a.protocol ?? b.protocol, source, destination, sourcePorts, destinationPorts };
}

function coversBits([outer, care]: Box['source'], [value, valueCare]: Box['source']): boolean {
  return (care & ~valueCare) === 0 && ((outer ^ value) & care) === 0;
}

function covers(outer: Box, inner: Box): boolean {
  return (
    (outer.protocol === null || outer.protocol === inner.protocol) &&
    coversBits(outer.source, inner.source) &&
    coversBits(outer.destination, inner.destination) &&
    outer.sourcePorts[0] <= inner.sourcePorts[0] &&
    outer.sourcePorts[1] >= inner.sourcePorts[1] &&
    outer.destinationPorts[0] <= inner.destinationPorts[0] &&
    outer.destinationPorts[1] >= inner.destinationPorts[1]
  );
}

function excludedBefore(list: readonly AnyEntry[], index: number, box: Box): boolean {
  for (let i = 0; i < index; i++) {
    if (list[i].action !== 'deny') continue;
    const deny = boxOf(list[i], true);
    if (deny && covers(deny, box)) return true;
  }
  return false;
}

/** @returns the first two permits that want a packet both, null when there are none */
export function findOverlap<A extends AnyEntry, B extends AnyEntry>(a: readonly A[], b: readonly B[]): { a: A; b: B } | null {
  for (const [i, ours] of a.entries()) {
    const box = ours.action === 'permit' ? boxOf(ours, false) : null;
    if (!box) continue;
    for (const [j, theirs] of b.entries()) {
      const other = theirs.action === 'permit' ? boxOf(theirs, false) : null;
      const shared = other && intersect(box, other);
      if (shared && !excludedBefore(a, i, shared) && !excludedBefore(b, j, shared)) return { a: ours, b: theirs };
    }
  }
  return null;
}

/**
 * Does a list take packets of `within` as if nothing in it were meant to spare them? @returns its first permit that wants such a packet with no deny
 * in front of it that meets what they share; null when there is none
 */
export function findUnspared<A extends AnyEntry>(list: readonly A[], within: readonly AnyEntry[]): A | null {
  const traffic = within.map((entry) => boxOf(entry, false)).filter((box) => box !== null);
  const denied: Box[] = [];
  for (const entry of list) {
    const box = boxOf(entry, false);
    if (!box) continue;
    if (entry.action === 'deny') denied.push(box);
    const shared = entry.action === 'deny' ? [] : traffic.map((other) => intersect(box, other)).filter((part) => part !== null);
    if (shared.length > 0 && !shared.some((part) => denied.some((deny) => intersect(part, deny) !== null))) return entry;
  }
  return null;
}
