// The watches see what they are for: each is shown a group that breaks its rule.

import t from 'tap';
import { Network } from '../exchange/control/gdoi/group-network.js';
import { Day, usualDay } from './day.js';
import { CommonTek, FullestSecond, SenderSpaces, type Watched } from './watch.js';

const smallDay = { ...usualDay, members: 12, hours: 1.5, memberRestarts: 0, serverRestarts: 0, seed: 'small' };

t.test('a small day without faults has none', async (t) => {
  const day = new Day(smallDay);
  day.run();
  t.same(day.faults, []);
  t.ok(day.rekeys.accepted >= 11);
});

t.test('a key server that forgets everything: members without a common TEK, sender IDs twice', async (t) => {
  const day = new Day(smallDay);
  const { network, server, members } = day;
  server.start();
  for (const { node } of members) node.start();
  network.runFor(30_000);
  t.same(day.faults, []);
  server.kill();
  server.restart({ loseDisk: true });
  const [one, other] = members;
  for (const { node } of [one, other]) node.kill();
  for (const member of [one, other]) {
    member.epoch++;
    member.node.restart({ members: false });
  }
  network.runFor(30_000);
  t.match(day.faults[0], /have none in common/);
});

t.test('an IV space with two owners', async (t) => {
  const { members } = Network.group(2, { encryption: 'esp-gcm-256' });
  members[0].network.runFor(2000);
  const spaces = new SenderSpaces();
  const policy = members[0].gdoi.policyOf('G');
  const [a, b] = members.map((node): Watched => ({ node, epoch: 0, side: 0, policy }));
  t.equal(spaces.update(a), null);
  t.equal(spaces.update(a), null, 'again the same');
  t.match(spaces.update(b), /again with/);
  t.match(spaces.update({ ...a, epoch: 1 }), /again with/, 'and one that forgot its counters');
});

t.test('sides of a divided network are apart, and meet again', async (t) => {
  const { members } = Network.group(2);
  const watch = new CommonTek();
  const policy = (spi: number) => ({ teks: [{ spi }], senderIds: null, localAcl: null }) as unknown as Watched['policy'];
  const a: Watched = { node: members[0], epoch: 0, side: 0, policy: policy(300) };
  const b: Watched = { node: members[1], epoch: 0, side: 1, policy: policy(400) };
  t.equal(watch.update(a, 0), null);
  t.equal(watch.update(b, 0), null);
  t.equal(watch.registered, 2);
  b.side = 0;
  t.match(watch.update(b, 0), /none in common/);
  watch.learn([{ spi: 300, expiresAt: 1000 }]);
  b.policy = policy(500);
  t.equal(watch.update(b, 1000), null, 'whoever has only what has expired is not registered');
  b.policy = policy(600);
  t.match(watch.update(b, 999), /none in common/, 'a moment before it is');
});

t.test('the fullest second, wherever it begins', async (t) => {
  const second = new FullestSecond();
  let total = 0;
  for (const [at, more] of [
    [0, 1],
    [900, 3],
    [1500, 2],
    [1899, 1],
    [1900, 1],
    [5000, 2],
  ]) {
    total += more;
    second.update(total, at);
  }
  t.equal(second.most, 6, 'from 900 to 1899');
});
