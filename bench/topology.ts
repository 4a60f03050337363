// The network of every measurement, built afresh for each:
//
//   hostA 10.1.0.2 -- 10.1.0.1 gwA 192.0.2.1 -- 192.0.2.254 core 198.51.100.254 -- 198.51.100.1 gwB 10.2.0.1 -- 10.2.0.2 hostB
//              eth0    lan         wan          toA         toB            wan         lan          eth0
//                                               toK 203.0.113.254 -- 203.0.113.1 ks (groupwire's key server; not counted)
//
// core has no route to the hosts unless a peer asks for one, so a tunnel that is not up cannot pass for a fast one.

import { addNamespace, Background, namespaceOf, on, pidsOn, removeNamespaces, runChecked, shell, until } from './machine.js';

export const ports = { tcp: 5201, sink: 9000, echo: 9001 };
export const hostB = '10.2.0.2';
export type Side = 'A' | 'B';
export const sides: readonly Side[] = ['A', 'B'];
/** What the two sides differ in. */
export const sideOf = {
  A: { wan: '192.0.2.1', hop: '192.0.2.254', net: '10.1.0.0/16', lan: '10.1.0.1' },
  B: { wan: '198.51.100.1', hop: '198.51.100.254', net: '10.2.0.0/16', lan: '10.2.0.1' },
};
export const other = (side: Side): Side => (side === 'A' ? 'B' : 'A');

const nodes = ['hostA', 'gwA', 'core', 'gwB', 'hostB', 'ks'];
const cables = [
  ['hostA', 'eth0', '10.1.0.2/16', 'gwA', 'lan', '10.1.0.1/16'],
  ['gwA', 'wan', '192.0.2.1/24', 'core', 'toA', '192.0.2.254/24'],
  ['gwB', 'wan', '198.51.100.1/24', 'core', 'toB', '198.51.100.254/24'],
  ['hostB', 'eth0', '10.2.0.2/16', 'gwB', 'lan', '10.2.0.1/16'],
  ['ks', 'wan', '203.0.113.1/24', 'core', 'toK', '203.0.113.254/24'],
] as const;
const defaultRoutes = { hostA: '10.1.0.1', hostB: '10.2.0.1', gwA: '192.0.2.254', gwB: '198.51.100.254', ks: '203.0.113.254' };
const settings = [
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv4.tcp_no_metrics_save=1',
  'net.ipv4.icmp_ratelimit=0',
];

export async function build(seg: number, probe: string): Promise<void> {
  for (const node of nodes) {
    await addNamespace(node);
    await shell(node, `sysctl -qw ${settings.join(' ')}; ip link set lo up`);
  }
  for (const [a, deviceA, addressA, b, deviceB, addressB] of cables) {
    await runChecked([
      'ip',
      'link',
      'add',
      deviceA,
      'netns',
      namespaceOf(a),
      'type',
      'veth',
      'peer',
      'name',
      deviceB,
      'netns',
      namespaceOf(b),
    ]);
    for (const [node, device, address] of [
      [a, deviceA, addressA],
      [b, deviceB, addressB],
    ]) {
      await shell(node, `ip address add ${address} dev ${device} && ip link set ${device} up`);
      if (seg === 1) await shell(node, `ethtool -K ${device} tso off gso off gro off tx-udp-segmentation off`);
    }
  }
  for (const [node, gateway] of Object.entries(defaultRoutes)) await shell(node, `ip route add default via ${gateway}`);
  for (const node of ['gwA', 'gwB', 'core']) {
    // The hosts' networks never follow a default route: without a VPN or a route of its own a packet goes nowhere.
    await shell(node, 'sysctl -qw net.ipv4.ip_forward=1 && ip route add unreachable 10.0.0.0/8 metric 9999');
  }
  new Background('hostB', 'iperf3', ['iperf3', '-s', '-p', String(ports.tcp)]);
  new Background('hostB', 'sink', [probe, 'sink', String(ports.sink)]);
  new Background('hostB', 'echo', [probe, 'echo', String(ports.echo)]);
}

/** Routes of the hosts' networks on gateways and core: for peers whose packets keep the hosts' addresses. */
export async function routeHosts(): Promise<void> {
  for (const side of sides) {
    await shell('core', `ip route add ${sideOf[side].net} via ${sideOf[side].wan}`);
    await shell(`gw${side}`, `ip route add ${sideOf[other(side)].net} via ${sideOf[side].hop}`);
  }
}

/** Waits until hostA reaches hostB. */
export function untilReachable(timeoutMs = 15_000): Promise<void> {
  return until('a ping from host to host', async () => (await on('hostA', ['ping', '-c1', '-W1', '-nq', hostB])).status === 0, timeoutMs);
}

/** True when a ping from host to host can be read on core, on either side: then nothing encrypts. */
export async function crossesInClear(): Promise<boolean> {
  const watch = on('core', ['timeout', '2', 'tcpdump', '-c1', '-Uni', 'any', '-w', '/dev/null', 'icmp and net 10.0.0.0/8']);
  await on('hostA', ['ping', '-c8', '-i0.2', '-W1', '-nq', hostB]);
  return (await watch).status === 0; // tcpdump ends with 0 once it has seen one; timeout ends it with 124
}

/** Processes of a gateway. */
export const gatewayPids = (side: Side): Promise<number[]> => pidsOn(`gw${side}`);

export const tearDown = removeNamespaces;
