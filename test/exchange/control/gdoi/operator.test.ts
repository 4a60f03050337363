// What an operator does at a key server: rekey, replace-now, removal of members; a changed policy is pending until then.

import t from 'tap';
import { ace, memberAddress, memberConfig, Network, type Node, serverConfig } from './group-network.js';

const spis = (node: Node) => node.gdoi.policyOf('G').teks.map(({ spi }) => spi);
const left = (node: Node, spi: number) =>
  ((node.gdoi.policyOf('G').teks.find((tek) => tek.spi === spi)?.expiresAt ?? 0) - node.network.now) / 1000;

t.test('a rekey gives the old TEK up soon, by the formula of GET VPN', async (t) => {
  for (const [lifetimeSeconds, seconds] of [
    [3600, 180],
    [600, 90],
    [86_400, 3600],
    [60, 58],
  ]) {
    const { network, server, members } = Network.group(2, { lifetimeSeconds });
    network.runFor(2000);
    const [old] = spis(members[0]);
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(100);
    for (const member of members) {
      t.equal(spis(member).length, 2, 'the old one still opens');
      t.ok(Math.abs(left(member, old) - seconds) <= 2, `TEK of ${lifetimeSeconds} s: ${left(member, old)} s left, expected ${seconds}`);
    }
  }
});

t.test('many rekeys in a row leave a policy that a new member takes', async (t) => {
  const { network, server, members } = Network.group(1);
  network.runFor(2000);
  for (let n = 0; n < 40; n++) {
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(15_000);
  }
  const late = network.add(memberAddress(9), memberConfig());
  late.start();
  network.runFor(2000);
  t.ok(late.registered);
  t.ok(members[0].opens(late.sending()?.spi ?? 0), 'what it sends is opened');
  t.ok(late.opens(members[0].sending()?.spi ?? 0), 'and it opens what is sent');
});

t.test('a changed policy is pending, and said to be, until a rekey', async (t) => {
  const { network, server, members } = Network.group(1);
  network.runFor(2000);
  const pending = () => server.gdoi.serverGroups()[0].policyPending;
  t.equal(pending(), false);
  t.same(server.logged('POLICY_CHANGE'), [], 'nothing changed at the first start');
  for (const changed of [
    serverConfig({ aces: [ace({ protocol: 6 })] }),
    serverConfig({ lifetimeSeconds: 1800 }),
    serverConfig({ encryption: 'esp-gcm-128' }),
    serverConfig({ server: { rekeyLifetimeSeconds: 3600 } }),
    serverConfig(),
  ]) {
    const before = server.logged('POLICY_CHANGE').length;
    server.perform(server.gdoi.reconfigure(changed, network.now));
    network.runFor(5000);
    t.equal(pending(), true);
    t.equal(server.count('gdoi_rekeys_sent'), members[0].count('gdoi_rekeys_received'), 'nothing was pushed by itself');
    t.match(server.logged('POLICY_CHANGE').slice(before), [
      /^%GDOI-5-POLICY_CHANGE: GDOI group G policy has changed\. Use 'crypto gdoi ks rekey'/,
    ]);
    server.perform(server.gdoi.reconfigure(changed, network.now));
    t.equal(server.logged('POLICY_CHANGE').length, before + 1, 'the same again is no news');
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(200_000);
    t.equal(pending(), false);
  }
  t.equal(members[0].gdoi.memberGroups()[0].succeededRegistrations, 2, 'once more for sender IDs, when a counter mode came');
});

t.test('a changed policy goes out with the next rekey that is due anyway', async (t) => {
  const { network, server, members } = Network.group(1, { lifetimeSeconds: 300 });
  network.runFor(2000);
  server.perform(server.gdoi.reconfigure(serverConfig({ lifetimeSeconds: 300, aces: [ace({ protocol: 6 })] }), network.now));
  network.runFor(300_000);
  t.match(members[0].gdoi.memberGroups()[0].acl, [{ protocol: 6 }]);
  t.equal(server.gdoi.serverGroups()[0].policyPending, false);
});

t.test('a policy changed while the key server was away is pending when it is back', async (t) => {
  const { network, server } = Network.group(1);
  network.runFor(2000);
  server.kill();
  server.config = serverConfig({ aces: [ace({ protocol: 6 })] });
  server.restart();
  t.match(server.logged('POLICY_CHANGE'), [/POLICY_CHANGE/]);
  t.equal(server.gdoi.serverGroups()[0].policyPending, true);
});

t.test('replace-now: the old TEK is gone at once, and the policy is the new one', async (t) => {
  const { network, server, members } = Network.group(3);
  network.runFor(2000);
  const [old] = spis(members[0]);
  server.perform(
    server.gdoi.reconfigure(serverConfig({ aces: [ace({ protocol: 6 })], server: { rekeyEncryption: 'aes-256' } }), network.now),
  );
  server.perform(server.gdoi.rekey('G', network.now, true));
  network.runFor(100);
  const [first] = members;
  for (const member of members) {
    t.equal(spis(member).length, 1);
    t.not(spis(member)[0], old);
    t.equal(member.sending()?.spi, spis(first)[0], 'in use at once');
    t.match(member.gdoi.memberGroups()[0], { acl: [{ protocol: 6 }], kek: { cipher: 'aes-256' }, succeededRegistrations: 1 });
  }
  network.runFor(60_000);
  t.equal(server.count('gdoi_rekeys_acknowledged'), 3);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.equal(first.count('gdoi_rekeys_received'), 2, 'the KEK it brought works');
});

t.test('replace-now that is lost once comes with a repetition', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  let lost = 0;
  network.fault = (datagram) => (datagram.remote.address === members[1].address && lost++ === 0 ? { delays: [] } : null);
  server.perform(server.gdoi.rekey('G', network.now, true));
  network.runFor(30_000);
  t.same(spis(members[1]), spis(members[0]));
});

t.test('clear ks members: all register again before the old TEK expires, and no packet is lost meanwhile', async (t) => {
  const { network, server, members } = Network.group(20);
  network.runFor(2000);
  const [old] = spis(members[0]);
  const oldKek = server.gdoi.serverGroups()[0].kek?.spi;
  const gaps: string[] = [];
  network.watch = () => {
    for (const sender of members) {
      const tek = sender.sending();
      if (tek && !members.every((member) => member.opens(tek.spi))) gaps.push(`${network.now}: ${sender.address & 255} ${tek.spi}`);
    }
  };
  server.perform(server.gdoi.removeMembers('G', network.now, false));
  network.runFor(100);
  t.equal(server.gdoi.serverGroups()[0].members.length, 0);
  for (const member of members) {
    t.match(member.logged('GM_RECV_DELETE'), [/TEKs lifetime are reduced/]);
    t.ok(left(member, old) <= 180);
    t.equal(member.gdoi.memberGroups()[0].succeededRegistrations, 1, 'not yet');
  }
  network.runFor(30_000);
  const early = server.gdoi.serverGroups()[0].members.length;
  t.ok(early > 0 && early < 20, `after 30 s ${early} of 20 are back: they come one after the other`);
  network.runFor(160_000);
  t.same(gaps.slice(0, 3), []);
  t.equal(server.gdoi.serverGroups()[0].members.length, 20);
  t.not(server.gdoi.serverGroups()[0].kek?.spi, oldKek);
  for (const member of members) t.notOk(spis(member).includes(old));
  const sent = server.count('gdoi_rekeys_sent');
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(3000);
  t.equal(server.count('gdoi_rekeys_sent'), sent + 1);
  for (const member of members) t.equal(member.count('gdoi_rekeys_received'), 2, 'the removal and this one');
});

t.test('clear ks members: who is not let in any more is out', async (t) => {
  for (const immediately of [false, true]) {
    const { network, server, members } = Network.group(3);
    network.runFor(2000);
    const [bad, ...others] = members;
    // Its phase 1 fails from now on: no packet of its reaches the key server.
    network.fault = (_, from) => (from === bad ? { delays: [] } : null);
    server.perform(server.gdoi.removeMembers('G', network.now, immediately));
    network.runFor(200_000);
    t.notOk(bad.registered, 'its keys are gone or expired');
    for (const other of others) {
      t.ok(other.registered);
      t.notOk(bad.opens(other.sending()?.spi ?? 0));
      // Even one that ignores what it is told has nothing that opens what the others send.
      t.same(spis(other).length, 1);
    }
  }
});

t.test('clear ks members now: keys are deleted at once, members are back soon', async (t) => {
  const { network, server, members } = Network.group(5, { encryption: 'esp-gcm-256' });
  network.runFor(2000);
  const [old] = spis(members[0]);
  server.perform(server.gdoi.removeMembers('G', network.now, true));
  network.runFor(5);
  for (const member of members) {
    t.same(spis(member), []);
    t.match(member.logged('GM_RECV_DELETE_IMMEDIATE'), [/randomly chosen period of [0-5] sec/]);
  }
  network.runFor(10_000);
  t.ok(members.every((member) => member.registered && !spis(member).includes(old)));
  t.equal(server.gdoi.serverGroups()[0].members.length, 5);
  const ids = members.flatMap((member) => member.gdoi.policyOf('G').senderIds?.values ?? []);
  t.same([...ids].sort(), [0, 1, 2, 3, 4], 'new sender IDs under new TEKs, from 0 (RFC 6407 §3.5)');
});

t.test('clear ks members now: a member that misses it all comes back by itself', async (t) => {
  const { network, server, members } = Network.group(2, { lifetimeSeconds: 300 });
  network.runFor(2000);
  network.fault = (datagram) => (datagram.bytes[18] === 33 && datagram.remote.address === members[1].address ? { delays: [] } : null);
  server.perform(server.gdoi.removeMembers('G', network.now, true));
  network.runFor(300_000);
  t.ok(members[1].registered);
  t.equal(members[1].sending()?.spi, members[0].sending()?.spi);
});
