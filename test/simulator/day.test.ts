// A day of a group: 1,000 members, TEK 1 h, KEK 24 h, 10 % loss, 5 % duplication, reordering, 50 restarts of members and key server. The
// half hour behind the day shows the KEK's change. SIMULATE_SEED=... runs another day.

import t from 'tap';
import { Day, usualDay } from './day.js';

t.test('a day of a thousand members', async (t) => {
  const day = new Day({ ...usualDay, seed: process.env.SIMULATE_SEED ?? 'day' });
  day.run();
  const what = day.summary();
  const { server, members } = day;
  t.same(day.faults.slice(0, 5), [], `no two members without a common TEK, no sender ID twice, no rekey twice or out of order: ${what}`);
  t.equal(day.unregistered, 0, `all are registered: ${what}`);
  t.equal(day.restarts, 50, 'every restart took place');
  t.ok(day.registrations.most <= 100, `registrations stay under the limit: ${what}`);
  // 25 TEKs and a KEK, each accepted by nearly all: who missed one registered again.
  t.equal(server.count('gdoi_rekeys_sent') >= 26, true, what);
  t.ok(day.rekeys.accepted > 25_500, `rekeys were accepted: ${what}`);
  t.ok(server.count('gdoi_pull_served') < 1200, `and registrations were the exception: ${what}`);
  t.ok(day.senderSpaces.size > 25_000, `IV spaces were watched: ${what}`);
  const keks = new Set(members.map(({ node }) => node.gdoi.memberGroups()[0].kek?.spi));
  t.same([...keks], [server.gdoi.serverGroups()[0].kek?.spi], 'all have the KEK of the second day');
  t.ok(day.traffic.lost > 5000 && day.traffic.doubled > 2500, `the network was bad: ${what}`);
});
