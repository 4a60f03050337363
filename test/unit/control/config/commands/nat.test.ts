// ip nat and route-map: what the lines mean, what is refused and how.

import t from 'tap';
import { listProblems, parseClean, reprint } from '../texts.js';

const statement = 'ip nat inside source list NAT interface GigabitEthernet0/0 overload';

t.test('statements keep their order, abbreviated or not', (t) => {
  const { nat } = parseClean(
    `ip nat ins so li NAT int gi0/0 over\nip nat inside source route-map RM interface eth1 overload\n${statement}`,
  );
  t.match(nat.statements, [
    { line: 1, kind: 'list', name: 'NAT', interface: 'GigabitEthernet0/0' },
    { line: 2, kind: 'route-map', name: 'RM', interface: 'eth1' },
  ]);
  t.equal(nat.statements.length, 2, 'the same again is no other one');
  t.strictSame(reprint(`interface eth0\n${statement}`), ['interface eth0', statement], 'also behind an interface');
  t.strictSame(reprint(`${statement}\nno ${statement}`), []);
  t.strictSame(reprint(`${statement}\nno ip nat inside source list NAT`), []);
  t.strictSame(listProblems(`no ${statement}`), ['1 warning ip nat inside source list NAT is not configured: nothing to remove']);
  t.strictSame(listProblems(`${statement}\nip nat inside source list NAT interface eth1 overload`), [
    '2 error line 1 translates list NAT already, to GigabitEthernet0/0',
  ]);
  t.end();
});

t.test('pools and static translations: printed as they mean, the same again is no other one, no', (t) => {
  const lines = [
    'ip nat pool P 203.0.113.9 203.0.113.20 netmask 255.255.255.0',
    'ip nat pool Q 203.0.113.29 203.0.113.29 netmask 255.255.255.255 type rotary',
    'ip nat inside source list 1 pool P',
    'ip nat inside source route-map R pool P overload',
    'ip nat inside source static 10.0.0.1 203.0.113.3',
    'ip nat inside source static tcp 10.0.0.1 80 203.0.113.3 8080 route-map R extendable no-alias',
    'ip nat inside source static udp 10.0.0.1 53 interface eth0 53 no-payload',
    'ip nat inside source static network 10.0.1.0 203.0.112.0 /24',
    'ip nat outside source static 192.0.2.1 10.0.0.77 add-route',
    'ip nat outside source static tcp 192.0.2.1 80 10.0.0.77 8080',
    'ip nat outside source static network 192.0.2.0 10.7.0.0 /24',
    'ip nat inside destination list VIP pool Q',
    'ip nat outside source list 2 pool P',
    'ip nat outside source route-map R pool P',
  ];
  t.strictSame(reprint([...lines, ...lines].join('\n')), lines);
  t.strictSame(reprint([...lines, ...lines.map((line) => `no ${line}`)].join('\n')), []);
  t.strictSame(reprint('ip nat pool P 1.1.1.1 1.1.1.2 prefix-length 30\nip nat pool P 1.1.1.1 1.1.1.1 prefix-length 30'), [
    'ip nat pool P 1.1.1.1 1.1.1.1 netmask 255.255.255.252',
  ]);
  t.strictSame(reprint('ip nat inside source static network 10.0.0.0 1.1.1.0 255.255.255.0'), [
    'ip nat inside source static network 10.0.0.0 1.1.1.0 /24',
  ]);
  t.strictSame(reprint('ip nat inside source static 10.0.0.1 1.1.2.1 extendable no-alias extendable'), [
    'ip nat inside source static 10.0.0.1 1.1.2.1 extendable no-alias',
  ]);
  t.strictSame(listProblems('no ip nat inside source static 10.0.0.1 1.1.1.1'), [
    '1 warning ip nat inside source static 10.0.0.1 1.1.1.1 is not configured: nothing to remove',
  ]);
  t.strictSame(listProblems('no ip nat pool X'), ['1 warning ip nat pool X is not configured: nothing to remove']);
  t.strictSame(listProblems('ip nat outside source list 2 pool P\nip nat outside source list 2 pool Q'), [
    '2 error line 1 translates list 2 already, to pool P',
  ]);
  t.end();
});

t.test('interfaces are inside, outside or neither', (t) => {
  t.equal(parseClean('interface eth0\n ip nat inside').interfaces.get('eth0')?.nat, 'inside');
  t.equal(parseClean('interface eth0\n ip nat inside\n ip nat outside').interfaces.get('eth0')?.nat, 'outside', 'the last one counts');
  t.notOk('nat' in (parseClean('interface eth0\n ip nat inside\n no ip nat inside').interfaces.get('eth0') ?? {}));
  t.strictSame(listProblems('interface eth0\n no ip nat outside'), ['2 warning ip nat outside is not configured: nothing to remove']);
  t.match(listProblems('interface eth0\n ip nat'), [/^2 error % Incomplete/]);
  t.match(listProblems('ip nat inside'), [/^1 error % Incomplete/]);
  t.strictSame(listProblems('interface eth0\n ip nat enable'), ['2 error ip nat enable is not supported']);
  t.end();
});

t.test('timeouts and max-entries: only what is not the default is kept', (t) => {
  const { nat } = parseClean(
    'ip nat translation tcp-timeout 7200\nip nat translation udp-timeout never\nip nat translation icmp-timeout 60\nip nat translation max-entries 1000',
  );
  t.strictSame(nat, { ...parseClean('').nat, timeouts: { 'tcp-timeout': 7200, 'udp-timeout': 'never' }, maxEntries: 1000 });
  t.strictSame(
    reprint('ip nat translation tcp-timeout 7\nno ip nat translation tcp-timeout\nip nat tr max 5\nno ip nat tr max-entries'),
    [],
  );
  const logs = ['ip nat log translations syslog', 'ip nat log translations file /var/log/nat.json'];
  t.strictSame(reprint(logs.join('\n')), logs);
  t.strictSame(reprint([...logs, ...logs.map((line) => `no ${line}`)].join('\n')), []);
  const limits = ['ip nat translation max-entries all-host 9', 'ip nat translation max-entries host 10.0.0.1 7'];
  t.strictSame(reprint(limits.join('\n')), limits);
  t.strictSame(
    reprint([...limits, 'no ip nat translation max-entries all-host', 'no ip nat translation max-entries host 10.0.0.1'].join('\n')),
    [],
  );
  t.strictSame(reprint('ip nat translation timeout 7\nip nat translation dns-timeout never'), [
    'ip nat translation timeout 7',
    'ip nat translation dns-timeout never',
  ]);
  t.match(listProblems('ip nat translation udp-timeout 0'), [/^1 error % Invalid input/]);
  t.match(listProblems('ip nat translation max-entries 0'), [/^1 error % Invalid input/]);
  t.end();
});

t.test('port-timeout: each port of a protocol once; no', (t) => {
  const command = 'ip nat translation port-timeout';
  const lines = [`${command} tcp 22 7200`, `${command} udp 22 never`, `${command} tcp 443 600`];
  t.strictSame(reprint(lines.join('\n')), lines);
  const { nat } = parseClean([...lines, `${command} tcp 22 3600`, `no ${command} tcp 443`].join('\n'));
  t.strictSame(nat.portTimeouts, [
    { protocol: 'tcp', port: 22, seconds: 3600 },
    { protocol: 'udp', port: 22, seconds: 'never' },
  ]);
  t.strictSame(reprint(`${lines[0]}\nno ${lines[0]}`), []);
  t.strictSame(listProblems(Array.from({ length: 65 }, (_, i) => `${command} tcp ${i + 1} 9`).join('\n')), [
    '65 error at most 64 ports have timeouts of their own',
  ]);
  t.strictSame(listProblems(`no ${command} tcp 9`), [`1 warning ${command} tcp 9 is not configured: nothing to remove`]);
  t.match(listProblems(`${command} tcp 0 9`), [/^1 error/]);
  t.end();
});

t.test('every other form of ip nat is an error that names it', (t) => {
  for (const [text, message] of [
    ['ip nat inside source list 1 interface eth0', 'ip nat inside source without overload needs a pool'],
    ['ip nat inside source list 1 interface eth0 vrf X overload', 'VRFs are not supported'],
    ['ip nat inside source list 1 interface eth0 overload vrf X', 'VRFs are not supported'],
    ['ip nat pool P netmask 255.255.255.0', 'an address pool of several ranges is not supported'],
    ['ip nat pool P 1.1.1.1 1.1.1.9 netmask 255.0.255.0', '255.0.255.0 is not a network mask'],
    ['ip nat pool P 1.1.1.9 1.1.1.1 netmask 255.255.255.0', '% End address less than start address'],
    ['ip nat pool P 1.1.1.9 1.1.2.1 netmask 255.255.255.0', '% Pool addresses not in the same network'],
    ['ip nat pool P 1.1.0.0 1.2.0.0 prefix-length 8', 'a pool has at most 65536 addresses'],
    [
      'ip nat inside source static 10.0.0.1 interface eth0',
      "static translation of an interface's whole address is not supported: nobody could reach the router",
    ],
    ['ip nat inside source static network 10.0.0.1 1.1.1.0 /24', '10.0.0.1 is no network with mask 255.255.255.0'],
    ['ip nat inside source static 10.0.0.1 1.1.1.1 vrf X', 'VRFs are not supported'],
    ['ip nat inside destination static 1.1.1.1 10.0.0.1', 'ip nat inside destination static is not supported'],
    ['ip nat outside source list 1 pool P add-route', 'add-route with a pool is not supported'],
    ['ip nat source list 1 interface eth0 overload', 'ip nat source (NAT virtual interface) is not supported'],
    ['ip nat log translations flow-export v9', 'flow-export of NAT is not supported'],
    ['ip nat log translations file x.json', 'the path of a log file begins with /'],
    ['ip nat translation max-entries list 1 9', 'ip nat translation max-entries list is not supported'],
    ['ip nat translation pptp-timeout 5', 'ip nat translation pptp-timeout is not supported yet'],
  ]) {
    t.strictSame(listProblems(text), [`1 error ${message}`], text);
    t.strictSame(listProblems(`interface eth0\n${text}`), [`2 error ${message}`], `${text}, behind an interface`);
  }
  t.match(listProblems('ip nat inside source list 1 interface Vlan0 overload'), [/^1 error % Invalid input/]);
  t.end();
});

t.test('route-maps: entries by sequence, with what they match', (t) => {
  const { routeMaps } = parseClean(
    'route-map R permit 20\n match ip address NAT 101\n match ip address NAT X\n match interface gi0/0 lo 0\nroute-map R deny 10\n description what is  encrypted\n match ip address VPN',
  );
  t.match(routeMaps.get('R'), [
    { sequence: 10, action: 'deny', matchAddresses: ['VPN'], matchInterfaces: [], description: 'what is  encrypted' },
    { sequence: 20, action: 'permit', matchAddresses: ['NAT', '101', 'X'], matchInterfaces: ['GigabitEthernet0/0', 'Loopback0'] },
  ]);
  t.strictSame(reprint('route-map R'), ['route-map R permit 10'], 'permit and 10 unless said');
  t.strictSame(reprint('route-map R deny 5\nroute-map R\n match ip address A'), ['route-map R deny 5', ' match ip address A']);
  t.strictSame(reprint('route-map R deny 5\nroute-map R permit 5'), ['route-map R permit 5']);
  t.strictSame(listProblems('route-map R deny 5\nroute-map R permit 6\nroute-map R'), [
    '3 error % Please specify the entry by its sequence',
  ]);
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  t.strictSame(reprint(`route-map R\n match ip address ${names.slice(0, 5).join(' ')}\n match ip address ${names.slice(5).join(' ')}`), [
    'route-map R permit 10',
    ' match ip address a b c d e f g h',
    ' match ip address i',
  ]);
  t.end();
});

t.test('route-maps: no', (t) => {
  const text = 'route-map R deny 10\n match ip address A B\n description x\nroute-map R permit 20\n foo\n';
  t.strictSame(reprint(`${text}no route-map R`), []);
  t.strictSame(reprint(`${text}no route-map R permit 20`), ['route-map R deny 10', ' description x', ' match ip address A B']);
  t.strictSame(reprint('route-map R\n match ip address A B\n no match ip address A\n description x\n no description'), [
    'route-map R permit 10',
    ' match ip address B',
  ]);
  t.strictSame(reprint('route-map R\n match interface eth0\n no match interface'), ['route-map R permit 10']);
  t.strictSame(listProblems('no route-map R'), ['1 warning route-map R is not configured: nothing to remove']);
  t.strictSame(listProblems('route-map R\n no match ip address'), ['2 warning this match is not configured: nothing to remove']);
  t.strictSame(reprint('route-map R deny 10\n foo\nroute-map R permit 10'), ['route-map R permit 10', ' foo'], 'unknown lines follow');
  t.end();
});

t.test('route-maps: what is refused', (t) => {
  for (const [text, message] of [
    ['match tag 5', 'match tag is not supported: route-maps do not filter routes here'],
    ['match ip address prefix-list P', 'match ip address prefix-list is not supported yet'],
    ['match ip next-hop 1', 'match ip next-hop is not supported yet'],
  ])
    t.strictSame(listProblems(`route-map R permit 10\n ${text}`), [`2 error ${message}`], text);
  t.end();
});
