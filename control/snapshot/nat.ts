// NAT as `show` prints it: the configuration's part, and sessions of the packet path as translations.

import { NatRow, NatState as State } from '../../dataplane/tables/layout.js';
import type { Ms } from '../actions.js';
import type { NatState, NatTranslation, NatTranslations } from '../api/snapshot-nat.js';
import { natTimeoutSeconds } from '../compile/nat.js';
import { formatIpv4, isInPrefix } from '../config/addresses.js';
import { describeProtocol } from '../config/commands/service-names.js';
import { type Config, defaultNatTimeouts, type NatSide, natTimeoutNames } from '../config/model.js';
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

export function natState(config: Config): NatState {
  const { statements, timeouts, maxEntries } = config.nat;
  const seconds = natTimeoutNames.map((name) => [name, timeouts[name] ?? defaultNatTimeouts[name]] as const);
  return {
    inside: interfacesOf(config, 'inside'),
    outside: interfacesOf(config, 'outside'),
    mappings: statements.map(({ kind, name, interface: to }, index) => ({ id: index + 1, source: kind, name, interface: to })),
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
  const hasPorts = withPorts.includes(protocol);
  const end = (address: NatRow, port: number): string =>
    `${formatIpv4(row[address] >>> 0)}${hasPorts || protocol === Icmp ? `:${port}` : ''}`;
  const state = row[NatRow.State] as Exclude<State, State.Count>;
  const timeout = natTimeoutSeconds(config.nat, state);
  return {
    protocol: describeProtocol(protocol),
    insideGlobal: end(NatRow.GlobalAddress, globalPort),
    insideLocal: end(NatRow.InsideAddress, insidePort),
    // The identifier of an ICMP query is as much the other end's.
    outsideLocal: end(NatRow.OutsideAddress, hasPorts ? outsidePort : insidePort),
    outsideGlobal: end(NatRow.OutsideAddress, hasPorts ? outsidePort : globalPort),
    createdSecondsAgo: row[NatRow.Made],
    usedSecondsAgo: row[NatRow.Used],
    timeoutSeconds: timeout === 0 ? null : timeout,
    state: stateNames[state] ?? 'other',
    mapping: row[NatRow.Rule] < 0 ? null : row[NatRow.Rule] + 1,
    interface: insideInterface(config, row[NatRow.InsideAddress] >>> 0),
    packetsOut: row[NatRow.PacketsOut] >>> 0,
    packetsIn: row[NatRow.PacketsIn] >>> 0,
    id: row[NatRow.Serial] >>> 0,
  };
}

export function natTranslations({ sessions, rows }: NatSessionRows, config: Config, now: Ms): NatTranslations {
  const count = Math.floor(rows.length / NatRow.Words);
  const translations = Array.from({ length: count }, (_, at) =>
    translation(rows.subarray(at * NatRow.Words, (at + 1) * NatRow.Words), config),
  );
  return { takenAt: now, total: Math.max(sessions, count), translations };
}
