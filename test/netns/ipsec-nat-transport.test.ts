// Transport mode behind an address translator (RFC 3948 §3.1.2): the kernels at both ends judge the checksums, which were made with other addresses.
//
//   gw 10.9.0.1 --- 10.9.0.9 nat 192.168.7.1 --- 192.168.7.2 rt        programs of the two routers themselves; ESP in UDP 4500
//
//   rt :: TCP to 10.9.0.1, gw :: TCP to 10.9.0.9  :: what was sent arrives, both ways; no wrong checksum counted
//   rt :: a UDP echo of gw                        :: answered
//   nat :: tcpdump                                :: ports 500 and 4500, and nothing else

import t from 'tap';
import { Netns } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

function routerText(name: string, own: string, peer: string): string {
  return `hostname ${name}
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key a-shared-key address ${peer}
crypto ipsec transform-set T esp-gcm 256
 mode transport
crypto map M 10 ipsec-isakmp
 set peer ${peer}
 set transform-set T
 match address A
ip access-list extended A
 permit tcp host ${own} host ${peer}
 permit udp host ${own} eq 7 host ${peer}
 permit udp host ${own} host ${peer} eq 7
interface eth0
 ip address ${own} 255.255.255.0
 crypto map M
`;
}

const server = `
import hashlib, socket, sys
listener = socket.create_server(('0.0.0.0', 5201))
print('ready', flush=True)
connection, _ = listener.accept()
digest = hashlib.sha256()
while data := connection.recv(65536): digest.update(data)
connection.sendall(digest.digest())
`;
const client = `
import hashlib, os, socket, sys
data = os.urandom(300000)
with socket.create_connection((sys.argv[1], 5201), timeout=30) as connection:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    answer = b''
    while part := connection.recv(100): answer += part
print('same' if answer == hashlib.sha256(data).digest() else 'other')
`;
const echo = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 7))
print('ready', flush=True)
while True:
    data, source = s.recvfrom(2000)
    s.sendto(data, source)
`;
const ask = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
for n in range(20):
    s.sendto(b'word', ('10.9.0.1', 7))
    try: print(s.recvfrom(2000)[0].decode()); break
    except TimeoutError: pass
`;

type Node = 'gw' | 'rt';

async function transfer(netns: Netns, from: Node, to: Node, address: string): Promise<string> {
  const sink = netns.spawn(to, ['/usr/bin/python3', '-c', server]);
  await sink.says(/ready/);
  const result = await netns.sh(from, `/usr/bin/python3 -c "${client}" ${address}`);
  await sink.ended;
  return result.trim();
}

t.test(
  'TCP and UDP between two ends with a translator between them',
  { skip: process.geteuid?.() === 0 ? false : 'needs root' },
  async (t) => {
    const netns = new Netns();
    t.teardown(() => netns.remove());
    await netns.add('gw', 'nat', 'rt');
    await netns.veth('gw', 'eth0', null, 'nat', 'eth0', '10.9.0.9/24');
    await netns.veth('nat', 'eth1', '192.168.7.1/24', 'rt', 'eth0', null);
    const rules =
      'add table ip t; add chain ip t out { type nat hook postrouting priority srcnat; }; add rule ip t out oif eth0 masquerade';
    await netns.sh('nat', `sysctl -qw net.ipv4.ip_forward=1; nft "${rules}"`);
    const texts = {
      gw: routerText('GW', '10.9.0.1', '10.9.0.9'),
      rt: `${routerText('RT', '192.168.7.2', '10.9.0.1')}ip route 0.0.0.0 0.0.0.0 192.168.7.1\n`,
    };
    const routers = (['gw', 'rt'] as const).map((node) => SingleRouter.start(netns, node, texts[node]));
    t.teardown(() => Promise.all(routers.map((router) => router.stop())));
    for (const router of routers) await router.ready();
    const wire = netns.spawn('nat', ['tcpdump', '-n', '-l', '-i', 'eth0', 'ip and not (udp and (port 500 or port 4500))']);
    await wire.says(/listening/);

    t.equal(await transfer(netns, 'rt', 'gw', '10.9.0.1'), 'same', 'from behind the translator, which begins');
    t.equal(await transfer(netns, 'gw', 'rt', '10.9.0.9'), 'same', 'to it');
    const echoing = netns.spawn('gw', ['/usr/bin/python3', '-c', echo]);
    await echoing.says(/ready/);
    t.equal((await netns.sh('rt', `/usr/bin/python3 -c "${ask}"`)).trim(), 'word', 'UDP');
    await echoing.stop('SIGKILL');
    await wire.stop();
    t.equal(wire.stdout.trim(), '', 'nothing in the clear, and no ESP outside of UDP');
    for (const [n, node] of (['gw', 'rt'] as const).entries()) {
      const snmp = await netns.sh(node, 'cat /proc/net/snmp');
      for (const protocol of ['Tcp', 'Udp']) {
        const [names, values] = snmp.split('\n').filter((row) => row.startsWith(`${protocol}: `));
        t.equal(values.split(' ')[names.split(' ').indexOf('InCsumErrors')], '0', `${node}: wrong checksums of ${protocol}`);
      }
      t.match(JSON.stringify(await routers[n].show('crypto ipsec sa')), /"mode":"transport","udp":true/);
    }
  },
);
