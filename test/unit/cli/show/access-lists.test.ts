// Lists, interfaces and object groups as IOS shows them.
import t from 'tap';
import { renderIpInterface } from '../../../../cli/show/access-lists.js';
import { renderShow } from '../../../../cli/show/index.js';
import type { InterfaceState, Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { accessListStates, objectGroupStates } from '../../../../control/snapshot/access-lists.js';
import { emptySnapshot } from './sample.js';

const { config } = parseConfig(`object-group network WEB
 description servers
 host 10.0.0.1
 10.1.0.0 /16
object-group service S
 tcp eq 80
 icmp echo
ip access-list extended A
 permit tcp any object-group WEB eq 80 443 established log
 deny object-group S 10.0.0.0 0.0.0.255 any dscp ef
 permit icmp any any 3 13
 deny tcp any any match-all +syn -ack
ip access-list standard 10
 deny host 10.0.0.1
 permit 10.0.0.0 0.0.0.255 log
`);
const state: InterfaceState = {
  name: 'GigabitEthernet0/0',
  device: 'eth0',
  description: null,
  hardware: 'tun port on eth0',
  addresses: ['172.16.1.2/30', '172.16.9.1/24'],
  adminUp: true,
  up: true,
  mtu: 1500,
  ipMtu: 1400,
  mac: '02:00:00:00:00:01',
  cryptoMap: null,
  accessGroupIn: 'A',
  accessGroupOut: null,
  unreachables: false,
  driver: 'tun',
  wantedDriver: 'tun',
  offloads: true,
  counters: { receivedPackets: 0, receivedBytes: 0, sentPackets: 0, sentBytes: 0, receiveDrops: 0, sendDrops: 0 },
  rates: null,
};
const snapshot: Snapshot = {
  ...emptySnapshot(),
  interfaces: [state, { ...state, name: 'Loopback0', addresses: [], accessGroupIn: null }],
  accessLists: accessListStates(config, null, []),
  objectGroups: objectGroupStates(config),
};
snapshot.accessLists[0].entries[0].hits = 2;

function render(words: string): string {
  const command = parseExec(`show ${words}`);
  if ('error' in command) throw new Error(`${words}: ${command.error}`);
  const { pipe, ...topic } = command as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, snapshot);
}

const listA = `    10 permit tcp any object-group WEB eq www 443 established log (2 matches)
    20 deny object-group S 10.0.0.0 0.0.0.255 any dscp ef
    30 permit icmp any any administratively-prohibited
    40 deny tcp any any match-all -ack +syn
`;

t.test('lists, all, one, and those of an interface', (t) => {
  const standard = 'Standard IP access list 10\n    10 deny   10.0.0.1\n    20 permit 10.0.0.0, wildcard bits 0.0.0.255 log\n';
  t.equal(render('access-lists'), `Extended IP access list A\n${listA}${standard}`);
  t.equal(render('ip access-lists 10'), standard);
  t.equal(render('ip access-lists interface gi0/0'), `Extended IP access list A in\n${listA}`);
  t.equal(render('ip access-lists interface lo0'), '');
  t.match(JSON.parse(render('access-lists A | json')), {
    accessLists: [
      {
        name: 'A',
        entries: [
          { destinationGroup: 'WEB', established: true, log: 'log', hits: 2 },
          { serviceGroup: 'S', dscp: 46 },
        ],
      },
    ],
  });
  t.throws(() => render('ip access-lists interface gi9/9'), { message: /^% Interface GigabitEthernet9\/9 does not exist/ });
  t.end();
});

t.test('show ip interface', (t) => {
  t.equal(
    render('ip interface gi0/0'),
    `GigabitEthernet0/0 is up, line protocol is up
  Internet address is 172.16.1.2/30
  Broadcast address is 255.255.255.255
  Secondary address 172.16.9.1/24
  MTU is 1400 bytes
  Outgoing access list is not set
  Inbound  access list is A
  ICMP redirects are never sent
  ICMP unreachables are never sent
  ICMP mask replies are never sent
`,
  );
  t.match(render('ip interface'), /Loopback0 is up, line protocol is up\n {2}Internet protocol processing disabled\n$/);
  t.end();
});

t.test('adjust-mss counts from clear counters on', (t) => {
  const counters = { ...state.counters, mssLowered: 7, mssMalformed: 2 };
  const item = { ...state, adjustMss: 1360, counters };
  const lowered = (since: Partial<Snapshot>) => renderIpInterface(item, { ...snapshot, ...since }).at(-1);
  t.equal(lowered({}), '  TCP adjust-mss is 1360 bytes, 7 SYNs lowered, 2 malformed');
  const cleared = { at: 0, interfaces: [{ name: item.name, counters: { ...counters, mssLowered: 4 } }], drops: [] };
  t.equal(lowered({ cleared }), '  TCP adjust-mss is 1360 bytes, 3 SYNs lowered, 0 malformed');
  t.end();
});

t.test('show object-group', (t) => {
  const service = 'Service object group S\n tcp eq www\n icmp echo\n';
  t.equal(render('object-group'), `Network object group WEB\n Description servers\n host 10.0.0.1\n 10.1.0.0 255.255.0.0\n\n${service}`);
  t.equal(render('object-group S'), service);
  t.throws(() => render('object-group __proto__'), { message: '% Object group __proto__ does not exist' });
  t.end();
});
