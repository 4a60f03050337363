// SAs between two gateways -> rows: two SAs for a pair, and for each flow one crypto entry for what leaves and one for what arrives. A flow is a
// permitted line of a crypto access list; pairs that a peer wanted for a part of it stand in front of it. A dynamic map without a list has no flows but those that
// peers wanted.
//
//   line: | denies before it, the line |        -> what leaves: the SA that sends, or none: dropped, and control is told
//         | the same with its ends exchanged |  -> what arrives in the clear: dropped; of what an SA opened: taken

import { CryptoEntry, CryptoFlag, Sa, SaFlag } from '../../dataplane/tables/layout.js';
import { maskToPrefixLength } from '../config/addresses.js';
import type { AclEntry, Config, CryptoMapEntry, InterfaceConfig } from '../config/model.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';
import { localAddressOf, policiesOfEntry } from '../ipsec/configured-policies.js';
import { type FlowPolicy, policyKey } from '../ipsec/flow-policy.js';
import { flowKey, type SaPair, type SaPairs } from '../ipsec/sa-pairs.js';
import { covers, entryOf, selectorOf, type TrafficEnd, type TrafficSelector } from '../ipsec/selector.js';
import { protectionMap, tunnelPolicies } from '../ipsec/tunnel-protection.js';
import { type Allocation, serialOf } from './allocation.js';
import { anything, cryptoOrigin, mirror, type TracedEntry } from './crypto-entries.js';
import type { Rows, SaMaterial } from './rows.js';

/** What is asked for when a flow has no SA. */
export interface FlowName {
  /** policyKey(). */
  policy: string;
  selector: TrafficSelector;
}

/** Between two gateways there is one sender: with a sender ID of 0 one worker seals, and the IV is a counter (proto/sender-iv.ts). */
const SenderIdBits = 8;
/** Counted together: no group has this name. */
const NoGroup = '';

/** One direction of a pair. */
export function materialOf({ suite, inbound, outbound, inboundSpi, outboundSpi }: SaPair, direction: 'inbound' | 'outbound'): SaMaterial {
  const { encryption, authentication } = suite;
  const keys = direction === 'inbound' ? inbound : outbound;
  return { spi: direction === 'inbound' ? inboundSpi : outboundSpi, encryption, authentication, ...keys };
}

/** Both directions of all of them. Secret. */
export function pairMaterials(pairs: SaPairs): SaMaterial[] {
  return [...pairs].flatMap((pair) => [materialOf(pair, 'inbound'), materialOf(pair, 'outbound')]);
}

/** Of the SAs that have rows, as text. */
export function pairSerials(pairs: SaPairs): string[] {
  return [...pairs].flatMap((pair) => [
    String(serialOf(materialOf(pair, 'inbound'))),
    ...(pair.established ? [String(serialOf(materialOf(pair, 'outbound')))] : []),
  ]);
}

const anyLine: AclEntry = { line: 0, sequence: 10, ...anything };

/** @returns its list; without one everything is permitted, and no flow is there before a peer wants it */
function linesOf({ entries }: FlowPolicy): { entries: readonly AclEntry[]; isWhole: boolean } {
  return entries === null ? { entries: [anyLine], isWhole: false } : { entries, isWhole: true };
}

/** Bits that are open in a flow's addresses; what names a protocol or a port is less. */
function breadth({ protocol, local, remote }: TrafficSelector): number {
  const open = ({ mask, port }: TrafficEnd): number => 64 - 2 * (maskToPrefixLength(mask) ?? 0) - (port === 0 ? 0 : 1);
  return open(local) + open(remote) - (protocol === 0 ? 0 : 1);
}

/** The lines in front of a selector that deny something, as the access list has them. */
function deniesBefore(policy: FlowPolicy, list: string, place: number): TracedEntry[] {
  const { entries } = linesOf(policy);
  return entries.slice(0, place).flatMap((entry, at) => (entry.action === 'deny' ? [traced(entry, list, at)] : []));
}

function traced(
  { line: _line, sequence: _sequence, ...entry }: PolicyEntry & { line?: number; sequence?: number },
  list: string,
  at: number,
): TracedEntry {
  return { entry, origin: { list: cryptoOrigin(list), entry: at } };
}

export class SitePairs {
  readonly flows = new Map<number, FlowName>();
  /** Slots of the SAs that may send. */
  private readonly slots = new Map<SaPair, number>();

  constructor(
    private readonly config: Config,
    private readonly pairs: SaPairs,
    private readonly allocation: Allocation,
    private readonly rows: Rows,
  ) {}

  writeSas(): void {
    for (const pair of this.pairs) {
      const lists = this.listsOf(pair);
      if (!lists) continue;
      this.writeSa(pair, 'inbound', lists.inbound);
      if (pair.established) this.slots.set(pair, this.writeSa(pair, 'outbound', lists.outbound));
    }
  }

  private writeSa(pair: SaPair, direction: 'inbound' | 'outbound', list: readonly TracedEntry[]): number {
    const { allocation, rows } = this;
    const material = materialOf(pair, direction);
    const serial = serialOf(material);
    const slot = allocation.sas.take(String(serial));
    const acl = rows.addAces(list);
    const row = rows.writeSa(slot, serial, material);
    const mode = pair.suite.mode === 'transport' ? SaFlag.Transport : 0;
    const extended = pair.suite.extended ? SaFlag.Extended : 0;
    row[Sa.Flags] = SaFlag.Pairwise | mode | extended | (direction === 'inbound' ? SaFlag.Inbound : SaFlag.Outbound);
    // Extended numbers have one always: with `replay disable` none are agreed, and pairs that have them end.
    row[Sa.ReplayWindow] = this.config.ipsec.replayWindow;
    if (direction === 'outbound') {
      row[Sa.SidBits] = SenderIdBits;
      row[Sa.SidCount] = 1;
    }
    row[Sa.Group] = allocation.groups.take(NoGroup);
    row[Sa.AclFirst] = acl.first;
    row[Sa.AclCount] = acl.count;
    row[Sa.ExpiresAt] = Math.floor(pair.expiresAt / 1000);
    row[Sa.Local] = pair.local.address;
    row[Sa.Peer] = pair.remote.address;
    row[Sa.PeerPort] = pair.suite.udp ? pair.remote.port : 0;
    if (direction === 'inbound' && pair.originals) {
      row[Sa.LocalOriginal] = pair.originals.local;
      row[Sa.PeerOriginal] = pair.originals.remote;
    }
    return slot;
  }

  /** The policy of a pair, as it is configured now. */
  private policyOf(key: string): { policy: FlowPolicy; list: string } | null {
    for (const item of this.config.interfaces.values()) {
      const local = localAddressOf(this.config, item);
      for (const entry of this.config.cryptoMaps.get(item.cryptoMap ?? '') ?? []) {
        const found = policiesOfEntry(this.config, entry, local).find(({ policy }) => policyKey(policy) === key);
        if (found) return found;
      }
    }
    const tunnel = tunnelPolicies(this.config).find((policy) => policyKey(policy) === key);
    return tunnel ? { policy: tunnel, list: tunnel.map } : null;
  }

  /** @returns null when no line permits what it was agreed for */
  private listsOf({ policy: key, selector }: SaPair): { inbound: TracedEntry[]; outbound: TracedEntry[] } | null {
    const found = this.policyOf(key);
    if (!found) return null;
    const { entries } = linesOf(found.policy);
    const place = entries.findIndex((entry) => {
      const line = selectorOf(entry);
      return line !== null && covers(line, selector);
    });
    if (place < 0 || entries[place].action !== 'permit') return null;
    const outbound = [...deniesBefore(found.policy, found.list, place), traced(entryOf(selector), found.list, place)];
    return { inbound: outbound.map(mirror), outbound };
  }

  /** @returns words of {@link CryptoEntry} rows of one entry of a map, in the order in which they are tried */
  entries(item: InterfaceConfig, port: number, entry: CryptoMapEntry): number[] {
    const listed = policiesOfEntry(this.config, entry, localAddressOf(this.config, item));
    return listed.flatMap(({ policy, list, entry: { qosPreClassify } }) => this.policyRows(policy, list, port, qosPreClassify === true));
  }

  /** Of all protected tunnels: GRE leaves by whatever port leads to the other end. `qos pre-classify` of the tunnel is that of its protection too, as on IOS. @returns as entries() */
  protection(port: number): number[] {
    const keeps = [...this.config.interfaces.values()].flatMap(({ name, tunnel }) => (tunnel?.qosPreClassify ? [protectionMap(name)] : []));
    return tunnelPolicies(this.config).flatMap((policy) => this.policyRows(policy, policy.map, port, keeps.includes(policy.map)));
  }

  /** @param keeps `qos pre-classify` */
  private policyRows(policy: FlowPolicy, list: string, port: number, keeps: boolean): number[] {
    const { entries, isWhole } = linesOf(policy);
    return entries.flatMap((line, place) => {
      const selector = line.action === 'permit' ? selectorOf(line) : null;
      if (!selector) return [];
      const before = deniesBefore(policy, list, place);
      return [...this.partsOf(policy, selector), ...(isWhole ? [selector] : [])].flatMap((part) => {
        const lines = [...before, traced(entryOf(part), list, place)];
        const flow = { policy: policyKey(policy), selector: part };
        const out = this.row(port, CryptoFlag.PeerOut, flow, lines);
        if (keeps) out[CryptoEntry.Flags] |= CryptoFlag.PreClassify;
        return [...out, ...this.row(port, CryptoFlag.PeerIn, flow, lines.map(mirror))];
      });
    });
  }

  /** Smaller flows that peers have wanted, and that have an SA which sends. The smallest first: who asks for all takes nothing from others. */
  private partsOf(policy: FlowPolicy, line: TrafficSelector): TrafficSelector[] {
    const parts = new Map<string, TrafficSelector>();
    const whole = flowKey({ policy: policyKey(policy), selector: line });
    for (const pair of this.slots.keys())
      if (pair.policy === policyKey(policy) && covers(line, pair.selector)) parts.set(flowKey(pair), pair.selector);
    if (linesOf(policy).isWhole) parts.delete(whole);
    return [...parts.values()].sort((a, b) => breadth(a) - breadth(b));
  }

  private row(port: number, flags: CryptoFlag, flow: FlowName, lines: readonly TracedEntry[]): number[] {
    const { allocation, rows } = this;
    const key = flowKey(flow);
    const number = allocation.flows.take(key) + 1;
    this.flows.set(number, flow);
    const sending = this.pairs.sending(key);
    const acl = rows.addAces(lines);
    const row = new Array<number>(CryptoEntry.Words).fill(0);
    row[CryptoEntry.Port] = port;
    row[CryptoEntry.AclFirst] = acl.first;
    row[CryptoEntry.AclCount] = acl.count;
    row[CryptoEntry.OutboundSa] = flags === CryptoFlag.PeerOut && sending ? (this.slots.get(sending) ?? -1) : -1;
    row[CryptoEntry.Group] = allocation.groups.take(NoGroup);
    row[CryptoEntry.Flags] = flags;
    row[CryptoEntry.Flow] = number;
    return row;
  }
}
