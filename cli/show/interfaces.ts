// `show ip interface brief` and `show interfaces [NAME]`. Lines of IOS that report what a TUN port does not measure (broadcasts, runts,
// carrier) are left out rather than printed as zero.

import type { InterfaceState, Snapshot } from '../../control/api/snapshot.js';
import { formatClock } from './columns.js';
import { countedSince } from './drops.js';

export function renderInterfaceBrief(snapshot: Snapshot): string[] {
  const row = (name: string, address: string, ok: string, method: string, status: string, protocol: string) =>
    `${name.padEnd(26)} ${address.padEnd(15)} ${ok.padEnd(3)} ${method.padEnd(6)} ${status.padEnd(21)} ${protocol.padEnd(8)}`.trimEnd();
  return [
    row('Interface', 'IP-Address', 'OK?', 'Method', 'Status', 'Protocol'),
    ...snapshot.interfaces.map((state) =>
      row(
        state.name,
        state.addresses[0]?.split('/')[0] ?? 'unassigned',
        'YES',
        'NVRAM',
        !state.adminUp ? 'administratively down' : state.up || state.tunnel ? 'up' : 'down',
        state.up ? 'up' : 'down',
      ),
    ),
  ];
}

/** Nominal bandwidth and delay of IOS interface types: reference values for metrics and loads, not measurements. */
const nominal: [prefix: RegExp, kbps: number, delayMicroseconds: number][] = [
  [/^Loopback/, 8_000_000, 5000],
  [/^Tunnel/, 100, 50_000],
  [/^FastEthernet/, 100_000, 100],
  [/^Ethernet/, 10_000, 1000],
  [/^/, 1_000_000, 10],
];

function formatMac(mac: string): string {
  const digits = mac.replace(/[^0-9a-f]/gi, '').toLowerCase();
  return `${digits.slice(0, 4)}.${digits.slice(4, 8)}.${digits.slice(8)}`;
}

/** Where IOS tells duplex, speed and media type. */
function describeDriver({ driver, wantedDriver, offloads, moderationUs }: InterfaceState): string[] {
  if (driver === null) return [];
  const instead = wantedDriver === driver ? '' : ` (${wantedDriver} is not possible)`;
  const moderation = moderationUs == null ? '' : `, interrupt moderation is ${moderationUs === 0 ? 'off' : `${moderationUs} usec`}`;
  return [`  Port driver is ${driver}${instead}, offload is ${offloads ? 'on' : 'off'}${moderation}`];
}

function describePathMtu({ pathMtu, pathMtuAger, pathMtuLeast }: NonNullable<InterfaceState['tunnel']>): string {
  const ager = pathMtuAger === 'infinite' ? 'infinite' : `${pathMtuAger ?? 10} mins`;
  const expires = pathMtu && pathMtu.remainingSeconds !== null ? formatClock(pathMtu.remainingSeconds) : 'never';
  return `  Path MTU Discovery, ager ${ager}, min MTU ${pathMtuLeast ?? 92}, MTU ${pathMtu?.mtu ?? 0}, expires ${expires}`;
}

/** What IOS prints of a GRE tunnel. Its `Tunnel transport MTU` is our `ip mtu`. */
function describeTunnel({ tunnel, ipMtu }: InterfaceState): string[] {
  if (tunnel === undefined) return [];
  const { sourceInterface, source, destination, key, sequence, checksum, ttl, tos, pathMtuDiscovery, keepalive, state, recursions } =
    tunnel;
  const from = `${source ?? 'UNKNOWN'}${sourceInterface === null ? '' : ` (${sourceInterface})`}`;
  const onOff = (isOn: boolean) => (isOn ? 'enabled' : 'disabled');
  const keyText = key === null ? 'Key disabled' : `Key 0x${key.toString(16).toUpperCase()}`;
  return [
    '  Encapsulation TUNNEL, loopback not set',
    keepalive === null ? '  Keepalive not set' : `  Keepalive set (${keepalive.seconds} sec), retries ${keepalive.retries}`,
    `  Tunnel linestate evaluation ${state === 'up' ? 'up' : `down, ${state}`}`,
    `  Tunnel source ${from}, destination ${destination ?? 'UNKNOWN'}`,
    '  Tunnel protocol/transport GRE/IP',
    `    ${keyText}, sequencing ${onOff(sequence)}`,
    `    Checksumming of packets ${onOff(checksum)}`,
    `  Tunnel TTL ${ttl}${tos === null ? '' : `, Tunnel TOS/Traffic Class 0x${tos.toString(16).toUpperCase()}`}, Fast tunneling enabled`,
    ...(pathMtuDiscovery ? [describePathMtu(tunnel)] : []),
    `  Tunnel transport MTU ${ipMtu} bytes`,
    ...(recursions === 0 ? [] : [`  Taken down by recursive routing ${recursions} times`]),
  ];
}

/** `00:01:07` ago, `never` */
function describeClearing({ cleared, takenAt }: Snapshot): string {
  return cleared === undefined ? 'never' : formatClock((takenAt - cleared.at) / 1000);
}

export function renderInterface(state: InterfaceState, snapshot: Snapshot): string[] {
  const [, nominalKbps, delay] = nominal.find(([prefix]) => prefix.test(state.name))!;
  const kbps = state.bandwidthKbps ?? nominalKbps;
  const isLoopback = state.mac === null && state.tunnel === undefined;
  const hasMac = state.mac !== null && state.tunnel === undefined;
  const { rates } = state;
  const counters = countedSince(snapshot, state);
  // IOS counts loads in 255ths and never shows less than one.
  const load = (bps: number) => Math.min(255, Math.max(1, Math.round((bps * 255) / (kbps * 1000))));
  const hardware = `  Hardware is ${state.hardware}`;
  const rate = (direction: string, bps: number, pps: number) =>
    `  5 minute ${direction} rate ${Math.round(bps / 1000) * 1000} bits/sec, ${Math.round(pps)} packets/sec`;
  return [
    `${state.name} is ${state.adminUp ? (state.up || state.tunnel ? 'up' : 'down') : 'administratively down'}, line protocol is ${state.up ? 'up' : 'down'} `,
    !hasMac ? hardware : `${hardware}, address is ${formatMac(state.mac!)} (bia ${formatMac(state.mac!)})`,
    ...(state.description === null ? [] : [`  Description: ${state.description}`]),
    ...state.addresses.map((address, index) => `  ${index === 0 ? 'Internet address' : 'Secondary address'} is ${address}`),
    `  MTU ${state.mtu} bytes, BW ${kbps} Kbit/sec, DLY ${delay} usec, `,
    ...(rates ? [`     reliability 255/255, txload ${load(rates.sentBps)}/255, rxload ${load(rates.receivedBps)}/255`] : []),
    ...(isLoopback ? ['  Encapsulation LOOPBACK, loopback not set'] : []),
    ...describeTunnel(state),
    ...describeDriver(state),
    `  Last clearing of "show interface" counters ${describeClearing(snapshot)}`,
    `  Input queue: 0/75/${counters.receiveDrops}/0 (size/max/drops/flushes); Total output drops: ${counters.sendDrops}`,
    `  Queueing strategy: ${state.hasQueues ? 'Class-based queueing' : 'fifo'}`,
    ...(rates
      ? [rate('input', rates.receivedBps, rates.receivedPacketsPerSecond), rate('output', rates.sentBps, rates.sentPacketsPerSecond)]
      : []),
    `     ${counters.receivedPackets} packets input, ${counters.receivedBytes} bytes, 0 no buffer`,
    `     ${counters.sentPackets} packets output, ${counters.sentBytes} bytes, 0 underruns`,
  ];
}
