// The trees of one list (classifier.ts). Which bits a node takes is decided by counting: those that leave the fewest rows to a packet of an average row.
// What cannot be told apart by bits ends in a long leaf.

import { Ace, AceAction } from '../tables/layout.js';
import { AclField, AclNode, LastRow, MaxTrees } from './classifier.js';

const enum Limit {
  /** A leaf that is not worth a node. */
  Leaf = 3,
  Depth = 8,
  /** Rows that are looked at to judge a cut. */
  Sample = 128,
  /** A cut may repeat its rows so often. */
  Copies = 2,
  /** Rows looked at while judging, for each of the list. */
  LooksPerRow = 600,
}

/** Rows `rows[0..count)` and the bits that are the same for every packet that comes here. */
interface Part {
  rows: Int32Array;
  count: number;
  depth: number;
  srcKnown: number;
  dstKnown: number;
  protocolKnown: boolean;
}

interface Cut {
  field: AclField;
  shift: number;
  bits: number;
  /** Rows that a packet would still have to be compared with. */
  cost: number;
  /** Rows that are under every value. */
  everywhere: number;
}

export class ListCompiler {
  private readonly places = new Int32Array(256);
  private readonly counts = new Int32Array(256);
  private looks: number;
  /** Words that parts which wait to be built take at most, as leaves: so a list always ends within its share. */
  private promised = 0;

  constructor(
    private readonly aces: Int32Array,
    private readonly words: Int32Array,
    /** Index of words[0] in the array of both banks. */
    private readonly base: number,
    private used: number,
    private readonly end: number,
    private readonly withPorts: boolean,
    rows: number,
  ) {
    this.looks = rows * Limit.LooksPerRow;
  }

  /** @param pairs word where the trees of the list are told @returns the first free word, or -1: no room */
  compile(pairs: number, all: Int32Array): number {
    let rows = this.withPorts ? all : all.filter((row) => this.hasAnyPorts(row) || this.aces[row * Ace.Words] === AceAction.Permit);
    this.promised = rows.length + MaxTrees;
    if (this.used + this.promised > this.end) return -1;
    const trees: [first: number, root: number][] = [];
    while (rows.length > 0) {
      const cut = trees.length < MaxTrees - 1 ? this.chooseCut(rows, rows.length, true) : null;
      // What would be repeated under every value goes to a tree of its own, which is cut elsewhere.
      const apart = cut !== null && cut.everywhere > rows.length >> 4;
      const here = apart ? rows.filter((row) => !this.isEverywhere(row, cut)) : rows;
      const part = { rows: here, count: here.length, depth: 0, srcKnown: 0, dstKnown: 0, protocolKnown: false };
      trees.push([here[0], this.build(part)]);
      rows = apart ? rows.filter((row) => this.isEverywhere(row, cut)) : new Int32Array(0);
    }
    trees.sort(([a], [b]) => a - b);
    trees.push([LastRow, 0]);
    this.words.set(trees.flat(), pairs);
    return this.used;
  }

  private take(words: number): number {
    this.used += words;
    return this.used - words;
  }

  private build(part: Part): number {
    const asLeaf = part.rows.length + 1;
    this.endAtCover(part);
    const { rows, count, depth } = part;
    const cut = count > Limit.Leaf && depth < Limit.Depth ? this.chooseCut(rows, count, false) : null;
    if (cut === null || cut.cost > count * 0.7) return this.leaf(part);
    const values = 1 << cut.bits;
    this.countPlaces(rows, count, cut);
    const starts = new Int32Array(values + 1);
    for (let value = 0; value < values; value++) starts[value + 1] = starts[value] + this.counts[value];
    const asLeaves = starts[values] + values;
    if (this.used + values + this.promised - asLeaf + asLeaves > this.end) return this.leaf(part);
    this.promised += asLeaves - asLeaf;
    const sorted = new Int32Array(starts[values]);
    const next = starts.slice();
    for (let i = 0; i < count; i++) {
      const found = this.findPlaces(rows[i], cut.field, cut.shift, values - 1);
      for (let k = 0; k < found; k++) sorted[next[this.places[k]]++] = rows[i];
    }
    const children = this.take(values);
    const below = { ...part, depth: depth + 1 };
    const mask = (values - 1) << cut.shift;
    if (cut.field === AclField.Src) below.srcKnown |= mask;
    if (cut.field === AclField.Dst) below.dstKnown |= mask;
    if (cut.field === AclField.Protocol) below.protocolKnown ||= cut.bits === 8;
    const known: Int32Array[] = [];
    const roots: number[] = [];
    for (let value = 0; value < values; value++) {
      const mine = sorted.subarray(starts[value], starts[value + 1]);
      // Neighbours, and all values that only hold the rows that are everywhere, mostly share one child.
      let same = known.findIndex((other) => other.length === mine.length && other.every((row, i) => row === mine[i]));
      if (same < 0) {
        same = roots.push(this.build({ ...below, rows: mine, count: mine.length })) - 1;
        known.push(mine);
      } else this.promised -= mine.length + 1;
      this.words[children + value] = roots[same];
    }
    return (
      (cut.field << AclNode.FieldShift) | (cut.shift << AclNode.ShiftShift) | ((cut.bits - 1) << AclNode.BitsShift) | (this.base + children)
    );
  }

  private leaf({ rows, count }: Part): number {
    this.promised -= rows.length + 1;
    const at = this.take(count + 1);
    for (let i = 0; i < count; i++) this.words[at + i] = rows[i];
    this.words[at + count] = LastRow;
    return ~(this.base + at);
  }

  /** Behind a row that every packet matches that comes here, no row matters. */
  private endAtCover(part: Part): void {
    for (let i = 0; i < part.count; i++) {
      const at = part.rows[i] * Ace.Words;
      if ((this.aces[at + Ace.SrcCare] & ~part.srcKnown) !== 0 || (this.aces[at + Ace.DstCare] & ~part.dstKnown) !== 0) continue;
      if (this.aces[at + Ace.Protocol] !== -1 && !part.protocolKnown) continue;
      if (this.aces[at + Ace.Mask] === 0 && this.hasAnyPorts(part.rows[i])) part.count = i + 1;
    }
  }

  private hasAnyPorts(row: number): boolean {
    const [srcLow, srcHigh, dstLow, dstHigh] = this.aces.subarray(row * Ace.Words + Ace.SrcPortLow, (row + 1) * Ace.Words);
    return srcLow === 0 && srcHigh === 65535 && dstLow === 0 && dstHigh === 65535;
  }

  private chooseCut(rows: Int32Array, count: number, apart: boolean): Cut | null {
    const bits = count > 64 ? 8 : count > 12 ? 6 : 4;
    const looked = this.sample(rows, count);
    let best: Cut | null = null;
    const fields = this.withPorts ? AclField.DstPort : AclField.Protocol;
    for (let field = AclField.Src as AclField; field <= fields; field++) {
      const fieldBits = field <= AclField.Dst ? 32 : field === AclField.Protocol ? 8 : 16;
      const width = field === AclField.Protocol ? 8 : bits;
      for (let shift = fieldBits - width; shift >= 0; shift -= 4) {
        if (this.looks <= 0) return best;
        const cut = this.judge(looked, count, { field, shift, bits: width, cost: 0, everywhere: 0 }, apart);
        if (cut !== null && (best === null || cut.cost < best.cost)) best = cut;
      }
    }
    return best;
  }

  /** Spread evenly but not regularly: lists often repeat a pattern. */
  private sample(rows: Int32Array, count: number): Int32Array {
    if (count <= Limit.Sample) return rows.subarray(0, count);
    return new Int32Array(Limit.Sample).map((_, i) => rows[Math.floor((((i + 1) * 0.6180339887) % 1) * count)]);
  }

  /** @param apart rows that are everywhere will get a tree of their own @returns null: too many copies */
  private judge(looked: Int32Array, count: number, cut: Cut, apart: boolean): Cut | null {
    const step = count / looked.length;
    cut.everywhere = this.countPlaces(looked, looked.length, cut);
    let copies = 0;
    let squares = 0;
    let inUse = 0;
    for (let value = 0; value < 1 << cut.bits; value++) {
      const own = this.counts[value] - cut.everywhere;
      if (own === 0) continue;
      inUse++;
      copies += own;
      squares += own * own;
    }
    if (copies === 0) return null;
    const ownCost = (squares / copies) * step;
    cut.everywhere *= step;
    if (apart && cut.everywhere > count >> 4) cut.cost = ownCost + cut.everywhere / 4;
    else if (copies * step + cut.everywhere * inUse > count * Limit.Copies) return null;
    else cut.cost = ownCost + cut.everywhere;
    return cut;
  }

  /** Counts rows under each value of a cut's bits. @returns rows that are under all */
  private countPlaces(rows: Int32Array, count: number, { field, shift, bits }: Cut): number {
    const values = 1 << bits;
    let everywhere = 0;
    this.counts.fill(0);
    for (let i = 0; i < count; i++) {
      const found = this.findPlaces(rows[i], field, shift, values - 1);
      this.looks--;
      if (found === values) everywhere++;
      else for (let k = 0; k < found; k++) this.counts[this.places[k]]++;
    }
    for (let value = 0; value < values; value++) this.counts[value] += everywhere;
    return everywhere;
  }

  private isEverywhere(row: number, { field, shift, bits }: Cut): boolean {
    return this.findPlaces(row, field, shift, (1 << bits) - 1) === 1 << bits;
  }

  /** Values of the bits under which the row may match, into `places`. @param mask 2^bits - 1 @returns how many */
  private findPlaces(row: number, field: AclField, shift: number, mask: number): number {
    const { aces, places } = this;
    const at = row * Ace.Words;
    let count = 0;
    if (field >= AclField.SrcPort) {
      const low = aces[at + (field === AclField.SrcPort ? Ace.SrcPortLow : Ace.DstPortLow)] >> shift;
      const high = Math.min(low + mask, aces[at + (field === AclField.SrcPort ? Ace.SrcPortHigh : Ace.DstPortHigh)] >> shift);
      for (let value = low; value <= high; value++) places[count++] = value & mask;
      return count;
    }
    const wanted = aces[at + (field === AclField.Src ? Ace.Src : field === AclField.Dst ? Ace.Dst : Ace.Protocol)];
    let care = wanted === -1 ? 0 : -1;
    if (field === AclField.Src) care = aces[at + Ace.SrcCare];
    if (field === AclField.Dst) care = aces[at + Ace.DstCare];
    const free = ~(care >>> shift) & mask;
    const fixed = (wanted >>> shift) & mask & ~free;
    let extra = 0;
    do {
      places[count++] = fixed | extra;
      extra = (extra - free) & free;
    } while (extra !== 0);
    return count;
  }
}
