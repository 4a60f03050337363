// The bytes of a datagram that fragments have brought: a sorted list of ranges [from, to) that do not meet, in words of a table. Both kinds of reassembly keep one for each
// datagram (mem/fragments.ts, mem/reassembly.ts).

/** Ranges of one datagram that do not meet yet. */
export const MaxRanges = 16;

export const enum Added {
  New = 0,
  /** All of its bytes were there. */
  Copy = 1,
  Overlap = 2,
  TooMany = 3,
}

/** Adds a range. @param list where the words of the ranges begin, 2 * MaxRanges of them @param length where their number stands */
export function addRange(words: Int32Array, list: number, length: number, from: number, to: number): Added {
  const count = words[length];
  let i = 0;
  while (i < count && words[list + 2 * i + 1] < from) i++;
  const at = list + 2 * i;
  if (i === count || words[at] > to) {
    if (count === MaxRanges) return Added.TooMany;
    words.copyWithin(at + 2, at, list + 2 * count);
    words[at] = from;
    words[at + 1] = to;
    words[length] = count + 1;
    return Added.New;
  }
  if (words[at] === to) {
    words[at] = from;
    return Added.New;
  }
  if (words[at + 1] > from) return words[at] <= from && to <= words[at + 1] ? Added.Copy : Added.Overlap;
  // It begins where this range ends.
  const hasNext = i + 1 < count;
  if (hasNext && words[at + 2] < to) return Added.Overlap;
  if (!hasNext || words[at + 2] > to) {
    words[at + 1] = to;
    return Added.New;
  }
  words[at + 1] = words[at + 3];
  words.copyWithin(at + 2, at + 4, list + 2 * count);
  words[length] = count - 1;
  return Added.New;
}

/** Does a fragment agree with where its datagram ends? @param total bytes, 0 = the last fragment has not come @param more MF */
export function fitsEnd(words: Int32Array, list: number, length: number, total: number, to: number, more: boolean): boolean {
  if (total !== 0) return more ? to <= total : to === total;
  if (more) return true;
  const ranges = words[length];
  return ranges === 0 || words[list + 2 * ranges - 1] <= to;
}
