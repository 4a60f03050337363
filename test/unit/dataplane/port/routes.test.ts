import t from 'tap';
import { mirrorFib } from '../../../../dataplane/port/fib-mirror.js';
import { type LinuxState, parseLinux } from '../../../../dataplane/port/linux-state.js';
import { diffRoutes, planGatewayTable, planPortTable, planProgramTable } from '../../../../dataplane/port/routes.js';

const ports = [{ port: 3, device: 'eth0', tun: 'gw-eth0', driver: 'tun' as const }];
const address = (local: string, prefixlen: number, more = {}) => ({ family: 'inet', local, prefixlen, ...more });

/** eth0 is ours, mgmt is not. As `ip -N -4 -j` prints it. */
function read(moreRoutes: object[] = []): LinuxState {
  const links = ['lo', 'eth0', 'mgmt'].map((ifname, i) => ({ ifindex: i + 1, ifname, flags: ['UP', 'LOWER_UP'], mtu: 1500 }));
  const addresses = [
    {},
    { ifname: 'eth0', addr_info: [address('10.1.0.1', 24), address('10.1.0.9', 24, { secondary: true }), address('10.9.0.1', 24)] },
    { ifname: 'mgmt', addr_info: [address('192.168.5.1', 24)] },
  ];
  const routes = [
    { dst: 'default', gateway: '10.9.0.254', dev: 'eth0', flags: [] },
    { dst: 'default', gateway: '192.168.5.254', dev: 'mgmt', metric: 100, flags: [] },
    { dst: '10.1.0.0/24', dev: 'eth0', protocol: '2', scope: '253', prefsrc: '10.1.0.1', flags: [] },
    { dst: '192.168.5.0/24', dev: 'mgmt', protocol: '2', scope: '253', prefsrc: '192.168.5.1', flags: [] },
    {
      dst: '10.3.0.0/16',
      protocol: '188',
      flags: [],
      nexthops: [
        { gateway: '10.1.0.7', dev: 'eth0', weight: 1, flags: ['dead'] },
        { gateway: '10.1.0.8', dev: 'eth0', weight: 1, flags: [] },
      ],
    },
    { type: '7', dst: '10.4.0.0/16', dev: 'lo', flags: [] },
    { type: '2', dst: '10.1.0.1', dev: 'eth0', table: '255', protocol: '2', scope: '254', flags: [] },
    { type: '3', dst: '10.1.0.255', dev: 'eth0', table: '255', protocol: '2', scope: '253', flags: [] },
    ...moreRoutes,
  ];
  return parseLinux(links, addresses, routes, []);
}

t.test('table T', async (t) => {
  t.same(
    planPortTable(ports[0], read()).map(({ text }) => text),
    ['default dev gw-eth0 scope 0 table 8483', 'throw 10.1.0.255 table 8483'],
  );
});

t.test('table R: with raw sockets ESP is delivered here', async (t) => {
  const raw = { ...ports[0], driver: 'raw' as const };
  const wanted = planPortTable(raw, read());
  t.ok(
    wanted.some(({ text }) => text === 'local default dev gw-eth0 scope 254 table 8515'),
    'on the TUN, so that it goes with us',
  );
  // As `ip -N -j route` prints it.
  const there = read([{ type: '2', dst: 'default', dev: 'gw-eth0', table: '8515', protocol: '84', scope: '254', flags: [] }]);
  const onlyR = (table: number) => table === 8515;
  t.same(
    diffRoutes(
      there,
      wanted.filter(({ text }) => text.endsWith('8515')),
      onlyR,
    ),
    [],
    'read back as it is written',
  );
  const gone = ['route del local default dev gw-eth0 scope 254 table 8515 protocol 84'];
  t.same(diffRoutes(there, [], onlyR), gone, 'another driver removes it');
});

t.test("table L keeps the kernel's choice of source address and of way", async (t) => {
  t.same(
    planProgramTable(ports, read()).map(({ text }) => text),
    [
      'throw 224.0.0.0/4 table 8496',
      'throw 255.255.255.255 table 8496',
      'default dev gw-eth0 src 10.9.0.1 scope 0 table 8496',
      '10.1.0.0/24 dev gw-eth0 src 10.1.0.1 scope 0 table 8496',
      'throw 192.168.5.0/24 table 8496',
      '10.3.0.0/16 dev gw-eth0 src 10.1.0.1 scope 0 table 8496',
      'throw 10.4.0.0/16 table 8496',
    ],
  );
});

t.test('table G', async (t) => {
  t.same(
    planGatewayTable(ports, read()).map(({ text }) => text),
    [
      'throw 10.1.0.0/24 metric 1 table 8497',
      '10.1.0.0/24 dev eth0 scope 253 metric 2 table 8497',
      'throw 192.168.5.0/24 metric 1 table 8497',
      '192.168.5.0/24 dev mgmt scope 253 metric 2 table 8497',
    ],
  );
});

t.test('the FIB mirror', async (t) => {
  const find = (prefix: number) => mirrorFib(ports, read()).find((route) => route.prefix === prefix);
  t.match(find(0), { kind: 'unicast', port: 3, nextHop: 0x0a0900fe }, 'the better default route first');
  t.match(find(0x0a030000), { kind: 'unicast', port: 3, nextHop: 0x0a010008 }, 'the next hop that lives');
  t.match(find(0xc0a80500), { kind: 'local' }, 'out of a netdev that is not ours: back to the kernel');
  t.match(find(0x0a040000), { kind: 'unreachable' });
  t.match(find(0x0a010001), { kind: 'local', prefixLength: 32 });
  t.match(find(0x0a0100ff), { kind: 'local' }, 'subnet broadcast');
});
