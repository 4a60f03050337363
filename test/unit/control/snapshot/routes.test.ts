// Administrative distances: what `show ip route` tells of the kernel's routes.

import t from 'tap';
import { parseConfig } from '../../../../control/config/parse.js';
import { routeStates } from '../../../../control/snapshot/interfaces.js';
import type { SnapshotHead } from '../../../../dataplane/tables/message.js';

t.test('a route of ip route has its distance, a daemon that of its protocol', (t) => {
  const { config } = parseConfig('interface eth0\n ip address 10.0.0.1 255.255.255.0\n');
  const route = (protocol: string, metric: number, via: string | null = '10.0.0.9') => ({
    prefix: '10.5.0.0/16',
    via,
    device: 'eth0',
    protocol,
    metric,
  });
  const routes = [
    route('groupwire', 1),
    route('groupwire', 200 * 2 ** 24),
    route('groupwire', 255 * 2 ** 24),
    route('ospf', 20),
    route('dhcp', 100),
    route('static', 7),
    route('kernel', 0, null),
  ];
  const states = routeStates(config, { routes } as SnapshotHead);
  t.same(
    states.map(({ distance, metric }) => `${distance}/${metric}`),
    ['1/0', '200/0', '255/0', '110/20', '254/100', '1/7', '0/0'],
  );
  t.end();
});
