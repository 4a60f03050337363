// Phase 1 with strongSwan's charon and a pre-shared key, in both roles, with re-authentication.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2
//
//   ss :: swanctl --initiate --ike gw   :: established with gw as responder; gw has the SA too
//   ss :: dpd_delay = 2 s               :: its R-U-THERE are answered
//   ss :: swanctl --rekey --ike gw      :: a second main mode
//   ss :: another key                   :: refused on both sides, the SA that is there stays
//   gw :: registers at ss               :: gw begins main mode on 848, ss answers; when ss has lost its SA, gw begins again

import t from 'tap';
import { until } from '../support/netns.js';
import { Strongswan } from '../support/strongswan.js';
import {
  connectionText,
  gatewayAddress,
  initiatorText,
  redirectGdoiPort,
  sasOf,
  sharedKeyLine,
  startResponder,
  startRouter,
  strongswanAddress,
  twoNodes,
} from './ike-interop.js';

const policy = ['encr aes 256', 'hash sha256', 'authentication pre-share', 'group 14', 'lifetime 3600'];
const secretsOf = (key: string): string => `ike-gw {\n  id-1 = ${gatewayAddress}\n  id-2 = ${strongswanAddress}\n  secret = "${key}"\n}`;
const connections = connectionText(`local { auth = psk }\n  remote { auth = psk\n  id = ${gatewayAddress} }`);

t.test('strongSwan begins', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  const router = await startResponder(t, netns, { policy, global: sharedKeyLine });
  const charon = await Strongswan.start(netns, 'ss', {
    connections: connections.replace('dpd_delay = 0', 'dpd_delay = 2s'),
    secrets: secretsOf('a-shared-key'),
  });
  t.teardown(() => charon.stop());
  await charon.swanctl('--initiate', '--ike', 'gw');
  t.match(await charon.sas(), /gw: #1, ESTABLISHED, IKEv1/, 'charon has it');
  t.match(await sasOf(router), [{ source: strongswanAddress, destination: gatewayAddress, state: 'QM_IDLE' }], 'so do we, as responder');

  await charon.logs(/parsed INFORMATIONAL_V1 request \d+ \[ HASH N\(DPD_ACK\) \]/);
  t.pass('its R-U-THERE is answered');
  await charon.swanctl('--rekey', '--ike', 'gw', '--reauth');
  await until('the second SA', async () => /^gw: #2, ESTABLISHED/m.test(await charon.sas()));
  t.equal((await sasOf(router)).length, 2, 'authenticated again');
  await charon.swanctl('--terminate', '--ike', 'gw');
  await until('no SA here', async () => (await sasOf(router)).length === 0);
  t.pass('charon’s Deletes are understood');
});

t.test('strongSwan has another key', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  const router = await startResponder(t, netns, { policy, global: sharedKeyLine });
  const charon = await Strongswan.start(netns, 'ss', { connections, secrets: secretsOf('another-key') });
  t.teardown(() => charon.stop());
  const { status } = await charon.try('--initiate', '--ike', 'gw', '--timeout', '5');
  t.not(status, 0, 'charon has no SA');
  await router.logs(/%CRYPTO-5-IKMP_INVAL_KEY: .*10\.9\.0\.2.*pre-shared key mismatch/);
  t.notMatch(router.log(), /a-shared-key/, 'no key in the log');
});

t.test('we begin', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  await redirectGdoiPort(netns);
  const charon = await Strongswan.start(netns, 'ss', { connections, secrets: secretsOf('a-shared-key') });
  t.teardown(() => charon.stop());
  startRouter(t, netns, initiatorText({ policy, global: sharedKeyLine }));
  await until('charon to have our SA', async () => /gw: #\d+, ESTABLISHED, IKEv1/.test(await charon.sas()));
  const first = /gw: #(\d+), ESTABLISHED/.exec(await charon.sas())?.[1];
  // The redirection is a translator to both: from message 5 on we speak on 4500.
  t.match(await charon.sas(), /remote '10\.9\.0\.1' @ 10\.9\.0\.1\[4500\]/, 'as responder, moved to UDP 4500');
  await until('another SA', async () => {
    const id = /gw: #(\d+), ESTABLISHED/.exec(await charon.sas())?.[1];
    return id !== undefined && id !== first;
  });
  t.pass('authenticated again, as the registration is tried again');
});
