// `show ip route`.

import type { RouteState, Snapshot } from '../../control/api/snapshot.js';

const codes = [
  'Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP',
  '       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area',
  '       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2',
  '       E1 - OSPF external type 1, E2 - OSPF external type 2',
  '       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2',
  '       ia - IS-IS inter area, * - candidate default, U - per-user static route',
  '       o - ODR, P - periodic downloaded static route, H - NHRP, l - LISP',
  '       a - application route',
  '       + - replicated route, % - next hop override',
];

/** Routing protocol names of the kernel (rtnetlink(7), and what FRR and BIRD register) by IOS letter. */
const letters: Record<string, string> = {
  connected: 'C',
  kernel: 'C',
  local: 'L',
  static: 'S',
  groupwire: 'S',
  boot: 'S',
  dhcp: 'S',
  rip: 'R',
  bgp: 'B',
  eigrp: 'D',
  ospf: 'O',
  isis: 'i',
};

interface Parsed extends RouteState {
  network: number;
  length: number;
}

function parsePrefix(route: RouteState): Parsed {
  const [address, length] = route.prefix === 'default' ? ['0.0.0.0', '0'] : route.prefix.split('/');
  const network = address.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
  return { ...route, network, length: Number(length ?? 32) };
}

/** The classful network, by which IOS groups its table. */
function classfulLength(network: number): number {
  const first = network >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

const dots = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');

export function renderRoutes(snapshot: Snapshot): string[] {
  const routes = snapshot.routes.map(parsePrefix).sort((a, b) => a.network - b.network || a.length - b.length);
  const gateway = routes.find((route) => route.length === 0 && route.via !== null);
  const resort = gateway ? `is ${gateway.via} to network 0.0.0.0` : 'is not set';
  const lines = [...codes, '', `Gateway of last resort ${resort}`, ''];
  const groups = Map.groupBy(routes, ({ network, length }) => {
    const classful = Math.min(classfulLength(network), length);
    return `${dots(classful === 0 ? 0 : (network & (-1 << (32 - classful))) >>> 0)}/${classful}`;
  });
  for (const [network, members] of groups) lines.push(...renderNetwork(network, members));
  return lines;
}

function renderNetwork(network: string, routes: Parsed[]): string[] {
  const classful = Number(network.split('/')[1]);
  const lengths = new Set(routes.map((route) => route.length));
  const prefixes = [...Map.groupBy(routes, (route) => route.prefix).values()];
  const isSubnetted = lengths.size === 1 && routes[0].length !== classful;
  const paths = prefixes.flatMap((list) => renderPaths(list, !isSubnetted));
  if (lengths.size === 1 && !isSubnetted) return paths;
  const subnets = `${prefixes.length} subnets`;
  const head = isSubnetted
    ? `      ${network.replace(/\/.*/, '')}/${routes[0].length} is subnetted, ${subnets}`
    : `      ${network} is variably subnetted, ${subnets}, ${lengths.size} masks`;
  return [head, ...paths];
}

/** One prefix: its first path with the code, further ones below it. Where all have one mask, only the heading shows it. */
function renderPaths(paths: Parsed[], withMask: boolean): string[] {
  const [first] = paths;
  const letter = `${letters[first.protocol] ?? 'a'}${first.length === 0 ? '*' : ''}`;
  const head = letter.padEnd(9) + dots(first.network) + (withMask ? `/${first.length}` : '');
  return paths.map((path, index) => `${index === 0 ? head : ' '.repeat(head.length)} ${renderPath(path)}`);
}

function renderPath(path: Parsed): string {
  if (path.via === null) return `is directly connected, ${path.interface}`;
  return `[${path.distance}/${path.metric}] via ${path.via}, ${path.interface}`;
}
