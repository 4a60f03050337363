// Where policy routing sends packets, as the kernel is to carry them there: which port leads to each hop, the mark of what is sent to it, the rule
// and the table behind the mark. Pure. The kernel finds the neighbour; we only say who it is.
//
//   next hop    a raw socket on the netdev, mark RawMark + 1 + number -> table FirstHop + number: default via the hop
//   interface   the same with RawMark -> main, of whose routes the kernel takes those out of the netdev; without any, what is on the link

import { HopKind, PolicyHopRow } from '../mem/shared.js';
import type { PolicyHop } from '../tables/message.js';
import { covers, formatAddress, parsePrefix } from './addresses.js';
import { RawMark } from './links.js';
import { type LinuxState, RouteTable } from './linux-state.js';
import { type PlannedRoute, planRoute } from './routes.js';
import { anyPacket, type PortDevices, Pref, type Rule, Table } from './rules.js';

/** A hop on a port. */
export interface HopSender {
  /** Number of the hop. */
  hop: number;
  mark: number;
}

function markOf(hop: PolicyHop, number: number): number {
  return hop.kind === 'next-hop' ? RawMark + 1 + number : RawMark;
}

/** The port on one of whose networks a hop is; -1 = none, or it is no router of another. */
function portOf(hop: PolicyHop, ports: readonly Pick<PortDevices, 'port' | 'device'>[], { addresses }: LinuxState): number {
  if (hop.kind === 'null') return -1;
  if (hop.kind === 'interface') return ports.find(({ port }) => port === hop.port)?.port ?? -1;
  if (addresses.some(({ address }) => address >>> 0 === hop.address >>> 0)) return -1;
  let found = -1;
  let longest = -1;
  for (const { address, prefixLength, device } of addresses) {
    const port = ports.find((candidate) => candidate.device === device)?.port;
    if (port === undefined || prefixLength <= longest) continue;
    if (!covers(parsePrefix(`${formatAddress(address)}/${prefixLength}`), hop.address >>> 0)) continue;
    [found, longest] = [port, prefixLength];
  }
  return found;
}

/** Senders that each port is to have. @param ports that are there, open or not */
export function planSenders(
  hops: readonly PolicyHop[],
  ports: readonly Pick<PortDevices, 'port' | 'device'>[],
  state: LinuxState,
): Map<number, HopSender[]> {
  const senders = new Map<number, HopSender[]>();
  for (const [number, hop] of hops.entries()) {
    const port = portOf(hop, ports, state);
    if (port < 0) continue;
    senders.set(port, [...(senders.get(port) ?? []), { hop: number, mark: markOf(hop, number) }]);
  }
  return senders;
}

/** Rules and routes for the hops that can be sent to. @param senders as planSenders() says */
export function planHops(
  hops: readonly PolicyHop[],
  ports: readonly PortDevices[],
  senders: ReadonlyMap<number, readonly HopSender[]>,
): { rules: Rule[]; routes: PlannedRoute[] } {
  const rules = new Map<number, Rule>();
  const routes: PlannedRoute[] = [];
  for (const { port, device } of ports) {
    for (const { hop: number, mark } of senders.get(port) ?? []) {
      const hop = hops[number];
      const lookup = hop.kind === 'next-hop' ? Table.FirstHop + number : RouteTable.Main;
      rules.set(mark, { ...anyPacket, pref: Pref.RawOut, mark, action: { lookup } });
      if (hop.kind === 'next-hop') routes.push(planRoute(lookup, 0, '', 'default', `via ${formatAddress(hop.address)} dev ${device}`));
    }
  }
  return { rules: [...rules.values()], routes };
}

/** @param isOpen says whether there is a sender for a hop @returns PolicyHopRow rows */
export function hopRows(
  hops: readonly PolicyHop[],
  senders: ReadonlyMap<number, readonly HopSender[]>,
  isOpen: (port: number, hop: number) => boolean,
): Int32Array {
  const rows = new Int32Array(hops.length * PolicyHopRow.Words);
  for (const [number, hop] of hops.entries()) {
    const at = number * PolicyHopRow.Words;
    rows[at + PolicyHopRow.Kind] = hop.kind === 'next-hop' ? HopKind.NextHop : hop.kind === 'interface' ? HopKind.Interface : HopKind.Null;
    rows[at + PolicyHopRow.Port] = -1;
    if (hop.kind === 'next-hop') rows[at + PolicyHopRow.Address] = hop.address | 0;
    for (const [port, list] of senders)
      if (list.some((sender) => sender.hop === number) && isOpen(port, number)) rows[at + PolicyHopRow.Port] = port;
  }
  return rows;
}
