// Site to site with strongSwan's charon and RSA certificates, in both roles, with traffic.
//
//   h1 198.51.100.10 --- gw 10.9.0.1 --------- 10.9.0.2 ss 192.0.2.1       root CA -> sub CA -> ss;  root CA -> gw
//
//   ss :: swanctl --initiate             :: ping answered, TCP both ways
//   ss :: swanctl --terminate; h1 :: ping :: we begin: answered, TCP both ways

import t from 'tap';
import { certificateEnds, enrolled, files, global } from './ike-certificates.js';
import { startRouter } from './ike-interop.js';
import { answered, type SiteOptions, siteNodes, siteText, startCharon, transfer } from './ipsec-lab.js';

const site: SiteOptions = {
  transforms: ['esp-gcm 256'],
  proposals: 'aes256gcm16-modp2048',
  entry: ['set pfs group14'],
  authentication: 'rsa-sig',
  global: global('dn'),
};

t.test('RSA certificates', async (t) => {
  const netns = await siteNodes();
  t.teardown(() => netns.remove());
  const router = startRouter(t, netns, siteText(site));
  await enrolled(router);
  await router.ready();
  const charon = await startCharon(netns, {
    proposals: site.proposals,
    ends: certificateEnds('CN=ss, O=Lab', 'CN=gw, O=Lab'),
    secrets: '',
    files: files(),
  });
  t.teardown(() => charon.stop());
  await charon.swanctl('--initiate', '--child', 'net', '--timeout', '10');
  t.match(charon.log(), /authentication of 'CN=gw, O=Lab' with RSA.* successful/, 'it verified our signature');
  await answered(netns, router, charon, 'ss');
  for (const back of [false, true]) t.ok(await transfer(netns, 1_000_000, back), `TCP, back: ${back}`);
  await charon.swanctl('--terminate', '--ike', 'gw');
  await router.logs(/Crypto session is DOWN/);
  await answered(netns, router, charon);
  await charon.logs(/parsed QUICK_MODE request \d+ \[ HASH SA No KE ID ID \]/);
  for (const back of [false, true]) t.ok(await transfer(netns, 1_000_000, back), `we have begun: TCP, back: ${back}`);
});
