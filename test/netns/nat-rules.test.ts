// Static translations, pools, a rotary, outside source: judged by the kernels of the hosts, their ARP, curl and sockets.
//
//   in 10.0.1.10 .. .32 -- eth0 gw eth1 203.0.113.2 -- out 203.0.113.7, .8 and .9
//
//   out :: its ARP for 203.0.113.50, .51, .100, .22 with no-alias :: the router's MAC answers for all but the last
//   out :: ping, HTTP and UDP to 203.0.113.20      :: 10.0.1.20 answers, and its kernel sees who asked
//   out :: HTTP to 203.0.113.2:8080                :: 10.0.1.21 port 80
//   in  :: the same two from .10, .11, .20         :: hairpin: the same hosts, who see a pool address or 203.0.113.20; UDP and a refused port too
//   in  :: HTTP from .10, .11 and .12 to 203.0.113.7 :: pool addresses, one for each; the pool of two is exhausted for the third
//   out :: HTTP to 203.0.113.100, four times       :: 10.0.1.31 and .32 by turns
//   in  :: HTTP and ping to 192.168.9.9            :: 203.0.113.9 is asked by 203.0.113.20; in's kernel sees 192.168.9.9
//   gw  :: clear ip nat translation inside G L     :: that host's flows alone; each began and ended in syslog and in the JSON lines
//   gw  :: a clean end                             :: no proxy entry and no route of ours is left

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Netns, until } from '../support/netns.js';
import { pings } from '../support/ping.js';
import { SingleRouter } from '../support/single-router.js';

const configuration = `hostname gw
interface eth0
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
interface eth1
 ip address 203.0.113.2 255.255.255.0
 ip nat outside
access-list 1 permit 10.0.1.8 0.0.0.7
ip access-list extended VIP
 permit tcp any host 203.0.113.100 eq 80
ip nat pool P 203.0.113.50 203.0.113.51 prefix-length 24
ip nat pool SERVERS 10.0.1.31 10.0.1.32 prefix-length 24 type rotary
ip nat inside source list 1 pool P
ip nat inside source static 10.0.1.20 203.0.113.20
ip nat inside source static 10.0.1.22 203.0.113.22 no-alias
ip nat inside source static tcp 10.0.1.21 80 interface eth1 8080
ip nat inside destination list VIP pool SERVERS
ip nat outside source static 203.0.113.9 192.168.9.9 add-route
ip nat log translations syslog
ip nat log translations file LOGFILE
`;

/** Answers with its own address and that of the client, as its kernel has them. */
const teller = `
import socketserver, threading
class Web(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip(): pass
        text = '%s:%d %s' % (*self.request.getsockname(), self.client_address[0])
        self.wfile.write(('HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s' % (len(text), text)).encode())
class Udp(socketserver.BaseRequestHandler):
    def handle(self): self.request[1].sendto(self.client_address[0].encode(), self.client_address)
socketserver.ThreadingTCPServer.allow_reuse_address = True
web = socketserver.ThreadingTCPServer(('0.0.0.0', 80), Web)
threading.Thread(target=web.serve_forever, daemon=True).start()
udp = socketserver.UDPServer(('ADDRESS', 53), Udp)
print('ready', flush=True)
udp.serve_forever()
`;

function curl(from: string, to: string): string {
  return `curl -s --max-time 10 --interface ${from} http://${to}/`;
}

const askUdp = `python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.bind(('203.0.113.8', 0))
s.sendto(b'x', ('203.0.113.20', 53))
print(s.recvfrom(99))
"`;

interface Shown {
  translations: { protocol: string; insideGlobal: string; insideLocal: string; state: string }[];
}

t.test('statements of ip nat', async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('in', 'gw', 'out');
  await netns.veth('in', 'eth0', '10.0.1.10/24', 'gw', 'eth0', null);
  await netns.veth('out', 'eth0', '203.0.113.7/24', 'gw', 'eth1', null);
  for (const host of [11, 12, 20, 21, 22, 31, 32]) await netns.sh('in', `ip address add 10.0.1.${host}/24 dev eth0`);
  for (const host of [8, 9]) await netns.sh('out', `ip address add 203.0.113.${host}/24 dev eth0`);
  await netns.sh('in', 'ip route add default via 10.0.1.1');
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-nat-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const logFile = join(folder, 'nat.json');
  const router = SingleRouter.start(netns, 'gw', configuration.replace('LOGFILE', logFile));
  t.teardown(() => router.stop());
  for (const [node, address] of [
    ['in', '10.0.1.20'],
    ['out', '203.0.113.7'],
  ]) {
    const server = netns.spawn(node, ['python3', '-c', teller.replace('ADDRESS', address)]);
    t.teardown(() => server.stop());
    await server.says(/ready/);
  }
  await router.ready();
  const neighbour = (address: string) => netns.sh('out', `ping -c 1 -W 1 ${address} >/dev/null; ip neigh show to ${address} dev eth0`);
  const mac = (await netns.sh('gw', 'cat /sys/class/net/eth1/address')).trim();
  await until('the router to answer ARP', async () => (await neighbour('203.0.113.20')).includes(mac));
  for (const address of ['203.0.113.50', '203.0.113.51', '203.0.113.100']) t.match(await neighbour(address), mac, `ARP for ${address}`);
  t.notMatch(await neighbour('203.0.113.22'), mac, 'no-alias');

  t.match(await netns.sh('out', `ping ${pings(2).join(' ')} 203.0.113.20`), / 0% packet loss/);
  t.equal(await netns.sh('out', curl('203.0.113.8', '203.0.113.20')), '10.0.1.20:80 203.0.113.8', 'from outside to the static host');
  t.match(
    await netns.sh('out', askUdp),
    /b'203\.0\.113\.8', \('203\.0\.113\.20', 53\)/,
    'UDP, and the answer comes from the global address',
  );
  t.equal(await netns.sh('out', curl('203.0.113.8', '203.0.113.2:8080')), '10.0.1.21:80 203.0.113.8', 'a port of the interface');

  t.equal(
    await netns.sh('in', curl('10.0.1.20', '203.0.113.7')),
    '203.0.113.7:80 203.0.113.20',
    'the static host is seen so from inside too',
  );
  const seen = [await netns.sh('in', curl('10.0.1.10', '203.0.113.7')), await netns.sh('in', curl('10.0.1.11', '203.0.113.7'))];
  t.strictSame(seen.sort(), ['203.0.113.7:80 203.0.113.50', '203.0.113.7:80 203.0.113.51'], 'a pool address for each');
  t.equal(await netns.sh('in', `${curl('10.0.1.12', '203.0.113.7')} --connect-timeout 1 || true`), '', 'the pool is exhausted');
  t.equal(await netns.sh('in', curl('10.0.1.10', '203.0.113.8')), seen[0].replace('.7:', '.8:'), 'those that have one go on');
  t.match(
    await router.groupwire('show', 'ip', 'nat', 'statistics'),
    /total addresses 2, allocated 2 \(100%\)[\s\S]*Pool stats drop: [1-9]/,
  );

  const [ten] = seen[0].split(' ').slice(1);
  t.equal(await netns.sh('in', curl('10.0.1.10', '203.0.113.20')), `10.0.1.20:80 ${ten}`, 'hairpin to the static host');
  t.equal(await netns.sh('in', curl('10.0.1.20', '203.0.113.2:8080')), '10.0.1.21:80 203.0.113.20', 'to a port of the interface');
  t.equal(await netns.sh('in', curl('10.0.1.20', '203.0.113.20')), '10.0.1.20:80 203.0.113.20', 'a host to itself');
  t.match(await netns.sh('in', `ping ${pings(2).join(' ')} -I 10.0.1.10 203.0.113.20`), /2 received, 0% packet loss/);
  t.match(
    await netns.sh('in', `${curl('10.0.1.10', '203.0.113.20:81').replace('-s', '-sS')} 2>&1 || true`),
    /Couldn't connect/,
    'a refusal comes back: no timeout',
  );

  const served: string[] = [];
  for (let i = 0; i < 4; i++) served.push(await netns.sh('out', curl('203.0.113.8', '203.0.113.100')));
  t.strictSame(
    [
      served.filter((text) => text === '10.0.1.31:80 203.0.113.8').length,
      served.filter((text) => text === '10.0.1.32:80 203.0.113.8').length,
    ],
    [2, 2],
    'two servers by turns',
  );

  t.equal(await netns.sh('in', curl('10.0.1.20', '192.168.9.9')), '203.0.113.9:80 203.0.113.20', 'the outside host by its local address');
  t.match(await netns.sh('in', `ping ${pings(2).join(' ')} -I 10.0.1.20 192.168.9.9`), /2 received, 0% packet loss/);
  t.equal(await netns.sh('out', curl('203.0.113.9', '203.0.113.20')), '10.0.1.20:80 192.168.9.9', 'and from outside');

  const { translations } = (await router.show('ip nat translations')) as Shown;
  t.match(
    translations.filter(({ state }) => state === 'static').map(({ insideGlobal, insideLocal }) => `${insideGlobal} ${insideLocal}`),
    ['203.0.113.20 10.0.1.20', '203.0.113.22 10.0.1.22', '203.0.113.2:8080 10.0.1.21:80', '--- ---'],
  );
  t.equal(translations.filter(({ state }) => state === 'simple').length, 2);
  const flows = () => router.groupwire('show', 'ip', 'nat', 'translations', 'inside', '10.0.1.10', 'tcp', 'total');
  t.notMatch(await flows(), ': 0\n');
  await router.groupwire('exec', 'clear ip nat translation inside 203.0.113.99 10.0.1.10');
  t.notMatch(await flows(), ': 0\n', 'of another address');
  const global = translations.find(({ state, insideLocal }) => state === 'simple' && insideLocal === '10.0.1.10')?.insideGlobal;
  await router.groupwire('exec', `clear ip nat translation inside ${global} 10.0.1.10`);
  await until('the host to have no flow', async () => (await flows()).includes(': 0\n'));

  await router.logs(new RegExp(`%IPNAT-6-CREATED: tcp 10\\.0\\.1\\.10:\\d+ ${global}:\\d+ 203\\.0\\.113\\.7:80 203\\.0\\.113\\.7:80`));
  await router.logs(new RegExp(`%IPNAT-6-DELETED: tcp 10\\.0\\.1\\.10:\\d+ ${global}:`));
  const lines = readFileSync(logFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const mine = lines.filter((line) => line.sourceIPv4Address === '10.0.1.10');
  t.match(mine[0], { natEvent: 4, protocolIdentifier: 6, postNATSourceIPv4Address: global, destinationTransportPort: 80 });
  t.equal(
    mine.filter(({ natEvent }) => natEvent === 4).length,
    mine.filter(({ natEvent }) => natEvent === 5).length,
    'what began has ended',
  );

  await router.stop();
  t.equal((await netns.sh('gw', 'ip neigh show proxy')).trim(), '');
  t.equal((await netns.sh('gw', 'ip route show 192.168.9.9')).trim(), '');
});
