// Who answers ARP for addresses of NAT, and where routes of add-route lead.

import t from 'tap';
import { parseLinux } from '../../../../dataplane/port/linux-state.js';
import { describeSoloNat, diffAliases, parseAliases, planAliases, planNatRoutes } from '../../../../dataplane/port/nat-aliases.js';
import type { PortDevices } from '../../../../dataplane/port/rules.js';
import { sampleHead } from './tables-sample.js';

const addresses = [
  { ifname: 'eth0', addr_info: [{ family: 'inet', local: '203.0.113.2', prefixlen: 29 }] },
  { ifname: 'eth1', addr_info: [{ family: 'inet', local: '10.0.0.1', prefixlen: 24 }] },
];
const routes = [
  { dst: 'default', gateway: '203.0.113.1', dev: 'eth0', protocol: '3' },
  { dst: '203.0.113.0/29', dev: 'eth0', protocol: '2', scope: '253' },
  { dst: '192.168.9.9', gateway: '203.0.113.6', dev: 'eth0', protocol: '84' },
];
const state = parseLinux([], addresses, routes, []);
const [row] = sampleHead([]).interfaces;
const rows = [
  { ...row, port: 0, nat: 'outside' as const },
  { ...row, port: 1, nat: 'inside' as const },
];
const devices: PortDevices[] = [
  { port: 0, device: 'eth0', tun: 'gw-eth0', driver: 'tun' },
  { port: 1, device: 'eth1', tun: 'gw-eth1', driver: 'tun' },
];
const base = 0xcb007100;
const range = (first: number, last: number, flags: number): number[] => [first | 0, last | 0, flags];

t.test('inside global addresses on outside networks, outside local ones on inside networks, none of our own', (t) => {
  const errors: string[] = [];
  const ranges = [...range(0x0a000063, 0x0a000063, 2), ...range(base, base + 1000, 3), ...range(0x0a000064, 0x0a000064, 3)];
  t.strictSame(
    planAliases(ranges, rows, devices, state, errors),
    [0, 1, 3, 4, 5, 6, 7].map((host) => `203.0.113.${host} dev eth0`).concat('10.0.0.99 dev eth1'),
  );
  t.strictSame(planAliases(range(base + 3, base + 3, 1), rows, devices, state, errors), [], 'no-alias');
  t.strictSame(errors, []);
  const wide = parseLinux([], [{ ifname: 'eth0', addr_info: [{ family: 'inet', local: '203.0.113.2', prefixlen: 16 }] }], [], []);
  t.equal(planAliases(range(base, base + 2000, 3), rows, devices, wide, errors).length, 1024);
  t.match(errors, [/ARP is answered for 1024 addresses, not for 976 more/]);
  t.end();
});

t.test('what is there, by our protocol; the difference', (t) => {
  const dump = [{ dst: '203.0.113.5', dev: 'eth0', proxy: null, protocol: '84' }, { dst: '203.0.113.6', dev: 'eth0', proxy: null }, {}];
  t.strictSame(parseAliases(dump), ['203.0.113.5 dev eth0']);
  t.throws(() => parseAliases({}), { message: 'ip -j: not a list' });
  t.strictSame(diffAliases(['203.0.113.5 dev eth0', 'x'], ['x', 'y']), [
    'neigh add proxy y protocol 84',
    'neigh del proxy 203.0.113.5 dev eth0',
  ]);
  t.end();
});

t.test('add-route leads where the global address is', (t) => {
  const errors: string[] = [];
  const one = (global: number, prefix = 0xc0a80909) => planNatRoutes([{ prefix, prefixLength: 32, global }], state, errors)[0]?.nextHop;
  t.equal(one(base + 5), base + 5, 'itself when it is connected');
  t.equal(one(0x08080808), base + 1, 'else who leads to it');
  t.equal(one(0xc0a80909), base + 1, 'never by the route itself');
  t.strictSame(planNatRoutes([{ prefix: 1, prefixLength: 32, global: 9 }], parseLinux([], [], [], []), errors), []);
  t.match(errors, [/add-route: no route leads to it/]);
  t.end();
});

t.test('what several workers cannot share out', (t) => {
  const clause = (use: number, pool: number, oneToOne: number) => [0, 1, 0, 0, -1, -1, pool, use, oneToOne];
  const pools = [1, 9, 2, 255, 20, 29, 0, 255];
  const all = Int32Array.from([...clause(0, 1, 2), ...clause(0, 2, 2), ...clause(1, 2, 1), ...clause(2, 2, 1), ...clause(2, 2, 1)]);
  t.strictSame(describeSoloNat(all, pools, 1), []);
  t.strictSame(
    describeSoloNat(all, pools, 2).map((line) => line.split(' needs')[0]),
    ['ip nat pool of type match-host', 'ip nat outside source with a pool', 'ip nat inside destination'],
  );
  t.strictSame(describeSoloNat(Int32Array.from(clause(0, 2, 2)), pools, 2), []);
  t.end();
});
