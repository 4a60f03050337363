// What the classes of a policy are to each other: `bandwidth` in its four forms -> bytes of a round of deficit round robin.

import type { PolicyClass } from '../config/model.js';
import { priorityBps } from '../config/qos-rates.js';

/** The largest quantum: a full packet, so that a round is short. */
const MostBytes = 1500;
/** What a class without `bandwidth` has at least, of all. */
const LeastPart = 0.01;

/** One class's promise in the unit that its policy uses; null: it has none. */
function promised({ bandwidth }: PolicyClass, above: number): number | null {
  if (!bandwidth) return null;
  if ('kbps' in bandwidth) return bandwidth.kbps * 1000;
  if ('percent' in bandwidth) return (bandwidth.percent * above) / 100;
  return 'remainingPercent' in bandwidth ? bandwidth.remainingPercent : bandwidth.remainingRatio;
}

/** What those without a promise share: the rest of the rate, or of 100 percent; with ratios each counts as 1, as on IOS. */
function restOf(classes: readonly PolicyClass[], above: number): { rest: number; all: number } | null {
  const unit = classes.find(({ bandwidth }) => bandwidth)?.bandwidth;
  if (unit && 'remainingRatio' in unit) return null;
  const all = unit && 'remainingPercent' in unit ? 100 : above;
  let rest = all;
  for (const item of classes) {
    rest -= promised(item, above) ?? 0;
    if (all === above && item.priority) rest -= priorityBps(item.priority, above) ?? 0;
  }
  return { rest, all };
}

/** @param above bits a second that they share @returns for each class, bytes, 1..1500: as one to the other what they are promised */
export function quantaOf(classes: readonly PolicyClass[], above: number): number[] {
  const shared = restOf(classes, above);
  const open = classes.filter(({ bandwidth, priority }) => !bandwidth && !priority).length;
  const each = shared === null ? 1 : Math.max(shared.rest / Math.max(open, 1), shared.all * LeastPart);
  const weights = classes.map((item) => promised(item, above) ?? each);
  const heaviest = Math.max(...weights.filter((_, n) => !classes[n].priority), Number.MIN_VALUE);
  return weights.map((weight) => Math.max(1, Math.min(MostBytes, Math.round((MostBytes * weight) / heaviest))));
}
