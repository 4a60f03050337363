// Forwarding table: 16, 8 and 8 bits of the address. The root is a plain table; a node below it stands for 256 places and holds only
// their runs (neighbouring places with the same value), found by a bit map and a population count. A node is whole cache lines, its
// neighbouring runs lie in the first two as a rule, and 1 M routes as in the Internet take some 9 MB:
//
//   words      0 .. 7    256 bits, one a place: here a run begins; the first place of each 32 always begins one
//   half-words 16 .. 23  per 32 places: the half-word of its first run, less one
//              24 ..     runs: a leaf, or FibNode.Deep + the word that holds the number of the node below
//
// Building is linear, in the main thread, in the idle bank; workers read it there (mem/shared.ts). Longest prefix match: RFC 1812
// §5.2.4.3. Does not: several next hops per prefix, types of service, source routing. Measured and left: plain nodes of 256 words (40 MB),
// runs apart from the nodes (two misses instead of one).

import { type Bank, BankCount, FibLeaf, FibNode, FibShape, LeafLocal, LeafUnreachable } from '../mem/shared.js';

export interface FibRoute {
  /** Unsigned or signed 32-bit; host bits are ignored. */
  prefix: number;
  /** 0..32 */
  prefixLength: number;
  /** `local`: the host's own address (punt). `unreachable`: blackhole, prohibit, unreachable: ICMP and drop. */
  kind: 'unicast' | 'local' | 'unreachable';
  /** Egress port id of a unicast route. */
  port: number;
  /** 0 = directly connected. */
  nextHop: number;
}

/** Stable. @param keyOf 0..keys-1 @returns the values in order of their keys */
function sortByKey(values: Int32Array, keys: number, keyOf: (value: number) => number): Int32Array {
  const starts = new Int32Array(keys + 1);
  for (const value of values) starts[keyOf(value) + 1]++;
  for (let key = 0; key < keys; key++) starts[key + 1] += starts[key];
  const sorted = new Int32Array(values.length);
  for (const value of values) sorted[starts[keyOf(value)]++] = value;
  return sorted;
}

/** Paints what a prefix covers of a table that is indexed by the `width` bits of the address before bit `end` (counted from the left). */
function paint(table: Int32Array, { prefix, prefixLength }: FibRoute, end: number, width: number, leaf: number): void {
  const places = 1 << (end - prefixLength);
  const first = (prefix >>> (32 - end)) & ((1 << width) - 1) & ~(places - 1);
  table.fill(leaf, first, first + places);
}

/** Writes leaves and nodes into one bank. Indices count from the start of both banks' arrays, which lie side by side. */
class FibWriter {
  private readonly firstLeaf: number;
  private readonly firstLine: number;
  private leaves = 0;
  private lines = 0;
  private readonly leafByHop = new Map<number, number>();

  constructor(private readonly bank: Bank) {
    this.firstLeaf = bank.index * FibShape.MaxLeaves;
    this.firstLine = bank.index * FibShape.MaxLines;
    bank.fibRoot.fill(this.takeLeaf(LeafUnreachable, 0));
    bank.counts[BankCount.FibRoot] = bank.index * FibShape.RootEntries;
  }

  private takeLeaf(port: number, nextHop: number, isDefault = 0): number {
    const hop = ((port - LeafUnreachable) * 2 + isDefault) * 2 ** 32 + (nextHop >>> 0);
    let leaf = this.leafByHop.get(hop);
    if (leaf === undefined) {
      if (this.leaves >= FibShape.MaxLeaves) throw new RangeError(`more than ${FibShape.MaxLeaves - 1} different next hops`);
      leaf = this.leaves++;
      this.bank.fibLeaves[leaf * FibLeaf.Words + FibLeaf.Port] = port;
      this.bank.fibLeaves[leaf * FibLeaf.Words + FibLeaf.NextHop] = nextHop;
      this.bank.fibLeaves[leaf * FibLeaf.Words + FibLeaf.Default] = isDefault;
      this.leafByHop.set(hop, leaf);
    }
    return this.firstLeaf + leaf;
  }

  leafOf({ kind, port, nextHop, prefixLength }: FibRoute): number {
    if (kind === 'unicast') return this.takeLeaf(port, nextHop | 0, Number(prefixLength === 0));
    return this.takeLeaf(kind === 'local' ? LeafLocal : LeafUnreachable, 0);
  }

  /** @param places 256 values, >= 0 a leaf, < 0 ~(line of a node) @returns what points to the node */
  writeNode(places: Int32Array): number {
    if (this.lines + FibNode.MaxLines > FibShape.MaxLines) {
      throw new RangeError(`the nodes of the forwarding table need more than ${FibShape.MaxLines >>> 14} MB`);
    }
    const { fibNodes, fibHalves } = this.bank;
    const first = this.lines * FibShape.LineWords;
    let half = FibNode.FirstRun;
    for (let group = 0; group < 8; group++) {
      fibHalves[first * 2 + FibNode.FirstBase + group] = half - 1;
      let bits = 0;
      for (let place = 0; place < 32; place++) {
        const value = places[group * 32 + place];
        if (place !== 0 && value === places[group * 32 + place - 1]) continue;
        bits |= 1 << place;
        fibHalves[first * 2 + half++] = value;
      }
      fibNodes[first + group] = bits;
    }
    // Every node below begins a run of its own: places that share one do not occur.
    let word = (half + 1) >>> 1;
    let run = FibNode.FirstRun;
    for (let place = 0; place < 256; place++) {
      if (((fibNodes[first + (place >>> 5)] >>> (place & 31)) & 1) === 0) continue;
      if (places[place] < 0) {
        fibHalves[first * 2 + run] = FibNode.Deep | word;
        fibNodes[first + word++] = ~places[place];
      }
      run++;
    }
    const node = this.firstLine + this.lines;
    this.lines += Math.ceil(word / FibShape.LineWords);
    return ~node;
  }
}

/**
 * Fills the FIB of an idle bank. Of equal prefixes the first given wins (give them in order of preference).
 * @throws RangeError when the table has no room or a prefix length is not 0..32; the bank must then not be published.
 */
export function buildFib(bank: Bank, routes: readonly FibRoute[]): void {
  const writer = new FibWriter(bank);
  for (const { prefixLength } of routes) {
    if (!(prefixLength >= 0 && prefixLength <= 32)) throw new RangeError(`prefix length ${prefixLength}`);
  }
  // Painted later wins: by length, and of equal prefixes the first given last.
  const backwards = new Int32Array(routes.length).map((_, i) => routes.length - 1 - i);
  const byLength = sortByKey(backwards, 33, (i) => routes[i].prefixLength);
  const inRoot = byLength.findIndex((i) => routes[i].prefixLength > 16);
  const short = inRoot < 0 ? byLength : byLength.subarray(0, inRoot);
  for (const i of short) paint(bank.fibRoot, routes[i], 16, 16, writer.leafOf(routes[i]));
  const long = sortByKey(byLength.subarray(short.length), 65536, (i) => (routes[i].prefix >>> 16) & 65535);
  const places = new Int32Array(256);
  for (let first = 0, end = 0; first < long.length; first = end) {
    const slot = (routes[long[first]].prefix >>> 16) & 65535;
    while (end < long.length && ((routes[long[end]].prefix >>> 16) & 65535) === slot) end++;
    places.fill(bank.fibRoot[slot]);
    let middle = first;
    for (; middle < end && routes[long[middle]].prefixLength <= 24; middle++) {
      paint(places, routes[long[middle]], 24, 8, writer.leafOf(routes[long[middle]]));
    }
    if (middle < end) writeDeep(writer, routes, long.subarray(middle, end), places);
    bank.fibRoot[slot] = writer.writeNode(places);
  }
}

/** Nodes for what is longer than 24 bits. @param deep routes of one /16, by length @param places of the node above, overwritten where a node comes */
function writeDeep(writer: FibWriter, routes: readonly FibRoute[], deep: Int32Array, places: Int32Array): void {
  const sorted = deep.length === 1 ? deep : sortByKey(deep, 256, (i) => (routes[i].prefix >>> 8) & 255);
  const last = new Int32Array(256);
  for (let first = 0, end = 0; first < sorted.length; first = end) {
    const slot = (routes[sorted[first]].prefix >>> 8) & 255;
    last.fill(places[slot]);
    for (; end < sorted.length && ((routes[sorted[end]].prefix >>> 8) & 255) === slot; end++) {
      paint(last, routes[sorted[end]], 32, 8, writer.leafOf(routes[sorted[end]]));
    }
    places[slot] = writer.writeNode(last);
  }
}

/** The most specific of some routes, of equals the first, one by one: to name what the table has decided. @param address signed or not */
export function findRoute(routes: readonly FibRoute[], address: number): FibRoute | null {
  let found: FibRoute | null = null;
  for (const route of routes) {
    const care = route.prefixLength === 0 ? 0 : -1 << (32 - route.prefixLength);
    if (((route.prefix ^ address) & care) === 0 && (found === null || route.prefixLength > found.prefixLength)) found = route;
  }
  return found;
}

/** Number of ones in a word. V8 has no instruction for it: 12 operations that overlap with the next packet's. */
function countOnes(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Longest prefix match. @param halves the words of `nodes` as half-words @param root first word of the current bank's root in `roots`
 * (BankCount.FibRoot) @param address 32 bits, signed or not @returns leaf index; no route is a leaf too
 */
export function lookupFib(roots: Int32Array, nodes: Int32Array, halves: Uint16Array, root: number, address: number): number {
  let entry = roots[root + (address >>> 16)];
  if (entry < 0) {
    const node = ~entry * FibShape.LineWords;
    const group = (address >>> 13) & 7;
    const ones = countOnes(nodes[node + group] & ((2 << ((address >>> 8) & 31)) - 1));
    entry = halves[node * 2 + halves[node * 2 + FibNode.FirstBase + group] + ones];
    if (entry >= FibNode.Deep) entry = lookupDeep(nodes, halves, nodes[node + entry - FibNode.Deep] * FibShape.LineWords, address);
  }
  return entry;
}

function lookupDeep(nodes: Int32Array, halves: Uint16Array, node: number, address: number): number {
  const group = (address >>> 5) & 7;
  const ones = countOnes(nodes[node + group] & ((2 << (address & 31)) - 1));
  return halves[node * 2 + halves[node * 2 + FibNode.FirstBase + group] + ones];
}

/**
 * {@link lookupFib} for a vector. Step by step for all packets instead of packet by packet, so that the cache misses of one step overlap: a third
 * of the time when 1 M routes do not fit the second-level cache. @param addresses column @param ids its first `count` @param leaves out: one per id
 */
export function lookupFibVector(
  roots: Int32Array,
  nodes: Int32Array,
  halves: Uint16Array,
  root: number,
  addresses: Int32Array,
  ids: Int32Array,
  count: number,
  leaves: Int32Array,
): void {
  for (let i = 0; i < count; i++) leaves[i] = roots[root + (addresses[ids[i]] >>> 16)];
  for (let i = 0; i < count; i++) {
    if (leaves[i] >= 0) continue;
    const address = addresses[ids[i]];
    const node = ~leaves[i] * FibShape.LineWords;
    const group = (address >>> 13) & 7;
    const ones = countOnes(nodes[node + group] & ((2 << ((address >>> 8) & 31)) - 1));
    leaves[i] = ~(node * 2 + halves[node * 2 + FibNode.FirstBase + group] + ones);
  }
  for (let i = 0; i < count; i++) {
    if (leaves[i] >= 0) continue;
    const run = halves[~leaves[i]];
    leaves[i] = run < FibNode.Deep ? run : lookupFib(roots, nodes, halves, root, addresses[ids[i]]);
  }
}
