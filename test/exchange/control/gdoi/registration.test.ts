// Registration of members with a key server, and what goes wrong with it.

import t from 'tap';
import { memberAddress, memberConfig, Network, serverAddress, serverConfig } from './group-network.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('the other combined modes: key, salt and sender IDs', async (t) => {
  for (const encryption of ['esp-gmac-256', 'esp-chacha20-poly1305'] as const) {
    const { network, members } = Network.group(2, { encryption });
    network.runFor(1000);
    const [one, other] = members.map((member) => member.gdoi.policyOf('G'));
    t.match(one.teks, [{ encryption, authentication: null, encryptionKey: { length: 32 }, salt: { length: 4 } }]);
    t.equal(hex(other.teks[0].encryptionKey), hex(one.teks[0].encryptionKey));
    t.strictSame(
      [one.senderIds, other.senderIds],
      [0, 1].map((value) => ({ bits: 24, values: [value] })),
    );
  }
});

t.test('three members get the same keys, and their own sender IDs', async (t) => {
  const { network, server, members } = Network.group(3, { encryption: 'esp-gcm-256' });
  network.runFor(1000);
  const [tek] = members[0].gdoi.policyOf('G').teks;
  t.equal(tek.encryption, 'esp-gcm-256');
  t.equal(tek.encryptionKey.length, 32);
  t.equal(tek.salt.length, 4);
  t.equal(tek.lifetimeSeconds, 3600);
  t.match(tek.entries, [
    { action: 'deny', protocol: 17, sourcePort: { operator: 'eq', ports: [848] } },
    { action: 'permit', source: 0x0a000000, sourceWildcard: 0xffff, protocol: null },
  ]);
  for (const member of members) {
    t.ok(member.registered, 'registered');
    t.equal(hex(member.gdoi.policyOf('G').teks[0].encryptionKey), hex(tek.encryptionKey), 'same key');
    t.match(member.gdoi.memberGroups(), [
      { name: 'G', identity: '777', registered: true, succeededRegistrations: 1, registeredWith: serverAddress },
    ]);
    t.equal(member.logged('GM_REGS_COMPL').length, 1);
  }
  t.same(
    members.map((member) => member.gdoi.policyOf('G').senderIds),
    [0, 1, 2].map((value) => ({ bits: 24, values: [value] })),
  );
  t.match(server.gdoi.serverGroups(), [{ name: 'G', serving: true, registrations: 3, senderIdsUsed: 3, members: { length: 3 } }]);
  t.same(
    server.logs.filter((line) => /%GDOI-[0-3]-/.test(line)),
    [],
    'no complaint',
  );
});

t.test('a member asks for a sender ID for each of its forwarding workers (RFC 6407 §3.5)', async (t) => {
  for (const [encryption, wanted, given] of [
    ['esp-gcm-256', 4, [0, 1, 2, 3]],
    ['esp-gcm-128', 16, Array.from({ length: 16 }, (_, sid) => sid)],
    ['esp-gcm-128', 1, [0]],
    ['esp-aes-256', 4, null],
  ] as const) {
    const network = new Network();
    const server = network.add(serverAddress, serverConfig({ encryption }));
    server.start();
    const member = network.add(memberAddress(1), memberConfig());
    member.gdoi.senderIdsWanted = wanted;
    member.start();
    network.runFor(1000);
    t.same(member.gdoi.policyOf('G').senderIds?.values ?? null, given, `${encryption}, ${wanted} workers`);
    t.equal(server.gdoi.serverGroups()[0].senderIdsUsed, given?.length ?? 0, 'no more than asked for');
    member.perform(member.gdoi.clearGroup('G', network.now));
    network.runFor(1000);
    const again = member.gdoi.policyOf('G').senderIds?.values ?? null;
    t.same(again, given?.map((sid) => sid + given.length) ?? null, 'fresh ones at the next registration');
  }
});

t.test('200 members at once', async (t) => {
  const { network, server, members } = Network.group(200, { encryption: 'esp-gcm-128' });
  network.runFor(5000);
  t.equal(members.filter((member) => member.registered).length, 200);
  const ids = members.flatMap((member) => member.gdoi.policyOf('G').senderIds?.values ?? []);
  t.equal(new Set(ids).size, 200, 'no sender ID twice');
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(20_000);
  t.equal(members.filter((member) => member.gdoi.policyOf('G').teks.length === 2).length, 200, 'all got the rekey');
  t.equal(server.count('gdoi_rekeys_acknowledged'), 200);
  t.equal(server.count('gdoi_rekey_retransmits'), 0);
});

t.test('a group that the key server lacks', async (t) => {
  const { network, server, members } = Network.group(1);
  const stranger = network.add(memberAddress(9), memberConfig(999));
  stranger.start();
  network.runFor(60_000);
  t.notOk(stranger.registered);
  t.ok(members[0].registered, 'the other member is undisturbed');
  t.match(stranger.logged('GM_REG_FAILED')[0], /INVALID-ID-INFORMATION/);
  t.match(server.logged('UNAUTHORIZED_IDENTITY')[0], /%GDOI-1-.*number 999/);
  const tries = stranger.gdoi.memberGroups()[0].attemptedRegistrations;
  t.ok(tries >= 4 && tries <= 8, `backs off: ${tries} tries in a minute`);
  t.equal(members[0].gdoi.memberGroups()[0].attemptedRegistrations, 1);
  t.equal(server.gdoi.serverGroups()[0].members.length, 1);
});

t.test('the next key server of the list takes over', async (t) => {
  const network = new Network();
  const server = network.add(serverAddress, serverConfig());
  server.start();
  const member = network.add(memberAddress(1), memberConfig(777, [0x01020304, serverAddress]));
  member.start();
  network.runFor(60_000);
  t.ok(member.registered);
  t.equal(member.gdoi.memberGroups()[0].registeredWith, serverAddress);
  t.equal(member.count('gdoi_registration_failures'), 1);
});

t.test('a wrong pre-shared key', async (t) => {
  const { network, members } = Network.group(1);
  const config = memberConfig();
  config.isakmpKeys = [{ line: 1, key: 'another secret', address: 0, mask: 0 }];
  const wrong = network.add(memberAddress(9), config);
  wrong.start();
  network.runFor(120_000);
  t.notOk(wrong.registered);
  t.ok(wrong.gdoi.memberGroups()[0].attemptedRegistrations >= 2, 'keeps trying');
  t.ok(members[0].registered);
  for (const line of wrong.logs) t.notMatch(line, /another secret/);
});

t.test('a key server that is not there yet', async (t) => {
  const network = new Network();
  const member = network.add(memberAddress(1), memberConfig());
  member.start();
  network.runFor(100_000);
  t.notOk(member.registered);
  network.add(serverAddress, serverConfig()).start();
  network.runFor(120_000);
  t.ok(member.registered);
});

t.test('without an RSA key there is no service, and a clear message; it begins when the key is there', async (t) => {
  const network = new Network();
  const config = serverConfig({ server: { rekeyAuthentication: 'MISSING' } });
  const server = network.add(serverAddress, config);
  server.start();
  network.runFor(10_000);
  t.match(server.gdoi.serverGroups(), [{ serving: false, problem: /RSA key MISSING does not exist/ }]);
  t.equal(server.logged('KS_NO_RSA_KEYS').length, 1, 'said once');
  server.perform(server.gdoi.reconfigure(serverConfig(), network.now));
  t.match(server.gdoi.serverGroups(), [{ serving: true, problem: null }]);
});

t.test('without rekey authentication members come back by themselves', async (t) => {
  const { network, members } = Network.group(2, { lifetimeSeconds: 60, server: { rekeyAuthentication: null } });
  network.runFor(300_000);
  for (const member of members) {
    t.ok(member.registered);
    t.equal(member.gdoi.memberGroups()[0].kek, null);
    t.ok(member.gdoi.memberGroups()[0].succeededRegistrations >= 4);
    t.equal(member.count('gdoi_registration_failures'), 0);
  }
});
