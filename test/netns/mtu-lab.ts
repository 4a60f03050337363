// What cases of narrow paths have in common: one TCP transfer, datagrams without DF that must arrive whole, and links that get smaller.
//
//   h1 10.0.1.10 -- r1 172.16.1.2 ==a== core ==b== 172.16.2.2 r2 -- 10.0.2.10 h2            a: in front of the core, b: behind it
//      10.9.1.10       Tunnel0 -------------------- Tunnel0           10.9.2.10
//                                       core ==b== inet 198.51.100.10

import { Lab, type Router, substitute } from '../support/lab.js';
import { type Background, type Output, until } from '../support/netns.js';

/** Where programs run: a lab of either kind. */
export interface Nodes<Node extends string> {
  spawn(node: Node, argv: readonly string[]): Background;
  run(node: Node, argv: readonly string[]): Promise<Output>;
}

const python = '/usr/bin/python3';

const tcpSink = `
import hashlib, socket, sys
listener = socket.create_server(('0.0.0.0', 5201))
print('ready', flush=True)
connection, _ = listener.accept()
digest = hashlib.sha256()
while data := connection.recv(65536): digest.update(data)
print(digest.hexdigest(), flush=True)
connection.sendall(b'done')
`;
const tcpSource = `
import hashlib, os, socket, sys
data = os.urandom(int(sys.argv[2]))
with socket.create_connection((sys.argv[1], 5201), timeout=float(sys.argv[3])) as connection:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(4) == b'done'
print(hashlib.sha256(data).hexdigest(), flush=True)
`;

/** One TCP connection. @param seconds without progress after which it is given up @returns whether all bytes arrived as they were sent */
export async function tcpTransfer<Node extends string>(
  nodes: Nodes<Node>,
  [from, to]: readonly [Node, Node],
  address: string,
  bytes: number,
  seconds = 12,
): Promise<boolean> {
  const sink = nodes.spawn(to, [python, '-c', tcpSink]);
  try {
    await sink.says(/ready/);
    const source = await nodes.run(from, [python, '-c', tcpSource, address, String(bytes), String(seconds)]);
    if (source.status !== 0) return false;
    await sink.ended;
    return sink.stdout === `ready\n${source.stdout}`;
  } finally {
    await sink.stop('SIGKILL');
  }
}

/** From one byte to the most that UDP takes, and what lies on both sides of what fits into one packet or two. */
const udpSizes = [1, 36, 476, 548, 549, 1000, 1202, 1252, 1372, 1394, 1410, 1446, 1472, 1473, 1480, 2000, 2944, 4096, 9000, 30000, 65507];

const udpSink = `
import hashlib, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20) # SO_RCVBUFFORCE
s.bind(('0.0.0.0', 5202))
print('ready', flush=True)
while True:
    data, source = s.recvfrom(65536)
    print(len(data), hashlib.sha256(data).hexdigest()[:16], flush=True)
    s.sendto(b'%d' % len(data), source)
`;
// The next is sent when the one before has been answered: what is lost is not sent again.
const udpSource = `
import hashlib, os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 0) # IP_MTU_DISCOVER, IP_PMTUDISC_DONT
s.settimeout(3)
for size in sys.argv[2].split(','):
    data = os.urandom(int(size))
    s.sendto(data, (sys.argv[1], 5202))
    print(len(data), hashlib.sha256(data).hexdigest()[:16], flush=True)
    try: s.recv(100)
    except TimeoutError: print('no answer')
`;

/** Datagrams of all sizes without DF. @returns what was sent and what arrived, a line each: length and hash */
export async function udpWhole<Node extends string>(
  nodes: Nodes<Node>,
  [from, to]: readonly [Node, Node],
  address: string,
): Promise<{ sent: string; arrived: string }> {
  const sink = nodes.spawn(to, [python, '-c', udpSink]);
  try {
    await sink.says(/ready/);
    const { stdout, stderr } = await nodes.run(from, [python, '-c', udpSource, address, udpSizes.join(',')]);
    const lines = stdout.split('\n').filter((line) => line !== '' && line !== 'no answer').length;
    await until('the last datagram', () => sink.stdout.split('\n').length >= lines + 2, 1000).catch(() => undefined);
    return { sent: stdout + stderr, arrived: sink.stdout.replace('ready\n', '') };
  } finally {
    await sink.stop('SIGKILL');
  }
}

/** ICMP 3/4 that a node makes reaches nobody. */
export const blockTooBig =
  'nft "add table ip f; add chain ip f o { type filter hook output priority 0; }; add rule ip f o icmp type destination-unreachable icmp code 4 drop"';

interface Traffic {
  traffic: { reassembled: number; fragmented: number; fragments: number };
}

/** GRE between the branches' addresses, which the group's policy encrypts. */
function withTunnel(router: Router, text: string): string {
  if (router === 'r4') return text;
  const [own, other] = router === 'r1' ? [1, 2] : [2, 1];
  const tunnel = `interface Tunnel0
 ip address 192.168.12.${own} 255.255.255.252
 tunnel source FastEthernet0/1
 tunnel destination 10.0.${other}.1
 tunnel path-mtu-discovery
ip route 10.9.${other}.0 255.255.255.0 192.168.12.${other}
ip route 10.9.${own}.0 255.255.255.0 10.0.${own}.10
end`;
  return substitute(text, /^end$/m, tunnel);
}

/** h1, h2 and the Internet behind r1, r2 and core, GRE in the group's SA. @param edit of a router's configuration */
export async function buildNarrowLab(edit: (router: Router, text: string) => string = (_, text) => text): Promise<Lab> {
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'], edit: (router, text) => edit(router, withTunnel(router, text)) });
  for (const [own, other] of [
    [1, 2],
    [2, 1],
  ] as const)
    await lab.sh(
      `h${own}`,
      `ip address add 10.9.${own}.10/32 dev eth0; ip route add 10.9.${other}.0/24 via 10.0.${own}.1 src 10.9.${own}.10; ping -c 1 -W 5 10.0.${other}.10`,
    );
  return lab;
}

/** From where to where, and the address that leads that way. */
export const ways = [
  ['the Internet', ['h1', 'inet'], '198.51.100.10'],
  ['the SA', ['h1', 'h2'], '10.0.2.10'],
  ['GRE in the SA', ['h1', 'h2'], '10.9.2.10'],
] as const;

/** Bytes of the narrow link. */
export const bottlenecks = [1400, 1280, 576] as const;

/** In front of the core: the link of r1. Behind it: those to r2 and the Internet. */
export async function narrow(lab: Lab, place: 'before' | 'behind', mtu: number): Promise<void> {
  const set = (node: 'r1' | 'core', devices: readonly string[], bytes: number) =>
    lab.sh(node, devices.map((device) => `ip link set ${device} mtu ${bytes}`).join('; '));
  await set('core', ['r2', 'inet'], place === 'behind' ? mtu : 1500);
  await set('core', ['r1'], place === 'before' ? mtu : 1500);
  await set('r1', ['eth0'], place === 'before' ? mtu : 1500);
  await until('r1 to know', async () => {
    const { interfaces } = (await lab.show('r1', 'interfaces')) as { interfaces: { name: string; mtu: number }[] };
    return interfaces.find(({ name }) => name === 'FastEthernet0/0')?.mtu === (place === 'before' ? mtu : 1500);
  });
}

/** What a router has cut and put together so far. */
export async function trafficOf(lab: Lab, router: Router): Promise<Traffic['traffic']> {
  return ((await lab.show(router, 'ip traffic')) as Traffic).traffic;
}
