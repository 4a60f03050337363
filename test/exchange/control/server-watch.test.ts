// Whether a key server answers, as its member knows it: asked only while somebody looks, told within seconds, without consequence for the group.

import t from 'tap';
import { parseConfig } from '../../../control/config/parse.js';
import { ServerWatch } from '../../../control/server-watch.js';
import { memberAddress, memberConfig, Network, type Node, serverAddress, serverConfig } from './gdoi/group-network.js';

/** A key server, and a member with a watch that is looked at as long as `looking` says so. */
function watched(groups = [{ name: 'G', number: 777 }]) {
  const network = new Network();
  const server = network.add(serverAddress, serverConfig({ groups }));
  server.start();
  const config = memberConfig();
  for (const { name, number } of groups.slice(1)) {
    const [group] = memberConfig(number, [serverAddress], name).gdoiGroups.values();
    config.gdoiGroups.set(name, group);
  }
  config.interfaces = parseConfig('interface eth0\n ip address 172.17.0.1 255.255.0.0\n').config.interfaces;
  const member = network.add(memberAddress(1), config);
  const watch = new ServerWatch(member);
  const failed = member.gdoi.phase1Failed.bind(member.gdoi);
  member.gdoi.phase1Failed = (remote, reason, now) => {
    watch.failed(remote.address, reason, now);
    return failed(remote, reason, now);
  };
  member.start();
  /** @param ms in steps of 100 @returns how often it answered, did not, and was not known */
  const run = (ms: number, looking = true) => {
    const seen = { yes: 0, no: 0, unknown: 0 };
    for (let at = 0; at < ms; at += 100) {
      if (looking && at % 1000 === 0) watch.look(network.now);
      const next = watch.nextTick();
      if (next !== null && next <= network.now) member.perform(watch.tick(network.now));
      network.runFor(100);
      const [{ answers }] = watch.answersOf('G', network.now);
      seen[answers === null ? 'unknown' : answers ? 'yes' : 'no']++;
    }
    return seen;
  };
  return { network, server, member, watch, run };
}

function questions(node: Node): number {
  return node.count('ike_dpd_sent');
}

t.test('nobody looks: nothing is asked, a registration tells', async (t) => {
  const { member, watch, network, run } = watched();
  t.same(watch.answersOf('G', network.now), [{ address: serverAddress, answers: null, heardAt: null, reason: null }]);
  run(20_000, false);
  t.match(watch.answersOf('G', network.now), [{ answers: true, reason: null }], 'it was heard in phase 1');
  t.equal(questions(member), 0);
  t.equal(watch.nextTick(), null);
});

t.test('somebody looks: once a second, and no more when he has gone', async (t) => {
  const { member, server, run } = watched();
  run(5000, false);
  t.strictSame(run(30_000), { yes: 300, no: 0, unknown: 0 });
  t.ok(questions(member) >= 29 && questions(member) <= 31, `${questions(member)} questions in 30 s`);
  t.equal(server.count('ike_dpd_answered'), questions(member));
  run(6000, false);
  const asked = questions(member);
  run(60_000, false);
  t.equal(questions(member), asked);
});

t.test('a key server that stops is known to within four seconds, and keeps its member', async (t) => {
  const { network, member, server, watch, run } = watched();
  run(10_000);
  server.kill();
  const died = network.now;
  run(4000);
  t.match(watch.answersOf('G', network.now), [{ answers: false, reason: 'no answer' }]);
  t.ok(watch.answersOf('G', network.now)[0].heardAt! <= died, 'heard before it died');
  run(56_000);
  t.ok(member.registered, 'the group goes on');
  t.equal(member.gdoi.memberGroups()[0].attemptedRegistrations, 1, 'no registration because of it');
  t.ok(member.count('ike_main_mode_started') <= 4, `${member.count('ike_main_mode_started')} exchanges in a minute`);
  server.restart();
  run(45_000);
  t.match(watch.answersOf('G', network.now), [{ answers: true, reason: null }], 'it has come back, without the SA');
});

t.test('a lost datagram is no news', async (t) => {
  const { network, member, run } = watched();
  run(5000);
  let sent = 0;
  network.fault = (_, from) => (from === member && ++sent % 3 === 0 ? { delays: [] } : null);
  t.equal(run(60_000).no, 0);
});

t.test('longer than an idle SA lives', async (t) => {
  const { member, run } = watched();
  t.strictSame(run(1_000_000).no, 0);
  t.ok(member.count('ike_main_mode_started') <= 5, `${member.count('ike_main_mode_started')} exchanges in 1000 s`);
});

t.test('several groups of one key server: asked once', async (t) => {
  const { member, run } = watched([
    { name: 'G', number: 777 },
    { name: 'H', number: 778 },
  ]);
  run(30_000);
  t.ok(questions(member) <= 31, `${questions(member)} questions in 30 s`);
});

t.test('nobody looks and no registration succeeds', async (t) => {
  const { network, server, watch, run } = watched();
  server.kill();
  run(120_000, false);
  const [{ answers, reason }] = watch.answersOf('G', network.now);
  t.equal(answers, false);
  t.match(reason, /\w/);
  server.restart();
  run(120_000, false);
  t.match(watch.answersOf('G', network.now), [{ answers: true, reason: null }]);
});
