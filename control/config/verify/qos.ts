// QoS where it is used: interfaces, directions, and the rates and bursts that follow from both.

import { isLoopback, isTunnel } from '../interface-names.js';
import { type Config, DefaultClass, type InterfaceConfig, type PolicyClass, type PolicyMap, queueingActions } from '../model.js';
import { interfaceBps, LeastBurstBytes, policeRates, priorityBps, priorityBurst, shapeRates } from '../qos-rates.js';
import type { Findings } from './findings.js';
import { verifyClassMaps, warnUnusedClasses } from './qos-classes.js';
import { actionWords, findQueueing, verifyPolicyMaps } from './qos-policies.js';

const kbit = (bps: number): string => `${Math.floor(bps / 1000)} kbps`;

/** One place where a policy works. */
interface Use {
  item: InterfaceConfig;
  policy: PolicyMap;
  /** Bits a second to share. */
  bps: number;
  /** Bytes of the largest packet. */
  mtu: number;
}

function verifyBursts({ item, policy, bps, mtu }: Use, { name, police, priority }: PolicyClass, findings: Findings, at: PolicyClass): void {
  const report = (field: string, target: object, what: string, bytes: number): void =>
    findings.error(
      target,
      field,
      `${what} of ${bytes} bytes in class ${name} of policy-map ${policy.name} is below a packet of ${item.name} (${mtu} bytes): such packets never conform`,
      `at least ${mtu}`,
    );
  if (police) {
    const { bcBytes, beBytes, pirBps } = policeRates(police, bps);
    if (bcBytes < mtu) report('', police, 'police burst', bcBytes);
    if (pirBps !== null && beBytes < mtu) report('', police, 'police peak burst', beBytes);
  }
  const rate = priority && priorityBps(priority, bps);
  if (!priority || rate === null || rate === undefined) return;
  const burst = priorityBurst(priority, rate);
  if (burst < mtu) report('priority', at, 'priority burst', burst);
}

/** Promises of a policy against what there is to share. */
function verifyPromises({ item, policy, bps }: Use, findings: Findings): void {
  let promised = 0;
  for (const each of policy.classes) {
    const { bandwidth, priority } = each;
    const rate = priority ? priorityBps(priority, bps) : null;
    if (rate !== null) promised += rate;
    if (bandwidth && 'kbps' in bandwidth) promised += bandwidth.kbps * 1000;
    if (bandwidth && 'percent' in bandwidth) promised += (bandwidth.percent * bps) / 100;
    if (promised <= bps) continue;
    findings.error(
      each,
      bandwidth ? 'bandwidth' : 'priority',
      `policy-map ${policy.name} promises ${kbit(promised)} with class ${each.name}, and ${item.name} has ${kbit(bps)} for it`,
      'less, or bandwidth of the interface, or shape average of the parent',
    );
    return;
  }
}

function verifyUse(config: Config, use: Use, findings: Findings): void {
  verifyPromises(use, findings);
  for (const each of use.policy.classes) {
    verifyBursts(use, each, findings, each);
    const bps = each.shape ? shapeRates(each.shape, use.bps).bps : use.bps;
    if (each.shape && bps > use.bps)
      findings.warning(
        each,
        'shape',
        `class ${each.name} is shaped to ${kbit(bps)}: more than the ${kbit(use.bps)} that ${use.item.name} has for it`,
      );
    const child = config.policyMaps.get(each.servicePolicy ?? '');
    const isDeeper = child?.classes.some(({ servicePolicy }) => servicePolicy !== undefined);
    if (child && child !== use.policy && !isDeeper) verifyUse(config, { ...use, policy: child, bps }, findings);
  }
}

function verifyPlace(
  config: Config,
  item: InterfaceConfig,
  field: 'servicePolicyIn' | 'servicePolicyOut',
  policy: PolicyMap,
  findings: Findings,
) {
  const queueing = findQueueing(config, policy);
  if (isLoopback(item.name)) findings.error(item, field, `nothing passes ${item.name}: a service-policy would do nothing`);
  else if (field === 'servicePolicyIn' && queueing) {
    const action = queueingActions.find((name) => queueing[name] !== undefined);
    findings.error(
      item,
      field,
      `policy-map ${policy.name} queues (${actionWords[action ?? '']} in class ${queueing.name}): at the input there is no queue`,
      'police and set work there',
    );
  } else if (isTunnel(item.name) && queueing && !policy.classes.every((each) => each.name === DefaultClass && each.shape !== undefined))
    findings.error(
      item,
      field,
      `policy-map ${policy.name} queues without a shaper around it: a tunnel has no rate of its own`,
      'class class-default, shape average, service-policy CHILD; or on the interface outside, with qos pre-classify',
    );
}

export function verifyQos(config: Config, findings: Findings): void {
  const contained = verifyClassMaps(config, findings);
  const { classes, children } = verifyPolicyMaps(config, findings);
  warnUnusedClasses(config, new Set([...contained, ...classes]), findings);
  const used = new Set(children);
  for (const item of config.interfaces.values()) {
    for (const field of ['servicePolicyIn', 'servicePolicyOut'] as const) {
      const name = item[field];
      if (name === undefined) continue;
      used.add(name);
      const policy = config.policyMaps.get(name);
      if (!policy) {
        findings.error(item, field, `there is no policy-map ${name}`);
        continue;
      }
      verifyPlace(config, item, field, policy, findings);
      verifyUse(config, { item, policy, bps: interfaceBps(item), mtu: item.ipMtu ?? LeastBurstBytes }, findings);
    }
  }
  for (const policy of config.policyMaps.values())
    if (!used.has(policy.name))
      findings.warning(policy, '', `policy-map ${policy.name} is applied to no interface`, 'interface X, service-policy output NAME');
}
