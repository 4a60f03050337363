// Forwarding table: a multibit trie of 16, 8 and 8 bits (shape: mem/shared.ts). Building is slow and done by the main thread in
// the idle bank; a lookup costs one to three loads. Longest prefix match: RFC 1812 §5.2.4.3. Does not: several next hops per prefix,
// types of service, source routing.

import { type Bank, BankCount, FibLeaf, FibShape, LeafLocal, LeafUnreachable } from '../mem/shared.js';

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

const nodeEntries = FibShape.NodeEntries;

/** Writes leaves and nodes into one bank. */
class TrieWriter {
  private nodes = 0;
  private leaves = 1; // leaf 0 is "no route"
  private readonly leafByKey = new Map<string, number>();

  constructor(private readonly bank: Bank) {
    bank.fibRoot.fill(0);
    bank.fibLeaves[FibLeaf.Port] = LeafUnreachable;
    bank.fibLeaves[FibLeaf.NextHop] = 0;
  }

  takeLeaf(route: FibRoute): number {
    const port = route.kind === 'local' ? LeafLocal : route.kind === 'unreachable' ? LeafUnreachable : route.port;
    const nextHop = route.kind === 'unicast' ? route.nextHop | 0 : 0;
    const key = `${port} ${nextHop}`;
    const known = this.leafByKey.get(key);
    if (known !== undefined) return known;
    if (this.leaves >= FibShape.MaxLeaves) throw new RangeError(`more than ${FibShape.MaxLeaves - 1} different next hops`);
    const leaf = this.leaves++;
    this.bank.fibLeaves[leaf * FibLeaf.Words + FibLeaf.Port] = port;
    this.bank.fibLeaves[leaf * FibLeaf.Words + FibLeaf.NextHop] = nextHop;
    this.leafByKey.set(key, leaf);
    return leaf;
  }

  /** The node below an entry, made if need be with the entry's leaf in every place. @returns index of the node's first word */
  private descend(table: Int32Array, entry: number): number {
    const value = table[entry];
    if (value < 0) return ~value * nodeEntries;
    if (this.nodes >= FibShape.MaxNodes) throw new RangeError(`more than ${FibShape.MaxNodes} nodes in the forwarding table`);
    const node = this.nodes++;
    this.bank.fibNodes.fill(value, node * nodeEntries, (node + 1) * nodeEntries);
    table[entry] = ~node;
    return node * nodeEntries;
  }

  /** Shorter prefixes must have been inserted before. */
  insert(prefix: number, length: number, leaf: number): void {
    const { fibRoot, fibNodes } = this.bank;
    if (length <= 16) {
      const first = (prefix >>> 16) & ~((1 << (16 - length)) - 1);
      fibRoot.fill(leaf, first, first + (1 << (16 - length)));
      return;
    }
    const middle = this.descend(fibRoot, prefix >>> 16);
    if (length <= 24) {
      const first = (prefix >>> 8) & 255 & ~((1 << (24 - length)) - 1);
      fibNodes.fill(leaf, middle + first, middle + first + (1 << (24 - length)));
      return;
    }
    const last = this.descend(fibNodes, middle + ((prefix >>> 8) & 255));
    const first = prefix & 255 & ~((1 << (32 - length)) - 1);
    fibNodes.fill(leaf, last + first, last + first + (1 << (32 - length)));
  }

  finish(): void {
    this.bank.counts[BankCount.FibNodes] = this.nodes;
    this.bank.counts[BankCount.FibLeaves] = this.leaves;
  }
}

/**
 * Fills the FIB of an idle bank. Of equal prefixes the first given wins (give them in order of preference).
 * @throws RangeError when the table has no room or a prefix length is not 0..32; the bank must then not be published.
 */
export function buildFib(bank: Bank, routes: readonly FibRoute[]): void {
  const writer = new TrieWriter(bank);
  const order = routes.map((route, index) => ({ route, index }));
  order.sort((a, b) => a.route.prefixLength - b.route.prefixLength || b.index - a.index);
  for (const { route } of order) {
    if (!(route.prefixLength >= 0 && route.prefixLength <= 32)) throw new RangeError(`prefix length ${route.prefixLength}`);
    writer.insert(route.prefix >>> 0, route.prefixLength, writer.takeLeaf(route));
  }
  writer.finish();
}

/** Longest prefix match. @param address 32 bits, signed or not @returns leaf index, 0 = no route */
export function lookupFib(root: Int32Array, nodes: Int32Array, address: number): number {
  let entry = root[address >>> 16];
  if (entry < 0) {
    entry = nodes[(~entry << 8) | ((address >>> 8) & 255)];
    if (entry < 0) entry = nodes[(~entry << 8) | (address & 255)];
  }
  return entry;
}
