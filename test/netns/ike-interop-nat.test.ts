// Phase 1 with strongSwan's charon behind an address translator, and dead peer detection.
//
//   gw 10.9.0.1 --- 10.9.0.9 nat 192.168.7.1 --- ss 192.168.7.2
//
//   ss :: swanctl --initiate         :: both find the translator; message 5 and what follows go over UDP 4500
//   gw :: keepalive 10 2 periodic    :: its R-U-THERE are answered; charon killed: %CRYPTO-5-SESSION_STATUS, the SA is gone

import t from 'tap';
import { Netns, until } from '../support/netns.js';
import { Strongswan } from '../support/strongswan.js';
import { connectionText, gatewayAddress, sasOf, startResponder } from './ike-interop.js';

const policy = ['encr aes 256', 'hash sha256', 'authentication pre-share', 'group 14', 'lifetime 3600'];

t.test('behind a translator', async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('gw', 'nat', 'ss');
  await netns.veth('gw', 'eth0', null, 'nat', 'eth0', '10.9.0.9/24');
  await netns.sh('gw', 'ip link set eth0 up');
  await netns.veth('nat', 'eth1', '192.168.7.1/24', 'ss', 'eth0', '192.168.7.2/24');
  await netns.sh('ss', 'ip route add default via 192.168.7.1');
  const rules = 'add table ip t; add chain ip t out { type nat hook postrouting priority srcnat; }; add rule ip t out oif eth0 masquerade';
  await netns.sh('nat', `sysctl -qw net.ipv4.ip_forward=1; nft "${rules}"`);

  const global = 'crypto isakmp key a-shared-key address 10.9.0.9\ncrypto isakmp keepalive 10 2 periodic\n';
  const router = await startResponder(t, netns, { policy, global });
  const charon = await Strongswan.start(netns, 'ss', {
    connections: connectionText(`local { auth = psk }\n  remote { auth = psk\n  id = ${gatewayAddress} }`).replace(
      /local_addrs = \S+/,
      'local_addrs = 192.168.7.2',
    ),
    secrets: `ike-gw {\n  id-1 = ${gatewayAddress}\n  secret = "a-shared-key"\n}`,
  });
  t.teardown(() => charon.stop());
  await charon.swanctl('--initiate', '--ike', 'gw');
  t.match(await charon.sas(), /gw: #1, ESTABLISHED[\s\S]*@ 192\.168\.7\.2\[4500\][\s\S]*@ 10\.9\.0\.1\[4500\]/, 'on port 4500');
  t.match(charon.log(), /local host is behind NAT/, 'charon has found it by our NAT-D');
  t.match(await sasOf(router), [{ source: '10.9.0.9', state: 'QM_IDLE' }], 'we have the SA with the translator’s address');

  await charon.logs(/parsed INFORMATIONAL_V1 request \d+ \[ HASH N\(DPD\) \]/);
  t.pass('our R-U-THERE');
  t.equal((await sasOf(router)).length, 1, 'both alive');
  await charon.kill();
  await router.logs(/%CRYPTO-5-SESSION_STATUS: Crypto session is DOWN\. Peer 10\.9\.0\.9:\d+ does not answer R-U-THERE/);
  await until('the SA to go', async () => (await sasOf(router)).length === 0);
});
