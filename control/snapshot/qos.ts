// Class-maps and policy-maps as `show class-map` and `show policy-map` print them.

import type { ClassMapState, PolicyMapState, QosState } from '../api/snapshot-qos.js';
import { describeMatch } from '../config/commands/class-map.js';
import { describePoliceAction } from '../config/commands/policy-police.js';
import { dscpNames, nameOf, precedenceNames } from '../config/commands/tos-names.js';
import {
  type ClassMap,
  type ClassMatch,
  type Config,
  colours,
  type Police,
  type PolicyClass,
  policeAction,
  type QosRate,
  type RandomDetect,
} from '../config/model.js';
import { thresholdOf } from '../config/red-curves.js';

/** `af21 (18)`, `2`: names with their numbers, as IOS shows them. */
function valueText(value: number, names: ReadonlyMap<string, number>): string {
  const name = nameOf(value, names);
  return name === String(value) ? name : `${name} (${value})`;
}

/** Behind `Match`. IOS puts blanks where a keyword may stand that was not used: `  dscp af21 (18)`. */
export function matchText(match: ClassMatch): string {
  if (match.kind !== 'dscp' && match.kind !== 'precedence') {
    const [keyword, ...rest] = describeMatch({ ...match, not: false }).split(' ');
    const words = keyword === 'any' || rest[0] === 'name' ? [keyword, ...rest].join(' ') : `${keyword}  ${rest.join(' ')}`;
    return match.not ? `not ${words}` : words;
  }
  const names = match.kind === 'dscp' ? dscpNames : precedenceNames;
  const values = match.values.map((value) => valueText(value, names)).join(' ');
  return `${match.not ? 'not ' : ''}${match.ip ? 'ip ' : '  '}${match.kind} ${values}`;
}

function classMapOf({ name, match, description, matches }: ClassMap): ClassMapState {
  return { name, match, description, matches: matches.map(matchText) };
}

function rateText(rate: QosRate): string {
  return 'bps' in rate ? String(rate.bps) : `${rate.percent}%`;
}

function policeText(police: Police): string[] {
  const { cir, bc, pir, be } = police;
  const burst = (name: string, value: Police['bc']): string =>
    value === undefined ? '' : ` ${name} ${'ms' in value ? `${value.ms} (ms)` : value.bytes}`;
  const head = `police cir ${rateText(cir)}${burst('bc', bc)}${pir ? ` pir ${rateText(pir)}` : ''}${burst('be', be)}`;
  const shown = colours.filter((colour) => colour !== 'violate' || police.actions.violate !== undefined);
  return [head, ...shown.map((colour) => `  ${colour}-action ${describePoliceAction(policeAction(police, colour))}`)];
}

function priorityText({ level, rate, burstBytes }: NonNullable<PolicyClass['priority']>): string {
  const words = ['priority', ...(level === undefined ? [] : [`level ${level}`])];
  if (rate) words.push('kbps' in rate ? `${rate.kbps} (kbps)` : `${rate.percent} (%)`);
  if (burstBytes !== undefined) words.push(`${burstBytes} (bytes)`);
  return words.join(' ');
}

function bandwidthText(share: NonNullable<PolicyClass['bandwidth']>): string {
  if ('kbps' in share) return `bandwidth ${share.kbps} (kbps)`;
  if ('percent' in share) return `bandwidth ${share.percent} (%)`;
  return 'remainingPercent' in share
    ? `bandwidth remaining ${share.remainingPercent} (%)`
    : `bandwidth remaining ratio ${share.remainingRatio}`;
}

function shapeText({ rate, bc, be }: NonNullable<PolicyClass['shape']>): string[] {
  const unit = 'percent' in rate ? '(ms)' : '(bits)';
  const bursts = [...(bc === undefined ? [] : [`bc ${bc} ${unit}`]), ...(be === undefined ? [] : [`be ${be} ${unit}`])];
  const cir = 'bps' in rate ? `${rate.bps} (bps)` : `${rate.percent}%`;
  return ['Average Rate Traffic Shaping', [`cir ${cir}`, ...bursts].join(' ')];
}

/** A row for each value that has a name of its own, and for those that are configured. */
function redText(detect: RandomDetect): string[] {
  const { by, ecn, weight, thresholds } = detect;
  const names = by === 'dscp' ? dscpNames : precedenceNames;
  const values = [...new Set([...names.values(), ...thresholds.keys()])].sort((a, b) => a - b);
  const rows = values.map((value) => {
    const curve = thresholdOf(detect, value);
    const label = by === 'dscp' ? valueText(value, names) : String(value);
    return `${label.padEnd(15)} ${String(curve.least).padEnd(16)} ${String(curve.most).padEnd(16)} 1/${curve.markDenominator}`;
  });
  return [
    `packet-based wred, exponential weight ${weight}`,
    ...(ecn ? ['explicit congestion notification'] : []),
    `${(by === 'dscp' ? 'dscp' : 'class').padEnd(15)} min-threshold    max-threshold    mark-probability`,
    '-'.repeat(66),
    ...rows,
  ];
}

function actionsOf(item: PolicyClass): string[] {
  const { set = {}, police, priority, bandwidth, shape, queueLimit, fairQueue, randomDetect, servicePolicy } = item;
  return [
    ...(priority ? [priorityText(priority)] : []),
    ...(bandwidth ? [bandwidthText(bandwidth)] : []),
    ...(shape ? shapeText(shape) : []),
    ...(queueLimit ? [`queue-limit ${queueLimit.value} ${queueLimit.unit}`] : []),
    ...(fairQueue ? ['fair-queue'] : []),
    ...(randomDetect ? redText(randomDetect) : []),
    ...(police ? policeText(police) : []),
    ...(set.dscp === undefined ? [] : [`set dscp ${nameOf(set.dscp, dscpNames)}`]),
    ...(set.precedence === undefined ? [] : [`set precedence ${set.precedence}`]),
    ...(set.qosGroup === undefined ? [] : [`set qos-group ${set.qosGroup}`]),
    ...(servicePolicy === undefined ? [] : [`service-policy ${servicePolicy}`]),
  ];
}

export function qosState({ classMaps, policyMaps }: Config): QosState {
  return {
    classMaps: [...classMaps.values()].map(classMapOf),
    policyMaps: [...policyMaps.values()].map(
      ({ name, description, classes }): PolicyMapState => ({
        name,
        description,
        classes: classes.map((item) => ({ name: item.name, actions: actionsOf(item) })),
      }),
    ),
  };
}
