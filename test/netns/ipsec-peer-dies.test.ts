// strongSwan's charon is killed, and comes again: what we have with it ends, traffic makes a new pair, from either side.
//
//   h1 198.51.100.10 --- gw 10.9.0.1 --------- 10.9.0.2 ss 192.0.2.1
//
//   ss :: kill -9 charon, gw :: keepalive 10 2 periodic   :: DOWN, no SA left
//   ss :: charon again, h1 :: ping                        :: we begin, answered
//   ss :: kill -9 charon, charon again at once, initiates :: INITIAL-CONTACT ends the old pair, answered

import t from 'tap';
import { until } from '../support/netns.js';
import type { SingleRouter } from '../support/single-router.js';
import { sasOf } from './ike-interop.js';
import { answered, type SiteOptions, startCharon, startSite } from './ipsec-lab.js';

const site: SiteOptions = {
  transforms: ['esp-aes 256 esp-sha256-hmac'],
  proposals: 'aes256-sha256',
  global: 'crypto isakmp keepalive 10 2 periodic\n',
};

/** Outbound SPIs, of all pairs. */
async function spisOf(router: SingleRouter): Promise<number[]> {
  const { ipsec } = (await router.show('crypto ipsec sa')) as { ipsec: { flows: { outbound: { spi: number }[] }[] }[] };
  return ipsec.flatMap(({ flows }) => flows.flatMap(({ outbound }) => outbound.map(({ spi }) => spi)));
}

t.test('killed; killed and started again', async (t) => {
  const { netns, router, charon } = await startSite(t, site);
  await charon.swanctl('--initiate', '--child', 'net', '--timeout', '10');
  await answered(netns, router, charon);
  t.equal((await spisOf(router)).length, 1);
  await charon.kill();
  await router.logs(/%CRYPTO-5-SESSION_STATUS: Crypto session is DOWN\. Peer 10\.9\.0\.2:\d+ does not answer R-U-THERE/);
  await until('the SAs to go', async () => (await sasOf(router)).length === 0 && (await spisOf(router)).length === 0);

  const second = await startCharon(netns, site);
  t.teardown(() => second.stop());
  await answered(netns, router, second);
  const before = await spisOf(router);
  t.equal(before.length, 1, 'our traffic made a pair');
  await second.kill();

  const third = await startCharon(netns, site);
  t.teardown(() => third.stop());
  await third.swanctl('--initiate', '--child', 'net', '--timeout', '10');
  await answered(netns, router, third, 'ss');
  const after = await spisOf(router);
  t.equal(after.length, 1, 'what the peer had before is gone');
  t.notOk(before.some((spi) => after.includes(spi)));
});
