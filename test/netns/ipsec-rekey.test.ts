// Rekeys under iperf3's UDP both ways, with strongSwan's charon and its own ESP in UDP (kernel-libipsec): iperf3 counts no lost datagram.
//
//   h1 198.51.100.10 --- gw 10.9.0.1 --------- 10.9.0.2 ss 192.0.2.1
//
//   ss :: swanctl --rekey, ten times           :: a new pair each time, 0 lost
//   gw :: lifetime seconds 20                  :: gw begins the replacement every 15 s, 0 lost
//
// REKEYS=20 says how many there are of each kind (ours take 15 s each).

import t from 'tap';
import { readUdpReport } from '../support/iperf.js';
import { type Netns, until } from '../support/netns.js';
import type { Strongswan } from '../support/strongswan.js';
import { answered, farAddress, type SiteOptions, startSite } from './ipsec-lab.js';

const wanted = process.env.REKEYS;
const theirRekeys = Number(wanted ?? 10);
const ourRekeys = Number(wanted ?? 1);
const RekeySeconds = 15;
const site: SiteOptions = { transforms: ['esp-gcm 256'], proposals: 'aes256gcm16-ecp256', entry: ['set pfs group19'] };

/** iperf3 in both directions until `ended`. @returns datagrams that were lost on each way, and all that were sent */
async function lostUnder(netns: Netns, seconds: number, during: () => Promise<void>): Promise<{ lost: number[]; packets: number }> {
  const sinks = [5201, 5202].map((port) => netns.spawn('ss', ['iperf3', '-s', '-1', '-B', farAddress, '-p', String(port)]));
  await until('iperf3 to listen', async () => (await netns.sh('ss', 'ss -Hltn "( sport = 5201 or sport = 5202 )"')).split('\n').length > 2);
  const sources = [
    ['-p', '5201'],
    ['-p', '5202', '-R'],
  ].map((words) => {
    const line = ['-c', farAddress, '-u', '-b', '2M', '-l', '1000', '-t', String(seconds), '-J', ...words];
    return netns.spawn('h1', ['iperf3', ...line]);
  });
  await during();
  await until('iperf3 to end', () => [...sources, ...sinks].every(({ running }) => !running), (seconds + 60) * 1000, 200);
  const snmp = await Promise.all((['ss', 'h1'] as const).map((node) => netns.sh(node, 'cat /proc/net/snmp')));
  const reports = sources.map(({ stdout }, i) => readUdpReport(stdout, snmp[i]));
  return { lost: reports.map(({ lost }) => lost), packets: reports.reduce((sum, { packets }) => sum + packets, 0) };
}

/** How many pairs charon has had. */
function pairsOf(charon: Strongswan): number {
  return charon.log().match(/CHILD_SA net\{\d+\} established/g)?.length ?? 0;
}

t.test(`charon rekeys, ${theirRekeys} times`, async (t) => {
  const { netns, router, charon } = await startSite(t, site);
  await charon.swanctl('--initiate', '--child', 'net', '--timeout', '10');
  await answered(netns, router, charon);
  const { lost, packets } = await lostUnder(netns, theirRekeys + 3, async () => {
    await until('traffic', async () => Number((await netns.sh('h1', 'cat /sys/class/net/eth0/statistics/rx_packets')).trim()) > 300);
    for (let n = 2; n <= theirRekeys + 1; n++) {
      await charon.swanctl('--rekey', '--child', 'net');
      await until('another pair', () => pairsOf(charon) === n);
      await netns.sh('ss', 'sleep 0.7');
    }
  });
  t.same(lost, [0, 0], `of ${packets} none lost`);
  t.ok(packets > 250 * theirRekeys, `${packets} datagrams`);
  t.equal(router.log().match(/SESSION_STATUS/g)?.length, 1, 'the session was up all the time');
});

t.test(`we rekey, ${ourRekeys} times`, async (t) => {
  const entry = ['set pfs group19', 'set security-association lifetime seconds 20'];
  const { netns, router, charon } = await startSite(t, { ...site, entry });
  await answered(netns, router, charon);
  const { lost, packets } = await lostUnder(netns, ourRekeys * RekeySeconds + 5, async () => {});
  t.ok(pairsOf(charon) > ourRekeys, `${pairsOf(charon)} pairs`);
  t.ok(
    (charon.log().match(/parsed QUICK_MODE request \d+ \[ HASH SA No KE ID ID \]/g)?.length ?? 0) > ourRekeys,
    'we have begun all of them',
  );
  t.same(lost, [0, 0], `of ${packets} none lost`);
  t.equal(router.log().match(/SESSION_STATUS/g)?.length, 1, 'the session was up all the time');
});
