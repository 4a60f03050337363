// `show crypto ipsec sa`: per interface with a crypto map, the entries of the groups' ACLs and the SAs behind them.

import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { Ms } from '../actions.js';
import type { CryptoMapState, IpsecFlowState, IpsecInterfaceState, IpsecSaState, SaCounters } from '../api/snapshot.js';
import type { Allocation } from '../compile/allocation.js';
import { serialOf } from '../compile/allocation.js';
import { outboundTek, outboundTeks } from '../compile/outbound.js';
import { cipherRow, groupPlaintextMtu, transformText } from '../compile/transforms.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Config, GdoiGroup } from '../config/model.js';
import type { PolicyEntry, Tek } from '../gdoi/group-policy.js';
import { localAddressOf } from '../ipsec/configured-policies.js';
import type { SaPairs } from '../ipsec/sa-pairs.js';
import { createdMapStates } from './dynamic-maps.js';
import { siteFlows, siteState, tunnelMapState, tunnelState } from './ipsec-pairs.js';
import { pathMtuTo } from './path-mtus.js';
import { countersOfSerial } from './sa-counters.js';

/** Counters of one SA, zero when the dataplane does not have it. */
export function saCounters(tek: Tek | null, dataplane: SnapshotHead | null): SaCounters {
  return countersOfSerial(tek === null ? 0 : serialOf(tek), dataplane);
}

export function identityText(group: GdoiGroup): string {
  if (group.identity === null) return '';
  return group.identity.kind === 'number' ? String(group.identity.number) : formatIpv4(group.identity.address);
}

export function interfacesOfMap(config: Config, map: string): string[] {
  return [...config.interfaces.values()].filter((item) => item.cryptoMap === map).map(({ name }) => name);
}

export function cryptoMapStates(config: Config, pairs: SaPairs): CryptoMapState[] {
  const tunnels = [...config.interfaces.values()].flatMap((item) => tunnelMapState(config, item, pairs) ?? []);
  const maps = [...config.cryptoMaps.values()].flat().flatMap((entry): CryptoMapState[] => {
    const group = entry.group === null ? undefined : config.gdoiGroups.get(entry.group);
    const state: CryptoMapState = {
      name: entry.name,
      sequence: entry.sequence,
      kind: entry.kind === 'gdoi' ? 'gdoi' : 'ipsec-isakmp',
      group: entry.group,
      identity: group ? identityText(group) : null,
      serverAddresses: (group?.serverAddresses ?? []).map(formatIpv4),
      localAcl: entry.matchAddress,
      ...(entry.ipsec && { site: siteState(config, entry, entry.ipsec, pairs) }),
      ...(entry.dynamic !== undefined && { dynamicMap: entry.dynamic }),
      interfaces: interfacesOfMap(config, entry.name),
    };
    return [state, ...createdMapStates(config, entry, state.interfaces, pairs)];
  });
  return [...tunnels, ...maps];
}

interface Context {
  allocation: Allocation;
  dataplane: SnapshotHead | null;
  /** Keys of a member group, oldest first. */
  teksOf: (group: string) => Tek[];
  /** Path MTU per interface. */
  mtuOf: (name: string) => number;
  /** SAs between gateways. */
  pairs: SaPairs;
  now: Ms;
}

function saState(tek: Tek, slot: number, now: Ms): IpsecSaState {
  return {
    spi: tek.spi >>> 0,
    transform: transformText(tek.encryption, tek.authentication),
    mode: 'tunnel',
    udp: tek.udp === true,
    connectionId: slot + 1,
    flowId: `GW:${slot + 1}`,
    siblingFlags: '80000040',
    remainingSeconds: Math.max(0, Math.round((tek.expiresAt - now) / 1000)),
    remainingKilobytes: null,
    ivBytes: cipherRow(tek.encryption).ivBytes,
    replay: tek.replayWindow > 0 || (tek.replaySeconds ?? 0) > 0,
    status: 'ACTIVE(ACTIVE)',
  };
}

function ident(address: number, wildcard: number, entry: PolicyEntry, port: PolicyEntry['sourcePort']): IpsecFlowState['local'] {
  return {
    address: formatIpv4(address),
    mask: formatIpv4(~wildcard >>> 0),
    protocol: entry.protocol ?? 0,
    port: port?.operator === 'eq' ? port.ports[0] : 0,
  };
}

/** Counters are the SA's: every entry of one SA shares its TEKs, so they stand at each entry as on IOS. @param teks of the entry's SA */
function flowState(entry: PolicyEntry, teks: Tek[], local: string, ipMtu: number, context: Context): IpsecFlowState {
  const mtu = pathMtuTo(context.dataplane, ipMtu, entry.destination, ~entry.destinationWildcard >>> 0);
  const sending = outboundTek(teks, context.now);
  const counted = teks.map((tek) => saCounters(tek, context.dataplane));
  const sum = (key: keyof SaCounters): number => counted.reduce((total, sa) => total + sa[key], 0);
  const sas = teks.map((tek) => saState(tek, context.allocation.sas.take(String(serialOf(tek))), context.now));
  return {
    local: ident(entry.source, entry.sourceWildcard, entry, entry.sourcePort),
    remote: ident(entry.destination, entry.destinationWildcard, entry, entry.destinationPort),
    action: entry.action,
    peer: '0.0.0.0',
    peerPort: 848,
    flags: 'origin_is_acl,',
    encapsulated: sum('sealedPackets'),
    decapsulated: sum('openedPackets'),
    sendErrors: sum('sendErrors'),
    receiveErrors: sum('receiveErrors'),
    replayDrops: sum('replayDrops'),
    integrityDrops: sum('integrityDrops'),
    localEndpoint: local,
    remoteEndpoint: '0.0.0.0',
    plaintextMtu: sending ? groupPlaintextMtu(mtu, sending) : mtu,
    pathMtu: mtu,
    ipMtu,
    outboundSpi: sending ? sending.spi >>> 0 : 0,
    inbound: entry.action === 'permit' ? sas : [],
    outbound: entry.action === 'permit' ? sas.filter((sa) => sa.spi === (sending?.spi ?? -1) >>> 0) : [],
  };
}

export function ipsecStates(config: Config, given: Context): IpsecInterfaceState[] {
  const context = { ...given, replayWindow: config.ipsec.replayWindow };
  const states: IpsecInterfaceState[] = [];
  for (const item of config.interfaces.values()) {
    const tunnel = tunnelState(config, item, context);
    if (tunnel) states.push(tunnel);
    if (item.cryptoMap === null) continue;
    const local = formatIpv4(localAddressOf(config, item) ?? 0);
    const flows = (config.cryptoMaps.get(item.cryptoMap) ?? []).flatMap((map) => {
      if (map.kind !== 'gdoi') return siteFlows(config, item, map, context);
      const teks = map.group === null ? [] : context.teksOf(map.group);
      return outboundTeks(teks, context.now).flatMap((sending) => {
        const same = teks.filter((tek) => (tek.sa ?? 0) === (sending.sa ?? 0));
        const permits = sending.entries.filter(({ action }) => action === 'permit');
        return permits.map((entry) => flowState(entry, same, local, context.mtuOf(item.name), context));
      });
    });
    states.push({ interface: item.name, cryptoMap: item.cryptoMap, localAddress: local, flows });
  }
  return states;
}
