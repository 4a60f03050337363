// reverse-route: which routes there are with which SAs.

import t from 'tap';
import { reverseRouteRows } from '../../../../control/compile/reverse-routes.js';
import type { Ipv4 } from '../../../../control/config/model.js';
import { configuredPolicies } from '../../../../control/ipsec/configured-policies.js';
import { policyKey } from '../../../../control/ipsec/flow-policy.js';
import { SaPairs } from '../../../../control/ipsec/sa-pairs.js';
import { parseClean } from '../config/texts.js';

/** @param lines of the entry */
function read(lines: string, more = '') {
  return parseClean(`crypto isakmp policy 10
 encr aes 256
 group 14
crypto isakmp key K address 0.0.0.0
crypto ipsec transform-set T esp-gcm 256
ip access-list extended A
 permit ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255
 permit tcp 10.1.0.0 0.0.0.255 host 10.3.0.9 eq 443
 permit udp 10.1.0.0 0.0.0.255 host 10.3.0.9 eq 53
 deny ip any host 10.4.0.1
crypto dynamic-map D 10
 set transform-set T
 match address A
 reverse-route
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.2
 set peer 192.0.2.3
 set transform-set T
 match address A
${lines}
crypto map M 20 ipsec-isakmp dynamic D
interface eth0
 ip address 192.0.2.1 255.255.255.0
 crypto map M
${more}`);
}
type Config = ReturnType<typeof read>;

/** Pairs of entry 0 (static) or 1 (dynamic) for 10.1.0.0/24 and `remote`/24. */
function pairsOf(config: Config, wanted: { entry: number; remote: Ipv4; peer: Ipv4; established?: boolean }[]): SaPairs {
  const pairs = new SaPairs();
  for (const { entry, remote, peer, established = true } of wanted) {
    const policy = policyKey(configuredPolicies(config)[entry]);
    const end = (address: Ipv4) => ({ address, mask: 0xffffff00, port: 0 });
    const selector = { protocol: 0, local: end(0x0a010000), remote: end(remote) };
    const ends = { local: { address: 0xc0000201, port: 500 }, remote: { address: peer, port: 500 } };
    const place = { policy, ...ends, established } as Parameters<SaPairs['add']>[1];
    pairs.add({ selector, lifetimeSeconds: 3600, initiator: true } as Parameters<SaPairs['add']>[0], place, 0);
  }
  return pairs;
}

const texts = (config: Config, pairs = new SaPairs()): string[] =>
  reverseRouteRows(config, pairs).map(
    ({ prefix, prefixLength, nextHop, distance }) =>
      `${prefix.toString(16)}/${prefixLength} ${nextHop?.toString(16)}${distance === 1 ? '' : ` ${distance}`}`,
  );
const second = 0xc0000203;
const far = { entry: 0, remote: 0x0a020000, peer: second };

t.test('static: what the list permits, by the first peer, always', async (t) => {
  const config = read(' reverse-route static');
  t.same(texts(config), ['a020000/24 c0000202', 'a030009/32 c0000202'], 'once each, none of what is denied');
  t.same(texts(config, pairsOf(config, [far])), ['a020000/24 c0000202', 'a030009/32 c0000202']);
  t.same(reverseRouteRows(config, new SaPairs())[0].recursive, true);
});

t.test('without static: as long as SAs are there, by the peer that they are with', async (t) => {
  const config = read(' reverse-route');
  t.same(texts(config), []);
  t.same(texts(config, pairsOf(config, [far])), ['a020000/24 c0000203']);
  t.same(texts(config, pairsOf(config, [{ ...far, established: false }])), [], 'not before they send');
  t.same(texts(read(''), pairsOf(config, [far])), [], 'where it is not said');
});

t.test('a dynamic map: whatever its peers have', async (t) => {
  const config = read('');
  const pairs = pairsOf(config, [
    { entry: 1, remote: 0x0a020000, peer: 0xcb007105 },
    { entry: 1, remote: 0x0a020000, peer: 0xcb007105 },
    { entry: 1, remote: 0x0a020100, peer: 0xcb007106 },
  ]);
  t.same(texts(config, pairs), ['a020000/24 cb007105', 'a020100/24 cb007106']);
});

t.test('next hop, distance, and what an ip route line says', async (t) => {
  t.same(texts(read(' reverse-route remote-peer 192.0.2.254 static\n set reverse-route distance 20')), [
    'a020000/24 c00002fe 20',
    'a030009/32 c00002fe 20',
  ]);
  const line = 'ip route 10.2.0.0 255.255.255.0 192.0.2.9';
  t.same(texts(read(' reverse-route static', line)), ['a030009/32 c0000202'], 'the line goes before');
  t.same(
    texts(read(' reverse-route static', `${line} 250`)),
    ['a020000/24 c0000202', 'a030009/32 c0000202'],
    'another distance is another route',
  );
  t.same(texts(read(' reverse-route static', ' shutdown')), [], 'the interface is down');
});
