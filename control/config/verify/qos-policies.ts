// policy-maps as they stand, wherever they are used: classes that are there, actions that go together, shares that add up, no recursion.

import { type BandwidthShare, type Config, DefaultClass, type PolicyClass, type PolicyMap } from '../model.js';
import { containsItself } from './containment.js';
import type { Findings } from './findings.js';

const unitOf = (share: BandwidthShare): string => Object.keys(share)[0];
const unitNames: Record<string, string> = {
  kbps: 'kbps',
  percent: 'percent',
  remainingPercent: 'remaining percent',
  remainingRatio: 'remaining ratio',
};

function verifyActions(item: PolicyClass, findings: Findings): void {
  const { name, priority, bandwidth, shape, queueLimit, fairQueue, randomDetect } = item;
  const isDefault = name === DefaultClass;
  if (priority) {
    if (isDefault) findings.error(item, 'priority', `priority is not for ${DefaultClass}: what no class knows would go before all else`);
    for (const [field, value] of Object.entries({ bandwidth, shape, fairQueue, randomDetect }))
      if (value !== undefined)
        findings.error(
          item,
          field,
          `class ${name} has priority: ${actionWords[field]} is for queues that wait their turn`,
          `no priority, or no ${actionWords[field]}`,
        );
    return;
  }
  if (isDefault || bandwidth || shape) return;
  for (const [field, value] of Object.entries({ queueLimit, fairQueue, randomDetect }))
    if (value !== undefined)
      findings.error(item, field, `class ${name} has no queue for ${actionWords[field]}`, 'bandwidth, or shape average');
}

/** Actions as they are written. */
export const actionWords: Record<string, string> = {
  priority: 'priority',
  bandwidth: 'bandwidth',
  shape: 'shape',
  queueLimit: 'queue-limit',
  fairQueue: 'fair-queue',
  randomDetect: 'random-detect',
};

function verifyShares(policy: PolicyMap, findings: Findings): void {
  const sums = { percent: 0, remainingPercent: 0 };
  let first: BandwidthShare | null = null;
  for (const item of policy.classes) {
    const { bandwidth, priority } = item;
    if (priority?.rate && 'percent' in priority.rate) sums.percent += priority.rate.percent;
    if (bandwidth && 'percent' in bandwidth) sums.percent += bandwidth.percent;
    if (bandwidth && 'remainingPercent' in bandwidth) sums.remainingPercent += bandwidth.remainingPercent;
    const field = bandwidth ? 'bandwidth' : 'priority';
    if (sums.percent > 100)
      findings.error(item, field, `policy-map ${policy.name} gives away ${sums.percent} percent`, 'at most 100 in all');
    if (sums.remainingPercent > 100)
      findings.error(
        item,
        field,
        `policy-map ${policy.name} gives away ${sums.remainingPercent} percent of what remains`,
        'at most 100 in all',
      );
    if (!bandwidth) continue;
    first ??= bandwidth;
    if (unitOf(first) !== unitOf(bandwidth))
      findings.error(
        item,
        'bandwidth',
        `policy-map ${policy.name} has bandwidth ${unitNames[unitOf(first)]} already: its classes use one unit`,
        `bandwidth ${unitNames[unitOf(first)]}`,
      );
  }
}

function verifyPriorities(policy: PolicyMap, findings: Findings): void {
  const queues = policy.classes.filter(({ priority }) => priority !== undefined);
  const levelled = queues.find(({ priority }) => priority?.level !== undefined);
  const plain = queues.find(({ priority }) => priority?.level === undefined);
  if (levelled && plain)
    findings.error(plain, 'priority', `class ${levelled.name} has a priority level: all priority classes of a policy have one, or none`);
  const open = queues.find(({ priority }) => priority?.rate === undefined);
  if (!open) return;
  for (const item of policy.classes) {
    const { bandwidth } = item;
    if (bandwidth && ('kbps' in bandwidth || 'percent' in bandwidth))
      findings.error(
        item,
        'bandwidth',
        `class ${open.name} has priority without a rate: nothing is left to promise to class ${item.name}`,
        'bandwidth remaining percent, or priority percent',
      );
  }
}

function policyMapsIn(config: Config, name: string): string[] {
  return (config.policyMaps.get(name)?.classes ?? []).flatMap(({ servicePolicy }) => servicePolicy ?? []);
}

function queues({ priority, bandwidth, shape, queueLimit, fairQueue, randomDetect }: PolicyClass): boolean {
  return [priority, bandwidth, shape, queueLimit, fairQueue, randomDetect].some((action) => action !== undefined);
}

/** The first class that keeps packets, in this policy or the ones below it. */
export function findQueueing(config: Config, policy: PolicyMap): PolicyClass | undefined {
  for (const item of policy.classes) {
    const child = config.policyMaps.get(item.servicePolicy ?? '');
    if (queues(item)) return item;
    const below = child && child !== policy && child.classes.find(queues);
    if (below) return below;
  }
  return undefined;
}

function verifyChildren(config: Config, policy: PolicyMap, findings: Findings): void {
  for (const item of policy.classes) {
    if (item.servicePolicy === undefined) continue;
    const child = config.policyMaps.get(item.servicePolicy);
    if (!child) findings.error(item, 'servicePolicy', `there is no policy-map ${item.servicePolicy}`);
    else if (item.priority) findings.error(item, 'servicePolicy', `class ${item.name} has priority: no policy goes below it`);
    else if (child.classes.some(queues) && !item.shape)
      findings.error(
        item,
        'servicePolicy',
        `policy-map ${child.name} queues, and class ${item.name} has no rate for it to share`,
        'shape average',
      );
  }
  const isDeeper = ({ servicePolicy }: PolicyClass): boolean =>
    config.policyMaps.get(servicePolicy ?? '')?.classes.some((below) => below.servicePolicy !== undefined) ?? false;
  if (containsItself(policy.name, (name) => policyMapsIn(config, name)))
    findings.error(policy, '', `policy-map ${policy.name} contains itself`);
  else if (policy.classes.some(isDeeper))
    findings.error(policy, '', `policy-map ${policy.name} has more than two levels`, 'a shaper, and a policy below it');
}

/** @returns names of the class-maps and of the policy-maps that these use */
export function verifyPolicyMaps(config: Config, findings: Findings): { classes: Set<string>; children: Set<string> } {
  const used = { classes: new Set<string>(), children: new Set<string>() };
  for (const policy of config.policyMaps.values()) {
    for (const item of policy.classes) {
      used.classes.add(item.name);
      if (item.servicePolicy !== undefined) used.children.add(item.servicePolicy);
      if (item.name !== DefaultClass && !config.classMaps.has(item.name)) findings.error(item, '', `there is no class-map ${item.name}`);
      verifyActions(item, findings);
    }
    if (policy.classes.length === 0)
      findings.warning(policy, '', `policy-map ${policy.name} has no class: it does nothing`, 'class class-default');
    verifyShares(policy, findings);
    verifyPriorities(policy, findings);
    verifyChildren(config, policy, findings);
  }
  return used;
}
