// Configuration + group keys -> the dataplane's tables (dataplane/tables/layout.ts). Pure: the same input gives the same rows.

import { isDeepStrictEqual } from 'node:util';
import { Cap, CryptoEntry, Sa, SaFlag } from '../../dataplane/tables/layout.js';
import { blobNames, type InterfaceRow, type TablesHead } from '../../dataplane/tables/message.js';
import type { Ms } from '../actions.js';
import { type Config, isCombinedMode } from '../config/model.js';
import type { SenderIds, Tek } from '../gdoi/group-policy.js';
import { SaPairs } from '../ipsec/sa-pairs.js';
import { NatPort } from '../isakmp/ports.js';
import { hasPeers } from '../local-ends.js';
import { filterRows } from './access-lists.js';
import { type Allocation, CapacityError, serialOf } from './allocation.js';
import { type AceOrigin, compileEntries, isClosed, type TracedEntry, traceGroup, traceList } from './crypto-entries.js';
import type { SaDirection } from './direction.js';
import { interfaceRow, routeRows } from './interface-rows.js';
import { compileNat, type NatOrigin, natHead } from './nat.js';
import { outboundTeks } from './outbound.js';
import { type FlowName, pairSerials, SitePairs } from './pairs.js';
import { compilePolicies, type PolicyEntryOrigin } from './policy.js';
import { compileQos, type QosOrigin } from './qos.js';
import { reverseRouteRows } from './reverse-routes.js';
import { Rows } from './rows.js';

/** What a member knows of one group. */
export interface GroupKeys {
  /** Usable TEKs, oldest first. Empty before registration. */
  teks: Tek[];
  /** Sender IDs safe to use now; null = none (counter-mode TEKs then only open). */
  senderIds: SenderIds | null;
  /** The group's pseudotime less CLOCK_MONOTONIC, ms; absent or null = it has none. */
  pseudotimeOffset?: number | null;
  /** Chosen at this member; absent or null = what the key server says. */
  direction?: SaDirection | null;
}

export interface Tables {
  head: TablesHead;
  blobs: Uint8Array[];
  /** Where each ACE row came from, for hit counters. */
  aceOrigins: AceOrigin[];
  /** Which line made each clause of NAT. */
  natOrigins: NatOrigin[];
  /** Which entry of a route-map made each row of policy routing. */
  policyOrigins: PolicyEntryOrigin[];
  /** Which class of which policy made each row of QoS. */
  qosOrigins: QosOrigin[];
  /** The hit counter of each ACE row; rows of one entry share it. */
  aceCounters: number[];
  /** Flows between gateways, by their number in a crypto entry. */
  flows: Map<number, FlowName>;
  /** Crypto maps that are closed (`fail-close`). */
  closedMaps: string[];
  /** When the choice of outbound SAs changes next by itself. */
  nextChange: Ms | null;
}

/** UDP ports of IKE and GDOI traffic, which never enters the pipeline. */
export const controlPorts = [848, 500, 4500];

/** Whether ESP may come to a port of IKE. */
function comesInUdp(config: Config, groupKeys: ReadonlyMap<string, GroupKeys>): boolean {
  if (config.isakmp.natTraversal && hasPeers(config)) return true;
  return [...groupKeys.values()].some(({ teks }) => teks.some(({ udp }) => udp));
}

function writeSa(
  rows: Rows,
  slot: number,
  serial: number,
  tek: Tek,
  keys: GroupKeys,
  group: number,
  acl: { first: number; count: number },
): boolean {
  const counterMode = isCombinedMode(tek.encryption);
  const ids = counterMode ? keys.senderIds : null;
  const canSeal = !counterMode || (ids !== null && ids.values.length > 0);
  const row = rows.writeSa(slot, serial, tek);
  row[Sa.Flags] = SaFlag.Inbound | (canSeal ? SaFlag.Outbound : 0);
  row[Sa.ReplayWindow] = tek.replayWindow;
  row[Sa.PeerPort] = tek.udp ? NatPort : 0;
  if (tek.replaySeconds) {
    // Without a pseudotime nothing is in time: closed rather than open.
    const offset = keys.pseudotimeOffset ?? 0;
    row[Sa.TimeWindow] = tek.replaySeconds;
    row[Sa.TimeHigh] = Math.floor(offset / 2 ** 32);
    row[Sa.TimeLow] = offset | 0;
  }
  row[Sa.SidBits] = counterMode ? (keys.senderIds?.bits ?? 24) : 0;
  const sids = ids ? ids.values.slice(0, Cap.Sids) : [];
  row[Sa.SidCount] = sids.length;
  sids.forEach((sid, index) => {
    row[Sa.Sids + index] = sid;
  });
  row[Sa.Group] = group;
  row[Sa.AclFirst] = acl.first;
  row[Sa.AclCount] = acl.count;
  row[Sa.ExpiresAt] = Math.floor(tek.expiresAt / 1000);
  return canSeal;
}

/**
 * Compiles the whole desired state.
 * @param groupKeys by group name; a group that is missing or has no TEK is not registered (fail-open, or its map is closed)
 * @param pairs SAs between gateways
 * @throws CapacityError when a table does not hold it
 */
export function compileTables(
  config: Config,
  groupKeys: ReadonlyMap<string, GroupKeys>,
  allocation: Allocation,
  generation: number,
  now: Ms,
  pairs: SaPairs = new SaPairs(),
): Tables {
  allocation.hits.begin();
  let tables: Tables | null = null;
  try {
    tables = compileRows(config, groupKeys, allocation, generation, now, pairs);
    return tables;
  } finally {
    allocation.hits.end(tables !== null);
  }
}

function compileRows(
  config: Config,
  groupKeys: ReadonlyMap<string, GroupKeys>,
  allocation: Allocation,
  generation: number,
  now: Ms,
  pairs: SaPairs,
): Tables {
  const rows = new Rows(allocation.hits);
  let nextChange: Ms | null = null;
  const serials = new Set<string>();
  for (const keys of groupKeys.values()) for (const tek of keys.teks) serials.add(String(serialOf(tek)));
  for (const serial of pairSerials(pairs)) serials.add(serial);
  allocation.sas.keep(serials);

  /** Slots of the TEKs that may seal now. */
  const outbound = new Map<Tek, number>();
  const writeGroup = (name: string, keys: GroupKeys): void => {
    const group = allocation.groups.take(name);
    const sending = outboundTeks(keys.teks, now);
    const lists = traceGroup(name, sending);
    for (const tek of keys.teks) {
      if (tek.activatesAt > now && (nextChange === null || tek.activatesAt < nextChange)) nextChange = tek.activatesAt;
      const serial = serialOf(tek);
      const slot = allocation.sas.take(String(serial));
      const successor = sending.findIndex((other) => (other.sa ?? 0) === (tek.sa ?? 0) && isDeepStrictEqual(other.entries, tek.entries));
      const old = traceList(`SPI ${tek.spi}`, tek.entries);
      const canSeal = writeSa(rows, slot, serial, tek, keys, group, rows.addAces(lists[successor] ?? old));
      if (canSeal && sending.includes(tek)) outbound.set(tek, slot);
    }
  };
  for (const [name, keys] of groupKeys) writeGroup(name, keys);

  const sites = new SitePairs(config, pairs, allocation, rows);
  sites.writeSas();

  const teksOf = (group: string): readonly Tek[] => groupKeys.get(group)?.teks ?? [];
  const closedMaps = [...config.failClose.keys()].filter((map) => isClosed(config, map, teksOf, now));
  const interfaces: InterfaceRow[] = [];
  for (const item of config.interfaces.values()) {
    const port = allocation.ports.take(item.name);
    const filters = [item.accessGroupIn, item.accessGroupOut].map((list) => filterRows(config, list, (entries) => rows.addAces(entries)));
    interfaces.push(interfaceRow(item, port, config, { filterIn: filters[0], filterOut: filters[1] }));
    rows.cryptoEntries.push(
      ...compileEntries(item, port, {
        config,
        now,
        teksOf,
        closedMaps,
        directionOf: (group) => groupKeys.get(group)?.direction ?? null,
        groupIndex: (group) => allocation.groups.take(group),
        slotOf: (tek) => outbound.get(tek) ?? -1,
        addAces: (entries) => rows.addAces(entries),
        sites,
      }),
    );
  }
  if (rows.cryptoEntries.length > Cap.CryptoEntries * CryptoEntry.Words)
    throw new CapacityError(`more than ${Cap.CryptoEntries} crypto map entries`);

  const context = {
    config,
    portOf: (name: string) => allocation.ports.take(name),
    addAces: (entries: readonly TracedEntry[]) => rows.addAces(entries),
  };
  const nat = compileNat(context);
  const policies = compilePolicies(context);
  const qos = compileQos(context);

  const groups: string[] = [];
  for (const [name, index] of allocation.groups.entries()) groups[index] = name;
  const blobs = [Int32Array.from(rows.aces), Int32Array.from(rows.cryptoEntries), rows.sas].map((words) => new Uint8Array(words.buffer));
  blobs.push(rows.saKeys);
  for (const words of [nat.clauses, policies.entries, policies.clauses, qos.uses, qos.tests.words, qos.classes, qos.reds])
    blobs.push(new Uint8Array(Int32Array.from(words).buffer));
  const head: TablesHead = {
    type: 'tables',
    generation,
    interfaces,
    staticRoutes: [...routeRows(config), ...reverseRouteRows(config, pairs)],
    controlPorts,
    espPorts: comesInUdp(config, groupKeys) ? [NatPort] : [],
    groups: Array.from(groups, (name) => name ?? ''),
    nat: natHead(config.nat, nat),
    policyHops: policies.hops,
    blobs: [...blobNames],
    blobBytes: blobs.map((blob) => blob.byteLength),
  };
  return {
    head,
    blobs,
    aceOrigins: rows.aceOrigins,
    aceCounters: rows.aceCounters,
    natOrigins: nat.origins,
    policyOrigins: policies.origins,
    qosOrigins: qos.origins,
    flows: sites.flows,
    closedMaps,
    nextChange,
  };
}
