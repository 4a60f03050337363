// Tables that change while sessions live.

import t from 'tap';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { datagram, expectFlow, server } from '../nat/flows.js';
import { routerOf, tablesOf } from './configured.js';

const list = 'access-list 1 permit 10.0.1.0 0.0.0.255\n';
const pat = `${list}ip nat inside source list 1 interface eth1 overload\n`;

/** The outside interface has another address. */
function readdressed(text: string, address: string) {
  return tablesOf(text, {
    ports: [
      { address: '10.0.1.1', nat: NatSide.Inside },
      { address, nat: NatSide.Outside },
    ],
    locals: ['10.0.1.1', address],
  });
}

t.test('an address that is no longer ours: its sessions end, their flows begin again with the new one', (t) => {
  const router = routerOf(pat);
  router.forward(0, datagram('10.0.1.10', server, 5000, 53));
  router.adopt(readdressed(pat, '172.16.1.9'));
  expectFlow(t, router.forward(0, datagram('10.0.1.10', server, 5000, 53))[1][0], '172.16.1.9', 5000, server, 53);
  expectFlow(t, router.forward(1, datagram(server, '172.16.1.9', 53, 5000))[0][0], server, 53, '10.0.1.10', 5000);
  t.equal(router.env.nat.sessions.length, 1);

  const lent = `${list}ip nat inside source list 1 pool P\nip nat pool P `;
  router.adopt(readdressed(`${lent}172.16.1.50 172.16.1.59 prefix-length 24`, '172.16.1.9'));
  expectFlow(t, router.forward(0, datagram('10.0.1.11', server, 5000, 53))[1][0], '172.16.1.50', 5000, server, 53);
  router.adopt(readdressed(`${lent}172.16.1.60 172.16.1.69 prefix-length 24`, '172.16.1.9'));
  t.equal(router.env.natBegin.globals.length, 0, 'what was lent is given back');
  expectFlow(t, router.forward(0, datagram('10.0.1.11', server, 5000, 53))[1][0], '172.16.1.61', 5000, server, 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', server, 5000, 53))[1][0], '172.16.1.9', 5000, server, 53);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('other statements, the same addresses: what is there goes on, what begins is the new statement’s', (t) => {
  const router = routerOf(pat);
  router.forward(0, datagram('10.0.1.10', server, 5000, 53));
  for (const text of [
    `${list}ip nat pool P 172.16.1.50 172.16.1.59 prefix-length 24\nip nat inside source list 1 pool P overload`,
    `${list}ip nat inside source static 10.0.1.10 172.16.1.70`,
  ]) {
    router.adopt(tablesOf(text));
    expectFlow(t, router.forward(0, datagram('10.0.1.10', server, 5000, 53))[1][0], '172.16.1.2', 5000, server, 53);
    expectFlow(t, router.forward(1, datagram(server, '172.16.1.2', 53, 5000))[0][0], server, 53, '10.0.1.10', 5000);
    const other = router.forward(0, datagram('10.0.1.10', server, 5000, 54))[1][0];
    t.not(other[15], 2, 'a new flow has another address');
  }
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('outside source: the sessions of an outside local address that is gone end; those that keep their inside address stay', (t) => {
  const text = `ip nat outside source static ${server} 192.168.9.5`;
  const router = routerOf(text);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', '192.168.9.5', 5000, 53))[1][0], '10.0.1.10', 5000, server, 53);
  router.adopt(readdressed(text, '172.16.1.9'));
  t.equal(router.env.nat.sessions.length, 1);
  router.adopt(tablesOf(`ip nat outside source static ${server} 192.168.9.6`));
  t.equal(router.env.nat.sessions.length, 0);
  t.end();
});
