// Routes of ours in main: as configured, and those whose next hop other routes lead to.

import t from 'tap';
import { noTables } from '../../../../dataplane/port/empty-tables.js';
import { type LinuxState, parseLinux } from '../../../../dataplane/port/linux-state.js';
import { diffRoutes, type PlannedRoute } from '../../../../dataplane/port/routes.js';
import { planMainRoutes } from '../../../../dataplane/port/static-routes.js';
import type { StaticRouteRow } from '../../../../dataplane/tables/message.js';
import { plainInterface } from '../../../support/interface-row.js';

/** eth0 with 10.1.0.1/24. As `ip -N -4 -j` prints it. */
function reading(more: object[] = []): LinuxState {
  const links = [{ ifindex: 2, ifname: 'eth0', flags: ['UP', 'LOWER_UP'], mtu: 1500 }];
  const connected = { dst: '10.1.0.0/24', dev: 'eth0', protocol: '2', scope: '253', prefsrc: '10.1.0.1', flags: [] };
  return parseLinux(links, [], [connected, ...more], []);
}

function plan(staticRoutes: StaticRouteRow[], state: LinuxState, errors: string[] = []): PlannedRoute[] {
  const interfaces = [plainInterface(0, 'Gi0/0', { device: 'eth0' })];
  return planMainRoutes({ ...noTables, interfaces, staticRoutes }, state, errors);
}

t.test('static routes', async (t) => {
  const errors: string[] = [];
  const route = { prefix: 0x0a050000, prefixLength: 16, nextHop: 0x0a010005, interface: null, distance: 1 };
  const planned = plan(
    [
      route,
      { ...route, prefix: 0, prefixLength: 0, interface: 'Gi0/0', distance: 250 },
      { ...route, nextHop: null, interface: 'Null0', prefix: 0x0a060000 },
      { ...route, interface: 'Gi0/9' },
    ],
    reading(),
    errors,
  );
  t.same(
    planned.map(({ text }) => text),
    [
      '10.5.0.0/16 via 10.1.0.5 metric 1 table 254',
      'default via 10.1.0.5 dev eth0 metric 4194304000 table 254',
      'blackhole 10.6.0.0/16 metric 1 table 254',
    ],
  );
  t.same(errors, ['ip route 10.5.0.0/16: interface Gi0/9 has no netdev']);

  const inKernel = [
    { dst: '10.5.0.0/16', gateway: '10.1.0.5', dev: 'eth0', protocol: '84', metric: 1, flags: [] },
    { dst: 'default', gateway: '10.1.0.6', dev: 'eth0', protocol: '84', metric: 4194304000, flags: [] },
    { dst: '10.7.0.0/16', gateway: '10.1.0.5', dev: 'eth0', protocol: '84', metric: 1, flags: [] },
    { dst: '10.8.0.0/16', gateway: '10.1.0.5', dev: 'eth0', protocol: '4', metric: 1, flags: [] },
  ];
  t.same(
    diffRoutes(reading(inKernel), planned, (table) => table === 254),
    [
      'route del 10.7.0.0/16 via 10.1.0.5 dev eth0 metric 1 table 254 protocol 84',
      'route replace default via 10.1.0.5 dev eth0 metric 4194304000 table 254 protocol 84',
      'route add blackhole 10.6.0.0/16 metric 1 table 254 protocol 84',
    ],
    'what is there stays, what changed is replaced, what others made is left alone',
  );
});

t.test('recursive: by whatever else leads to the next hop', async (t) => {
  const far = { prefix: 0x0a070000, prefixLength: 16, nextHop: 0xc0000201, interface: null, distance: 1, recursive: true };
  const texts = (rows: StaticRouteRow[], more: object[] = []) => plan(rows, reading(more)).map(({ text }) => text);
  const byDefault = { dst: 'default', gateway: '10.1.0.254', dev: 'eth0', flags: [] };
  t.same(texts([far]), [], 'nothing leads to it: none');
  t.same(texts([{ ...far, nextHop: 0x0a010005 }]), ['10.7.0.0/16 via 10.1.0.5 metric 1 table 254'], 'on a connected network: itself');
  t.same(texts([far], [byDefault]), ['10.7.0.0/16 via 10.1.0.254 metric 1 table 254']);
  const better = { dst: '192.0.2.0/24', gateway: '10.1.0.253', dev: 'eth0', metric: 20, flags: [] };
  t.same(texts([far], [byDefault, better]), ['10.7.0.0/16 via 10.1.0.253 metric 1 table 254'], 'the longest prefix');
  const dead = { ...better, flags: ['linkdown', 'dead'] };
  t.same(texts([far], [byDefault, dead]), ['10.7.0.0/16 via 10.1.0.254 metric 1 table 254'], 'one that lives');

  // Both cover the peers, each the other's too: what they made themselves does not lead anywhere.
  const wide = { ...far, prefix: 0xc0000000, prefixLength: 8 };
  const all = { ...far, prefix: 0, prefixLength: 0, distance: 10 };
  const ours = (dst: string, metric: number) => ({ dst, gateway: '10.1.0.77', dev: 'eth0', protocol: '84', metric, flags: [] });
  t.same(texts([wide, all], [byDefault, ours('192.0.0.0/8', 1), ours('default', 167_772_160)]), [
    '192.0.0.0/8 via 10.1.0.254 metric 1 table 254',
    'default via 10.1.0.254 metric 167772160 table 254',
  ]);
});
