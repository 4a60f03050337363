// Quick Mode with strongSwan's charon: suites, perfect forward secrecy, replacement by either side, deletes, refusals.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2       charon's data path is kernel-libipsec, so ESP is to go in UDP 4500
//
//   ss :: swanctl --initiate --child net   :: INSTALLED there, "Crypto session is UP" here
//   ss :: swanctl --rekey --child net      :: a second pair, the session stays up
//   ss :: swanctl --terminate --child net  :: "Crypto session is DOWN" here
//   gw :: lifetime seconds 20              :: gw begins the replacement in time, charon answers

import t from 'tap';
import { until } from '../support/netns.js';
import { Strongswan } from '../support/strongswan.js';
import { connectionText, gatewayAddress, sharedKeyLine, startRouter, strongswanAddress, twoNodes } from './ike-interop.js';

const secrets = `ike-gw {\n  id-1 = ${gatewayAddress}\n  id-2 = ${strongswanAddress}\n  secret = "a-shared-key"\n}`;

interface Case {
  name: string;
  /** Ours, in order. */
  transforms: string[];
  pfs: string;
  /** charon's. */
  proposals: string;
}
const cases: Case[] = [
  { name: 'AES-CBC and SHA-1, no PFS', transforms: ['esp-aes esp-sha-hmac'], pfs: '', proposals: 'aes128-sha1' },
  { name: 'AES-GCM, PFS with group 14', transforms: ['esp-gcm 256'], pfs: ' set pfs group14\n', proposals: 'aes256gcm16-modp2048' },
  {
    name: 'the second of two sets, PFS with P-256',
    transforms: ['esp-gcm 256', 'esp-aes 256 esp-sha256-hmac'],
    pfs: ' set pfs group19\n',
    proposals: 'aes256-sha256-ecp256',
  },
];

function routerText({ transforms, pfs }: Case): string {
  return `hostname GW
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
${sharedKeyLine}
${transforms.map((text, i) => `crypto ipsec transform-set T${i} ${text}\n`).join('')}crypto map M 10 ipsec-isakmp
 set peer ${strongswanAddress}
 set transform-set ${transforms.map((_, i) => `T${i}`).join(' ')}
${pfs} match address A
ip access-list extended A
 permit ip 198.51.100.0 0.0.0.255 192.0.2.0 0.0.0.255
interface eth0
 ip address ${gatewayAddress} 255.255.255.0
 crypto map M
`;
}

for (const item of cases)
  t.test(item.name, async (t) => {
    const netns = await twoNodes();
    t.teardown(() => netns.remove());
    // charon routes by the address that it has in its own network.
    await netns.sh('ss', 'ip addr add 192.0.2.1/24 dev lo; ip route add 198.51.100.0/24 via 10.9.0.1');
    const router = startRouter(t, netns, routerText(item));
    await router.ready();
    const connections = connectionText(`encap = yes\n  local { auth = psk }\n  remote { auth = psk\n  id = ${gatewayAddress} }`)
      .replace('none {', 'net {')
      .replace('esp_proposals = aes256-sha256', `esp_proposals = ${item.proposals}`);
    const charon = await Strongswan.start(netns, 'ss', { connections, secrets, libipsec: true });
    t.teardown(() => charon.stop());
    const begun = await charon.try('--initiate', '--child', 'net', '--timeout', '10');
    if (begun.status !== 0) throw new Error(`charon has no pair:\n${charon.log().slice(-4000)}\n${router.log().slice(-2000)}`);
    t.match(await charon.sas(), /net: #1, reqid 1, INSTALLED, TUNNEL-in-UDP/, 'charon has the pair');
    await router.logs(/%CRYPTO-5-SESSION_STATUS: Crypto session is UP\. {2}Peer 10\.9\.0\.2:4500/);
    await charon.swanctl('--rekey', '--child', 'net');
    await until('a second pair', async () => /net: #2, reqid 1, INSTALLED/.test(await charon.sas()));
    await charon.swanctl('--terminate', '--child', 'net');
    await router.logs(/%CRYPTO-5-SESSION_STATUS: Crypto session is DOWN\. {2}Peer 10\.9\.0\.2:4500/);
    t.equal(router.log().match(/SESSION_STATUS/g)?.length, 2, 'up once, down once');
  });

t.test('we begin: the replacement of a pair that is about to expire', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  await netns.sh('ss', 'ip addr add 192.0.2.1/24 dev lo; ip route add 198.51.100.0/24 via 10.9.0.1');
  const text = routerText(cases[2]).replace(' match address', ' set security-association lifetime seconds 20\n match address');
  const router = startRouter(t, netns, text);
  await router.ready();
  const connections = connectionText(`encap = yes\n  local { auth = psk }\n  remote { auth = psk\n  id = ${gatewayAddress} }`)
    .replace('none {', 'net {')
    .replace('esp_proposals = aes256-sha256', `esp_proposals = ${cases[2].proposals}`);
  const charon = await Strongswan.start(netns, 'ss', { connections, secrets, libipsec: true });
  t.teardown(() => charon.stop());
  await charon.swanctl('--initiate', '--child', 'net');
  await charon.logs(/parsed QUICK_MODE request \d+ \[ HASH SA No KE ID ID \]/);
  await charon.logs(/CHILD_SA net\{2\} established/);
  await until('the old pair to expire', async () => !/net: #1,/.test(await charon.sas()));
  t.match(await charon.sas(), /net: #2, reqid 1, INSTALLED, TUNNEL-in-UDP/);
  t.equal(router.log().match(/SESSION_STATUS/g)?.length, 1, 'the session was up all the time');
});

t.test('charon wants what we have not', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  const router = startRouter(t, netns, routerText(cases[0]));
  await router.ready();
  const connections = connectionText(`encap = yes\n  local { auth = psk }\n  remote { auth = psk\n  id = ${gatewayAddress} }`);
  const charon = await Strongswan.start(netns, 'ss', { connections, secrets, libipsec: true });
  t.teardown(() => charon.stop());
  const { status } = await charon.try('--initiate', '--child', 'none', '--timeout', '5');
  t.not(status, 0);
  await charon.logs(/received NO_PROPOSAL_CHOSEN error notify/);
  await router.logs(/IKMP_MODE_FAILURE: Processing of Quick mode failed with peer at 10\.9\.0\.2/);
});
