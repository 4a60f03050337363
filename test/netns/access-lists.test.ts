// Lists on interfaces, judged by the kernels of hosts: what they cannot send they are told about (ICMP 3/13), and hits and log say the same.
//
//   h1 10.0.1.10 -- r1 [in FROM-BRANCH, out TO-BRANCH | in WAN-IN, crypto map, NAT] -- core -- r2 -- h2,  core -- inet 198.51.100.10
//
//   r1   :: registers through WAN-IN             :: GDOI is permitted there, as ESP of the group is
//   h1   :: TCP to inet 8080                     :: works; what comes back is established
//   h1   :: TCP to inet 8081, ping inet          :: denied: connect() says so, ping prints "Packet filtered"
//   h1   :: UDP of 3000 bytes to inet            :: its later fragments are denied: inet hears the small ones alone
//   h2   :: TCP to h1 8080, over the VPN         :: not established: denied at the way out to the branch, and h2 is told; ping h1 works
//   inet :: TCP to r1 itself, port 22            :: denied at the WAN, logged with its interface
//   r1   :: show ip access-lists, clear          :: exactly these hits

import t from 'tap';
import { type Host, Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';

const lists = `ip access-list extended FROM-BRANCH
 10 deny tcp any host 198.51.100.10 eq 8081 log
 20 deny icmp any host 198.51.100.10 echo
 30 deny ip any object-group INTERNET fragments
 40 permit ip any any
ip access-list extended TO-BRANCH
 10 permit tcp any any established
 20 permit icmp any any
ip access-list extended WAN-IN
 10 permit udp host 172.16.4.2 eq 848 any eq 848
 20 permit esp any any
 30 permit tcp host 198.51.100.10 any established
 40 deny tcp any host 172.16.1.2 eq 22 log-input
 50 deny ip any any
object-group network INTERNET
 198.51.100.0 255.255.255.0
`;

function edit(router: Router, text: string): string {
  if (router !== 'r1') return text;
  const outside = substitute(text, / ip nat outside\n/, ' ip access-group WAN-IN in\n ip nat outside\n');
  const inside = substitute(
    outside,
    / ip nat inside\n/,
    ' ip access-group FROM-BRANCH in\n ip access-group TO-BRANCH out\n ip nat inside\n',
  );
  return substitute(inside, /ip access-list extended NAT\n/, `${lists}ip access-list extended NAT\n`);
}

/** Prints what connect() says: `connected`, or the error's name. */
const connect = (to: string, port: number) => `
import errno, socket
s = socket.socket(); s.settimeout(10)
try: s.connect(('${to}', ${port})); print('connected')
except socket.timeout: print('timeout')
except OSError as error: print(errno.errorcode[error.errno])
`;
const listener = (port: number) => `
import socket
s = socket.create_server(('', ${port})); print('ready', flush=True)
while True: s.accept()
`;
const heard = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 9000)); print('ready', flush=True)
while True: print(len(s.recv(65535)), flush=True)
`;
const speak = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for size in (11, 3000, 12): s.sendto(b'x' * size, ('198.51.100.10', 9000))
`;

interface DropTable {
  reasons: { name: string; packets: number; interfaces: Record<string, number> }[];
  interfaces: { receive: number; send: number }[];
  total: number;
}

interface Entry {
  sequence: number;
  hits: number | null;
}

t.test('lists on interfaces', async (t) => {
  const lab = await Lab.up({ edit, start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const python = async (node: Router | Host, program: string) => (await lab.run(node, ['python3', '-c', program], 20_000)).stdout.trim();
  const servers = [lab.spawn('inet', ['python3', '-c', listener(8080)]), lab.spawn('h1', ['python3', '-c', listener(8080)])];
  const ears = lab.spawn('inet', ['python3', '-c', heard]);
  for (const server of [...servers, ears]) await server.says(/ready/);
  /** IOS's limit of ICMP errors, one in half a second. */
  const pause = () => new Promise((resolve) => setTimeout(resolve, 600));

  t.equal(await python('h1', connect('198.51.100.10', 8080)), 'connected', 'what is permitted, and its answers');
  t.equal(await python('h1', connect('198.51.100.10', 8081)), 'EHOSTUNREACH', 'what is denied is told');
  await pause();
  t.match((await lab.run('h1', ['ping', '-c', '1', '-W', '2', '198.51.100.10'])).stdout, /Packet filtered/, 'ICMP 3/13');
  await python('h1', speak);
  await ears.says(/^12$/m);
  t.notMatch(ears.stdout, /3000/, 'later fragments are denied');
  t.equal((await lab.run('h2', ['ping', '-c', '3', '-i', '0.2', '-W', '2', '10.0.1.10'])).status, 0, 'over the VPN');
  await pause();
  t.equal(await python('h2', connect('10.0.1.10', 8080)), 'EHOSTUNREACH', 'not established, and h2 is told over the VPN');
  await pause();
  t.equal(await python('inet', connect('172.16.1.2', 22)), 'EHOSTUNREACH', 'to the router itself');

  await lab.logs('r1', /%SEC-6-IPACCESSLOGP: list FROM-BRANCH denied tcp 10\.0\.1\.10\(\d+\) -> 198\.51\.100\.10\(8081\), 1 packet/);
  await lab.logs(
    'r1',
    /%SEC-6-IPACCESSLOGP: list WAN-IN denied tcp 198\.51\.100\.10\(\d+\) \(FastEthernet0\/0\) -> 172\.16\.1\.2\(22\), 1 packet/,
  );
  const allHits = async () => {
    const { accessLists } = (await lab.show('r1', 'access-lists')) as { accessLists: { name: string; entries: Entry[] }[] };
    const of = (entries: Entry[]) => Object.fromEntries(entries.map(({ sequence, hits }) => [sequence, hits ?? 0]));
    return Object.fromEntries(accessLists.map(({ name, entries }) => [name, of(entries)]));
  };
  const hits = await allHits();
  t.match(hits['FROM-BRANCH'], { 10: 1, 20: 1, 30: 2 }, 'a SYN, an echo, two fragments');
  t.ok(hits['FROM-BRANCH'][40] >= 8, `${hits['FROM-BRANCH'][40]} others`);
  t.match(hits['TO-BRANCH'], { 20: 3 }, 'three echo requests over the VPN');
  t.ok(hits['WAN-IN'][10] >= 1, 'the registration passed the list');
  t.ok(hits['WAN-IN'][20] >= 4, 'and the VPN');
  t.ok(hits['WAN-IN'][40] >= 1, 'the SYN to the router');
  t.match(
    await lab.groupwire('r1', 'show', 'ip', 'access-lists', 'interface', 'fa0/1'),
    /FROM-BRANCH in\n.*eq 8081 log \(1 match\)\n[\s\S]*TO-BRANCH out\n/,
  );
  const drops = await lab.sh('r1', 'curl -s http://127.0.0.1:9848/metrics | grep groupwire_drops_total');
  t.match(drops, /reason="acl_in"[^\n]* [5-9]\n/, 'a SYN, an echo, two fragments, a SYN');
  t.match(drops, /reason="acl_out"[^\n]* 1\n/);
  const table = (await lab.show('r1', 'drops')) as DropTable;
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  t.equal(sum(table.reasons.map(({ packets }) => packets)), table.total, 'rows add up');
  t.equal(sum(table.interfaces.map(({ receive, send }) => receive + send)), table.total, 'columns add up');
  const byInterface = table.reasons.find(({ name }) => name === 'acl_in')!.interfaces;
  t.equal(byInterface['FastEthernet0/1'], 4, 'a SYN, an echo, two fragments from the branch');
  const cells = await lab.sh('r1', 'curl -s http://127.0.0.1:9848/metrics | grep groupwire_interface_drops_total');
  t.match(cells, /interface="FastEthernet0\/1",reason="acl_in",direction="receive"[^\n]* 4\n/, 'the same in /metrics');
  t.match(cells, /interface="FastEthernet0\/1",reason="acl_out",direction="send"[^\n]* 1\n/);

  await lab.groupwire('r1', 'exec', 'clear access-list counters FROM-BRANCH');
  lab.configure('r1', (text) =>
    substitute(text, /10 permit tcp any any established/, '5 permit tcp any any eq 8080\n 10 permit tcp any any established'),
  );
  lab.reload('r1');
  await until('the new line to count', async () => (await python('h2', connect('10.0.1.10', 8080))) === 'connected');
  t.match(
    await allHits(),
    { 'FROM-BRANCH': { 10: 0 }, 'TO-BRANCH': { 20: 3 } },
    'one is cleared; the others stay with their entries when lines come',
  );
});
