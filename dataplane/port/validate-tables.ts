// Checks a `tables` message before anything is touched: sizes, counts, ranges, references between rows. What passes here can be
// used without a further look by the port code and by every stage. Does not: judge whether the policy makes sense.

import { GroupCap } from '../counters/declare.js';
import { MaxGroups } from '../mem/shared.js';
import {
  Ace,
  AceLog,
  AclFact,
  Cap,
  CryptoEntry,
  NatClause,
  PolicyClause,
  PolicyEntry,
  QosCap,
  QosClass,
  QosRed,
  QosTest,
  QosUse,
  Sa,
  SaKey,
} from '../tables/layout.js';
import { FragmentLimit } from '../tables/limits.js';
import {
  blobNames,
  dfBits,
  type InterfaceRow,
  MaxFrameBytes,
  portDrivers,
  type StaticRouteRow,
  type TablesHead,
  type TablesRows,
} from '../tables/message.js';
import { checkAclRange, readFlag, readInteger, readList, readNullable, readRecord, readText, refuse, within } from './shape.js';
import { checkNat, readNat } from './validate-nat.js';
import { checkPolicies, readPolicyHops } from './validate-policy.js';
import { checkQos } from './validate-qos.js';
import { checkSas } from './validate-sas.js';
import { readTunnel } from './validate-tunnel.js';

export interface Tables {
  head: TablesHead;
  rows: TablesRows;
}

const MaxGeneration = Number.MAX_SAFE_INTEGER;
const MaxAddress = 0xffffffff;
const natSides = ['inside', 'outside'] as const;
// Goes into a command line of ip: what the kernel allows in a name, and nothing that ip could take for an option.
const devicePattern = /^[A-Za-z0-9_@.][^\s/:"'\\#]{0,14}$/;

function readAddress(value: unknown, what: string): number {
  return readInteger(value, what, 0, MaxAddress);
}

/** What a rule takes. */
function readPort(value: unknown, what: string): number {
  return readInteger(value, what, 1, 65534);
}

function readDevice(value: unknown, what: string): string {
  const name = readText(value, what, 15);
  if (!devicePattern.test(name)) refuse(`${what}: no name for a netdev`);
  if (name === 'lo' || name === '.' || name === '..') refuse(`${what}: ${name} cannot be an interface`);
  return name;
}

function readInterface(value: unknown, what: string): InterfaceRow {
  const row = readRecord(value, what);
  const driver = portDrivers.find((name) => name === row.driver) ?? refuse(`${what}.driver: none of ${portDrivers.join(', ')}`);
  return {
    port: readInteger(row.port, `${what}.port`, 0, Cap.Ports - 1),
    name: readText(row.name, `${what}.name`, 128),
    device: readNullable(row.device, (device) => readDevice(device, `${what}.device`)),
    driver,
    driverChosen: readFlag(row.driverChosen, `${what}.driverChosen`),
    offloads: readFlag(row.offloads, `${what}.offloads`),
    addresses: readList(row.addresses, `${what}.addresses`, 32, (element, where) => {
      const { address, prefixLength } = readRecord(element, where);
      return { address: readAddress(address, `${where}.address`), prefixLength: readInteger(prefixLength, `${where}.prefixLength`, 0, 32) };
    }),
    ipMtu: readNullable(row.ipMtu, (mtu) => readInteger(mtu, `${what}.ipMtu`, 68, 65535)), // 68: RFC 791
    shutdown: readFlag(row.shutdown, `${what}.shutdown`),
    nat: readNullable(row.nat, (side) => natSides.find((name) => name === side) ?? refuse(`${what}.nat: neither inside nor outside`)),
    ...(row.tunnel === undefined ? {} : { tunnel: readTunnel(row.tunnel, `${what}.tunnel`) }),
    filterIn: readNullable(row.filterIn, (rows) => readRows(rows, `${what}.filterIn`)),
    filterOut: readNullable(row.filterOut, (rows) => readRows(rows, `${what}.filterOut`)),
    unreachables: readFlag(row.unreachables, `${what}.unreachables`),
    ...(row.dfBit === undefined
      ? {}
      : { dfBit: dfBits.find((bit) => bit === row.dfBit) ?? refuse(`${what}.dfBit: none of ${dfBits.join(', ')}`) }),
    ...(row.cutSealed === undefined ? {} : { cutSealed: readFlag(row.cutSealed, `${what}.cutSealed`) }),
    ...(row.searchMtu === undefined ? {} : { searchMtu: readFlag(row.searchMtu, `${what}.searchMtu`) }),
    ...(row.fragments === undefined ? {} : { fragments: readFragments(row.fragments, `${what}.fragments`) }),
    adjustMss: readNullable(row.adjustMss, (mss) => readInteger(mss, `${what}.adjustMss`, 1, 65535)),
    groups: readList(row.groups, `${what}.groups`, MaxGroups, (group, where) => readInteger(group, where, 0xe0000100, 0xefffffff)),
  };
}

function readFragments(value: unknown, what: string): NonNullable<InterfaceRow['fragments']> {
  const row = readRecord(value, what);
  return {
    drop: readFlag(row.drop, `${what}.drop`),
    maxDatagrams: readInteger(row.maxDatagrams, `${what}.maxDatagrams`, 0, FragmentLimit.Datagrams),
    maxFragments: readInteger(row.maxFragments, `${what}.maxFragments`, 0, 255),
    timeoutSeconds: readInteger(row.timeoutSeconds, `${what}.timeoutSeconds`, 0, 60),
  };
}

function readRows(value: unknown, what: string): { first: number; count: number } {
  const { first, count } = readRecord(value, what);
  return { first: readInteger(first, `${what}.first`, 0, Cap.Aces), count: readInteger(count, `${what}.count`, 0, Cap.Aces) };
}

function readStaticRoute(value: unknown, what: string): StaticRouteRow {
  const row = readRecord(value, what);
  const route = {
    prefix: readAddress(row.prefix, `${what}.prefix`),
    prefixLength: readInteger(row.prefixLength, `${what}.prefixLength`, 0, 32),
    nextHop: readNullable(row.nextHop, (hop) => readAddress(hop, `${what}.nextHop`)),
    interface: readNullable(row.interface, (name) => readText(name, `${what}.interface`, 128)),
    distance: readInteger(row.distance, `${what}.distance`, 1, 255),
    ...(row.recursive === undefined ? {} : { recursive: readFlag(row.recursive, `${what}.recursive`) }),
  };
  if (route.nextHop === null && route.interface === null) refuse(`${what}: neither next hop nor interface`);
  return route;
}

function readHead(value: unknown): TablesHead {
  const head = readRecord(value, 'head');
  const names = readList(head.blobs, 'blobs', blobNames.length, (name, what) => readText(name, what, 32));
  if (head.type !== 'tables' || names.join() !== blobNames.join()) refuse('head: not a tables message');
  return {
    type: 'tables',
    generation: readInteger(head.generation, 'generation', 0, MaxGeneration),
    interfaces: readList(head.interfaces, 'interfaces', Cap.Ports, readInterface),
    staticRoutes: readList(head.staticRoutes, 'staticRoutes', 1024, readStaticRoute),
    controlPorts: readList(head.controlPorts, 'controlPorts', 8, readPort),
    espPorts: readList(head.espPorts, 'espPorts', 8, readPort),
    groups: readList(head.groups, 'groups', GroupCap, (name, what) => readText(name, what, 256)),
    nat: readNat(head.nat),
    policyHops: readPolicyHops(head.policyHops),
    blobs: [...blobNames],
    blobBytes: readList(head.blobBytes, 'blobBytes', blobNames.length, (bytes, what) => readInteger(bytes, what, 0, MaxFrameBytes)),
  };
}

/**
 * @param head JSON head of a frame @param rest the bytes behind it @returns the tables; rows are copies of `rest`
 * @throws ShapeError with the first thing that is wrong
 */
export function readTables(head: unknown, rest: Uint8Array): Tables {
  const parsed = readHead(head);
  const tables = { head: parsed, rows: cutRows(parsed.blobBytes, rest) };
  checkInterfaces(parsed);
  checkAces(tables.rows.aces);
  checkFilters(tables);
  checkCryptoEntries(tables);
  checkSas(tables);
  checkNat(tables);
  checkPolicies(parsed, tables.rows);
  checkQos(tables.rows);
  return tables;
}

function cutRows(blobBytes: readonly number[], rest: Uint8Array): TablesRows {
  const rowBytes = [
    Ace.Words * 4,
    CryptoEntry.Words * 4,
    Sa.Words * 4,
    SaKey.Bytes,
    NatClause.Words * 4,
    PolicyEntry.Words * 4,
    PolicyClause.Words * 4,
    QosUse.Words * 4,
    QosTest.Words * 4,
    QosClass.Words * 4,
    QosRed.Words * 4,
  ];
  const caps = [
    Cap.Aces,
    Cap.CryptoEntries,
    Cap.Sas,
    Cap.Sas,
    Cap.NatClauses,
    Cap.PolicyEntries,
    Cap.PolicyClauses,
    Cap.Ports * 2,
    QosCap.Tests,
    QosCap.Classes,
    QosCap.Reds,
  ];
  if (blobBytes.length !== blobNames.length) refuse('blobBytes: one number per blob is needed');
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [i, bytes] of blobBytes.entries()) {
    if (bytes % rowBytes[i] !== 0) refuse(`${blobNames[i]}: ${bytes} bytes are no whole number of rows`);
    within(`${blobNames[i]} rows`, bytes / rowBytes[i], 0, caps[i]);
    if (at + bytes > rest.length) refuse(`${blobNames[i]}: the frame ends within it`);
    parts.push(rest.slice(at, at + bytes)); // a copy, so that it is aligned
    at += bytes;
  }
  if (at !== rest.length) refuse(`${rest.length - at} bytes behind the last blob`);
  if (parts[2].length / (Sa.Words * 4) !== parts[3].length / SaKey.Bytes) refuse('sas and saKeys have different numbers of rows');
  const [aces, cryptoEntries, sas, saKeys, natClauses, policyEntries, policyClauses, qosUses, qosTests, qosClasses, qosReds] = parts;
  const clear = { aces, cryptoEntries, sas, natClauses, policyEntries, policyClauses, qosUses, qosTests, qosClasses, qosReds };
  const words = Object.fromEntries(Object.entries(clear).map(([name, bytes]) => [name, toWords(bytes)]));
  return { ...(words as Omit<TablesRows, 'saKeys'>), saKeys };
}

function toWords(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function checkInterfaces(head: TablesHead): void {
  for (const key of ['port', 'name', 'device'] as const) {
    const seen = new Set<string | number>();
    for (const row of head.interfaces) {
      const value = row[key];
      if (value === null) continue;
      if (seen.has(value)) refuse(`interfaces: two with ${key} ${value}`);
      seen.add(value);
    }
  }
  for (const { name, tunnel, device } of head.interfaces)
    if (tunnel && device === null) refuse(`interface ${name}: a tunnel without a device`);
}

function checkAces(aces: Int32Array): void {
  for (let at = 0; at < aces.length; at += Ace.Words) {
    within('ace action', aces[at + Ace.Action], 0, 1);
    within('ace protocol', aces[at + Ace.Protocol], -1, 255);
    within('ace facts', aces[at + Ace.Mask], 0, AclFact.All);
    within('ace facts', aces[at + Ace.Value] & ~aces[at + Ace.Mask], 0, 0);
    within('ace flags', aces[at + Ace.AnyOf], 0, 0xffff);
    within('ace counter', aces[at + Ace.Counter], 0, Cap.AceCounters - 1);
    within('ace log', aces[at + Ace.Log], AceLog.None, AceLog.LogInput);
    for (const low of [Ace.SrcPortLow, Ace.DstPortLow]) {
      within('ace port', aces[at + low], 0, 65535);
      within('ace port range', aces[at + low + 1], aces[at + low], 65535);
    }
  }
}

function checkFilters({ head, rows }: Tables): void {
  for (const { name, filterIn, filterOut } of head.interfaces)
    for (const list of [filterIn, filterOut]) if (list) checkAclRange(`filter of ${name}`, list.first, list.count, rows.aces);
}

function checkCryptoEntries({ head, rows }: Tables): void {
  const ports = new Set(head.interfaces.map(({ port }) => port));
  const entries = rows.cryptoEntries;
  for (let at = 0; at < entries.length; at += CryptoEntry.Words) {
    const port = entries[at + CryptoEntry.Port];
    if (!ports.has(port)) refuse(`crypto entry: no interface has port ${port}`);
    if (at > 0) within('crypto entry port order', port, entries[at - CryptoEntry.Words + CryptoEntry.Port], Cap.Ports - 1);
    checkAclRange('crypto entry', entries[at + CryptoEntry.AclFirst], entries[at + CryptoEntry.AclCount], rows.aces);
    within('crypto entry SA slot', entries[at + CryptoEntry.OutboundSa], -1, rows.sas.length / Sa.Words - 1);
    within('crypto entry flags', entries[at + CryptoEntry.Flags], 0, 255);
    within('crypto entry flow', entries[at + CryptoEntry.Flow], 0, 0x7fffffff);
    within('crypto entry group', entries[at + CryptoEntry.Group], 0, head.groups.length - 1);
  }
}
