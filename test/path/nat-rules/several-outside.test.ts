// Two outside interfaces: the way a packet leaves decides its address, by route-maps with match interface and several statements.

import t from 'tap';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { datagram, expectFlow } from '../nat/flows.js';
import { routerOf } from './configured.js';

t.test('each flow has the address of the interface by which it leaves, and comes back by it', (t) => {
  const router = routerOf(
    `interface eth2
 ip address 192.0.2.2 255.255.255.0
 ip nat outside
route-map FIRST permit 10
 match interface eth1
route-map SECOND permit 10
 match interface eth2
ip nat inside source route-map FIRST interface eth1 overload
ip nat pool P 192.0.2.50 192.0.2.50 prefix-length 24
ip nat inside source route-map SECOND pool P overload
ip nat inside source static tcp 10.0.1.20 80 192.0.2.60 80 route-map SECOND
`,
    {
      ports: [
        { address: '10.0.1.1', nat: NatSide.Inside },
        { address: '172.16.1.2', nat: NatSide.Outside },
        { address: '192.0.2.2', nat: NatSide.Outside },
      ],
      routes: [
        { prefix: '0.0.0.0/0', port: 1, via: '172.16.1.1' },
        { prefix: '203.0.113.0/24', port: 2, via: '192.0.2.1' },
        { prefix: '192.0.2.0/24', port: 2 },
        { prefix: '10.0.1.0/24', port: 0 },
      ],
      locals: ['10.0.1.1', '172.16.1.2', '192.0.2.2'],
    },
  );
  expectFlow(t, router.forward(0, datagram('10.0.1.10', '198.51.100.7', 5000, 53))[1][0], '172.16.1.2', 5000, '198.51.100.7', 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', '203.0.113.7', 5000, 53))[2][0], '192.0.2.50', 5000, '203.0.113.7', 53);
  expectFlow(t, router.forward(1, datagram('198.51.100.7', '172.16.1.2', 53, 5000))[0][0], '198.51.100.7', 53, '10.0.1.10', 5000);
  expectFlow(t, router.forward(2, datagram('203.0.113.7', '192.0.2.50', 53, 5000))[0][0], '203.0.113.7', 53, '10.0.1.10', 5000);
  t.equal(router.forward(1, datagram('203.0.113.7', '192.0.2.60', 53, 80))[0].length, 0, 'static, but TCP alone');
  t.match(router.counters(), { 'drop.nat_no_mapping': 1, 'nat.sessions_created': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});
