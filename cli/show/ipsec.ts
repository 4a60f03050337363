// `show crypto ipsec sa` and `show crypto map`.

import type {
  CryptoMapState,
  DynamicMapState,
  FailCloseState,
  IpsecFlowState,
  IpsecInterfaceState,
  IpsecSaState,
  SiteToSiteState,
  Snapshot,
} from '../../control/api/snapshot.js';
import { formatIpv4 } from '../../control/config/addresses.js';
import { formatGroupAce, formatSeconds, formatSpi, joinBlocks } from './columns.js';
import { select, type View } from './view.js';

interface Selection {
  detail: boolean;
  peer: number | null;
  interface: string | null;
}

/** @throws ShowError about an interface without a crypto map */
export function viewOfIpsecSas({ ipsec }: Snapshot, { detail, peer, interface: name }: Selection): View {
  const states = select(ipsec, name, (state) => state.interface, 'Interface with a crypto map')
    .map((state) => (peer === null ? state : { ...state, flows: state.flows.filter((flow) => flow.peer === formatIpv4(peer)) }))
    .filter(({ flows }) => peer === null || flows.length > 0);
  return { lines: states.flatMap((state) => ['', ...renderInterface(state, detail)]), json: { ipsec: states } };
}

function renderInterface(state: IpsecInterfaceState, detail: boolean): string[] {
  return [
    `interface: ${state.interface}`,
    `    Crypto map tag: ${state.cryptoMap}, local addr ${state.localAddress}`,
    ...state.flows.flatMap((flow) => ['', ...renderFlow(state, flow, detail)]),
  ];
}

function renderIdent(ident: IpsecFlowState['local']): string {
  return `(${ident.address}/${ident.mask}/${ident.protocol}/${ident.port})`;
}

/** What went wrong, one number per reason. What has no SA, or an unknown one, belongs to no flow: `show crypto gdoi gm dataplan counter`. */
function renderErrors(flow: IpsecFlowState): string[] {
  const { sendErrors, receiveErrors, replayDrops, integrityDrops } = flow;
  const other = Math.max(0, receiveErrors - replayDrops - integrityDrops);
  return [
    '    #pkts no sa (send) 0, #pkts invalid sa (rcv) 0',
    `    #pkts encaps failed (send) ${sendErrors}, #pkts decaps failed (rcv) ${other}`,
    `    #pkts invalid prot (recv) 0, #pkts verify failed: ${integrityDrops}`,
    '    #pkts invalid identity (recv) 0, #pkts invalid len (rcv) 0',
    '    #pkts replay rollover (send): 0, #pkts replay rollover (rcv) 0',
    `    ##pkts replay failed (rcv): ${replayDrops}`,
    '    #pkts tagged (send): 0, #pkts untagged (rcv): 0',
    '    #pkts not tagged (send): 0, #pkts not untagged (rcv): 0',
    '    #pkts internal err (send): 0, #pkts internal err (recv) 0',
  ];
}

function renderFlow(state: IpsecInterfaceState, flow: IpsecFlowState, detail: boolean): string[] {
  const { encapsulated, decapsulated } = flow;
  const sas = (title: string, list: IpsecSaState[]) => [`     ${title}:`, ...list.flatMap((sa) => renderSa(sa, state.cryptoMap)), ''];
  return [
    '   protected vrf: (none)',
    `   local ident (addr/mask/prot/port): ${renderIdent(flow.local)}`,
    `   remote ident (addr/mask/prot/port): ${renderIdent(flow.remote)}`,
    `   current_peer ${flow.peer} port ${flow.peerPort}`,
    `     ${flow.action.toUpperCase()}, flags={${flow.flags}}`,
    `    #pkts encaps: ${encapsulated}, #pkts encrypt: ${encapsulated}, #pkts digest: ${encapsulated}`,
    `    #pkts decaps: ${decapsulated}, #pkts decrypt: ${decapsulated}, #pkts verify: ${decapsulated}`,
    '    #pkts compressed: 0, #pkts decompressed: 0',
    '    #pkts not compressed: 0, #pkts compr. failed: 0',
    '    #pkts not decompressed: 0, #pkts decompress failed: 0',
    ...(detail ? renderErrors(flow) : [`    #send errors ${flow.sendErrors}, #recv errors ${flow.receiveErrors}`]),
    '',
    `     local crypto endpt.: ${flow.localEndpoint}, remote crypto endpt.: ${flow.remoteEndpoint}`,
    `     plaintext mtu ${flow.plaintextMtu}, path mtu ${flow.pathMtu}, ip mtu ${flow.ipMtu}, ip mtu idb ${state.interface}`,
    `     current outbound spi: ${formatSpi(flow.outboundSpi)}`,
    `     PFS (Y/N): ${flow.pfsGroup ? 'Y' : 'N'}, DH group: ${flow.pfsGroup ? `group${flow.pfsGroup}` : 'none'}`,
    '',
    ...sas('inbound esp sas', flow.inbound),
    ...sas('inbound ah sas', []),
    ...sas('inbound pcp sas', []),
    ...sas('outbound esp sas', flow.outbound),
    ...sas('outbound ah sas', []),
    '     outbound pcp sas:',
  ];
}

function renderSa(sa: IpsecSaState, cryptoMap: string): string[] {
  const timing =
    sa.remainingKilobytes === null
      ? [
          `        sa timing: remaining key lifetime (sec): (${formatSeconds(sa.remainingSeconds)})`,
          '        Kilobyte Volume Rekey has been disabled',
        ]
      : [`        sa timing: remaining key lifetime (k/sec): (${sa.remainingKilobytes}/${formatSeconds(sa.remainingSeconds)})`];
  return [
    `      spi: ${formatSpi(sa.spi)}`,
    `        transform: ${sa.transform} ,`,
    `        in use settings ={${sa.mode === 'tunnel' ? 'Tunnel' : 'Transport'}${sa.udp ? ' UDP-Encaps' : ''}, ${sa.extended ? 'Esn, ' : ''}}`,
    `        conn id: ${sa.connectionId}, flow_id: ${sa.flowId}, sibling_flags ${sa.siblingFlags}, crypto map: ${cryptoMap}`,
    ...timing,
    `        IV size: ${sa.ivBytes} bytes`,
    `        replay detection support: ${sa.replay ? 'Y' : 'N'}`,
    `        Status: ${sa.status}`,
  ];
}

export function renderCryptoMaps(snapshot: Snapshot): string[] {
  return joinBlocks([...snapshot.failClose.map(renderFailClose), ...snapshot.cryptoMaps.map(renderCryptoMap)]);
}

export function renderFailCloses(snapshot: Snapshot): string[] {
  return joinBlocks(snapshot.failClose.map(renderFailClose));
}

/** As `show crypto map gdoi fail-close` of IOS; which interfaces are closed now is ours. */
function renderFailClose(state: FailCloseState): string[] {
  return [
    `Crypto Map: "${state.name}"`,
    `\tActivate: ${state.activated ? 'yes' : 'no'}`,
    '\tFail-Close Access-List: (Deny = Forward In Clear, Permit = Drop)',
    ...state.acl.map((ace) => `\t\taccess-list ${state.aclName} ${formatGroupAce(ace)}${ace.hits ? ` (${ace.hits} matches)` : ''}`),
    `\tInterfaces closed now: ${state.closedInterfaces.join(', ') || 'none'}`,
  ];
}

function renderProtection(site: SiteToSiteState): string[] {
  const volume = site.lifetimeKilobytes === null ? 'disabled' : `${site.lifetimeKilobytes} kilobytes`;
  return [
    `\tSecurity association lifetime: ${volume}/${site.lifetimeSeconds} seconds`,
    '\tDualstack (Y/N): N',
    '',
    '\tResponder-Only (Y/N): N',
    `\tPFS (Y/N): ${site.pfsGroup === null ? 'N' : 'Y'}`,
    ...(site.pfsGroup === null ? [] : [`\tDH group:  group${site.pfsGroup}`]),
    '\tMixed-mode : Disabled',
    '\tTransform sets={',
    ...site.transformSets.map(({ name, text }) => `\t\t${name}:  { ${text}  } ,`),
    '\t}',
  ];
}

/** `show crypto dynamic-map`. @param tag null = all */
export function viewOfDynamicMaps(snapshot: Snapshot, tag: string | null): View {
  const dynamicMaps = (snapshot.dynamicMaps ?? []).filter(({ name }) => tag === null || name === tag);
  return { lines: renderDynamicMaps(dynamicMaps), json: { dynamicMaps } };
}

/** How many flows there are is ours. */
function renderDynamicMaps(maps: readonly DynamicMapState[]): string[] {
  return joinBlocks(
    maps.map(({ name, sequence, localAcl, site, flows }) => [
      `Crypto Map Template"${name}" ${sequence}`,
      ...site.peers.map((peer) => `\tPeer = ${peer}`),
      ...(site.isakmpProfile === undefined ? [] : [`\tISAKMP Profile: ${site.isakmpProfile}`]),
      ...(localAcl === null ? ['\tNo matching address list set.'] : [`\tExtended IP access list ${localAcl}`]),
      ...site.acl.map((line) => `\t    access-list ${localAcl} ${line}`),
      ...renderProtection(site),
      `\tFlows of peers now: ${flows}`,
    ]),
  );
}

/** Stands for a dynamic map. */
function renderReference(map: CryptoMapState): string[] {
  return [
    `Crypto Map IPv4 "${map.name}" ${map.sequence} ${map.kind}`,
    `\tDynamic map template tag: ${map.dynamicMap}`,
    `\tInterfaces using crypto map ${map.name}:`,
    ...map.interfaces.map((name) => `\t\t${name}`),
  ];
}

/** Between two gateways, in IOS's order. */
function renderSite(map: CryptoMapState, site: SiteToSiteState): string[] {
  const isComplete = site.peers.length > 0 && site.acl.length > 0 && site.transformSets.length > 0;
  const isUnnamed = map.profile !== undefined || map.createdFrom !== undefined;
  return [
    `Crypto Map IPv4 "${map.name}" ${map.sequence} ${map.kind}`,
    ...(isComplete
      ? []
      : ['\tWARNING: This crypto map is in an incomplete state!', '\t\t(missing peer, access-list or transform-set definitions)']),
    ...(map.profile === undefined ? [] : [`\tProfile name: ${map.profile}`]),
    ...site.peers.map((peer) => `\tPeer = ${peer}`),
    ...(site.isakmpProfile === undefined ? [] : [`\tISAKMP Profile: ${site.isakmpProfile}`]),
    ...(map.localAcl === null ? [] : [`\tExtended IP access list ${map.localAcl}`]),
    ...(map.createdFrom === undefined ? [] : ['\tExtended IP access list ']),
    ...site.acl.map((line) => (isUnnamed ? `\t    access-list  ${line}` : `\t    access-list ${map.localAcl} ${line}`)),
    ...(map.createdFrom === undefined ? [] : [`\t    dynamic (created from dynamic map ${map.createdFrom})`]),
    ...(site.currentPeer === null ? [] : [`\tCurrent peer: ${site.currentPeer}`]),
    ...renderProtection(site),
    `\tInterfaces using crypto map ${map.name}:`,
    ...map.interfaces.map((name) => `\t\t${name}`),
  ];
}

function renderCryptoMap(map: CryptoMapState): string[] {
  if (map.site) return renderSite(map, map.site);
  if (map.dynamicMap !== undefined) return renderReference(map);
  return [
    `Crypto Map IPv4 "${map.name}" ${map.sequence} ${map.kind}`,
    ...(map.group === null
      ? ['\tWARNING: This crypto map is in an incomplete state!', '\t\t(missing group)']
      : [`\tGroup Name: ${map.group}`]),
    ...(map.identity === null ? [] : [`\t\tidentity ${map.identity.includes('.') ? 'address ipv4' : 'number'} ${map.identity}`]),
    ...map.serverAddresses.map((address) => `\t\tserver address ipv4 ${address}`),
    ...(map.localAcl === null ? [] : [`\tExtended IP access list ${map.localAcl}`]),
    `\tInterfaces using crypto map ${map.name}:`,
    ...map.interfaces.map((name) => `\t\t${name}`),
  ];
}
