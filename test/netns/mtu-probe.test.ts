// Path MTU discovery without ICMP (RFC 8899) between members: TCP gets through a core that tells nobody anything, and nothing else is tuned. The lab: mtu-lab.ts.
//
//   core drops ICMP 3/4 and has 1400 bytes to h2; r1, r2 :: crypto ipsec path-mtu-discovery probe
//   h1 -> h2 :: 10 MB of TCP arrive; h1's kernel has been told the size that fits
//   r1       :: show crypto ipsec path-mtu, /metrics :: 1400, found by probes, of which r2 has answered those that fit
//   core gets smaller, 1280, while h1 pings :: r1 logs the black hole and finds 1280; 10 MB of TCP arrive

import t from 'tap';
import { substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { blockTooBig, buildNarrowLab, narrow, tcpTransfer, ways } from './mtu-lab.js';

const TenMegabytes = 10_000_000;
const line = 'crypto ipsec path-mtu-discovery probe';

interface PathMtus {
  pathMtus: { destination: string; mtu: number; router: string | null }[];
  pathSearches: {
    destination: string;
    interface: string;
    state: string;
    mtu: number | null;
    answered: number;
    lost: number;
    blackHoles: number;
  }[];
}

t.test('probes in place of ICMP', async (t) => {
  const lab = await buildNarrowLab((router, text) =>
    router === 'r4' ? text : substitute(text, /( crypto map GETVPN-MAP\n)(?=!)/, `$1 ${line}\n`),
  );
  t.teardown(() => lab.down());
  const [, [, nodes, address]] = ways;
  const known = async () => (await lab.show('r1', 'crypto ipsec path-mtu')) as PathMtus;
  await lab.sh('core', blockTooBig);
  await narrow(lab, 'behind', 1400);
  t.equal(await tcpTransfer(lab, nodes, address, TenMegabytes, 30), true, '1400: 10 MB of TCP');
  const { pathMtus, pathSearches } = await known();
  t.match(pathMtus, [{ destination: address, mtu: 1400, router: null }]);
  t.match(pathSearches, [{ destination: address, interface: 'FastEthernet0/0', state: 'search-complete', mtu: 1400, blackHoles: 0 }]);
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'ipsec', 'path-mtu'), /\n10\.0\.2\.10 +1400 {2}SEARCH-COMPLETE /);
  t.match(await lab.sh('h1', `ip route get ${address}`), / mtu 1346 /, 'what AES-GCM leaves of 1400');
  const metrics = await lab.sh('r1', 'curl -s http://127.0.0.1:9848/metrics');
  t.match(metrics, /^groupwire_path_mtu_bytes\{.*destination="10\.0\.2\.10".*\} 1400$/m);
  t.match(metrics, /^groupwire_path_search_complete\{.*destination="10\.0\.2\.10".*\} 1$/m);
  t.match(metrics, /^groupwire_mtu_probes_answered_total(?:\{.*\})? [1-9]/m);
  t.match(
    await lab.sh('r2', 'curl -s http://127.0.0.1:9848/metrics'),
    /^groupwire_drops_total\{.*reason="mtu_probe".*\} [1-9]/m,
    'r2 answered',
  );

  await narrow(lab, 'behind', 1280);
  const echoes = lab.spawn('h1', ['ping', '-i', '0.2', '-s', '1000', address]);
  await lab.logs('r1', /CRYPTO-4-MTU_BLACK_HOLE: path MTU 1400 to 10\.0\.2\.10 is lost/);
  await until('1280 to be found', async () => (await known()).pathSearches[0]?.mtu === 1280);
  await echoes.stop();
  await lab.sh('h1', 'ip route flush cache');
  t.equal(await tcpTransfer(lab, nodes, address, TenMegabytes), true, '1280: 10 MB of TCP');
});
