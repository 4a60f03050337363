// What groupwire wants to be, as ratios within one run: the acceptance list of the dataplane.

import { peerTexts } from './peers/names.js';
import type { Results } from './results.js';
import { type ColumnName, peersOf, type Ratio, ratio, type Spread, segsOf, spreadOf } from './summary.js';

export interface Requirement {
  peer: string;
  column: ColumnName;
  /** Absent: at every SEG of the run. */
  seg?: number;
  /** A peer, or the best of the userspace VPNs in this run. Absent: `least` or `most` is in the column's own unit. */
  against?: string;
  least?: number;
  most?: number;
}

const best = 'best';
/** Of the group with default drivers, and of its ESP in UDP, wherever that is measured. */
const ofDefault = (peer: string): Requirement[] => [
  { peer, column: 'tcp1', seg: 0, against: 'wireguard-go', least: 1.6 },
  { peer, column: 'tcp1', seg: 0, against: 'strongswan', least: 4 },
  { peer, column: 'tcp1', seg: 1, against: best, least: 1.5 },
  { peer, column: 'flood', against: best, least: 1.6 },
  { peer, column: 'rtt', against: best, most: 1 },
  { peer, column: 'pss', most: 150 },
  { peer, column: 'rssMax', most: 150 },
];
const ofFast = (peer: string): Requirement[] => [
  { peer, column: 'tcp1', seg: 0, against: 'wireguard-go', least: 2 },
  { peer, column: 'tcp1', seg: 1, against: best, least: 2 },
  { peer, column: 'flood', against: best, least: 2.6 },
  { peer, column: 'tcp1', against: 'bound', least: 0.75 },
  { peer, column: 'flood', against: 'bound', least: 0.75 },
];

export const requirements: readonly Requirement[] = [
  ...ofDefault('groupwire'),
  ...ofFast('groupwire-fast'),
  ...ofDefault('groupwire-gdoi-udp'),
  ...ofDefault('groupwire-gdoi-udp-tun'),
  ...ofFast('groupwire-fast-gdoi-udp-tun'),
  { peer: 'groupwire-2', column: 'tcp1', against: 'groupwire-fast', least: 0.9 },
  { peer: 'groupwire-2', column: 'flood', against: 'groupwire-fast', least: 0.9 },
  { peer: 'groupwire-gre', column: 'tcp1', against: 'groupwire', least: 0.85 },
  { peer: 'groupwire-gre', column: 'flood', against: 'groupwire', least: 0.85 },
  { peer: 'groupwire-fast-gre', column: 'tcp1', against: 'groupwire-fast', least: 0.85 },
  { peer: 'groupwire-fast-gre', column: 'flood', against: 'groupwire-fast', least: 0.85 },
  { peer: 'groupwire-3des', column: 'tcp1', against: 'strongswan-3des', least: 2 },
  { peer: 'groupwire-aes128', column: 'tcp1', against: 'strongswan-aes128', least: 2 },
];

export interface Outcome {
  requirement: Requirement;
  seg: number;
  ours: Spread | null;
  /** Whom it was compared with in the end. */
  theirName: string | null;
  theirs: Spread | null;
  ratio: Ratio | null;
  /** Null when something was not measured. */
  met: boolean | null;
}

/** The userspace VPN with the best median: the lowest where `most` is asked for. */
function bestPeer(results: Results, seg: number, { column, most }: Requirement): string | null {
  const sign = most === undefined ? 1 : -1;
  let found: { name: string; median: number } | null = null;
  for (const name of peersOf(results)) {
    if (peerTexts[name]?.kind !== 'vpn' || peerTexts[name].extra) continue;
    const median = spreadOf(results, name, seg, column)?.median;
    if (median !== undefined && (found === null || sign * median > sign * found.median)) found = { name, median };
  }
  return found?.name ?? null;
}

const within = (value: number, { least, most }: Requirement) =>
  (least === undefined || value >= least) && (most === undefined || value <= most);

function judge(results: Results, seg: number, requirement: Requirement): Outcome {
  const { peer, column, against } = requirement;
  const ours = spreadOf(results, peer, seg, column);
  const theirName = against === best ? bestPeer(results, seg, requirement) : (against ?? null);
  const theirs = theirName === null ? null : spreadOf(results, theirName, seg, column);
  const outcome: Outcome = { requirement, seg, ours, theirName, theirs, ratio: null, met: null };
  if (ours === null) return outcome;
  if (against === undefined) outcome.met = within(ours.median, requirement);
  else if (theirs !== null) {
    outcome.ratio = ratio(ours, theirs);
    outcome.met = within(outcome.ratio.value, requirement);
  }
  return outcome;
}

/** Of the peers that took part; a requirement without a SEG once for each. */
export function judgeAll(results: Results): Outcome[] {
  const present = new Set(peersOf(results));
  return requirements
    .filter(({ peer }) => present.has(peer))
    .flatMap((requirement) =>
      segsOf(results)
        .filter((seg) => requirement.seg === undefined || requirement.seg === seg)
        .map((seg) => judge(results, seg, requirement)),
    );
}
