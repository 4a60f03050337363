// Service-policies at work: the configuration of each class where it is used, with what the dataplane has counted of it.

import { QosCount, RedCount } from '../../dataplane/counters/declare.js';
import { Latency, latencyFloor, latencyQuantile } from '../../dataplane/counters/latency.js';
import { Dscp, QosClass } from '../../dataplane/tables/layout-qos.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { RateMeter } from '../api/rates.js';
import type { ClassAtWork, PolicyAtWork, PolicyInterfaceState } from '../api/snapshot-qos-interface.js';
import type { QosOrigin } from '../compile/qos.js';
import { describePoliceAction } from '../config/commands/policy-police.js';
import { dscpNames, nameOf, precedenceNames } from '../config/commands/tos-names.js';
import { type Config, DefaultClass, type PolicyClass, type PolicyMap, policeAction } from '../config/model.js';
import { interfaceBps, policeRates, priorityBps, priorityBurst, shapeRates } from '../config/qos-rates.js';
import { thresholdOf } from '../config/red-curves.js';
import { matchText } from './qos.js';

interface Source {
  config: Config;
  origins: readonly QosOrigin[];
  /** Rows of QosClass. */
  classes: Int32Array;
  counted: SnapshotHead['qos'];
  rates: RateMeter;
}

/** Under what name RateMeter keeps a class: what came as received, what was dropped as sent. */
export function qosRateName({ interface: item, direction, policy, class: name, parent }: QosOrigin): string {
  return `qos ${item} ${direction} ${parent} ${policy} ${name}`;
}

function pairAt(row: readonly number[] | undefined, at: number): { packets: number; bytes: number } {
  return { packets: row?.[at] ?? 0, bytes: row?.[at + 1] ?? 0 };
}

function dropsOf(row: readonly number[] | undefined): ClassAtWork['drops'] {
  return {
    police: pairAt(row, QosCount.PoliceDropPackets),
    tail: pairAt(row, QosCount.TailDropPackets),
    random: pairAt(row, QosCount.RandomDropPackets),
    overRate: pairAt(row, QosCount.OverRatePackets),
    noBuffer: pairAt(row, QosCount.NoBufferPackets),
  };
}

/** All that came and neither left nor was dropped. Not below 0: counters are read while they grow. */
function queuedOf(row: readonly number[] | undefined): ClassAtWork['queued'] {
  const offered = pairAt(row, QosCount.OfferedPackets);
  const gone = [pairAt(row, QosCount.SentPackets), ...Object.values(dropsOf(row))];
  const waiting = (unit: 'packets' | 'bytes'): number =>
    Math.max(
      0,
      gone.reduce((left, part) => left - part[unit], offered[unit]),
    );
  return { packets: waiting('packets'), bytes: waiting('bytes') };
}

/** Takes a sample of every class. @param now milliseconds */
export function sampleQosRates(rates: RateMeter, origins: readonly QosOrigin[], counted: SnapshotHead['qos'], now: number): void {
  if (counted.classes.length !== origins.length) return; // tables are on their way
  origins.forEach((origin, row) => {
    const offered = pairAt(counted.classes[row], QosCount.OfferedPackets);
    const dropped = Object.values(dropsOf(counted.classes[row]));
    const sum = (key: 'packets' | 'bytes'): number => dropped.reduce((total, drop) => total + drop[key], 0);
    rates.sample(qosRateName(origin), now, {
      receivedPackets: offered.packets,
      receivedBytes: offered.bytes,
      sentPackets: sum('packets'),
      sentBytes: sum('bytes'),
    });
  });
}

function waitOf(places: readonly number[] = []): ClassAtWork['wait'] {
  const full = Array.from({ length: Latency.Places }, (_, place) => places[place] ?? 0);
  const buckets: ClassAtWork['wait']['buckets'] = [];
  let packets = 0;
  full.forEach((waited, place) => {
    packets += waited;
    // From 128 microseconds to some eight seconds: each twice the one before.
    if (place % 4 === 3 && place >= 23 && place <= 87) buckets.push({ belowUs: latencyFloor(place + 1), packets });
  });
  return { p50Us: latencyQuantile(full, 0, 0.5), p99Us: latencyQuantile(full, 0, 0.99), buckets };
}

function bandwidthText({ bandwidth }: PolicyClass, above: number): string | null {
  if (!bandwidth) return null;
  if ('kbps' in bandwidth) return `bandwidth ${bandwidth.kbps} kbps`;
  if ('percent' in bandwidth) return `bandwidth ${bandwidth.percent}% (${Math.floor((bandwidth.percent * above) / 100_000)} kbps)`;
  return 'remainingPercent' in bandwidth
    ? `bandwidth remaining ${bandwidth.remainingPercent}%`
    : `bandwidth remaining ratio ${bandwidth.remainingRatio}`;
}

function priorityOf({ priority }: PolicyClass, above: number): ClassAtWork['priority'] {
  if (!priority) return null;
  const bps = priorityBps(priority, above);
  return {
    level: priority.level ?? 1,
    percent: priority.rate && 'percent' in priority.rate ? priority.rate.percent : null,
    kbps: bps === null ? null : Math.floor(bps / 1000),
    burstBytes: bps === null ? null : priorityBurst(priority, bps),
  };
}

function policeOf({ police }: PolicyClass, above: number, row: readonly number[] | undefined): ClassAtWork['police'] {
  if (!police) return null;
  const of = (colour: 'conform' | 'exceed' | 'violate', at: number) => ({
    action: describePoliceAction(policeAction(police, colour)),
    counted: pairAt(row, at),
  });
  const rates = policeRates(police, above);
  const hasThree = rates.pirBps !== null || rates.beBytes > 0;
  const [exceed, violate] = [of('exceed', QosCount.ExceedPackets), of('violate', QosCount.ViolatePackets)];
  // With two colours what is above the one bucket violates it, and IOS says that it exceeds.
  return {
    ...rates,
    conformed: of('conform', QosCount.ConformPackets),
    exceeded: hasThree ? exceed : { ...exceed, counted: violate.counted },
    violated: hasThree ? violate : null,
  };
}

function redOf(source: Source, { randomDetect }: PolicyClass, index: number): ClassAtWork['red'] {
  if (!randomDetect) return null;
  const { by, ecn, weight, thresholds } = randomDetect;
  const red = source.classes[index * QosClass.Words + QosClass.Red];
  const [values, names] = by === 'dscp' ? ([Dscp.Count, dscpNames] as const) : ([8, precedenceNames] as const);
  const rows = Array.from({ length: values }, (_, value) => {
    // A precedence is eight DSCPs.
    const dscps = by === 'dscp' ? [value] : Array.from({ length: 8 }, (_, n) => value * 8 + n);
    const sum = (at: RedCount) =>
      dscps
        .map((dscp) => pairAt(source.counted.reds[red * Dscp.Count + dscp], at))
        .reduce((a, b) => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes }));
    const curve = thresholdOf(randomDetect, value);
    const counts = {
      sent: sum(RedCount.SentPackets),
      random: sum(RedCount.RandomPackets),
      tail: sum(RedCount.TailPackets),
      ecnMarked: sum(RedCount.EcnPackets),
    };
    return { name: by === 'dscp' ? nameOf(value, names) : String(value), ...counts, ...curve };
  });
  // As IOS: those that are configured or have been seen.
  const isShown = ({ sent, random, tail }: (typeof rows)[number], value: number): boolean =>
    by === 'precedence' || thresholds.has(value) || sent.packets + random.packets + tail.packets > 0;
  const meanPackets = source.counted.classes[index]?.[QosCount.MeanQueue] ?? 0;
  return { by, ecn, weight, meanPackets, rows: rows.filter(isShown) };
}

function queueOf(source: Source, item: PolicyClass, index: number, above: number): ClassAtWork['queue'] {
  const at = index * QosClass.Words;
  const { classes } = source;
  if (classes[at + QosClass.Queue] !== index) return null;
  const bytes = classes[at + QosClass.LimitBytes];
  const packets = classes[at + QosClass.LimitPackets];
  return {
    limit: bytes > 0 ? bytes : packets,
    unit: bytes > 0 ? 'bytes' : 'packets',
    bandwidth: bandwidthText(item, above),
    shape: item.shape ? shapeRates(item.shape, above) : null,
    flowLimit: item.fairQueue ? Math.ceil(packets / 4) : null,
  };
}

function setOf({ set = {} }: PolicyClass): string[] {
  return [
    ...(set.dscp === undefined ? [] : [`dscp ${nameOf(set.dscp, dscpNames)}`]),
    ...(set.precedence === undefined ? [] : [`precedence ${set.precedence}`]),
    ...(set.qosGroup === undefined ? [] : [`qos-group ${set.qosGroup}`]),
  ];
}

function classAt(source: Source, item: PolicyClass, index: number, above: number, hasQueues: boolean): ClassAtWork {
  const { config, counted, origins, rates } = source;
  const row = counted.classes[index];
  const map = config.classMaps.get(item.name);
  const measured = rates.rates(qosRateName(origins[index]));
  const child = config.policyMaps.get(item.servicePolicy ?? '');
  const below = item.shape ? shapeRates(item.shape, above).bps : above;
  return {
    name: item.name,
    match: map?.match ?? 'any',
    matches: item.name === DefaultClass || !map ? ['any'] : map.matches.map(matchText),
    offered: pairAt(row, QosCount.OfferedPackets),
    sent: pairAt(row, QosCount.SentPackets),
    queued: queuedOf(row),
    drops: dropsOf(row),
    marked: row?.[QosCount.Marked] ?? 0,
    ecnMarked: row?.[QosCount.EcnMarked] ?? 0,
    rates: measured && { offeredBps: measured.receivedBps, dropBps: measured.sentBps },
    queue: hasQueues ? queueOf(source, item, index, above) : null,
    priority: priorityOf(item, above),
    wait: waitOf(counted.waits[index]),
    police: policeOf(item, above, row),
    red: redOf(source, item, index),
    set: setOf(item),
    policy: child ? policyAt(source, child, origins[index], index, below, hasQueues) : null,
  };
}

function policyAt(
  source: Source,
  policy: PolicyMap,
  use: Pick<QosOrigin, 'interface' | 'direction'>,
  parent: number,
  above: number,
  hasQueues: boolean,
): PolicyAtWork {
  const classes = source.origins.flatMap((origin, index) => {
    const isOurs =
      origin.interface === use.interface && origin.direction === use.direction && origin.parent === parent && origin.policy === policy.name;
    if (!isOurs) return [];
    const item = policy.classes.find(({ name }) => name === origin.class) ?? { line: policy.line, name: DefaultClass };
    return [classAt(source, item, index, above, hasQueues)];
  });
  return { name: policy.name, classes };
}

/** @param uses does the policy of an interface queue? */
export function policyInterfaceStates(source: Source, queuesAt: (policy: PolicyMap) => boolean): PolicyInterfaceState[] {
  const { config, origins } = source;
  // Tables are on their way: what was counted belongs to others.
  const isCurrent = source.counted.classes.length === origins.length;
  const read = isCurrent ? source : { ...source, counted: { classes: [], waits: [], reds: [] } };
  return [...config.interfaces.values()].flatMap((item) =>
    (['input', 'output'] as const).flatMap((direction) => {
      const policy = config.policyMaps.get((direction === 'input' ? item.servicePolicyIn : item.servicePolicyOut) ?? '');
      if (!policy) return [];
      const use = { interface: item.name, direction };
      return [{ ...use, policy: policyAt(read, policy, use, -1, interfaceBps(item), direction === 'output' && queuesAt(policy)) }];
    }),
  );
}
