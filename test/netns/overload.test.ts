// Issue 3, acceptance 4: 60 seconds of more than the routers can take, and then everything adds up.
//
//   h1 -- r1 --- core --- r2 -- h2       h1 floods h2 with 64-byte datagrams, h2 floods h1 at the same time
//                  r4 :: KEYS            new TEKs under overload reach r1 and r2; nobody registers again
//   r1 r2 :: /metrics                    received + made = sent + dropped + punted + (handed over - taken over), to the last packet
//   r1 r2 :: /metrics                    every drop has a reason; the reasons add up to the drops
//   r1 r2 :: memory                      does not grow over the second half
//   h1 :: ping h2                        works at once when it is over
//
// Slow by its nature (a good minute and a half).

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { until } from '../support/netns.js';
import { pings } from '../support/ping.js';

const floodSeconds = 60;
const tekSeconds = 35;
const rounds = [15, 30, 45, 58];

t.test('60 s of overload', async (t) => {
  const lab = await Lab.up({
    edit: (router, text) =>
      router === 'r4'
        ? substitute(
            text,
            / set transform-set TRANSFORM-SET\n/,
            ` set transform-set TRANSFORM-SET\n set security-association lifetime seconds ${tekSeconds}\n`,
          )
        : text,
  });
  t.teardown(() => lab.down());
  const members = ['r1', 'r2'] as const;
  const before = await teksOf(lab);
  for (const [from, to, address] of [
    ['h1', 'h2', '10.0.2.10'],
    ['h2', 'h1', '10.0.1.10'],
  ] as const) {
    lab.spawn(to, ['iperf3', '-s', '-1', '-p', '5301']);
    await until(`iperf3 on ${to}`, async () => /:5301/.test(await lab.sh(to, 'ss -ltnH')));
    lab.spawn(from, ['iperf3', '-u', '-b', '0', '-l', '64', '-t', String(floodSeconds), '-c', address, '-p', '5301']);
  }
  const memory: number[][] = [];
  const started = Date.now();
  for (const round of rounds) {
    await sleep(Math.max(0, started + round * 1000 - Date.now()));
    memory.push(members.map((router) => rssOf(lab, router)));
  }
  await sleep(Math.max(0, started + (floodSeconds + 2) * 1000 - Date.now()));

  for (const [i, router] of members.entries()) {
    const settled = await settledCounters(lab, router);
    const path = (name: string) => settled.get(`groupwire_path_${name}_total`) ?? 0;
    t.ok(path('received_packets') > 500_000, `${router}: enough was received to mean something: ${path('received_packets')}`);
    t.equal(
      path('received_packets') + path('made_packets'),
      path('sent_packets') + path('dropped_packets') + path('punted_packets') + path('handed_over_packets') - path('taken_over_packets'),
      `${router}: what came in and what went out`,
    );
    t.equal(settled.get('groupwire_drops_total') ?? 0, path('dropped_packets'), `${router}: drops by reason, and drops`);
    const [, second, , last] = memory.map((row) => row[i]);
    t.ok(last < second * 1.15 + 8e6, `${router}: memory after ${rounds[1]} s and after ${rounds[3]} s: ${second}, ${last} bytes`);
    const member = await memberOf(lab, router);
    t.equal(member.succeededRegistrations, 1, `${router}: renewed by pushes, not by registering again`);
    t.notSame(
      member.teks.map(({ spi }) => spi),
      before,
      `${router}: other TEKs than at the start`,
    );
  }
  const ping = await lab.run('h1', ['ping', ...pings(3), '10.0.2.10']);
  t.match(ping.stdout, /3 received/, 'and then it works as before');
});

/** Counters by name, summed over labels, once two looks half a second apart see the same packets received. */
async function settledCounters(lab: Lab, router: Router): Promise<Map<string, number>> {
  let seen = new Map<string, number>();
  const received = 'groupwire_path_received_packets_total';
  await until(
    `${router} to come to rest`,
    async () => {
      const before = seen.get(received);
      const text = await lab.sh(router, 'curl -s http://127.0.0.1:9848/metrics');
      seen = new Map();
      for (const [, name, value] of text.matchAll(/^(groupwire_\w+)\S* (\S+)$/gm)) seen.set(name, (seen.get(name) ?? 0) + Number(value));
      return seen.get(received) === before;
    },
    15_000,
    500,
  );
  return seen;
}

function rssOf(lab: Lab, router: Router): number {
  return Number(readFileSync(`/proc/${lab.pidOf(router, 'dataplane')}/statm`, 'latin1').split(' ')[1]) * 4096;
}

interface Member {
  succeededRegistrations: number;
  teks: { spi: number }[];
}

async function memberOf(lab: Lab, router: Router): Promise<Member> {
  return ((await lab.show(router, 'crypto gdoi gm')) as { gdoiMembers: Member[] }).gdoiMembers[0];
}

async function teksOf(lab: Lab): Promise<number[]> {
  return (await memberOf(lab, 'r1')).teks.map(({ spi }) => spi);
}
