// More members at once than a key server takes up in a second: the rest is put off before anything is computed for it, and all get in.

import t from 'tap';
import { FullestSecond } from '../../../simulator/watch.js';
import { memberAddress, memberConfig, Network, type Node, serverAddress, serverConfig } from './group-network.js';

function crowd(count: number, rate: number): { network: Network; server: Node; members: Node[]; fullest: FullestSecond } {
  const network = new Network();
  const config = serverConfig({ encryption: 'esp-gcm-256' });
  config.registrationRate = rate;
  const server = network.add(serverAddress, config);
  server.start();
  const members = Array.from({ length: count }, (_, n) => network.add(memberAddress(n + 1), memberConfig()));
  const fullest = new FullestSecond();
  network.watch = (node) => {
    if (node === server) fullest.update(server.count('gdoi_pull_served'), network.now);
  };
  return { network, server, members, fullest };
}

t.test('120 members at once, 20 a second', async (t) => {
  const { network, server, members, fullest } = crowd(120, 20);
  for (const member of members) member.start();
  network.runFor(1000);
  t.ok(members.filter((member) => member.registered).length <= 20);
  network.runFor(120_000);
  t.ok(
    members.every((member) => member.registered),
    'all are in',
  );
  t.ok(fullest.most <= 20, `${fullest.most} in the fullest second`);
  t.ok(server.count('ike_rate_limited') > 100, 'the rest was counted');
  t.ok(server.logged('IKMP_ADMISSION_RATE').length > 0 && server.logged('IKMP_ADMISSION_RATE').length < 30, 'and logged at a limited rate');
  t.equal(server.count('ike_main_mode_completed'), server.count('gdoi_pull_served'), 'no key exchange was in vain');
  const [received, accepted] = [server.count('ike_requests_received'), server.count('ike_requests_accepted')];
  t.ok(received >= 120 && accepted === received, `${received} offers, ${accepted} accepted`);
  t.equal(members[0].count('ike_requests_sent'), members[0].count('ike_requests_begun'));
});

t.test('registrations under an SA that is up are limited too', async (t) => {
  const { network, server, members } = crowd(1, 1);
  const [member] = members;
  member.start();
  network.runFor(2000);
  t.ok(member.registered);
  // The SA is as good as new, so these begin with GROUPKEY-PULL.
  for (let n = 0; n < 3; n++) {
    member.perform(member.gdoi.clearGroup('G', network.now));
    network.runFor(200);
  }
  t.ok(server.count('gdoi_pull_rate_limited') > 0);
  network.runFor(20_000);
  t.equal(member.gdoi.memberGroups()[0].lastFailure, null);
  t.ok(member.gdoi.memberGroups()[0].succeededRegistrations >= 3, 'put off, not refused');
});

t.test('one address cannot keep the others out', async (t) => {
  const { network, server, members } = crowd(3, 8);
  // It begins anew fifty times a second; its share is one of the eight.
  const [intruder, ...rest] = members;
  for (let n = 0; n < 40; n++) {
    intruder.restart({ loseDisk: true });
    network.runFor(20);
  }
  t.ok(server.count('ike_rate_limited') > 20, `${server.count('ike_rate_limited')} of its key exchanges were put off`);
  for (const member of rest) member.start();
  network.runFor(300);
  t.ok(
    rest.every((member) => member.registered),
    'the others are in at once',
  );
});
