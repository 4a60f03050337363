// kill -9 and restart of either side, from what was on disk. Sender IDs and sequence numbers are never used twice.

import fc from 'fast-check';
import t from 'tap';
import { Exchange } from '../../../../control/isakmp/header.js';
import { memberAddress, memberConfig, Network, rsaKey, serverConfig } from './group-network.js';

t.test('key server: same keys, members, sequence; no new registration', async (t) => {
  const { network, server, members } = Network.group(3, { encryption: 'esp-gcm-256' });
  network.runFor(2000);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(30_000);
  const [before] = server.gdoi.serverGroups();
  server.kill();
  network.runFor(5000);
  server.restart();
  const [after] = server.gdoi.serverGroups();
  t.same({ ...after, lastRekeyMilliseconds: 0 }, { ...before, lastRekeyMilliseconds: 0 }, 'nothing is lost');
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(5000);
  for (const member of members) {
    t.equal(member.gdoi.memberGroups()[0].lastRekeySequence, 2);
    t.equal(member.gdoi.memberGroups()[0].succeededRegistrations, 1);
  }
});

t.test('key server dies in the middle of a push: the rest gets it after the restart', async (t) => {
  const { network, server, members } = Network.group(3, { lifetimeSeconds: 300 });
  network.runFor(2000);
  network.fault = (datagram) =>
    datagram.bytes[18] === Exchange.GroupkeyPush && datagram.remote.address !== members[0].address ? { delays: [] } : null;
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(50);
  server.kill();
  network.fault = () => null;
  network.runFor(1000);
  server.restart();
  network.runFor(1000);
  const spis = members.map((member) => member.gdoi.policyOf('G').teks.map(({ spi }) => spi));
  t.same(spis, [spis[0], spis[0], spis[0]], 'all have both TEKs');
  t.equal(spis[0].length, 2);
});

t.test('key server dies right after a KEK change', async (t) => {
  const { network, server, members } = Network.group(2, { lifetimeSeconds: 3000, server: { rekeyLifetimeSeconds: 300 } });
  network.runFor(2000);
  network.fault = (datagram) =>
    datagram.bytes[18] === Exchange.GroupkeyPush && datagram.remote.address !== members[0].address ? { delays: [] } : null;
  for (let second = 0; members[0].count('gdoi_rekeys_received') === 0 && second < 400; second++) network.runFor(1000);
  server.kill();
  network.fault = () => null;
  server.restart();
  network.runFor(1000);
  const keks = members.map((member) => member.gdoi.memberGroups()[0].kek?.spi);
  t.equal(keks[1], keks[0], 'both have the new KEK');
  t.equal(server.gdoi.serverGroups()[0].kek?.spi, keks[0]);
});

t.test('key server without its disk: new keys, members come over', async (t) => {
  const { network, server, members } = Network.group(2, { lifetimeSeconds: 120 });
  network.runFor(2000);
  server.kill();
  server.restart({ loseDisk: true });
  network.runFor(150_000);
  const [tek] = server.gdoi.serverGroups()[0].teks;
  for (const member of members) t.ok(member.opens(tek.spi));
});

t.test('member: registered without a new registration, and rekeys go on', async (t) => {
  const { network, server, members } = Network.group(1, { encryption: 'esp-gcm-256', lifetimeSeconds: 300 });
  network.runFor(2000);
  const [member] = members;
  const before = member.gdoi.policyOf('G');
  member.kill();
  member.restart();
  t.same(member.gdoi.policyOf('G'), before);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.equal(member.gdoi.policyOf('G').teks.length, 2);
  network.runFor(3_000_000);
  t.equal(member.gdoi.memberGroups()[0].succeededRegistrations, 1);
  t.ok(member.registered);
});

t.test('member whose packet path died: new sender IDs, the old ones never again', async (t) => {
  const { network, members } = Network.group(1, { encryption: 'esp-gcm-256' });
  network.runFor(2000);
  const [member] = members;
  t.same(member.gdoi.policyOf('G').senderIds?.values, [0]);
  member.perform(member.gdoi.renewSenderIds('G', network.now));
  t.equal(member.gdoi.policyOf('G').senderIds, null, 'none until new ones are there');
  t.equal(member.gdoi.policyOf('G').teks.length, 1, 'still opens');
  network.runFor(2000);
  t.same(member.gdoi.policyOf('G').senderIds?.values, [1]);
  member.kill();
  member.restart({ members: false });
  t.equal(member.gdoi.policyOf('G').teks.length, 0, 'afresh');
  network.runFor(2000);
  t.same(member.gdoi.policyOf('G').senderIds?.values, [2]);
});

t.test('clear crypto gdoi registers again and keeps the keys meanwhile', async (t) => {
  const { network, members } = Network.group(1);
  network.runFor(2000);
  members[0].perform(members[0].gdoi.clearGroup('G', network.now));
  t.ok(members[0].registered);
  network.runFor(2000);
  t.equal(members[0].gdoi.memberGroups()[0].succeededRegistrations, 2);
});

t.test('a state file of something else is no state', async (t) => {
  const { network, members } = Network.group(1);
  network.runFor(1000);
  for (const text of ['', '{', '{"version":2}', '{"version":1,"members":[],"server":{"groups":[]}}', '[]', 'null']) {
    members[0].disk = new TextEncoder().encode(text);
    members[0].kill();
    members[0].restart();
    t.notOk(members[0].registered, text);
  }
});

t.test('sender IDs: none is ever used by two members under one TEK, whatever restarts', async () => {
  const events = fc.array(
    fc.record({
      who: fc.nat(3),
      what: fc.constantFrom('restart', 'renew', 'crash-server', 'rekey', 'wait'),
      ms: fc.integer({ min: 0, max: 4000 }),
    }),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(events, (list) => {
      // 16 IDs of 8 bits would never run out in 40 events: exhaustion has its own test below.
      const { network, server, members } = Network.group(4, { encryption: 'esp-gcm-128', lifetimeSeconds: 60 });
      const owners = new Map<string, string>();
      const epochs = members.map(() => 0);
      network.watch = () => {
        members.forEach((member, n) => {
          const { teks, senderIds } = member.gdoi.policyOf('G');
          for (const tek of member.alive ? teks : []) {
            for (const sid of senderIds?.values ?? []) {
              const owner = `${n}/${epochs[n]}`;
              const known = owners.get(`${tek.spi}:${sid}`) ?? owner;
              owners.set(`${tek.spi}:${sid}`, known);
              if (known !== owner) throw new Error(`sender ID ${sid} under ${tek.spi} of ${known} again with ${owner}`);
            }
          }
        });
      };
      for (const { who, what, ms } of list) {
        if (what === 'restart') {
          members[who].kill();
          epochs[who]++;
          members[who].restart({ members: false });
        } else if (what === 'renew') {
          members[who].perform(members[who].gdoi.renewSenderIds('G', network.now));
          if (members[who].gdoi.policyOf('G').teks.length > 0) epochs[who]++;
        } else if (what === 'crash-server') {
          server.kill();
          server.restart();
        } else if (what === 'rekey') server.perform(server.gdoi.rekey('G', network.now));
        network.runFor(ms);
      }
    }),
    { numRuns: 60, seed: 7 },
  );
});

t.test('sender IDs used up: all keys are replaced, everybody registers again, IDs begin at 0 under the new keys', async (t) => {
  const network = new Network();
  const server = network.add(0xac100402, serverConfig({ encryption: 'esp-gcm-128' }), { senderIdBits: 8, signingKey: rsaKey });
  server.start();
  const members = [1, 2, 3].map((n) => network.add(memberAddress(n), memberConfig()));
  for (const member of members) member.start();
  network.runFor(1000);
  const [oldTek] = members[2].gdoi.policyOf('G').teks;
  for (let n = 0; n < 253; n++) {
    members[0].perform(members[0].gdoi.renewSenderIds('G', network.now));
    network.runFor(500);
  }
  t.match(server.gdoi.serverGroups(), [{ senderIdsUsed: 256 }]);
  t.same(members[0].gdoi.policyOf('G').senderIds?.values, [255]);
  members[0].perform(members[0].gdoi.renewSenderIds('G', network.now));
  network.runFor(30_000);
  t.equal(server.count('gdoi_sender_ids_exhausted'), 1);
  const ids = members.map((member) => {
    const { teks, senderIds } = member.gdoi.policyOf('G');
    t.same(
      teks.map(({ spi }) => spi === oldTek.spi),
      [false],
      'the old TEK is gone',
    );
    return senderIds?.values[0];
  });
  t.same(ids.sort(), [0, 1, 2]);
});
