// The policy rules that bring packets to us, as data (dataplane/README.md has the table and the reasons). Pure: what the rules should
// be, and the commands that lead there from what the kernel has. Does not: run anything.

import type { PortDriver } from '../tables/message.js';
import { formatPrefix, type Prefix } from './addresses.js';
import { RawMark } from './links.js';
import { OurProtocol, RouteTable, RouteType } from './linux-state.js';

export interface Rule {
  pref: number;
  iif: string | null;
  /** fwmark, all of its bits. */
  mark: number | null;
  from: Prefix | null;
  to: Prefix | null;
  ipProtocol: number | null;
  /** Inclusive. */
  sourcePorts: [number, number] | null;
  destinationPorts: [number, number] | null;
  action: { lookup: number } | { goto: number } | { drop: number };
  /** Who added it. */
  protocol: number;
}

/** Preferences: the order in which the kernel asks. Each rule before the right one costs every packet: what is most of the traffic comes first. */
export const enum Pref {
  KernelLocal = 0,
  RawOut = 60,
  FromPipelineLocal = 61,
  FromPipeline = 62,
  OwnSource = 63,
  RawIn = 65,
  PipelineIn = 66,
  ControlIn = 80,
  PipelineInUdp = 90,
  Local = 100,
  PipelineInRest = 101,
  ControlOut = 110,
  Gateways = 115,
  Programs = 120,
  Guard = 130,
}

/** Routing tables: one per port, one for the programs of the host itself, one for the kernel's check of gateways. */
export const enum Table {
  FirstPort = 8480,
  Programs = 8496,
  Gateways = 8497,
  /** What may leave in the clear while ports are closed. */
  Clear = 8498,
  /** One per port with raw sockets: everything is delivered locally. */
  FirstRaw = 8512,
  /** One per next hop of policy routing: everything goes to it. */
  FirstHop = 8528,
}

const udp = 17;
const esp = 50;
/** What may be for our own address and must be seen by the pipeline first: ESP, TCP, ICMP, GRE, and UDP that is not control traffic. */
const pipelineProtocols = [esp, 6, 1, 47];

export interface PortDevices {
  port: number;
  device: string;
  tun: string;
  /** The one in use. */
  driver: PortDriver;
}

/** A tunnel interface has one netdev: the TUN is the device. */
export function isTunnel({ device, tun }: Pick<PortDevices, 'device' | 'tun'>): boolean {
  return device === tun;
}

/** What a rule asks of a packet. */
export type Selectors = Omit<Rule, 'pref' | 'action'>;

export const anyPacket: Selectors = {
  iif: null,
  mark: null,
  from: null,
  to: null,
  ipProtocol: null,
  sourcePorts: null,
  destinationPorts: null,
  protocol: OurProtocol,
};

/**
 * The rules for the ports that are open. @param controlPorts UDP ports of our own control traffic
 * @param filtered ports with a list for what comes in: control traffic passes the pipeline there, as on IOS the list is asked about it
 * @param shared control ports that ESP comes to too, which is the pipeline's
 * @param own this host's addresses: what comes from outside with one of them is refused here, as netdevs have accept_local (sysctl.ts)
 */
export function planRules(
  ports: readonly PortDevices[],
  controlPorts: readonly number[],
  own: readonly number[],
  filtered: ReadonlySet<number> = new Set(),
  shared: readonly number[] = [],
): Rule[] {
  const rules: Rule[] = [];
  for (const { port, device, tun, driver } of ports) {
    rules.push({ ...anyPacket, pref: Pref.FromPipelineLocal, iif: tun, action: { lookup: RouteTable.Local } });
    rules.push({ ...anyPacket, pref: Pref.FromPipeline, iif: tun, action: { lookup: RouteTable.Main } });
    if (isTunnel({ device, tun })) continue; // nothing comes from its netdev but what we write there
    const lookup = Table.FirstPort + port;
    for (const address of own) {
      const action = { drop: RouteType.Blackhole };
      rules.push({ ...anyPacket, pref: Pref.OwnSource, iif: device, from: { address: address >>> 0, prefixLength: 32 }, action });
    }
    if (driver === 'raw')
      rules.push({ ...anyPacket, pref: Pref.RawIn, iif: device, ipProtocol: esp, action: { lookup: Table.FirstRaw + port } });
    for (const ipProtocol of pipelineProtocols)
      rules.push({ ...anyPacket, pref: Pref.PipelineIn, iif: device, ipProtocol, action: { lookup } });
    for (const own of filtered.has(port) ? [] : controlPorts.filter((wanted) => !shared.includes(wanted))) {
      const action = { lookup: RouteTable.Local };
      rules.push({ ...anyPacket, pref: Pref.ControlIn, iif: device, ipProtocol: udp, destinationPorts: [own, own], action });
    }
    rules.push({ ...anyPacket, pref: Pref.PipelineInUdp, iif: device, ipProtocol: udp, action: { lookup } });
    rules.push({ ...anyPacket, pref: Pref.PipelineInRest, iif: device, action: { lookup } });
  }
  if (ports.some(({ driver }) => driver === 'raw'))
    rules.push({ ...anyPacket, pref: Pref.RawOut, mark: RawMark, action: { lookup: RouteTable.Main } });
  if (ports.length > 0) {
    rules.push({ ...anyPacket, pref: Pref.Local, action: { lookup: RouteTable.Local } });
    for (const own of controlPorts) {
      const action = { lookup: RouteTable.Main };
      rules.push({ ...anyPacket, pref: Pref.ControlOut, iif: 'lo', ipProtocol: udp, sourcePorts: [own, own], action });
    }
    rules.push({ ...anyPacket, pref: Pref.Gateways, iif: 'lo', action: { lookup: Table.Gateways } });
    rules.push({ ...anyPacket, pref: Pref.Programs, iif: 'lo', action: { lookup: Table.Programs } });
  }
  return rules;
}

/** `rule` arguments without the verb: also the identity of a rule. */
export function formatRule(rule: Rule): string {
  const words = [`pref ${rule.pref}`];
  if (rule.iif !== null) words.push(`iif ${rule.iif}`);
  if (rule.mark !== null) words.push(`fwmark 0x${rule.mark.toString(16)}`);
  if (rule.from !== null) words.push(`from ${prefixText(rule.from)}`);
  if (rule.to !== null) words.push(`to ${prefixText(rule.to)}`);
  if (rule.ipProtocol !== null) words.push(`ipproto ${rule.ipProtocol}`);
  if (rule.sourcePorts) words.push(`sport ${rangeText(rule.sourcePorts)}`);
  if (rule.destinationPorts) words.push(`dport ${rangeText(rule.destinationPorts)}`);
  if ('lookup' in rule.action) words.push(`lookup ${rule.action.lookup}`);
  else if ('goto' in rule.action) words.push(`goto ${rule.action.goto}`);
  else words.push(rule.action.drop === RouteType.Blackhole ? 'blackhole' : 'unreachable');
  return words.join(' ');
}

function prefixText(prefix: Prefix): string {
  return prefix.prefixLength === 0 ? '0.0.0.0/0' : formatPrefix(prefix);
}

function rangeText([low, high]: [number, number]): string {
  return low === high ? String(low) : `${low}-${high}`;
}

/**
 * The changes from what is there to what should be; additions come first, so that nothing is open in between. The kernel's own
 * rule 0 (local) goes when ours at 100 is there, and comes back before ours goes. @param wanted empty = remove all that is ours
 */
export function diffRules(actual: readonly Rule[], wanted: readonly Rule[]): string[] {
  const have = new Set(actual.filter((rule) => rule.protocol === OurProtocol).map(formatRule));
  const want = new Set(wanted.map(formatRule));
  const kernelLocal = actual.some((rule) => rule.pref === Pref.KernelLocal && isLocalLookup(rule));
  const moved = wanted.some((rule) => rule.pref === Pref.Local);
  const commands: string[] = [];
  if (!moved && !kernelLocal) commands.push('rule add pref 0 lookup 255');
  for (const text of want) if (!have.has(text)) commands.push(`rule add ${text} protocol ${OurProtocol}`);
  if (moved && kernelLocal) commands.push('rule del pref 0 lookup 255');
  for (const text of have) if (!want.has(text)) commands.push(`rule del ${text} protocol ${OurProtocol}`);
  return commands;
}

function isLocalLookup(rule: Rule): boolean {
  return 'lookup' in rule.action && rule.action.lookup === RouteTable.Local && rule.iif === null;
}
