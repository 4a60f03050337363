// `show crypto ipsec sa`, `show crypto map`: what is between two gateways. A flow for each permitted line, with the pairs of SAs for it.

import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { Ms } from '../actions.js';
import type { CryptoMapState, IpsecFlowState, IpsecInterfaceState, IpsecSaState, SaCounters, SiteToSiteState } from '../api/snapshot.js';
import type { Allocation } from '../compile/allocation.js';
import { serialOf } from '../compile/allocation.js';
import { materialOf } from '../compile/pairs.js';
import { cipherRow, plaintextMtu, transformText, UdpHeaderBytes } from '../compile/transforms.js';
import { AllOnes, formatIpv4 } from '../config/addresses.js';
import { describeEntry } from '../config/commands/acl-entry.js';
import { describeTransforms } from '../config/commands/ipsec.js';
import type { Config, CryptoMapEntry, InterfaceConfig, Ipv4, SiteToSite } from '../config/model.js';
import { localAddressOf, policiesOfEntry, profileOfEntry } from '../ipsec/configured-policies.js';
import { type FlowPolicy, lifetimesOf, permittedSelectors, policyKey } from '../ipsec/flow-policy.js';
import { flowKey, type SaPair, type SaPairs } from '../ipsec/sa-pairs.js';
import { covers, type TrafficEnd, type TrafficSelector } from '../ipsec/selector.js';
import { policyOfTunnel } from '../ipsec/tunnel-protection.js';
import { pathMtuTo } from './path-mtus.js';
import { countersOfSerial } from './sa-counters.js';

export interface SiteContext {
  allocation: Allocation;
  dataplane: SnapshotHead | null;
  pairs: SaPairs;
  mtuOf(name: string): number;
  /** Packets, 0 = none. */
  replayWindow: number;
  now: Ms;
}

type Direction = 'inbound' | 'outbound';

function countersOf(pair: SaPair, direction: Direction, { dataplane }: SiteContext): SaCounters {
  return countersOfSerial(serialOf(materialOf(pair, direction)), dataplane);
}

/** Of the direction that had more: what a life by volume counts. */
export function volumeOf(pair: SaPair, context: Pick<SiteContext, 'dataplane'>): number {
  const whole = context as SiteContext;
  return Math.max(countersOf(pair, 'inbound', whole).openedBytes, countersOf(pair, 'outbound', whole).sealedBytes);
}

/** The last number that was sent to the peer, 0 = none. */
export function sequenceOf(pair: SaPair, dataplane: SnapshotHead): number {
  const serial = serialOf(materialOf(pair, 'outbound'));
  return dataplane.sas.find((sa) => sa.serial === serial)?.sequence ?? 0;
}

function saState(pair: SaPair, direction: Direction, context: SiteContext): IpsecSaState {
  const material = materialOf(pair, direction);
  const slot = context.allocation.sas.take(String(serialOf(material)));
  const { lifetimeKilobytes, suite, expiresAt } = pair;
  return {
    spi: material.spi,
    transform: transformText(suite.encryption, suite.authentication),
    mode: suite.mode,
    udp: suite.udp,
    ...(suite.extended ? { extended: true } : {}),
    connectionId: slot + 1,
    flowId: `GW:${slot + 1}`,
    siblingFlags: '80000040',
    remainingSeconds: Math.max(0, Math.round((expiresAt - context.now) / 1000)),
    remainingKilobytes: lifetimeKilobytes === null ? null : Math.max(0, Math.floor(lifetimeKilobytes - volumeOf(pair, context) / 1024)),
    ivBytes: cipherRow(suite.encryption).ivBytes,
    replay: context.replayWindow > 0,
    status: 'ACTIVE(ACTIVE)',
  };
}

function identOf({ address, mask, port }: TrafficEnd, protocol: number): IpsecFlowState['local'] {
  return { address: formatIpv4(address), mask: formatIpv4(mask), protocol, port };
}

/** In transport mode the packet keeps its header, 20 bytes. */
function headerOf({ suite }: SaPair): number {
  return suite.mode === 'transport' ? 20 : 0;
}

function udpHeaderOf({ suite }: SaPair): number {
  return suite.udp ? UdpHeaderBytes : 0;
}

function flowState(policy: FlowPolicy, selector: TrafficSelector, ipMtu: number, context: SiteContext): IpsecFlowState {
  const key = flowKey({ policy: policyKey(policy), selector });
  const pairs = context.pairs.ofFlow(key);
  const established = pairs.filter((pair) => pair.established);
  const sending = context.pairs.sending(key);
  const counted = (direction: Direction, name: keyof SaCounters): number =>
    (direction === 'inbound' ? pairs : established).reduce((sum, pair) => sum + countersOf(pair, direction, context)[name], 0);
  const { address, port } = sending?.remote ?? { address: policy.peers[0] ?? 0, port: 500 };
  const mtu = pathMtuTo(context.dataplane, ipMtu, address, AllOnes);
  return {
    local: identOf(selector.local, selector.protocol),
    remote: identOf(selector.remote, selector.protocol),
    action: 'permit',
    peer: formatIpv4(address),
    peerPort: port,
    flags: 'origin_is_acl,',
    encapsulated: counted('outbound', 'sealedPackets'),
    decapsulated: counted('inbound', 'openedPackets'),
    sendErrors: counted('outbound', 'sendErrors'),
    receiveErrors: counted('inbound', 'receiveErrors'),
    replayDrops: counted('inbound', 'replayDrops'),
    integrityDrops: counted('inbound', 'integrityDrops'),
    localEndpoint: formatIpv4(policy.local),
    remoteEndpoint: formatIpv4(address),
    plaintextMtu: sending
      ? plaintextMtu(mtu - udpHeaderOf(sending), sending.suite.encryption, sending.suite.authentication) + headerOf(sending)
      : mtu,
    pathMtu: mtu,
    ipMtu,
    outboundSpi: sending?.outboundSpi ?? 0,
    pfsGroup: sending?.suite.group ?? null,
    inbound: pairs.map((pair) => saState(pair, 'inbound', context)),
    outbound: established.map((pair) => saState(pair, 'outbound', context)),
  };
}

/** Lines in order; behind each the parts of it that peers have wanted. */
export function siteFlows(config: Config, item: InterfaceConfig, entry: CryptoMapEntry, context: SiteContext): IpsecFlowState[] {
  return policiesOfEntry(config, entry, localAddressOf(config, item)).flatMap(({ policy }) => policyFlows(policy, item.name, context));
}

/** Of a protected tunnel. @returns null when it is none, or not complete */
export function tunnelState(config: Config, item: InterfaceConfig, context: SiteContext): IpsecInterfaceState | null {
  const policy = policyOfTunnel(config, item);
  if (!policy) return null;
  const flows = policyFlows(policy, outsideOf(config, policy.local) ?? item.name, context);
  return { interface: item.name, cryptoMap: policy.map, localAddress: formatIpv4(policy.local), flows };
}

/** Whose path MTU it is. */
function outsideOf(config: Config, local: Ipv4): string | undefined {
  return [...config.interfaces.values()].find(({ addresses }) => addresses.some(({ address }) => address === local))?.name;
}

function policyFlows(policy: FlowPolicy, name: string, context: SiteContext): IpsecFlowState[] {
  const own = [...context.pairs].filter((pair) => pair.policy === policyKey(policy));
  const flows = new Map<string, TrafficSelector>();
  // Of a dynamic map there is what peers have.
  if (policy.dynamic) for (const { selector } of own) flows.set(flowKey({ policy: policyKey(policy), selector }), selector);
  for (const line of policy.dynamic ? [] : permittedSelectors(policy))
    for (const selector of [line, ...own.map((pair) => pair.selector).filter((part) => covers(line, part))])
      flows.set(flowKey({ policy: policyKey(policy), selector }), selector);
  return [...flows.values()].map((selector) => flowState(policy, selector, context.mtuOf(name), context));
}

export function setsOf(config: Config, names: readonly string[]): SiteToSiteState['transformSets'] {
  return names.flatMap((name) => {
    const set = config.transformSets.get(name);
    return set ? [{ name, text: describeTransforms(set) }] : [];
  });
}

/** @param pairs null: of a dynamic map, which is with nobody */
export function siteState(config: Config, entry: CryptoMapEntry, ipsec: SiteToSite, pairs: SaPairs | null): SiteToSiteState {
  const list = config.accessLists.get(entry.matchAddress ?? '');
  const { lifetimeSeconds, lifetimeKilobytes, pfs } = ipsec;
  const profile = entry.kind === 'dynamic-map' ? ipsec.isakmpProfile : profileOfEntry(config, entry.name, ipsec).profile;
  const keyAt = (local: Ipv4): string => policyKey({ map: entry.name, sequence: entry.sequence, local });
  const ours = [...(pairs ?? [])].filter(({ policy, established, local }) => established && policy === keyAt(local.address));
  const current = ours.at(-1)?.remote.address ?? ipsec.peers[0];
  return {
    peers: ipsec.peers.map(formatIpv4),
    acl: list?.entries.map((line) => describeEntry(line, list.kind)) ?? [],
    transformSets: setsOf(config, ipsec.transformSets),
    pfsGroup: pfs,
    ...lifetimesOf(config, lifetimeSeconds, lifetimeKilobytes),
    currentPeer: current === undefined ? null : formatIpv4(current),
    ...(profile !== undefined && { isakmpProfile: profile }),
  };
}

/** The map that a protected tunnel has, as `show crypto map` prints it. */
export function tunnelMapState(config: Config, item: InterfaceConfig, pairs: SaPairs): CryptoMapState | null {
  const policy = policyOfTunnel(config, item);
  const profile = config.ipsecProfiles.get(item.tunnel?.protection ?? '');
  if (!policy || !profile) return null;
  const [entry] = policy.entries ?? [];
  const sending = [...pairs].findLast(({ policy: key, established }) => established && key === policyKey(policy));
  return {
    name: policy.map,
    sequence: policy.sequence,
    kind: 'ipsec-isakmp',
    group: null,
    identity: null,
    serverAddresses: [],
    localAcl: null,
    profile: profile.name,
    site: {
      peers: policy.peers.map(formatIpv4),
      acl: entry ? [describeEntry(entry, 'extended')] : [],
      transformSets: setsOf(config, profile.transformSets),
      pfsGroup: policy.pfs,
      lifetimeSeconds: policy.lifetimeSeconds,
      lifetimeKilobytes: policy.lifetimeKilobytes,
      currentPeer: formatIpv4(sending?.remote.address ?? policy.peers[0]),
    },
    interfaces: [item.name],
  };
}
