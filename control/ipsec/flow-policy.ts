// What the configuration wants of site-to-site protection: one entry of a crypto map on one local address. Does: find the entry that
// an offer is for, say what we would offer, choose from what a peer offers.

import { AllOnes } from '../config/addresses.js';
import type { AclEntry, Config, DhGroup, Ipv4, TransformSet } from '../config/model.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import type { EspProposal } from './esp-proposal.js';
import type { QuickDecision } from './quick-responder.js';
import { covers, selectorOf, selectorText, type TrafficSelector } from './selector.js';

export type Suite = Pick<TransformSet, 'encryption' | 'authentication' | 'mode' | 'extended'>;

export interface FlowPolicy {
  map: string;
  sequence: number;
  /** An entry of a dynamic map, which stands at that sequence: its peers begin. */
  dynamic?: { name: string; sequence: number };
  /** Of a dynamic entry: who sends ESP under an SPI that is not here is called. */
  recovers?: boolean;
  /** Our end. */
  local: Ipv4;
  /** In the order to try. None in a dynamic entry: whoever has proved itself. */
  peers: Ipv4[];
  /** Of the crypto access list: our side is the source. null: a dynamic entry without one, whatever the peer asks for. */
  entries: AclEntry[] | null;
  /** In order of preference. `extended`: with extended sequence numbers first, and without for a peer that knows none. */
  suites: Suite[];
  /** Group for perfect forward secrecy; null = none is asked for, any is accepted. */
  pfs: DhGroup | null;
  lifetimeSeconds: number;
  /** null = no limit. */
  lifetimeKilobytes: number | null;
  /** Name of the ISAKMP profile that its peers have to match. Absent = any, or none. */
  profile?: string;
}

/** Of an entry or a profile; what it does not say the global settings do. */
export function lifetimesOf(
  { ipsec }: Config,
  seconds: number | null,
  kilobytes: number | 'disable' | null,
): Pick<FlowPolicy, 'lifetimeSeconds' | 'lifetimeKilobytes'> {
  const volume = kilobytes ?? ipsec.lifetimeKilobytes;
  return { lifetimeSeconds: seconds ?? ipsec.lifetimeSeconds, lifetimeKilobytes: volume === 'disable' ? null : volume };
}

export function policyKey({ map, sequence, local, dynamic }: Pick<FlowPolicy, 'map' | 'sequence' | 'local' | 'dynamic'>): string {
  return `${map} ${sequence} ${local}${dynamic ? ` ${dynamic.name} ${dynamic.sequence}` : ''}`;
}

/** As logs name it. */
export function policyText({ map, sequence, dynamic }: FlowPolicy): string {
  return `crypto map ${map} ${sequence}${dynamic ? `, dynamic map ${dynamic.name} ${dynamic.sequence}` : ''}`;
}

/** Whether it may be with a peer at this address. */
export function admits({ dynamic, peers }: FlowPolicy, peer: Ipv4): boolean {
  return peers.includes(peer) || (dynamic !== undefined && peers.length === 0);
}

/** Of transform sets, by name; what is not there is left out. RFC 4303 App. A2: without a replay window nothing tells the upper half of an extended number. */
export function suitesOf({ ipsec, transformSets }: Config, names: readonly string[]): Suite[] {
  return names.flatMap((name) => {
    const { encryption, authentication, mode, extended } = transformSets.get(name) ?? {};
    if (encryption === undefined || authentication === undefined || mode === undefined) return [];
    return [{ encryption, authentication, mode, ...(extended && ipsec.replayWindow > 0 ? { extended } : {}) }];
  });
}

/** Whether it may be agreed under a suite, whatever its mode. */
export function isOf({ encryption, authentication, extended }: Omit<Suite, 'mode'>, suite: Suite): boolean {
  return encryption === suite.encryption && authentication === suite.authentication && (!extended || suite.extended === true);
}

/** ESP goes in UDP (RFC 3947 §5). */
export function isTranslated({ translation }: Phase1Sa): boolean {
  return translation.local || translation.remote;
}

/** The selectors of the lines that permit, as far as IKE can say them. */
export function permittedSelectors({ entries }: Pick<FlowPolicy, 'entries'>): TrafficSelector[] {
  return (entries ?? []).filter(({ action }) => action === 'permit').flatMap((entry) => selectorOf(entry) ?? []);
}

/** Whether the first line that covers all of it permits it. */
export function permits({ entries }: Pick<FlowPolicy, 'entries'>, selector: TrafficSelector): boolean {
  if (entries === null) return true;
  for (const entry of entries) {
    const line = selectorOf(entry);
    if (line && covers(line, selector)) return entry.action === 'permit';
  }
  return false;
}

/** The policies under which this traffic may be protected between these ends; in order of configuration. */
export function policiesFor(policies: Iterable<FlowPolicy>, sa: Phase1Sa, selector: TrafficSelector): FlowPolicy[] {
  return [...policies].filter((policy) => serves(policy, sa) && permits(policy, selector));
}

/** Whether it may be negotiated under an SA: of its own end, with a peer of its, which matches its profile. */
export function serves(policy: FlowPolicy, { local, remote, profile }: Phase1Sa): boolean {
  return policy.local === local.address && admits(policy, remote.address) && (policy.profile === undefined || policy.profile === profile);
}

/** Whether it is less than a line of the access list: such a flow exists only as long as a pair of SAs does. */
export function isPart(policy: FlowPolicy, selector: TrafficSelector): boolean {
  const text = selectorText(selector);
  return !permittedSelectors(policy).some((line) => selectorText(line) === text);
}

/**
 * Transport mode is for what passes between the two ends themselves; other traffic of such a transform set takes tunnel mode, as on IOS. Behind
 * a translator too: the other end's address is the one that we see.
 */
function fitsTransport({ local, remote }: TrafficSelector, sa: Phase1Sa): boolean {
  const isHost = ({ mask }: { mask: Ipv4 }): boolean => mask === AllOnes;
  return isHost(local) && isHost(remote) && local.address === sa.local.address && remote.address === sa.remote.address;
}

/** In order of preference. */
export function proposalsOf(policy: FlowPolicy, selector: TrafficSelector, sa: Phase1Sa): EspProposal[] {
  const udp = isTranslated(sa);
  const transport = fitsTransport(selector, sa);
  return policy.suites.flatMap(({ encryption, authentication, mode, extended }): EspProposal[] => {
    const plain: EspProposal = {
      encryption,
      authentication,
      mode: mode === 'transport' && transport ? 'transport' : 'tunnel',
      udp,
      group: policy.pfs,
      lifetimeSeconds: policy.lifetimeSeconds,
      lifetimeKilobytes: policy.lifetimeKilobytes,
    };
    return extended ? [{ ...plain, extended }, plain] : [plain];
  });
}

/**
 * The first of the peer's offers that we could have made; of the mode that it wants: a transport set takes tunnel mode too.
 * @throws WireError `ipsec_no_proposal`
 */
export function choose(
  policy: FlowPolicy,
  selector: TrafficSelector,
  sa: Phase1Sa,
  offers: readonly EspProposal[],
): Omit<QuickDecision, 'spi'> {
  const udp = isTranslated(sa);
  const transport = fitsTransport(selector, sa);
  const chosen = offers.findIndex(
    (offer) =>
      offer.udp === udp &&
      (policy.pfs === null || offer.group === policy.pfs) &&
      (offer.mode === 'tunnel' || transport) &&
      policy.suites.some((suite) => isOf(offer, suite) && (offer.mode === 'tunnel' || suite.mode === 'transport')),
  );
  if (chosen < 0) {
    const text = `none of ${offers.length} offers for ${selectorText(selector)} fits ${policyText(policy)}`;
    throw new WireError('RFC 2408 §4.2', text, 'ipsec_no_proposal');
  }
  const { lifetimeSeconds, lifetimeKilobytes } = policy;
  return { chosen, own: { ...offers[chosen], lifetimeSeconds, lifetimeKilobytes } };
}
