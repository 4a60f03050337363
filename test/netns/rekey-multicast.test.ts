// Multicast rekeys: `rekey address ipv4`. Members join the group by IGMP on the interface they registered from; the WAN routes multicast.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2 :: numbered datagrams, none lost
//                 | \---- r3 -- h3        core :: sees IGMP reports of r1 r2 r3, and routes r4's multicast to them (smcroute, kernel)
//                 r4 :: one datagram to 239.192.8.48 per rekey and repetition, no acknowledgements

import { readFileSync } from 'node:fs';
import t from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { Flow } from '../support/traffic.js';

const group = '239.192.8.48';
const TekSeconds = 20;

t.test('rekeys by multicast under traffic', async (t) => {
  const lab = await Lab.up({
    waitSeconds: 0,
    edit: (router, text) => {
      if (router !== 'r4') return text;
      const list = `ip access-list extended REKEY-ADDRESS\n permit udp host 172.16.4.2 eq 848 host ${group} eq 848\n!\ninterface Fast`;
      const lifetime = ` set transform-set TRANSFORM-SET\n set security-association lifetime seconds ${TekSeconds}\n`;
      const multicast = substitute(text, / {2}rekey transport unicast/, '  rekey address ipv4 REKEY-ADDRESS');
      return substitute(substitute(multicast, / set transform-set TRANSFORM-SET\n/, lifetime), /interface Fast/, list);
    },
  });
  t.teardown(() => lab.down());
  const capture = `${lab.directory}/core.pcap`;
  const dump = lab.spawn('core', [
    'tcpdump',
    '--immediate-mode',
    '-ni',
    'any',
    '-U',
    '-w',
    capture,
    'igmp',
    'or',
    `(udp port 848 and dst host ${group})`,
  ]);
  await dump.says(/listening on/);
  const route = `mroute from r4 source 172.16.4.2 group ${group} to r1 r2 r3`;
  await lab.sh(
    'core',
    `printf 'phyint %s enable\\n' r1 r2 r3 r4 >${lab.directory}/smcroute.conf; echo '${route}' >>${lab.directory}/smcroute.conf`,
  );
  lab.spawn('core', [
    'smcrouted',
    '-n',
    '-N',
    '-f',
    `${lab.directory}/smcroute.conf`,
    '-P',
    `${lab.directory}/smcroute.pid`,
    '-u',
    `${lab.directory}/smcroute.sock`,
  ]);
  await until('the multicast route', async () => (await lab.sh('core', 'ip mroute show')).includes(group));
  for (const router of ['r1', 'r2', 'r3', 'r4'] as const) await lab.ready(router);

  interface Member {
    transport: string;
    rekeysReceived: number;
    rekeyAcksSent: number;
    succeededRegistrations: number;
  }
  const memberOf = async (router: 'r1' | 'r2' | 'r3') =>
    ((await lab.show(router, 'crypto gdoi gm')) as { gdoiMembers: Member[] }).gdoiMembers[0];
  const members = () => Promise.all((['r1', 'r2', 'r3'] as const).map(memberOf));
  for (const router of ['r1', 'r2', 'r3'] as const)
    t.match(await lab.sh(router, 'ip maddr show dev eth0'), group, `the kernel of ${router} has joined`);

  const flow = await Flow.start(lab, 'h1', 'h2', 300, 6001);
  const first = await members();
  await until('a rekey at every member', async () =>
    (await members()).every(({ rekeysReceived }, n) => rekeysReceived > first[n].rekeysReceived),
  );
  // A second one by hand, so that the one that was first sent with is replaced by another under traffic.
  await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
  await until('the next', async () => (await members()).every(({ rekeysReceived }, n) => rekeysReceived > first[n].rekeysReceived + 1));
  const report = await flow.stop();
  t.same(report.lost, [], `datagrams lost of ${report.sent}`);
  for (const member of await members())
    t.match(member, { transport: 'multicast', rekeyAcksSent: 0, succeededRegistrations: 1 }, 'by pushes alone');
  await dump.stop('SIGINT');

  const [server] = ((await lab.show('r4', 'crypto gdoi ks')) as { gdoiServers: { rekeysSent: number; members: unknown[] }[] }).gdoiServers;
  t.equal(server.members.length, 3);
  t.match(
    lab.log('r4'),
    new RegExp(`%GDOI-5-KS_SEND_MCAST_REKEY: Sending Multicast Rekey for group GDOI-GROUP from address 172.16.4.2 to ${group}`),
  );
  const seen = await lab.sh('core', `tcpdump -nr ${capture} 2>/dev/null`);
  for (const router of ['172.16.1.2', '172.16.2.2', '172.16.3.2'])
    t.match(seen, new RegExp(`${router.replaceAll('.', '\\.')} > 224\\.0\\.0\\.22: igmp v3 report`), `${router} reported its membership`);
  const copies = seen.split('\n').filter((line) => line.includes(`> ${group}.848`));
  const arriving = copies.filter((line) => / r4 /.test(line)).length;
  const leaving = copies.filter((line) => / r[123] +Out /.test(line)).length;
  t.ok(arriving >= 2, `${arriving} multicast datagrams of r4`);
  t.equal(leaving, arriving * 3, 'each to three members');
  t.notMatch(readFileSync(capture, 'latin1'), 'GDOI-GROUP');
});
