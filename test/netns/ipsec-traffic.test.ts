// Traffic through a tunnel with strongSwan, which does its own ESP in UDP 4500 (kernel-libipsec): every suite in both roles.
//
//   h1 198.51.100.10 --- gw 10.9.0.1 --------- 10.9.0.2 ss 192.0.2.1
//
//   ss :: swanctl --initiate       :: ping from ss answered, TCP both ways
//   ss :: swanctl --terminate
//   h1 :: ping ss                  :: we begin: answered, TCP both ways
//   ss :: tcpdump eth0             :: UDP 4500 with ESP, and nothing of 198.51.100.0 and 192.0.2.0

import t from 'tap';
import { until } from '../support/netns.js';
import { pings } from '../support/ping.js';
import { answered, farAddress, hostAddress, type SiteOptions, startSite, transfer } from './ipsec-lab.js';

const cases: Record<string, SiteOptions> = {
  'AES-GCM 256, no PFS': { transforms: ['esp-gcm 256'], proposals: 'aes256gcm16' },
  'AES-GCM 128, PFS with P-256': { transforms: ['esp-gcm'], proposals: 'aes128gcm16-ecp256', entry: ['set pfs group19'] },
  'AES-CBC 256 and SHA-256, PFS with group 14': {
    transforms: ['esp-aes 256 esp-sha256-hmac'],
    proposals: 'aes256-sha256-modp2048',
    entry: ['set pfs group14'],
  },
  'AES-CBC 128 and SHA-1, no PFS': { transforms: ['esp-aes esp-sha-hmac'], proposals: 'aes128-sha1' },
  '3DES and SHA-1, PFS with group 14': {
    transforms: ['esp-3des esp-sha-hmac'],
    proposals: '3des-sha1-modp2048',
    entry: ['set pfs group14'],
  },
};
const TransferBytes = 2_000_000;

/** Of UDP payload, by what tcpdump has printed so far. */
function espBytes(printed: string, ends: string): number {
  const lengths = printed.matchAll(new RegExp(`${ends.replaceAll('.', '[.]')}: UDP-encap: ESP\\(spi=.* length (\\d+)$`, 'gm'));
  return [...lengths].reduce((sum, [, length]) => sum + Number(length), 0);
}

for (const [name, options] of Object.entries(cases))
  t.test(name, async (t) => {
    const { netns, router, charon } = await startSite(t, options);
    // All of it counts below: 16 MiB for what comes while tcpdump does not run.
    const capture = netns.spawn('ss', ['tcpdump', '-n', '-B', '16384', '-i', 'eth0', '-l', 'ip']);
    await until('a capture', async () => /listening/.test(capture.stderr));

    await charon.swanctl('--initiate', '--child', 'net', '--timeout', '10');
    t.match(await charon.sas(), /net: #1, reqid 1, INSTALLED, TUNNEL-in-UDP/);
    await answered(netns, router, charon, 'ss');
    t.match(
      await netns.sh('ss', `ping ${pings(20).join(' ')} -q -I ${farAddress} ${hostAddress}`),
      /20 packets transmitted, 20 received/,
      'charon has begun',
    );
    for (const back of [false, true]) t.ok(await transfer(netns, TransferBytes, back), `TCP, back: ${back}`);
    await charon.swanctl('--terminate', '--ike', 'gw');
    await router.logs(/Crypto session is DOWN/);

    await answered(netns, router, charon);
    await charon.logs(/parsed QUICK_MODE request \d+ \[ HASH SA No (KE )?ID ID \]/);
    t.match(await netns.sh('h1', `ping ${pings(20).join(' ')} -q ${farAddress}`), /20 packets transmitted, 20 received/, 'we have begun');
    for (const back of [false, true]) t.ok(await transfer(netns, TransferBytes, back), `TCP, back: ${back}`);

    // By bytes: ours leave in superpackets, of which this netdev sees one for many datagrams. tcpdump prints later than they come, and nothing more once it is stopped.
    for (const ends of ['10.9.0.1.4500 > 10.9.0.2.4500', '10.9.0.2.4500 > 10.9.0.1.4500'])
      await until(
        `more than ${2 * TransferBytes} bytes of ESP, ${ends}`,
        async () => espBytes(capture.stdout, ends) > 2 * TransferBytes,
        10_000,
      );
    await capture.stop();
    const lines = capture.stdout.split('\n');
    t.notOk(
      lines.some((line) => line.includes('198.51.100.') || line.includes('192.0.2.')),
      'nothing in the clear',
    );
    const shown = await router.groupwire('show', 'crypto', 'ipsec', 'sa');
    t.match(shown, /in use settings =\{Tunnel UDP-Encaps, \}/);
  });
