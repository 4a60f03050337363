// A dynamic crypto map, and two strongSwans behind one translator: no address of theirs is configured, and on the wire both have the same one.
//
//                                                   /--- 10.8.1.2 ss1, 10.20.1.1 on lo
//   h1 198.51.100.10 --- gw 10.9.0.1 --- 10.9.0.2 nat
//                                                   \--- 10.8.2.2 ss2, 10.20.2.1 on lo
//
//   ss1, ss2 :: swanctl --initiate      :: INSTALLED there; two entries "created from dynamic map D/10" here
//   h1       :: ping ss1, ping ss2      :: each answered by the right one
//   ss1      :: swanctl --rekey, then --terminate :: the other one notices nothing

import t from 'tap';
import { Netns, until } from '../support/netns.js';
import { pings, steadyPings, unanswered } from '../support/ping.js';
import { Strongswan } from '../support/strongswan.js';
import { gatewayAddress, startRouter } from './ike-interop.js';
import { hostAddress } from './ipsec-lab.js';

const routerText = `hostname GW
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 19
crypto isakmp key a-shared-key address 0.0.0.0
crypto ipsec transform-set T esp-gcm 256
crypto dynamic-map D 10
 set transform-set T
 set pfs group19
 match address A
crypto map M 100 ipsec-isakmp dynamic D
ip access-list extended A
 permit ip 198.51.100.0 0.0.0.255 10.20.0.0 0.0.255.255
interface lan
 ip address 198.51.100.1 255.255.255.0
interface eth0
 ip address ${gatewayAddress} 255.255.255.0
 crypto map M
ip route 10.20.0.0 255.255.0.0 10.9.0.2
`;

async function nodes(): Promise<Netns> {
  const netns = new Netns();
  await netns.add('h1', 'gw', 'nat', 'ss1', 'ss2');
  await netns.veth('gw', 'lan', null, 'h1', 'eth0', `${hostAddress}/24`);
  await netns.veth('gw', 'eth0', null, 'nat', 'out', '10.9.0.2/24');
  await netns.sh('gw', 'ip link set eth0 up; ip link set lan up');
  await netns.sh('h1', 'ip route add default via 198.51.100.1');
  for (const n of [1, 2]) {
    await netns.veth('nat', `in${n}`, `10.8.${n}.1/24`, `ss${n}`, 'eth0', `10.8.${n}.2/24`);
    await netns.sh(`ss${n}`, `ip addr add 10.20.${n}.1/24 dev lo; ip route add default via 10.8.${n}.1`);
  }
  const chain = 'add chain ip t post { type nat hook postrouting priority srcnat; }';
  await netns.sh('nat', `sysctl -qw net.ipv4.ip_forward=1; nft "add table ip t; ${chain}; add rule ip t post oif out masquerade"`);
  return netns;
}

async function startCharon(netns: Netns, n: number): Promise<Strongswan> {
  const connections = `gw {
  version = 1
  local_addrs = 10.8.${n}.2
  remote_addrs = ${gatewayAddress}
  proposals = aes256-sha256-ecp256
  local { auth = psk }
  remote { auth = psk
  id = ${gatewayAddress} }
  children {
    net {
      local_ts = 10.20.${n}.0/24
      remote_ts = 198.51.100.0/24
      esp_proposals = aes256gcm16-ecp256
    }
  }
}`;
  const secrets = `ike-gw {\n  id-1 = ${gatewayAddress}\n  id-2 = 10.8.${n}.2\n  secret = "a-shared-key"\n}`;
  const charon = await Strongswan.start(netns, `ss${n}`, { connections, secrets, libipsec: true });
  await until('the tunnel device', async () => /ipsec0/.test(await netns.sh(`ss${n}`, 'ip link show ipsec0 2>&1 || true')));
  await netns.sh(`ss${n}`, `ip route replace 198.51.100.0/24 dev ipsec0 src 10.20.${n}.1`);
  return charon;
}

t.test('two peers of unknown address behind one translator', async (t) => {
  const netns = await nodes();
  t.teardown(() => netns.remove());
  const router = startRouter(t, netns, routerText);
  await router.ready();
  const charons = [await startCharon(netns, 1), await startCharon(netns, 2)];
  t.teardown(() => Promise.all(charons.map((charon) => charon.stop())));
  t.match(await netns.sh('h1', 'ping -c 1 -W 1 10.20.1.1 || true'), / 100% packet loss/, 'before: dropped, and nobody is called');
  for (const charon of charons) {
    const begun = await charon.try('--initiate', '--child', 'net', '--timeout', '10');
    if (begun.status !== 0) throw new Error(`no pair:\n${charon.log().slice(-4000)}\n${router.log().slice(-2000)}`);
  }
  const ping = (...options: string[]): Promise<string[]> =>
    Promise.all([1, 2].map((n) => netns.sh('h1', `ping ${options.join(' ')} 10.20.${n}.1 || true`)));
  for (const n of [1, 2])
    await until(`an answer of ${n}`, async () => / 0% packet loss/.test(await netns.sh('h1', `ping -c 1 -W 1 10.20.${n}.1 || true`)));
  for (const text of await ping(...pings(20))) t.match(text, /20 packets transmitted, 20 received/);
  const maps = await router.groupwire('show', 'crypto', 'map');
  for (const n of [1, 2]) t.match(maps, new RegExp(`permit ip 198\\.51\\.100\\.0 0\\.0\\.0\\.255 10\\.20\\.${n}\\.0 0\\.0\\.0\\.255`));
  t.equal(maps.match(/dynamic \(created from dynamic map D\/10\)/g)?.length, 2);
  const sessions = await router.groupwire('show', 'crypto', 'ipsec', 'sa');
  const ports = new Set([...sessions.matchAll(/current_peer 10\.9\.0\.2 port (\d+)/g)].map(([, port]) => port));
  t.equal(ports.size - (ports.has('500') ? 1 : 0), 2, `one address, two ports: ${[...ports]}`);

  const [during] = await Promise.all([ping(...steadyPings(30, 0.1)), charons[0].swanctl('--rekey', '--child', 'net')]);
  for (const text of during) t.strictSame(unanswered(text, 30), [], 'over a replacement of one');
  await until('a second pair', async () => /net: #2.*INSTALLED/.test(await charons[0].sas()));
  await charons[0].swanctl('--terminate', '--ike', 'gw');
  await router.logs(/Crypto session is DOWN/);
  const [gone, there] = await ping(...pings(10, 2));
  t.match([gone, there], [/ 100% packet loss/, /10 packets transmitted, 10 received/], 'one has left, the other stays');
  t.match(await charons[1].sas(), /net: #1.*INSTALLED/);
});
