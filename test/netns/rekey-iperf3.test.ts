// Issue 4, acceptance 4: a rekey every 15 s under iperf3's UDP, and iperf3 counts no lost datagram. A TEK of 25 s is renewed every 15 s
// (control/gdoi/rekey-timing.ts). Two rekeys here; `make rekey-soak` does twenty, which is five minutes.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2, h3 -> h1 :: iperf3 -u :: 0 lost
//                 | \---- r3 -- h3
//                 r4 :: a new TEK every 15 s, pushed to r1 r2 r3

import t from 'tap';
import { readUdpReport } from '../support/iperf.js';
import { type Host, Lab, substitute } from '../support/lab.js';
import { backlogDrops, tellLossesSince } from '../support/losses.js';
import { until } from '../support/netns.js';

const TekSeconds = 25;
const RekeySeconds = 15;
const rekeys = Number(process.env.REKEYS ?? 2);
/** One more interval than rekeys: the last one is under traffic too. */
const seconds = (rekeys + 1) * RekeySeconds;

t.test(`${rekeys} rekeys, one every ${RekeySeconds} s, under iperf3 UDP`, async (t) => {
  const lab = await Lab.up({
    edit: (router, text) => {
      const lifetime = ` set transform-set TRANSFORM-SET\n set security-association lifetime seconds ${TekSeconds}\n`;
      return router === 'r4' ? substitute(text, / set transform-set TRANSFORM-SET\n/, lifetime) : text;
    },
  });
  t.teardown(() => lab.down());
  const iperf = (from: Host, to: Host) => {
    const sink = lab.spawn(to, ['nice', '-n', '-15', 'iperf3', '-s', '-1']);
    const begin = async () => {
      await until('iperf3 to listen', async () => (await lab.sh(to, 'ss -Hltn sport = 5201')) !== '');
      const words = ['-c', `10.0.${to.slice(1)}.10`, '-u', '-b', '8M', '-l', '1200', '-t', String(seconds), '-J'];
      return lab.spawn(from, ['iperf3', ...words]);
    };
    return { to, sink, begin };
  };
  const flows = [iperf('h1', 'h2'), iperf('h3', 'h1')];
  const backlog = backlogDrops();
  const sources = await Promise.all(flows.map(({ begin }) => begin()));

  interface Server {
    rekeysSent: number;
    members: { rekeyAcksMissed: number }[];
  }
  const server = async () => ((await lab.show('r4', 'crypto gdoi ks')) as { gdoiServers: Server[] }).gdoiServers[0];
  const before = (await server()).rekeysSent;
  await until('iperf3 to end', () => sources.every(({ running }) => !running), (seconds + 60) * 1000, 1000);

  for (const [index, { to }] of flows.entries()) {
    const { packets, lost, refused } = readUdpReport(sources[index].stdout, await lab.sh(to, 'cat /proc/net/snmp'));
    t.ok(packets > seconds * 500, `enough was sent to mean something: ${packets}`);
    const where = lost > 0 ? await tellLossesSince(lab, backlog) : '';
    t.equal(lost, 0, `datagrams of ${packets} to ${to} lost, beside ${refused} that iperf3 did not fetch in time${where}`);
    t.comment(`to ${to}: ${packets} datagrams, ${lost} lost, ${refused} refused by iperf3's own socket`);
  }
  const { rekeysSent, members } = await server();
  t.ok(rekeysSent - before >= rekeys, `${rekeysSent - before} rekeys under traffic, expected ${rekeys}`);
  t.same(
    members.map(({ rekeyAcksMissed }) => rekeyAcksMissed),
    [0, 0, 0],
    'every member acknowledged every rekey',
  );
  for (const router of ['r1', 'r2', 'r3'] as const) {
    const [member] = ((await lab.show(router, 'crypto gdoi gm')) as { gdoiMembers: { succeededRegistrations: number }[] }).gdoiMembers;
    t.equal(member.succeededRegistrations, 1, `${router} was renewed by pushes, not by registering again`);
  }
});
