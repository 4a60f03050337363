// Thresholds of random-detect that IOS has for a precedence and for a DSCP where none are configured, packets.

import { defaultMarkDenominator, type RandomDetect, type Threshold } from './model.js';

const curveOf = (least: number, most: number): [least: number, most: number] => [least, most];

export const defaultRedMost = 40;
const byPrecedence = [20, 22, 24, 26, 28, 31, 33, 35];

export function defaultPrecedenceCurve(precedence: number): [least: number, most: number] {
  return curveOf(byPrecedence[precedence], defaultRedMost);
}

const ExpeditedForwarding = 46;

/** AFx1 gets further than AFx2 and AFx3 (RFC 2597 §2); class selectors, and what has no name, by their upper three bits. */
export function defaultDscpCurve(dscp: number): [least: number, most: number] {
  const [level, drop] = [dscp >> 3, dscp & 7];
  if (dscp === ExpeditedForwarding) return curveOf(36, defaultRedMost);
  const isAssured = level >= 1 && level <= 4 && (drop === 2 || drop === 4 || drop === 6);
  return curveOf(isAssured ? 36 - 2 * drop : 20 + 2 * level, defaultRedMost);
}

/** What a DSCP or a precedence, as `by` says, has: what is configured, else what IOS has. */
export function thresholdOf({ by, thresholds }: RandomDetect, value: number): Threshold {
  const [least, most] = by === 'dscp' ? defaultDscpCurve(value) : defaultPrecedenceCurve(value);
  return thresholds.get(value) ?? { least, most, markDenominator: defaultMarkDenominator };
}
