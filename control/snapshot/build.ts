// The whole snapshot, from everything that knows a part of it.

import { dropTexts, natTexts, pathTexts } from '../../dataplane/counters/declare.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { Ms } from '../actions.js';
import type { CounterSet } from '../api/counters.js';
import type { RateMeter } from '../api/rates.js';
import type { CounterValue, ProcessState, Snapshot } from '../api/snapshot.js';
import type { CaptureState } from '../api/snapshot-capture.js';
import type { LoggingState } from '../api/snapshot-logging.js';
import type { ClearedCounters } from '../cleared-counters.js';
import { greetingOf } from '../config/commands/banner.js';
import { printConfig } from '../config/print.js';
import { findQueueing } from '../config/verify/qos-policies.js';
import type { RsaKeyInfo } from '../pki/rsa-keys.js';
import type { Router } from '../router.js';
import { accessListStates, objectGroupStates } from './access-lists.js';
import { dynamicMapStates } from './dynamic-maps.js';
import { failCloseStates } from './fail-close.js';
import { memberState, serverState } from './gdoi.js';
import { dropCells, interfaceStates, routeStates } from './interfaces.js';
import { cryptoMapStates, ipsecStates } from './ipsec.js';
import { admissionStateOf, phase1State, rekeySaStates } from './isakmp.js';
import { natState } from './nat.js';
import { pathMtuStates } from './path-mtus.js';
import { trustpointStates } from './pki.js';
import { qosState } from './qos.js';
import { policyInterfaceStates } from './qos-interfaces.js';
import { policyStates, routeMapStates } from './route-maps.js';
import { reassemblyStates } from './virtual-reassembly.js';

export interface SnapshotParts {
  router: Router;
  instance: string;
  version: string;
  counters: CounterSet;
  rates: RateMeter;
  publicKeys: RsaKeyInfo[];
  processes: ProcessState[];
  logging: LoggingState;
  cleared?: ClearedCounters;
  pathSearches?: Snapshot['pathSearches'];
  captures?: CaptureState[];
  packetTrace?: Snapshot['packetTrace'];
  /** null when no dataplane answers: its counters are 0 then. */
  dataplane: SnapshotHead | null;
  now: Ms;
}

function named(texts: readonly { name: string; help: string }[], values: readonly number[] | undefined): CounterValue[] {
  return texts.map(({ name, help }, index) => ({ name, help, value: values?.[index] ?? 0 }));
}

function servicePolicies({ router, rates, dataplane }: SnapshotParts): Snapshot['policyInterfaces'] {
  const { config, tables } = router;
  if (!tables) return [];
  const { buffer, byteOffset, byteLength } = tables.blobs[tables.head.blobs.indexOf('qosClasses')];
  const classes = new Int32Array(buffer, byteOffset, byteLength / 4);
  const counted = dataplane?.qos ?? { classes: [], waits: [], reds: [] };
  const source = { config, origins: tables.qosOrigins, classes, counted, rates };
  return policyInterfaceStates(source, (policy) => findQueueing(config, policy) !== undefined);
}

export function buildSnapshot(parts: SnapshotParts): Snapshot {
  const { router, dataplane, now } = parts;
  const { config, allocation, tables } = router;
  const shown = dataplane && { ...dataplane, aceHits: allocation.hits.shown(dataplane.aceHits) };
  const hits = shown?.aceHits ?? [];
  const teksOf = (group: string) => router.gdoi.policyOf(group).teks;
  const directionOf = (group: string) => router.directionOf(group);
  const answersOf = (group: string) => router.watch.answersOf(group, now);
  const memberGroups = router.gdoi.memberGroups();
  const interfaces = interfaceStates(config, allocation, dataplane);
  for (const item of interfaces) {
    item.rates = parts.rates.rates(item.name);
    const policy = config.policyMaps.get(config.interfaces.get(item.name)?.servicePolicyOut ?? '');
    if (policy && findQueueing(config, policy)) item.hasQueues = true;
  }
  return {
    instance: parts.instance,
    hostname: config.hostname,
    ...(config.banners && { banner: greetingOf(config) }),
    version: parts.version,
    takenAt: now,
    uptimeSeconds: Math.round((now - router.startedAt) / 1000),
    dataplaneConnected: dataplane !== null,
    workers: dataplane?.workers ?? 0,
    aes: dataplane?.aes ?? null,
    interfaces,
    isakmpPolicies: config.isakmpPolicies.map(({ line: _, ...policy }) => policy),
    isakmpSas: [...router.ike.sas().map((sa) => phase1State(sa, now)), ...rekeySaStates(memberGroups, now)],
    admission: admissionStateOf(config),
    gdoiMembers: memberGroups.map((status) =>
      memberState(status, { config, allocation, tables, dataplane: shown, teksOf, directionOf, answersOf, clocks: router.clocks, now }),
    ),
    gdoiServers: router.gdoi.serverGroups().map((status) => serverState(status, now)),
    cryptoMaps: cryptoMapStates(config, router.ipsec.pairs),
    dynamicMaps: dynamicMapStates(config, router.ipsec.pairs),
    failClose: failCloseStates(config, router.closedMaps, tables, hits),
    ipsec: ipsecStates(config, {
      allocation,
      dataplane,
      teksOf,
      pairs: router.ipsec.pairs,
      mtuOf: (name) => interfaces.find((item) => item.name === name)?.ipMtu ?? 1500,
      now,
    }),
    accessLists: accessListStates(config, tables, hits),
    objectGroups: objectGroupStates(config),
    nat: natState(config),
    routeMaps: routeMapStates(config, tables, dataplane?.policies ?? []),
    policies: policyStates(config),
    qos: qosState(config),
    policyInterfaces: servicePolicies(parts),
    routes: routeStates(config, dataplane),
    pathMtus: pathMtuStates(config, allocation, dataplane),
    pathSearches: parts.pathSearches ?? [],
    virtualReassembly: reassemblyStates(config),
    publicKeys: parts.publicKeys.map((key) => ({
      name: key.label,
      bits: key.modulusBits,
      exportable: key.exportable,
      generatedAt: key.generatedAt,
      publicKeyHex: Buffer.from(key.publicKey).toString('hex').toUpperCase(),
    })),
    trustpoints: trustpointStates(router.trustpoints),
    runningConfig: printConfig(config, { secrets: false }),
    counters: {
      drops: named(dropTexts, dataplane?.drops),
      dropCells: dropCells(config, allocation, dataplane),
      path: named(pathTexts, dataplane?.path),
      nat: named(natTexts, dataplane?.nat),
      control: parts.counters.values(),
    },
    cleared: parts.cleared?.state(interfaces, dataplane?.drops ?? null),
    processes: parts.processes,
    captures: parts.captures,
    packetTrace: parts.packetTrace,
    logging: parts.logging,
    debugging: router.debug.describe(),
  };
}
