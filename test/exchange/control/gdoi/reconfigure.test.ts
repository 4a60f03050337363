// Reload: unchanged groups keep their state; what changed takes effect when IOS would let it.

import t from 'tap';
import { ace, memberConfig, Network, serverConfig } from './group-network.js';

t.test('the same configuration again changes nothing', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  const before = members.map((member) => member.gdoi.policyOf('G'));
  server.perform(server.gdoi.reconfigure(serverConfig(), network.now));
  for (const member of members) member.perform(member.gdoi.reconfigure(memberConfig(), network.now));
  network.runFor(5000);
  t.same(
    members.map((member) => member.gdoi.policyOf('G')),
    before,
  );
  t.equal(server.count('gdoi_rekeys_sent'), 0);
});

t.test('a new ACL waits for the rekey', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  server.perform(server.gdoi.reconfigure(serverConfig({ aces: [ace({ protocol: 6 })] }), network.now));
  network.runFor(60_000);
  t.equal(members[0].gdoi.memberGroups()[0].acl.length, 2, 'the old one');
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.match(members[0].gdoi.memberGroups()[0].acl, [{ protocol: 6 }]);
  t.equal(members[0].gdoi.policyOf('G').teks.length, 2, 'the old TEK goes on opening');
});

t.test('another KEK algorithm comes with the rekey, under the old KEK', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  server.perform(
    server.gdoi.reconfigure(serverConfig({ server: { rekeyEncryption: 'aes-256', rekeySignatureHash: 'sha512' } }), network.now),
  );
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  for (const member of members) t.match(member.gdoi.memberGroups()[0].kek, { cipher: 'aes-256', signatureHash: 'sha512', sequence: 0 });
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  for (const member of members) t.equal(member.gdoi.memberGroups()[0].kek?.sequence, 1, 'and works');
});

t.test('a policy that cannot be served leaves the group as it was', async (t) => {
  const { network, server, members } = Network.group(1, { lifetimeSeconds: 60 });
  network.runFor(2000);
  server.perform(server.gdoi.reconfigure(serverConfig({ lifetimeSeconds: 60, aces: [] }), network.now));
  t.match(server.logged('KS_POLICY')[0], /access list ACL is empty; the policy before stays/);
  network.runFor(600_000);
  t.ok(members[0].registered);
  t.equal(members[0].gdoi.memberGroups()[0].succeededRegistrations, 1);
});

t.test('a group that goes, and one with another identity', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  const [gone, moved] = members;
  const empty = memberConfig();
  empty.gdoiGroups.clear();
  gone.perform(gone.gdoi.reconfigure(empty, network.now));
  t.same(gone.gdoi.memberGroups(), []);
  t.match(gone.logged('GDOI_ON_OFF'), [/%CRYPTO-6-GDOI_ON_OFF: GDOI is ON/, /GDOI is OFF/]);
  t.same(gone.gdoi.policyOf('G').teks, []);
  server.perform(server.gdoi.reconfigure(serverConfig({ groups: [{ name: 'G', number: 888 }] }), network.now));
  moved.perform(moved.gdoi.reconfigure(memberConfig(888), network.now));
  t.notOk(moved.registered, 'keys of the old identity are not kept');
  network.runFor(2000);
  t.ok(moved.registered);
  t.match(server.gdoi.serverGroups(), [{ identity: '888', registrations: 1 }]);
});

t.test('a second sa ipsec is pushed to the members that are there', async (t) => {
  const { network, server, members } = Network.group(1);
  network.runFor(2000);
  const config = serverConfig();
  const sas = config.gdoiGroups.get('G')?.server?.sas;
  sas?.set(2, { line: 2, sequence: 2, profile: 'P', matchAddress: 'ACL', replay: { method: 'none' } });
  server.perform(server.gdoi.reconfigure(config, network.now));
  network.runFor(2000);
  t.same(
    members[0].gdoi
      .policyOf('G')
      .teks.map(({ replayWindow }) => replayWindow)
      .sort(),
    [0, 64],
  );
});
