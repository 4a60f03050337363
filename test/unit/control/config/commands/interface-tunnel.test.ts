import t from 'tap';
import { verifyConfig } from '../../../../../control/config/verify.js';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('everything in a tunnel', (t) => {
  const text = `interface Tunnel0
 bandwidth 2000
 ip address 192.168.13.1 255.255.255.252
 ip mtu 1400
 tunnel source GigabitEthernet0/0
 tunnel destination 172.16.3.2
 tunnel key 4294967295
 tunnel sequence-datagrams
 tunnel checksum
 tunnel ttl 64
 tunnel tos 184
 tunnel path-mtu-discovery
 tunnel protection ipsec profile P
 keepalive 5 4
`;
  t.strictSame(reprint(text), text.trimEnd().split('\n'));
  const { tunnel, bandwidthKbps } = parseClean(text).interfaces.get('Tunnel0')!;
  t.equal(bandwidthKbps, 2000);
  t.strictSame(tunnel, {
    sourceInterface: 'GigabitEthernet0/0',
    sourceAddress: null,
    destination: 0xac100302,
    key: 0xffffffff,
    checksum: true,
    sequence: true,
    ttl: 64,
    tos: 184,
    pathMtuDiscovery: true,
    keepalive: { seconds: 5, retries: 4 },
    protection: 'P',
  });
  t.end();
});

t.test('abbreviated, and taken back', (t) => {
  const { interfaces } = parseClean(
    'int tu 7\n tun so 1.2.3.4\n tun dest 5.6.7.8\n tun mo gre ip\n tun ke 1\n tun ttl 9\n tun tos 3\n tun check\n tun seq\n tun path\n tun prot ips prof P\nno keepalive\n' +
      ' no tunnel key\n no tun ttl\n no tun tos\n no tunnel checksum\n no tun seq\n no tun path\n no tunnel dest\n no tun mode\n no tun prot ipsec prof P',
  );
  t.strictSame(interfaces.get('Tunnel7')?.tunnel, {
    sourceInterface: null,
    sourceAddress: 0x01020304,
    destination: null,
    key: null,
    checksum: false,
    sequence: false,
    ttl: 255,
    tos: null,
    pathMtuDiscovery: false,
    keepalive: null,
    protection: null,
  });
  t.strictSame(reprint('interface Tunnel0\n no tunnel source'), ['interface Tunnel0']);
  t.end();
});

t.test('path-mtu-discovery: a line says all of it', (t) => {
  const line = (words: string) => `tunnel path-mtu-discovery${words}`;
  for (const words of ['', ' age-timer 30', ' age-timer infinite min-mtu 600', ' min-mtu 92'])
    t.strictSame(reprint(`interface Tunnel0\n tunnel path-mtu-discovery age-timer 15 min-mtu 1000\n ${line(words)}`), [
      'interface Tunnel0',
      ` ${line(words)}`,
    ]);
  t.strictSame(reprint(`interface Tunnel0\n ${line(' age-timer 15')}\n no ${line('')}`), ['interface Tunnel0']);
  t.end();
});

t.test('what a tunnel does not take', (t) => {
  for (const [line, message] of [
    ['tunnel mode gre multipoint', /gre multipoint is not supported/],
    ['tunnel mode ipsec ipv4', /mode ipsec is not supported yet/],
    ['tunnel mode gre', /Incomplete/],
    ['tunnel protection ipsec profile P shared', /shared is not supported/],
    ['tunnel path-mtu-discovery age-timer 9', /Invalid/],
    ['tunnel path-mtu-discovery min-mtu 91', /Invalid/],
    ['tunnel ttl 0', /Invalid/],
    ['tunnel ttl 256', /Invalid/],
    ['tunnel tos 256', /Invalid/],
    ['tunnel key 4294967296', /Invalid/],
    ['tunnel destination', /Incomplete/],
    ['tunnel source Vlan1', /Invalid/],
    ['keepalive 0', /Invalid/],
    ['keepalive 10 256', /Invalid/],
    ['bandwidth 0', /Invalid/],
  ] as const) {
    t.match(listProblems(`interface Tunnel0\n ${line}`), [new RegExp(`^2 error .*${message.source}`)], line);
  }
  t.match(listProblems('interface eth0\n tunnel key 1'), [/^2 error .*eth0 is no tunnel/]);
  t.match(listProblems('interface eth0\n no keepalive\n keepalive 5'), [/^3 error .*eth0 is no tunnel/]);
  t.match(reprint('interface Tunnel0\n keepalive'), ['interface Tunnel0', ' keepalive 10 3']);
  t.match(reprint('interface Tunnel0\n keepalive 7\n no keepalive 7'), ['interface Tunnel0']);
  t.end();
});

t.test('ends that cannot be', (t) => {
  const outside = 'interface gi0/0\n linux-device eth0\n ip address 172.16.1.2 255.255.255.252\n';
  const problems = (text: string) =>
    verifyConfig(parseClean(outside + text)).map(({ line, severity, message }) => `${line} ${severity} ${message}`);
  t.strictSame(problems('interface Tunnel0\n tunnel source gi0/0\n tunnel destination 172.16.3.2'), []);
  t.strictSame(problems('interface Tunnel0'), [
    '4 warning Tunnel0 has no source: it stays down',
    '4 warning Tunnel0 has no destination: it stays down',
  ]);
  t.strictSame(problems('interface Tunnel0\n shutdown'), []);
  t.strictSame(problems('interface Tunnel0\n tunnel source gi0/1\n tunnel destination 224.0.0.5'), [
    '5 error there is no interface GigabitEthernet0/1',
    '6 error 224.0.0.5 cannot be the other end of a tunnel',
  ]);
  t.strictSame(problems('interface Tunnel0\n tunnel source 1.1.1.1\n tunnel destination 172.16.1.2'), [
    '5 warning 1.1.1.1 is the address of no interface: Tunnel0 is down without it',
    '6 error 172.16.1.2 is this router (GigabitEthernet0/0): a tunnel to itself carries nothing',
  ]);
  const both = 'interface Tunnel0\n tunnel source gi0/0\n tunnel destination 172.16.3.2\n';
  const map = 'interface gi0/0\n crypto map M\n';
  const lost = 'where that protects it, long packets become fragments that are lost';
  const noMap = 'error there is no crypto map M';
  t.strictSame(problems(both + map), [`8 ${noMap}`, `4 warning Tunnel0 leaves by GigabitEthernet0/0, which has a crypto map: ${lost}`]);
  t.strictSame(problems(`${both} ip mtu 1400\n${map}`), [`9 ${noMap}`]);
  t.strictSame(problems('interface Tunnel0\n tunnel source Tunnel0\n tunnel destination 172.16.3.2'), [
    '5 error Tunnel0 cannot be its own source',
  ]);
  const second = 'interface Tunnel1\n tunnel source 172.16.1.2\n tunnel destination 172.16.3.2\n';
  t.strictSame(problems(`interface Tunnel0\n tunnel source gi0/0\n tunnel destination 172.16.3.2\n${second}`), [
    '9 error Tunnel0 has the same source, destination and key',
  ]);
  t.strictSame(problems(`interface Tunnel0\n tunnel source gi0/0\n tunnel destination 172.16.3.2\n${second} tunnel key 1`), []);
  t.strictSame(problems('interface Tunnel0\n linux-device tun0\n port-driver tun\n shutdown\n crypto map M'), [
    '5 error the Linux device of Tunnel0 is made by this router and has its name',
    '6 error Tunnel0 has no port driver',
    '8 error a crypto map on Tunnel0 is not supported',
    '8 error there is no crypto map M',
    '8 warning Tunnel0 has a crypto map and no ip address to register from',
  ]);
  t.end();
});

t.test('tunnel protection: what is missing', (t) => {
  const outside = 'interface gi0/0\n linux-device eth0\n ip address 172.16.1.2 255.255.255.252\n';
  const tunnel = (n: number): string =>
    `interface Tunnel${n}\n tunnel source gi0/0\n tunnel destination 172.16.3.2\n tunnel key ${n}\n tunnel protection ipsec profile P\n`;
  const crypto = 'crypto isakmp policy 10\n authentication pre-share\n encr aes 256\n hash sha256\n group 14\n';
  const key = 'crypto isakmp key K address 172.16.3.2\n';
  const profile = 'crypto ipsec transform-set T esp-gcm\ncrypto ipsec profile P\n set transform-set T\n';
  const problems = (text: string): string[] =>
    verifyConfig(parseClean(outside + text)).map(({ severity, message }) => `${severity} ${message}`);
  t.strictSame(problems(tunnel(0) + crypto + key + profile), []);
  t.strictSame(problems(tunnel(0)), [
    'error there is no crypto ipsec profile P',
    'error there is no crypto isakmp policy, so no phase 1 can be agreed',
    'warning no crypto isakmp key matches the peer 172.16.3.2',
  ]);
  t.strictSame(problems(`${tunnel(0)}${crypto}${key}crypto ipsec profile P\n`), ['error profile P has no transform set']);
  const twice = problems(tunnel(0) + tunnel(1) + crypto + key + profile);
  t.match(twice, [/^error Tunnel1 is protected between the same ends/, /^error Tunnel0 is protected between the same ends/]);
  t.end();
});
