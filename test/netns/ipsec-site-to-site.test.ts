// Two routers of ours, a crypto map of peers between them, a host behind each: traffic makes the SAs, ESP between the gateways is all that is seen.
//
//   h1 10.1.0.2 --- 10.1.0.1 g1 10.9.0.1 --------- 10.9.0.2 g2 10.2.0.1 --- 10.2.0.2 h2
//
//   h1 :: ping h2             :: answered, once the SAs are there
//   g2 :: tcpdump eth0        :: ESP between 10.9.0.1 and 10.9.0.2, IKE, and nothing of 10.1 and 10.2
//   g1 :: lifetime seconds 20 :: replaced under ping, none lost
//   ip route                  :: reverse-route static: there at once. reverse-route: with the SAs, and gone with them

import t from 'tap';
import { Netns, until } from '../support/netns.js';
import { steadyPings, unanswered } from '../support/ping.js';
import { SingleRouter } from '../support/single-router.js';

function routerText(n: 1 | 2): string {
  const other = 3 - n;
  return `hostname G${n}
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key a-shared-key address 10.9.0.${other}
crypto ipsec transform-set T esp-gcm 256
crypto map M 10 ipsec-isakmp
 set peer 10.9.0.${other}
 set security-association lifetime seconds 20
 set transform-set T
 set pfs group19
 match address A
 reverse-route${n === 1 ? ' static' : ''}
ip access-list extended A
 permit ip 10.${n}.0.0 0.0.0.255 10.${other}.0.0 0.0.0.255
interface lan
 ip address 10.${n}.0.1 255.255.255.0
interface eth0
 port-driver tun
 ip address 10.9.0.${n} 255.255.255.0
 crypto map M
`;
}

t.test('site to site', async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('h1', 'g1', 'g2', 'h2');
  await netns.veth('g1', 'eth0', null, 'g2', 'eth0', null);
  for (const n of [1, 2]) {
    await netns.veth(`g${n}`, 'lan', null, `h${n}`, 'eth0', `10.${n}.0.2/24`);
    await netns.sh(`g${n}`, 'ip link set eth0 up; ip link set lan up');
    await netns.sh(`h${n}`, `ip route add default via 10.${n}.0.1`);
  }
  const routers = ([1, 2] as const).map((n) => SingleRouter.start(netns, `g${n}`, routerText(n)));
  t.teardown(() => Promise.all(routers.map((router) => router.stop())));
  for (const router of routers) await router.ready();
  const route = async (n: 1 | 2) => (await netns.sh(`g${n}`, `ip route show 10.${3 - n}.0.0/24`)).trim();
  t.match(await route(1), /^10\.2\.0\.0\/24 via 10\.9\.0\.2 dev eth0 proto 84 metric 1/, 'static: by the access list');
  t.equal(await route(2), '', 'not before there are SAs');
  const capture = netns.spawn('g2', ['tcpdump', '-n', '-i', 'eth0', '-l', 'ip']);
  await until('a capture', async () => /listening/.test(capture.stderr));
  try {
    await until('an answer', async () => {
      return / 0% packet loss/.test(await netns.sh('h1', 'ping -c 1 -W 1 10.2.0.2 || true'));
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${routers.map((router) => router.log().slice(-2500)).join('\n----\n')}`);
  }
  t.strictSame(unanswered(await netns.sh('h1', `ping ${steadyPings(200, 0.1).join(' ')} 10.2.0.2`), 200), [], 'over a replacement');
  t.match(await route(2), /^10\.1\.0\.0\/24 via 10\.9\.0\.1 dev eth0/, 'to what the peer protects');
  t.match(await routers[1].groupwire('show', 'ip', 'route'), /S +10\.1\.0\.0\/24 \[1\/0\] via 10\.9\.0\.1/);
  await capture.stop();
  const seen = capture.stdout.split('\n');
  t.notOk(
    seen.some((line) => /10\.[12]\.0\./.test(line)),
    'no address of the branches on the wire',
  );
  for (const ends of ['10.9.0.1 > 10.9.0.2', '10.9.0.2 > 10.9.0.1'])
    t.ok(seen.filter((line) => line.includes(`${ends}: ESP(spi=`)).length >= 200, `${ends}: ESP`);
  for (const router of routers) t.equal(router.log().match(/SESSION_STATUS/g)?.length, 1, 'the session was up all the time');

  await routers[1].groupwire('exec', 'clear crypto sa');
  await until('the route is gone with its SAs', async () => (await route(2)) === '');
  t.not(await route(1), '', 'static: it stays');
});
