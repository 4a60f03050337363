// Aggressive mode with strongSwan's charon, in both roles, the keys from a keyring.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2
//
//   ss :: aggressive = yes, id ss.example.net :: gw answers with the key of that name; the SA is up on both sides
//   gw :: profile with initiate mode aggressive :: charon answers

import t from 'tap';
import { until } from '../support/netns.js';
import { Strongswan } from '../support/strongswan.js';
import {
  connectionText,
  gatewayAddress,
  initiatorText,
  redirectGdoiPort,
  sasOf,
  startResponder,
  startRouter,
  strongswanAddress,
  twoNodes,
} from './ike-interop.js';

const policy = ['encr aes 256', 'hash sha256', 'authentication pre-share', 'group 14', 'lifetime 3600'];
const connections = (id: string): string =>
  connectionText(`aggressive = yes\n  local { auth = psk\n  id = ${id} }\n  remote { auth = psk\n  id = ${gatewayAddress} }`);
const secrets = `ike-gw {\n  id-1 = ${gatewayAddress}\n  secret = "a-shared-key"\n}`;
const settings = 'i_dont_care_about_security_and_use_aggressive_mode_psk = yes';
const keyring = (key: string): string => `crypto keyring R
 pre-shared-key ${key} key a-shared-key
crypto isakmp profile P
 keyring R
 match identity address ${strongswanAddress}
`;

t.test('strongSwan begins', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  const global = `no crypto isakmp aggressive-mode disable\n${keyring('hostname ss.example.net')}`;
  const router = await startResponder(t, netns, { policy, global });
  const charon = await Strongswan.start(netns, 'ss', { connections: connections('ss.example.net'), secrets, settings });
  t.teardown(() => charon.stop());
  await charon.swanctl('--initiate', '--ike', 'gw');
  t.match(await charon.sas(), /gw: #1, ESTABLISHED, IKEv1/, 'charon has it');
  t.match(charon.log(), /parsed AGGRESSIVE response 0 \[ SA KE No .*ID HASH/, 'by aggressive mode');
  await until('our SA', async () => (await sasOf(router)).some(({ source, state }) => source === strongswanAddress && state === 'QM_IDLE'));
});

t.test('we begin', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  await redirectGdoiPort(netns);
  const charon = await Strongswan.start(netns, 'ss', { connections: connections(strongswanAddress), secrets, settings });
  t.teardown(() => charon.stop());
  startRouter(t, netns, initiatorText({ policy, global: `${keyring(`address ${strongswanAddress}`)} initiate mode aggressive\n` }));
  await until('charon to have our SA', async () => /gw: #\d+, ESTABLISHED, IKEv1/.test(await charon.sas()));
  t.match(charon.log(), /parsed AGGRESSIVE request 0 \[ SA KE No ID/, 'by aggressive mode');
});
