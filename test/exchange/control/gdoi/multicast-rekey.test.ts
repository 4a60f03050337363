// Multicast rekeys (RFC 6407 §4, §5.3): one datagram for all members, repeated as configured, without acknowledgements.

import t from 'tap';
import type { GdoiServer } from '../../../../control/config/model.js';
import { memberAddress, memberConfig, Network, serverAddress, serverConfig } from './group-network.js';

const group = 0xef010203;
const multicast: Partial<GdoiServer> = { rekeyTransport: 'multicast', rekeyAddress: 'REKEY' };

t.test('one datagram for all, repeated as configured, to members that joined', (t) => {
  const { network, server, members } = Network.group(20, { server: multicast });
  network.runFor(3000);
  for (const member of members)
    t.match(member.gdoi.memberGroups()[0], { transport: 'multicast', kek: { destination: group, acknowledge: false } });
  const from = server.sent.length;
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(60_000);
  const pushes = server.sent.slice(from);
  t.equal(pushes.length, 3, 'once, and two repetitions');
  for (const push of pushes)
    t.same(
      [push.local, push.remote],
      [
        { address: serverAddress, port: 848 },
        { address: group, port: 848 },
      ],
    );
  for (const member of members) {
    t.equal(member.count('gdoi_rekeys_received'), 1);
    t.equal(member.count('gdoi_push_duplicates'), 2);
    t.equal(member.count('gdoi_rekey_acks_sent'), 0);
    t.match(member.logged('GM_RECV_REKEY'), [/from 172\.16\.4\.2 to 239\.1\.2\.3 with seq # 1$/]);
  }
  t.match(server.logged('KS_SEND_MCAST_REKEY'), [
    /Sending Multicast Rekey for group G from address 172\.16\.4\.2 to 239\.1\.2\.3 with seq # 1$/,
  ]);
  t.end();
});

t.test('a day: TEKs and KEKs change by multicast alone', (t) => {
  const { network, server, members } = Network.group(3, { lifetimeSeconds: 3600, server: { ...multicast, rekeyLifetimeSeconds: 7200 } });
  network.runFor(86_400_000);
  for (const member of members) {
    t.match(member.gdoi.memberGroups()[0], { succeededRegistrations: 1, registered: true });
    t.equal(member.sending()?.spi, members[0].sending()?.spi);
  }
  t.equal(server.gdoi.serverGroups()[0].members.length, 3, 'nobody is removed for lack of acknowledgements');
  t.equal(server.count('gdoi_rekeys_unacknowledged'), 0);
  t.end();
});

t.test('members that miss the first copy take a repetition', (t) => {
  const { network, server, members } = Network.group(4, { server: multicast });
  network.runFor(3000);
  let copies = 0;
  network.fault = (datagram) => (datagram.remote.address === group && copies++ === 0 ? { delays: [] } : null);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(5000);
  t.equal(members[0].count('gdoi_rekeys_received'), 0);
  network.runFor(10_000);
  for (const member of members) t.equal(member.count('gdoi_rekeys_received'), 1);
  t.end();
});

t.test('from unicast to multicast and back, by a rekey that brings the KEK', (t) => {
  const { network, server, members } = Network.group(3, {});
  network.runFor(3000);
  for (const [config, transport] of [
    [serverConfig({ server: multicast }), 'multicast'],
    [serverConfig(), 'unicast'],
  ] as const) {
    server.perform(server.gdoi.reconfigure(config, network.now));
    t.equal(server.gdoi.serverGroups()[0].policyPending, true);
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(60_000);
    for (const member of members) t.match(member.gdoi.memberGroups()[0], { transport, succeededRegistrations: 1 });
    t.match(server.logs.join('\n'), new RegExp(`KS_REKEY_TRANS_2_\\w+: Group G transitioned to ${transport} Rekey`, 'i'));
    const received = members[0].count('gdoi_rekeys_received');
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(60_000);
    t.equal(members[0].count('gdoi_rekeys_received'), received + 1, `rekeys by ${transport} arrive`);
  }
  t.end();
});

t.test('a rekey between message 2 and message 4 reaches the new member by itself', (t) => {
  const { network, server } = Network.group(1, { server: multicast });
  network.runFor(3000);
  const late = network.add(memberAddress(50), memberConfig());
  let pulls = 0;
  network.fault = (datagram, from) => (from === late && datagram.bytes[18] === 32 ? { delays: [++pulls === 2 ? 500 : 1] } : null);
  late.start();
  network.runFor(100);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.equal(late.gdoi.policyOf('G').teks.length, 2);
  t.end();
});

t.test('removal of members and replace-now go by multicast too', (t) => {
  const { network, server, members } = Network.group(5, { server: multicast });
  network.runFor(3000);
  server.perform(server.gdoi.rekey('G', network.now, true));
  network.runFor(100);
  for (const member of members) t.equal(member.gdoi.policyOf('G').teks.length, 1);
  server.perform(server.gdoi.removeMembers('G', network.now, true));
  network.runFor(5);
  for (const member of members) t.same(member.gdoi.policyOf('G').teks, []);
  network.runFor(10_000);
  t.ok(members.every(({ registered }) => registered));
  t.end();
});
