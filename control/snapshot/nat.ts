// NAT as `show` prints it: the configuration's part, and sessions of the packet path as translations.

import { hasPortTimeout, NatRow, NatRuleBase, NatSeconds, NatState as State } from '../../dataplane/tables/layout.js';
import type { Ms } from '../actions.js';
import type { NatState, NatTranslation, NatTranslations } from '../api/snapshot-nat.js';
import { natTimeoutSeconds } from '../compile/nat.js';
import { AllOnes, formatIpv4, isInPrefix, maskToPrefixLength } from '../config/addresses.js';
import { describeProtocol } from '../config/commands/service-names.js';
import { type Config, defaultNatTimeouts, type NatConfig, type NatSide, type NatStatic, natTimeoutNames } from '../config/model.js';
import type { NatSessionRows } from '../dataplane-link.js';

/** IP protocols with ports: TCP, UDP, DCCP, UDP-Lite. */
const withPorts: readonly number[] = [6, 17, 33, 136];
const Icmp = 1;

const stateNames: Record<Exclude<State, State.Count>, NatTranslation['state']> = {
  [State.Other]: 'other',
  [State.Udp]: 'udp',
  [State.Dns]: 'dns',
  [State.Icmp]: 'icmp',
  [State.TcpSyn]: 'syn',
  [State.TcpEstablished]: 'established',
  [State.TcpFinRst]: 'finrst',
};

function interfacesOf(config: Config, side: NatSide): string[] {
  return [...config.interfaces.values()].filter(({ nat }) => nat === side).map(({ name }) => name);
}

function natMappings({ statements, outsideSources, destinations }: NatConfig): NatState['mappings'] {
  return [
    ...statements.map(({ kind, name, interface: to, pool, overload }, at) => ({
      id: NatRuleBase.InsideSource + at + 1,
      use: 'inside source' as const,
      source: kind,
      name,
      interface: to,
      pool,
      overload,
    })),
    ...outsideSources.map(({ kind, name, pool }, at) => ({
      id: NatRuleBase.OutsideSource + at + 1,
      use: 'outside source' as const,
      source: kind,
      name,
      interface: null,
      pool,
      overload: false,
    })),
    ...destinations.map(({ list, pool }, at) => ({
      id: NatRuleBase.InsideDestination + at + 1,
      use: 'inside destination' as const,
      source: 'list' as const,
      name: list,
      interface: null,
      pool,
      overload: false,
    })),
  ];
}

export function natState(config: Config): NatState {
  const { timeouts, maxEntries, pools, statics } = config.nat;
  const seconds = natTimeoutNames.map((name) => [name, timeouts[name] ?? defaultNatTimeouts[name]] as const);
  return {
    inside: interfacesOf(config, 'inside'),
    outside: interfacesOf(config, 'outside'),
    mappings: natMappings(config.nat),
    pools: pools.map(({ name, first, last, mask, type }) => ({
      name,
      first: formatIpv4(first),
      last: formatIpv4(last),
      netmask: formatIpv4(mask),
      type,
      addresses: last - first + 1,
    })),
    statics: statics.length,
    timeouts: Object.fromEntries(seconds.map(([name, value]) => [name, value === 'never' ? null : value])),
    maxEntries,
  };
}

/** An inside interface whose network an address is of. */
function insideInterface(config: Config, address: number): string | null {
  for (const { name, nat, addresses } of config.interfaces.values())
    if (nat === 'inside' && addresses.some((own) => isInPrefix(address, own.address, own.mask))) return name;
  return null;
}

/** @param row words of one session */
function translation(row: Int32Array, config: Config): NatTranslation {
  const protocol = row[NatRow.Protocol];
  const insidePort = row[NatRow.InsidePorts] >>> 16;
  const globalPort = row[NatRow.OutsidePorts] >>> 16;
  const outsidePort = row[NatRow.OutsidePorts] & 0xffff;
  const peerPort = row[NatRow.InsidePorts] & 0xffff;
  const hasPorts = withPorts.includes(protocol);
  const end = (address: NatRow, port: number): string =>
    `${formatIpv4(row[address] >>> 0)}${hasPorts || protocol === Icmp ? `:${port}` : ''}`;
  const state = row[NatRow.State] as Exclude<State, State.Count>;
  const own = hasPortTimeout(state) ? row[NatRow.Limit] : 0;
  const timeout = own === 0 ? natTimeoutSeconds(config.nat, state) : own === NatSeconds.Never ? 0 : own;
  return {
    protocol: describeProtocol(protocol),
    insideGlobal: end(NatRow.GlobalAddress, globalPort),
    insideLocal: end(NatRow.InsideAddress, insidePort),
    // The identifier of an ICMP query is as much the other end's.
    outsideLocal: end(NatRow.OutsideLocal, hasPorts ? peerPort : insidePort),
    outsideGlobal: end(NatRow.OutsideAddress, hasPorts ? outsidePort : globalPort),
    createdSecondsAgo: row[NatRow.Made],
    usedSecondsAgo: row[NatRow.Used],
    timeoutSeconds: timeout === 0 ? null : timeout,
    state: stateNames[state] ?? 'other',
    mapping: row[NatRow.Rule] < 0 ? null : (row[NatRow.Rule] & NatRuleBase.Mask) + 1,
    interface: insideInterface(config, row[NatRow.InsideAddress] >>> 0),
    packetsOut: row[NatRow.PacketsOut] >>> 0,
    packetsIn: row[NatRow.PacketsIn] >>> 0,
    id: row[NatRow.Serial] >>> 0,
  };
}

const Any = '---';

/** What a translation without a flow is. */
const noFlow = { createdSecondsAgo: 0, usedSecondsAgo: 0, timeoutSeconds: null, packetsOut: 0, packetsIn: 0 };

function staticTranslation(item: NatStatic, number: number, config: Config): NatTranslation {
  const { side, protocol, mask } = item;
  const length = mask === AllOnes ? '' : `/${maskToPrefixLength(mask)}`;
  const end = (address: number, port: number | null): string => `${formatIpv4(address)}${length}${port === null ? '' : `:${port}`}`;
  const own = item.interface === null ? null : config.interfaces.get(item.interface)?.addresses[0]?.address;
  const global = end(item.global ?? own ?? 0, item.globalPort);
  const local = end(item.local, item.localPort);
  const isInside = side === 'inside';
  return {
    ...noFlow,
    protocol: protocol ?? Any,
    insideGlobal: isInside ? global : Any,
    insideLocal: isInside ? local : Any,
    outsideLocal: isInside ? Any : local,
    outsideGlobal: isInside ? Any : global,
    state: 'static',
    mapping: NatRuleBase.Static + number + 1,
    interface: isInside ? insideInterface(config, item.local) : null,
    id: number + 1,
  };
}

/** The addresses that hosts have for themselves, as the sessions that use them say. */
function simpleTranslations(rows: readonly Int32Array[], config: Config): NatTranslation[] {
  const found = new Map<string, NatTranslation>();
  for (const row of rows) {
    const rule = row[NatRow.Rule];
    if (rule < 0) continue;
    const one = (isInside: boolean, globalWord: NatRow, localWord: NatRow): void => {
      const [global, local] = [formatIpv4(row[globalWord] >>> 0), formatIpv4(row[localWord] >>> 0)];
      found.set(`${isInside} ${global}`, {
        ...noFlow,
        protocol: Any,
        insideGlobal: isInside ? global : Any,
        insideLocal: isInside ? local : Any,
        outsideLocal: isInside ? Any : local,
        outsideGlobal: isInside ? Any : global,
        state: 'simple',
        mapping: (rule & NatRuleBase.Mask) + 1,
        interface: isInside ? insideInterface(config, row[localWord] >>> 0) : null,
        id: 0,
      });
    };
    if ((rule & NatRuleBase.HoldsGlobal) !== 0) one(true, NatRow.GlobalAddress, NatRow.InsideAddress);
    if ((rule & NatRuleBase.HoldsLocal) !== 0) one(false, NatRow.OutsideAddress, NatRow.OutsideLocal);
  }
  return [...found.values()];
}

/** Static translations, addresses that hosts have for themselves, and sessions. */
export function natTranslations({ sessions, rows }: NatSessionRows, config: Config, now: Ms): NatTranslations {
  const count = Math.floor(rows.length / NatRow.Words);
  const all = Array.from({ length: count }, (_, at) => rows.subarray(at * NatRow.Words, (at + 1) * NatRow.Words));
  const fixed = config.nat.statics.map((item, number) => staticTranslation(item, number, config));
  const simple = simpleTranslations(all, config);
  return {
    takenAt: now,
    total: Math.max(sessions, count) + fixed.length + simple.length,
    translations: [...fixed, ...simple, ...all.map((row) => translation(row, config))],
  };
}
