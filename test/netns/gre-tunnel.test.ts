// A GRE tunnel between two routers of ours, with all three fields, and the kernel and programs at both of its ends.
//
//   h1 10.0.1.10 -- r1 172.16.0.1 ======= r3 172.16.0.3 -- h3 10.0.3.10        Tunnel0: 192.168.13.1, .2
//
//   h1 :: ping -s 1400 h3, TCP to h3 :: answered, whole
//   r1 :: ping 192.168.13.2; a multicast datagram to 224.0.0.5 out of Tunnel0 :: answered; received by a program on r3
//   r3 :: GRE is lost on its way in :: r1's keepalives do not come back: no carrier; no longer :: they do
//   r1 :: ip route add 172.16.0.3 dev Tunnel0 :: %TUN-5-RECURDOWN, no carrier, routes by it dead; route gone :: up again

import t from 'tap';
import { until } from '../support/netns.js';
import { pings } from '../support/ping.js';
import { type Site, tunnelLab } from './gre-lab.js';

const more = (own: Site, other: Site) => ` tunnel key 13
 tunnel checksum
 tunnel sequence-datagrams
${own === 1 ? ' keepalive 1 3\n' : ''}ip route 10.0.${other}.0 255.255.255.0 192.168.13.${other === 1 ? 1 : 2}
`;

/** Joins 224.0.0.5 on Tunnel0 and tells who sends to it. */
const listener = `
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 89)
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('224.0.0.5') + socket.inet_aton('192.168.13.2'))
print('ready', flush=True)
while True: print(s.recvfrom(2000)[1][0], flush=True)
`;
const hello = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 89)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('192.168.13.1'))
s.sendto(b'hello', ('224.0.0.5', 0))
`;
const server = `
import socket
s = socket.create_server(('0.0.0.0', 7007))
print('ready', flush=True)
c = s.accept()[0]
n = 0
while True:
    d = c.recv(65536)
    if not d: break
    n += len(d)
print('got', n, flush=True)
`;
const client = `
import socket
s = socket.create_connection(('10.0.3.10', 7007), timeout=20)
s.sendall(b'x' * 300000)
s.shutdown(socket.SHUT_WR)
`;

t.test('a tunnel between two routers', { skip: process.geteuid?.() === 0 ? false : 'needs root' }, async (t) => {
  const { netns, r1 } = await tunnelLab(t, more);

  t.match(
    await netns.sh('h1', ['ping', ...pings(3, 10), '-s', '1400', '10.0.3.10'].join(' ')),
    /ttl=62[\s\S]* 3 received/,
    'two routers, two hops',
  );
  t.match(await netns.sh('r1', 'ping -n -c 1 -W 10 192.168.13.2'), / 1 received/);
  const sink = netns.spawn('h3', ['python3', '-c', server]);
  await sink.says(/ready/);
  await netns.sh('h1', `python3 -c "${client}"`);
  await sink.says(/got 300000/);
  const ospfd = netns.spawn('r3', ['python3', '-c', listener]);
  await ospfd.says(/ready/);
  await netns.sh('r1', `python3 -c "${hello}"`);
  await ospfd.says(/192\.168\.13\.1/);
  await ospfd.stop();

  const link = () => netns.sh('r1', 'ip -o link show Tunnel0');
  t.match(await link(), /mtu 1464 .*LOWER_UP|LOWER_UP.* mtu 1464 /, '1500 less 20, 4 and three times 4');
  await netns.sh('r1', 'ip route add 172.16.0.3/32 dev Tunnel0');
  await r1.logs(/%TUN-5-RECURDOWN: Tunnel0 temporarily disabled due to recursive routing/);
  await until('no carrier', async () => (await link()).includes('NO-CARRIER'));
  t.match(await netns.sh('r1', 'ip route show 10.0.3.0/24'), /dead/, 'what routing protocols see');
  t.match(await r1.groupwire('show', 'interfaces', 'tunnel', '0'), /Tunnel0 is up, line protocol is down[\s\S]*recursive/);
  await netns.sh('r1', 'ip route del 172.16.0.3/32 dev Tunnel0');
  await until('the carrier', async () => !(await link()).includes('NO-CARRIER'));
  await until('an answer', async () => (await netns.sh('h1', 'ping -n -c 1 -W 2 10.0.3.10 || true')).includes(' 1 received'));

  await netns.sh('r3', "nft 'table netdev lost { chain c { type filter hook ingress device wan priority -500; ip protocol gre drop; }; }'");
  await until('no carrier without keepalives', async () => (await link()).includes('NO-CARRIER'));
  t.match(await r1.groupwire('show', 'interfaces', 'tunnel', '0'), /line protocol is down[\s\S]*Keepalive set \(1 sec\), retries 3/);
  await netns.sh('r3', 'nft delete table netdev lost');
  await until('the carrier again', async () => !(await link()).includes('NO-CARRIER'));
});
