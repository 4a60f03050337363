// Policy routing: two ways to one address, and a route-map says which. The far sides are judged by tcpdump.
//
//   h1 10.0.1.10 -- eth1 r eth0 172.16.1.2 -- w1 172.16.1.1   both w1 and w2 have 198.51.100.10
//                        eth2 172.16.2.2 -- w2 172.16.2.1     r's default route leads to w1
//
//   h1 :: ping                                :: by w1
//   h1 :: UDP to port 53 (set ip next-hop 172.16.2.1, set ip dscp ef) :: w2 sees it, with ToS 0xb8; w1 does not
//   h1 :: TCP to port 80 (the same list)      :: a connection, answered by w2
//   h1 :: UDP of 500 bytes (match length, set interface eth2) :: w2 sees it: r asks for the address on the link
//   r  :: ping (ip local policy)              :: by w2, and answered
//   r  :: show route-map, show ip policy, packet-tracer :: counted, listed, foretold
//   w2 :: link down                           :: UDP to port 53 goes by w1, as routed; up again: by w2

import t from 'tap';
import type { PacketTrace } from '../../control/api/packet-trace.js';
import { Netns, until } from '../support/netns.js';
import { pings } from '../support/ping.js';
import { SingleRouter } from '../support/single-router.js';

const configuration = `hostname R
interface eth0
 ip address 172.16.1.2 255.255.255.0
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip policy route-map WAYS
interface eth2
 ip address 172.16.2.2 255.255.255.0
ip route 0.0.0.0 0.0.0.0 172.16.1.1
ip local policy route-map OWN
ip access-list extended DNS
 permit udp any any eq domain
ip access-list extended WEB
 permit tcp any any eq www
ip access-list extended PING
 permit icmp any host 198.51.100.10
route-map WAYS permit 10
 match ip address DNS WEB
 set ip next-hop 172.16.3.1 172.16.2.1
 set ip dscp ef
route-map WAYS permit 20
 match length 500 600
 set interface eth2
route-map OWN permit 10
 match ip address PING
 set ip next-hop 172.16.2.1
`;

const send = (port: number, size: number) =>
  `python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x' * ${size}, ('198.51.100.10', ${port}))"`;
const fetch = `python3 -c "import socket; s = socket.create_connection(('198.51.100.10', 80), 10); print(s.recv(9).decode())"`;
const serve = (name: string) => `
import socket
s = socket.create_server(('198.51.100.10', 80))
while True:
  c, _ = s.accept()
  c.send(b'${name}')
  c.close()
`;

t.test('which way a packet takes', async (t) => {
  const net = new Netns();
  t.teardown(() => net.remove());
  await net.add('h1', 'r', 'w1', 'w2');
  await net.veth('r', 'eth0', null, 'w1', 'eth0', '172.16.1.1/24');
  await net.veth('r', 'eth1', null, 'h1', 'eth0', '10.0.1.10/24');
  await net.veth('r', 'eth2', null, 'w2', 'eth0', '172.16.2.1/24');
  await net.sh('h1', 'ip route add default via 10.0.1.1');
  for (const n of [1, 2]) await net.sh(`w${n}`, `ip address add 198.51.100.10/32 dev lo; ip route add default via 172.16.${n}.2`);
  const router = SingleRouter.start(net, 'r', configuration);
  t.teardown(() => router.stop());
  await router.ready();
  const taps = await Promise.all(
    ['w1', 'w2'].map(async (node) => {
      const tap = net.spawn(node, ['tcpdump', '--immediate-mode', '-l', '-n', '-v', '-i', 'eth0', '-Q', 'in', 'ip']);
      await tap.says(/listening on/);
      return tap;
    }),
  );
  const servers = ['w1', 'w2'].map((node) => net.spawn(node, ['python3', '-c', serve(node)]));
  for (const node of ['w1', 'w2']) await until(`${node} to listen`, async () => (await net.sh(node, 'ss -Hltn')).includes(':80'));
  t.teardown(() => Promise.all([...taps, ...servers].map((background) => background.stop('SIGKILL'))));
  t.ok(servers.every(({ running }) => running));

  await net.sh('h1', `ping ${pings(3).join(' ')} 198.51.100.10`);
  await taps[0].says(/10\.0\.1\.10 > 198\.51\.100\.10: ICMP echo request/);
  await net.sh('h1', send(53, 20));
  await taps[1].says(/tos 0xb8,[^\n]*\n[^\n]*10\.0\.1\.10\.\d+ > 198\.51\.100\.10\.53:/);
  t.notMatch(taps[0].stdout, /198\.51\.100\.10\.53:/, 'w1 has not seen it');
  t.match(await net.sh('h1', fetch), /^w2/, 'a TCP connection');
  await net.sh('h1', send(999, 500));
  await taps[1].says(/198\.51\.100\.10\.999:/);
  await net.sh('r', `ping ${pings(2).join(' ')} 198.51.100.10`);
  await taps[1].says(/172\.16\.1\.2 > 198\.51\.100\.10: ICMP echo request/); // the router's own
  t.notMatch(taps[1].stdout, /10\.0\.1\.10 > 198\.51\.100\.10: ICMP/);

  const maps = await router.groupwire('show', 'route-map', 'WAYS');
  t.match(
    maps,
    /route-map WAYS, permit, sequence 20\n {2}Match clauses:\n {4}length 500 600\n {2}Set clauses:\n {4}interface eth2\n {2}Policy routing matches: 1 packets, 528 bytes\n/,
  );
  t.notMatch(maps, /sequence 10[\s\S]*matches: 0 packets[\s\S]*sequence 20/);
  t.match(await router.groupwire('show', 'ip', 'policy'), /^Interface +Route map\nlocal +OWN\neth1 +WAYS\n/);
  const trace = JSON.parse(
    await router.groupwire('exec', 'packet-tracer input eth1 udp 10.0.1.10 5000 198.51.100.10 domain json'),
  ) as PacketTrace;
  const phase = trace.phases.find(({ type }) => type === 'PBR-LOOKUP');
  t.match(
    phase?.config.map(({ text }) => text).join('\n'),
    /interface eth1: ip policy route-map WAYS\nroute-map WAYS permit 10\nip access-list extended DNS: 10 permit udp/,
  );
  t.match(phase?.information.join('\n'), /set ip dscp ef\nToS 0 becomes 184\nFound next-hop 172\.16\.2\.1 using egress interface eth2/);
  t.match(trace.result, { action: 'allow', output: { interface: 'eth2' }, sent: [{ link: 'policy' }] });

  await net.sh('w2', 'ip link set eth0 down');
  await until('the other way', async () => {
    await net.sh('h1', send(53, 20));
    return /198\.51\.100\.10\.53:/.test(taps[0].stdout);
  });
  await net.sh('w2', 'ip link set eth0 up; ip route replace default via 172.16.2.2');
  const before = taps[1].stdout.length;
  await until('the way to be back', async () => {
    await net.sh('h1', send(53, 20));
    return /198\.51\.100\.10\.53:/.test(taps[1].stdout.slice(before));
  });
});
