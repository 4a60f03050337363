// Sender IDs, section by section: RFC 6407 §3.5 and §5.6.4, RFC 6054 §3 and §4.

import t from 'tap';
import type { GdoiServer } from '../../../../control/config/model.js';
import { memberAddress, memberConfig, Network, type Node, serverConfig } from './group-network.js';

const gcm = { encryption: 'esp-gcm-128' } as const;
const idsOf = (node: Node) => node.gdoi.policyOf('G').senderIds;

for (const bits of [8, 12, 16, 32] as const) {
  t.test(`RFC 6054 §3: sender IDs of ${bits} bits, as configured`, async (t) => {
    const { network, members } = Network.group(3, { ...gcm, server: { senderIdBits: bits } });
    network.runFor(3000);
    t.same(
      members.map((member) => idsOf(member)),
      [0, 1, 2].map((value) => ({ bits, values: [value] })),
    );
  });
}

t.test('RFC 6054 §3: 24 bits unless configured', async (t) => {
  const { network, members } = Network.group(1, gcm);
  network.runFor(3000);
  t.equal(idsOf(members[0])?.bits, 24);
});

t.test('RFC 6407 §5.6.4: none for groups without a counter mode', async (t) => {
  const { network, members, server } = Network.group(1);
  network.runFor(3000);
  t.equal(idsOf(members[0]), null);
  t.equal(server.gdoi.serverGroups()[0].senderIdsUsed, 0);
});

for (const immediately of [false, true]) {
  t.test(
    `RFC 6407 §5.6.4: a rekey to a counter mode${immediately ? ', at once' : ''}: who has no sender IDs registers for them`,
    async (t) => {
      const { network, server, members } = Network.group(2);
      network.runFor(3000);
      server.perform(server.gdoi.reconfigure(serverConfig(gcm), network.now));
      server.perform(server.gdoi.rekey('G', network.now, immediately));
      network.runFor(15_000);
      t.same(members.map((member) => idsOf(member)?.values).sort(), [[0], [1]]);
      for (const member of members) {
        t.match(member.gdoi.memberGroups(), [{ succeededRegistrations: 2 }]);
        t.match(member.logged('GM_RE_REGISTER'), [/sender IDs come by registration alone/]);
      }
      network.runFor(60_000);
      for (const member of members) {
        t.match(member.sending(), gcm);
        t.match(member.gdoi.memberGroups(), [{ succeededRegistrations: 2 }], 'and then no more');
      }
    },
  );
}

t.test('RFC 6407 §5.6.4: a member that restarts before it has registered for them does it then', async (t) => {
  const { network, server, members } = Network.group(1);
  network.runFor(3000);
  server.perform(server.gdoi.reconfigure(serverConfig(gcm), network.now));
  server.perform(server.gdoi.rekey('G', network.now, true));
  network.runFor(1);
  t.equal(idsOf(members[0]), null);
  members[0].kill();
  members[0].restart();
  network.runFor(15_000);
  t.same(idsOf(members[0])?.values, [0]);
});

t.test('RFC 6407 §3.5, RFC 6054 §4: sequentially from 0, a new one on every registration, also of the same member', async (t) => {
  const { network, server, members } = Network.group(2, gcm);
  network.runFor(20_000);
  const seen = members.flatMap((member) => idsOf(member)?.values ?? []);
  for (let n = 0; n < 10; n++) {
    members[n % 2].perform(members[n % 2].gdoi.clearGroup('G', network.now));
    network.runFor(20_000);
    seen.push(...(idsOf(members[n % 2])?.values ?? []));
  }
  t.same(
    seen.sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, n) => n),
  );
  t.equal(server.gdoi.serverGroups()[0].senderIdsUsed, 12);
});

t.test('RFC 6054 §4: rekeys leave sender IDs as they are', async (t) => {
  const { network, server, members } = Network.group(2, gcm);
  network.runFor(3000);
  const before = members.map((member) => idsOf(member));
  for (const immediately of [false, true]) {
    server.perform(server.gdoi.rekey('G', network.now, immediately));
    network.runFor(60_000);
  }
  t.same(
    members.map((member) => idsOf(member)),
    before,
  );
});

t.test('RFC 6407 §3.5: the key server restarts, with and without its last registrations acknowledged: no ID twice', async (t) => {
  const { network, server, members } = Network.group(1, gcm);
  network.runFor(3000);
  const seen = new Set(idsOf(members[0])?.values);
  for (let n = 0; n < 20; n++) {
    server.kill();
    network.runFor(100);
    server.restart();
    const member = network.add(memberAddress(100 + n), memberConfig());
    member.start();
    network.runFor(15_000);
    for (const value of idsOf(member)?.values ?? []) {
      t.notOk(seen.has(value), `${value} is new`);
      seen.add(value);
    }
  }
  t.equal(seen.size, 21);
});

t.test('RFC 6407 §3.5 steps 5 and 6: exhaustion deletes all keys, IDs begin at 0 under new ones, everybody is back', async (t) => {
  const { network, server, members } = Network.group(4, { ...gcm, server: { senderIdBits: 8 } });
  network.runFor(20_000);
  const old = members[0].gdoi.policyOf('G').teks.map(({ spi }) => spi);
  /** By TEK: which IDs were used under it. */
  const used = new Map<number, Map<number, Node>>();
  network.watch = () => {
    for (const member of members) {
      for (const tek of member.gdoi.policyOf('G').teks)
        for (const value of idsOf(member)?.values ?? []) {
          const owners = used.get(tek.spi) ?? new Map<number, Node>();
          used.set(tek.spi, owners);
          t.ok((owners.get(value) ?? member) === member, `ID ${value} under one TEK belongs to one member`);
          owners.set(value, member);
        }
    }
  };
  for (let n = 0; n < 256 && server.count('gdoi_sender_ids_exhausted') === 0; n++) {
    members[n % 4].perform(members[n % 4].gdoi.clearGroup('G', network.now));
    network.runFor(11_000);
  }
  network.runFor(20_000);
  t.equal(server.count('gdoi_sender_ids_exhausted'), 1);
  t.match(server.logged('KS_SID_EXHAUSTED'), [/all keys are replaced/]);
  for (const member of members) {
    t.ok(member.registered);
    t.notOk(member.gdoi.policyOf('G').teks.some(({ spi }) => old.includes(spi)));
    t.ok((idsOf(member)?.values[0] ?? 99) < 10, 'small again');
  }
});

t.test('another group size waits for new keys: under the present ones its IDs would overlap', async (t) => {
  const { network, server, members } = Network.group(2, gcm);
  network.runFor(3000);
  const config = serverConfig({ ...gcm, server: { senderIdBits: 16 } satisfies Partial<GdoiServer> });
  server.perform(server.gdoi.reconfigure(config, network.now));
  t.equal(server.gdoi.serverGroups()[0].policyPending, true);
  const late = network.add(memberAddress(9), memberConfig());
  late.start();
  network.runFor(3000);
  t.equal(idsOf(late)?.bits, 24, 'of the present size');
  server.perform(server.gdoi.removeMembers('G', network.now, true));
  network.runFor(10_000);
  for (const member of [...members, late]) t.equal(idsOf(member)?.bits, 16);
  t.equal(server.gdoi.serverGroups()[0].policyPending, false);
});
