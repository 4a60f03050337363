// show ip traffic, show ip virtual-reassembly, and where interfaces and tunnels tell their MSS and path MTU.
import t from 'tap';
import { renderIpInterface } from '../../../../cli/show/access-lists.js';
import { renderShow } from '../../../../cli/show/index.js';
import { renderInterface } from '../../../../cli/show/interfaces.js';
import type { InterfaceState, Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { dropTexts, pathTexts } from '../../../../dataplane/counters/declare.js';
import { emptySnapshot } from './sample.js';

// Every counter has a value of its own, so that none stands at another's place.
const empty = emptySnapshot();
const snapshot: Snapshot = {
  ...empty,
  counters: {
    ...empty.counters,
    drops: dropTexts.map(({ name, help }, i) => ({ name, help, value: 1000 + i })),
    path: pathTexts.map(({ name, help }, i) => ({ name, help, value: 100 * (i + 1) })),
  },
  pathMtus: [
    { destination: '10.0.4.10', tunnel: null, mtu: 1300, router: null, ageSeconds: 1, remainingSeconds: 900 },
    { destination: '10.0.3.10', tunnel: null, mtu: 1400, router: '192.0.2.1', ageSeconds: 10, remainingSeconds: 590 },
    { destination: '172.16.3.2', tunnel: 'Tunnel0', mtu: 1446, router: null, ageSeconds: 10, remainingSeconds: null },
  ],
  virtualReassembly: [
    { interface: 'GigabitEthernet0/0', datagrams: 2048, fragments: null, timeoutSeconds: 3, dropFragments: false },
    { interface: 'GigabitEthernet0/1', datagrams: 16, fragments: 32, timeoutSeconds: 5, dropFragments: true },
  ],
};

function render(words: string, of: Snapshot = snapshot): string {
  const command = parseExec(`show ${words}`);
  if ('error' in command) throw new Error(`${words}: ${command.error}`);
  const { pipe, ...topic } = command as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, of);
}
const drop = (...names: string[]) => names.reduce((sum, name) => sum + 1000 + dropTexts.findIndex((text) => text.name === name), 0);
const path = (name: string) => 100 * (pathTexts.findIndex((text) => text.name === name) + 1);

t.test('show ip traffic', (t) => {
  t.equal(
    render('ip traffic'),
    `IP statistics:
  Rcvd:  ${path('received_packets')} total, ${path('punted_packets')} local destination
         ${drop('ip_malformed', 'not_ipv4')} format errors, ${drop('ip_header_checksum')} checksum errors, ${drop('ttl_expired')} bad hop count
         ${drop('clear_must_be_encrypted', 'fail_close', 'no_sa')} security failures
  Frags: ${path('reassembled_packets')} reassembled, ${drop('reassembly_timeout')} timeouts, ${drop('reassembly_overlap', 'reassembly_limit', 'reassembly_too_big')} couldn't reassemble
         ${path('fragmented_packets')} fragmented, ${path('fragments_made')} fragments, ${drop('mtu_exceeded', 'transport_fragment')} couldn't fragment
  Sent:  ${path('made_packets')} generated, 0 forwarded
  Drop:  ${drop('no_route')} no route, ${drop('ip_martian', 'multicast_reverse')} unicast RPF, ${drop('acl_in', 'acl_out')} access lists

Path MTU statistics:
  Rcvd:  ${drop('pmtu_learnt')} learnt, ${drop('pmtu_unknown')} unknown, ${drop('pmtu_zero')} without MTU, ${drop('pmtu_below_least')} below the least
         ${drop('pmtu_not_smaller')} not smaller, ${drop('pmtu_flood')} too many a second
  10.0.4.10: 1300 bytes, told by probes, expires in 900 seconds
  10.0.3.10: 1400 bytes, told by 192.0.2.1, expires in 590 seconds
  Tunnel0: 1446 bytes, told by this router, never expires
`,
  );
  const json = JSON.parse(render('ip traffic | json'));
  t.match(json, {
    traffic: { reassembled: path('reassembled_packets'), pathMtu: { flood: drop('pmtu_flood') }, pathMtus: snapshot.pathMtus },
  });
  t.end();
});

t.test('show ip virtual-reassembly', (t) => {
  t.equal(
    render('ip virtual-reassembly'),
    `GigabitEthernet0/0:
   Virtual Fragment Reassembly (VFR) is ENABLED [in]
   Concurrent reassemblies (max-reassemblies): 2048
   Fragments per reassembly (max-fragments): unlimited
   Reassembly timeout (timeout): 3 seconds
   Drop fragments: OFF

GigabitEthernet0/1:
   Virtual Fragment Reassembly (VFR) is ENABLED [in]
   Concurrent reassemblies (max-reassemblies): 16
   Fragments per reassembly (max-fragments): 32
   Reassembly timeout (timeout): 5 seconds
   Drop fragments: ON

All interfaces:
   Current fragment count:${path('held_packets')}
   Total reassembly timeout count:${drop('fragment_timeout')}
   Dropped fragments: ${drop('fragment_overlap')} overlap, ${drop('fragment_duplicate')} duplicate, ${drop('fragment_limit')} no room, ${drop('fragment_refused')} refused
`,
  );
  t.match(JSON.parse(render('ip virtual-reassembly | json')), { virtualReassembly: { interfaces: snapshot.virtualReassembly } });
  t.match(render('ip virtual-reassembly', empty), /not in use/);
  t.end();
});

t.test('show crypto ipsec path-mtu', (t) => {
  const counts = { sent: 12, answered: 3, lost: 9, blackHoles: 1 };
  const pathSearches: Snapshot['pathSearches'] = [
    { destination: '10.0.4.10', interface: 'GigabitEthernet0/0', state: 'search-complete', mtu: 1300, ...counts },
    { destination: '10.0.5.10', interface: 'GigabitEthernet0/0', state: 'disabled', mtu: null, ...counts, answered: 0, blackHoles: 0 },
  ];
  const of = { ...snapshot, pathSearches };
  t.equal(
    render('crypto ipsec path-mtu', of),
    `Path MTUs, bytes of the outer datagram:
Destination        MTU  Told by          Expires
10.0.4.10         1300  probes           900 s
10.0.3.10         1400  192.0.2.1        590 s
Tunnel0           1446  this router      never

Searches (crypto ipsec path-mtu-discovery probe):
Destination        MTU  State
10.0.4.10         1300  SEARCH-COMPLETE  12 probes, 3 answers, 9 lost, 1 black holes, GigabitEthernet0/0
10.0.5.10            -  DISABLED         12 probes, 0 answers, 9 lost, 0 black holes, GigabitEthernet0/0
`,
  );
  t.match(JSON.parse(render('crypto ipsec path-mtu | json', of)), { pathMtus: snapshot.pathMtus, pathSearches });
  t.match(render('crypto ipsec path-mtu', empty), /Searches/);
  t.end();
});

const item: InterfaceState = {
  name: 'Tunnel0',
  device: 'Tunnel0',
  description: null,
  hardware: 'Tunnel',
  addresses: ['192.168.0.1/30'],
  adminUp: true,
  up: true,
  mtu: 1476,
  ipMtu: 1476,
  mac: null,
  cryptoMap: null,
  driver: null,
  wantedDriver: null,
  offloads: true,
  adjustMss: 1360,
  tunnel: {
    sourceInterface: null,
    source: '172.16.1.2',
    destination: '172.16.3.2',
    key: null,
    checksum: false,
    sequence: false,
    ttl: 255,
    tos: null,
    pathMtuDiscovery: true,
    keepalive: null,
    state: 'up',
    recursions: 0,
  },
  counters: {
    receivedPackets: 0,
    receivedBytes: 0,
    sentPackets: 0,
    sentBytes: 0,
    receiveDrops: 0,
    sendDrops: 0,
    mssLowered: 7,
    mssMalformed: 2,
  },
  rates: null,
};

t.test('an interface tells its MSS, a tunnel its path MTU', (t) => {
  t.ok(renderIpInterface(item, emptySnapshot()).includes('  TCP adjust-mss is 1360 bytes, 7 SYNs lowered, 2 malformed'));
  const line = (more: object) =>
    renderInterface({ ...item, tunnel: { ...item.tunnel!, ...more } }, snapshot).find((text) => text.includes('Path MTU'));
  t.equal(line({}), '  Path MTU Discovery, ager 10 mins, min MTU 92, MTU 0, expires never', 'as IOS before anything is learnt');
  t.equal(
    line({ pathMtuAger: 30, pathMtuLeast: 600, pathMtu: { mtu: 1400, remainingSeconds: 3723 } }),
    '  Path MTU Discovery, ager 30 mins, min MTU 600, MTU 1400, expires 01:02:03',
  );
  t.match(line({ pathMtuAger: 'infinite', pathMtu: { mtu: 1400, remainingSeconds: null } }), /ager infinite, .* MTU 1400, expires never/);
  t.end();
});
