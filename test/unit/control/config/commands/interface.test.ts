import t from 'tap';
import { parseInterfaceName } from '../../../../../control/config/interface-names.js';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('interface names', (t) => {
  for (const [text, name] of [
    ['GigabitEthernet0/0', 'GigabitEthernet0/0'],
    ['gi0/0', 'GigabitEthernet0/0'],
    ['g0/0/1', 'GigabitEthernet0/0/1'],
    ['GIGABITETHERNET1', 'GigabitEthernet1'],
    ['fa0/0', 'FastEthernet0/0'],
    ['f0', 'FastEthernet0'],
    ['te0/1', 'TenGigabitEthernet0/1'],
    ['e0/0', 'Ethernet0/0'],
    ['Eth0/0', 'Ethernet0/0'],
    ['lo0', 'Loopback0'],
    ['Loopback12', 'Loopback12'],
    ['eth0', 'eth0'],
    ['eth0.10', 'eth0.10'],
    ['ens3', 'ens3'],
    ['enp0s31f6', 'enp0s31f6'],
    ['wan', 'wan'],
    ['br-lan', 'br-lan'],
    ['tun0', 'tun0'],
    ['tunl0', 'tunl0'],
    ['Tunnel0', 'Tunnel0'],
    ['tunnel12', 'Tunnel12'],
    ['tu0', 'Tunnel0'],
    ['constructor', 'constructor'],
  ]) {
    t.equal(parseInterfaceName(text), name, text);
  }
  for (const text of [
    '',
    '0/0',
    'gigabithernet0/0',
    'gi0/0.10',
    'gi00/0',
    'gi0/0/0/0/0',
    'Tunnel0/1',
    'Serial0/0',
    'Vlan1',
    'Null0',
    'a-name-that-is-too-long',
    '../x',
    'gi0/',
    'x/y',
  ]) {
    t.equal(parseInterfaceName(text), null, `"${text}" is none`);
  }
  t.equal(parseInterfaceName('gi', '0/0'), 'GigabitEthernet0/0', 'in two words');
  t.equal(parseInterfaceName('eth', '0'), 'Ethernet0');
  t.equal(parseInterfaceName('tun', '0'), 'Tunnel0');
  t.end();
});

t.test('everything in an interface', (t) => {
  const text = `interface GigabitEthernet0/0
 description to the WAN, "core" !
 linux-device ens3
 ip address 172.16.2.2 255.255.255.252
 ip address 10.9.0.1 255.255.0.0 secondary
 ip mtu 1400
 port-driver xdp
 no offload
 shutdown
 crypto map M`;
  t.strictSame(parseClean(`${text}\n port-driver tun\n offload`).interfaces.get('GigabitEthernet0/0'), {
    line: 1,
    name: 'GigabitEthernet0/0',
    description: 'to the WAN, "core" !',
    linuxDevice: 'ens3',
    portDriver: 'tun',
    offload: true,
    addresses: [
      { address: 0xac100202, mask: 0xfffffffc, secondary: false },
      { address: 0x0a090001, mask: 0xffff0000, secondary: true },
    ],
    ipMtu: 1400,
    staticGroups: [],
    shutdown: true,
    cryptoMap: 'M',
  });
  t.equal(reprint(text).join('\n'), text, 'printed as it was written');
  const undone = `${text}\n no description x\n no linux-device\n no ip address\n no ip mtu\n no shut\n no crypto map\n no port-driver\n offload`;
  t.strictSame(reprint(undone), ['interface GigabitEthernet0/0'], 'no takes everything back');
  t.equal(parseClean(`${text}\nno interface gi0/0`).interfaces.size, 0);
  t.equal(parseClean('interface gi 0/0\n ip address 1.1.1.1 255.255.255.0').interfaces.has('GigabitEthernet0/0'), true);
  t.end();
});

t.test('addresses of an interface', (t) => {
  const addresses = (lines: string): string[] =>
    reprint(`interface eth0\n${lines}`)
      .slice(1)
      .map((line) => line.replace(' ip address ', ''));
  t.strictSame(
    addresses('ip address 10.0.0.1 255.255.255.0\nip address 10.0.0.2 255.255.255.0'),
    ['10.0.0.2 255.255.255.0'],
    'a second primary replaces the first',
  );
  t.strictSame(addresses('ip address 10.0.0.1 255.255.255.254'), ['10.0.0.1 255.255.255.254'], '/31 has two hosts (RFC 3021)');
  t.strictSame(addresses('ip address 10.0.0.1 255.255.255.255'), ['10.0.0.1 255.255.255.255']);
  t.strictSame(addresses('ip address 1.1.1.1 255.0.0.0\nip address 2.1.1.1 255.0.0.0 sec\nno ip address 2.1.1.1 255.0.0.0 sec'), [
    '1.1.1.1 255.0.0.0',
  ]);
  t.strictSame(addresses('ip address 1.1.1.1 255.0.0.0\nip address 2.1.1.1 255.0.0.0 sec\nip address 2.1.1.1 255.0.0.0'), [
    '2.1.1.1 255.0.0.0',
  ]);
  for (const line of [
    'ip address 10.0.0.0 255.255.255.0',
    'ip address 10.0.0.255 255.255.255.0',
    'ip address 10.0.0.1 255.0.255.0',
    'ip address 10.0.0.1 0.0.0.0',
    'ip address 127.0.0.1 255.0.0.0',
    'ip address 224.0.0.1 255.0.0.0',
    'ip address 0.0.0.1 255.0.0.0',
    'ip address 10.0.0.1',
    'ip address dhcp',
    'ip address 10.0.0.1 255.255.255.0 secondary',
    'ip address 10.0.0.1 255.255.255.0 vrf X',
  ]) {
    t.match(listProblems(`interface eth0\n ${line}`), [/^2 error/], line);
  }
  const both = 'interface eth0\n ip address 1.1.1.1 255.0.0.0\n ip address 2.1.1.1 255.0.0.0 secondary\n';
  t.match(listProblems(`${both} no ip address 1.1.1.1 255.0.0.0`), [/^4 error Must delete secondary/]);
  t.match(listProblems(`${both} ip address 1.1.1.1 255.0.0.0 secondary`), [/^4 error .* is the primary/]);
  t.match(listProblems('interface eth0\n no ip address 9.9.9.9 255.0.0.0'), [/^2 warning/]);
  t.strictSame(listProblems('interface eth0\n no ip address'), [], 'as IOS prints it for an interface without address');
  t.end();
});

t.test('what an interface does not take', (t) => {
  for (const [line, message] of [
    ['port-driver udp', /not supported yet/],
    ['port-driver foo', /there is no port-driver foo/],
    ['port-driver xdp 2', /Invalid/],
    ['port-driver', /Incomplete/],
    ['offload tso', /Invalid/],
    ['ip mtu 67', /Invalid/],
    ['ip mtu 65536', /Invalid/],
    ['linux-device a/b', /cannot be the name/],
    ['linux-device sixteen-chars-xx', /Invalid/],
    ['crypto map', /Incomplete/],
  ] as const) {
    t.match(listProblems(`interface eth0\n ${line}`), [new RegExp(`^2 error .*${message.source}`)], line);
  }
  for (const [line, message] of [
    ['interface Tunnel0/1', /neither an interface type/],
    ['interface Vlan10', /Vlan interfaces/],
    ['interface gigabithernet0/0', /neither an interface type/],
    ['interface GigabitEthernet0/0.10', /neither an interface type/],
    ['interface ser 0/0', /Serial interfaces/],
    ['interface wan 0', /"wan 0" is neither/],
    ['interface eth0 point-to-point', /"eth0 point-to-point" is neither/],
    ['interface', /Incomplete/],
  ] as const) {
    t.match(listProblems(line), [new RegExp(`^1 error .*${message.source}`)], line);
  }
  t.end();
});

t.test('settings without meaning on Linux are kept with a warning', (t) => {
  const text = 'interface eth0\n duplex auto\n speed 1000\n negotiation auto\n no negotiation auto';
  t.match(listProblems(text), [/^2 warning has no meaning/, /^3 warning/, /^4 warning/, /^5 warning/]);
  t.strictSame(reprint(text), ['interface eth0', ' duplex auto', ' speed 1000', ' negotiation auto', ' no negotiation auto']);
  t.end();
});

t.test('static routes', (t) => {
  const text = `ip route 0.0.0.0 0.0.0.0 172.16.2.1
ip route 10.0.0.0 255.0.0.0 GigabitEthernet0/0
ip route 10.1.0.0 255.255.0.0 eth0 10.0.0.9 200
ip route 10.2.0.0 255.255.0.0 10.0.0.9 250`;
  t.equal(reprint(text).join('\n'), text);
  t.strictSame(parseClean(text).staticRoutes[2], {
    line: 3,
    prefix: 0x0a010000,
    mask: 0xffff0000,
    interface: 'eth0',
    nextHop: 0x0a000009,
    distance: 200,
  });
  t.equal(reprint('ip route 10.0.0.0 255.0.0.0 gi 0/0 1.1.1.1')[0], 'ip route 10.0.0.0 255.0.0.0 GigabitEthernet0/0 1.1.1.1');
  t.strictSame(
    reprint('ip route 1.0.0.0 255.0.0.0 9.9.9.9\nip route 1.0.0.0 255.0.0.0 9.9.9.9 5'),
    ['ip route 1.0.0.0 255.0.0.0 9.9.9.9 5'],
    'the same way again: new distance',
  );
  t.strictSame(reprint(`${text}\nno ip route 10.1.0.0 255.255.0.0 eth0 10.0.0.9 200\nno ip route 10.2.0.0 255.255.0.0`).length, 2);
  for (const line of [
    'ip route 10.0.0.1 255.255.255.0 1.1.1.1',
    'ip route 10.0.0.0 255.0.255.0 1.1.1.1',
    'ip route 10.0.0.0 255.0.0.0',
    'ip route 10.0.0.0 255.0.0.0 1.1.1.1 0',
    'ip route 10.0.0.0 255.0.0.0 1.1.1.1 256',
    'ip route 10.0.0.0 255.0.0.0 1.1.1.1 tag 5',
    'ip route 10.0.0.0 255.0.0.0 1.1.1.1 name X',
    'ip route 10.0.0.0 255.0.0.0 1.1.1.1 track 1',
    'ip route 10.0.0.0 255.0.0.0 Null0',
    'ip route vrf X 10.0.0.0 255.0.0.0 1.1.1.1',
  ]) {
    t.match(listProblems(line), [/^1 error/], line);
  }
  t.match(listProblems('no ip route 10.0.0.0 255.0.0.0'), [/^1 warning/]);
  t.end();
});

t.test('static multicast', (t) => {
  const config = parseClean(
    'ip multicast-routing\ninterface eth0\n ip igmp static-group 239.1.1.1\n ip igmp static-group 239.1.1.2\n no ip igmp static-group 239.1.1.2',
  );
  t.equal(config.multicastRouting, true);
  t.strictSame(config.interfaces.get('eth0')?.staticGroups, [0xef010101]);
  t.equal(parseClean('ip multicast-routing distributed\nno ip multicast-routing').multicastRouting, false);
  for (const [line, message] of [
    ['ip igmp static-group 10.1.1.1', /no multicast address/],
    ['ip igmp static-group 224.0.0.5', /never leaves its link/],
    ['ip igmp join-group 239.1.1.1', /not supported/],
    ['ip pim sparse-mode', /PIM is not supported/],
  ] as const) {
    t.match(listProblems(`interface eth0\n ${line}`), [new RegExp(`^2 error .*${message.source}`)], line);
  }
  t.end();
});
