// Which encapsulations the MTU doctor finds for an address: peers that the configuration names and peers of dynamic maps, tunnel and transport mode.

import t from 'tap';
import { checkConfig } from '../../../control/config/check.js';
import type { SaPair } from '../../../control/ipsec/sa-pairs.js';
import { encapsulationsTo } from '../../../control/probe/encapsulations.js';
import type { Router } from '../../../control/router.js';
import { ip } from '../../path/packets.js';

const configuration = (mode: string, list: string) => `crypto isakmp policy 10
 authentication pre-share
crypto isakmp key a-shared-key address 0.0.0.0
crypto ipsec transform-set T esp-aes esp-sha-hmac
 mode ${mode}
crypto dynamic-map D 10
 set transform-set T
crypto map M 10 ipsec-isakmp
 set peer 172.16.2.2
 set transform-set T
 match address A
crypto map M 20 ipsec-isakmp dynamic D
ip access-list extended A
 permit ${list}
interface eth0
 ip address 172.16.1.2 255.255.255.0
 crypto map M
`;
const between = 'ip host 172.16.1.2 host 172.16.2.2';
const networks = 'ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255';

const end = (address: string, mask = '255.255.255.255') => ({ address: ip(address), mask: ip(mask), port: 0 });
const dynamicPair = (mode: 'tunnel' | 'transport', udp = false) =>
  ({
    policy: `M 20 ${ip('172.16.1.2')} D 10`,
    remote: { address: ip('172.16.9.9'), port: 500 },
    established: true,
    selector: { protocol: 0, local: end('10.0.1.0', '255.255.255.0'), remote: end('10.0.9.0', '255.255.255.0') },
    suite: { encryption: 'esp-gcm-256', authentication: null, mode, udp },
  }) as unknown as SaPair;

function found(text: string, target: string, pairs: SaPair[] = [], source: string | null = null) {
  const router = { config: checkConfig(text).config, ipsec: { pairs } } as unknown as Router;
  const { list, encryptedBy } = encapsulationsTo(ip(target), source === null ? null : ip(source), 1400, router);
  return { encryptedBy, list: list.map(({ name, largest, lines }) => [name, largest, ...lines]) };
}

t.test('a peer that the configuration names', async (t) => {
  t.strictSame(found(configuration('tunnel', networks), '172.16.2.2').list, [
    ['crypto map M 10 on eth0: ESP (esp-aes esp-sha-hmac, tunnel mode)', 1342, 'ip mtu 1400', 'ip tcp adjust-mss 1302'],
  ]);
});

t.test('transport mode leaves 20 bytes more or so, between the ends alone', async (t) => {
  // The gateways' own traffic is encrypted then: what an echo finds is what goes in.
  t.match(found(configuration('transport', between), '172.16.2.2'), { encryptedBy: 'crypto map M 10', list: [] });
  const tcp = configuration('transport', 'tcp host 172.16.1.2 host 172.16.2.2');
  t.match(found(tcp, '172.16.2.2').list, [[/transport mode/, 1362]]);
  t.match(found(configuration('transport', networks), '172.16.2.2').list, [[/tunnel mode/, 1342]], 'other traffic takes tunnel mode');
});

t.test('a peer of a dynamic map, as long as it has SAs', async (t) => {
  const text = configuration('tunnel', networks);
  t.same(found(text, '172.16.9.9').list, []);
  t.strictSame(found(text, '172.16.9.9', [dynamicPair('tunnel'), dynamicPair('tunnel')]).list, [
    ['crypto map M 20, dynamic map D 10 on eth0: ESP (esp-gcm 256, tunnel mode)', 1346, 'ip mtu 1400', 'ip tcp adjust-mss 1306'],
  ]);
  t.match(found(text, '172.16.9.9', [dynamicPair('tunnel', true)]).list, [[/tunnel mode in UDP/, 1338]]);
  t.match(found(text, '172.16.9.9', [dynamicPair('tunnel'), dynamicPair('transport')]).list, [
    [/tunnel mode/, 1346],
    [/transport mode/, 1366],
  ]);
  t.match(found(text, '10.0.9.1', [dynamicPair('tunnel')], '10.0.1.1'), { encryptedBy: 'crypto map M 20, dynamic map D 10' });
  t.match(found(text, '10.0.8.1', [dynamicPair('tunnel')], '10.0.1.1'), { encryptedBy: null });
});
