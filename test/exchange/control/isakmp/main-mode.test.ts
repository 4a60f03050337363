// Main mode between two engines: every cipher, hash and group; what ends in no SA; what the users are told.

import t from 'tap';
import type { DhGroup, IkeCipher, IkeHash } from '../../../../control/config/model.js';
import { agreed, anyPeer, memberAndServer, memberEnd, type PeerOptions, policy, serverEnd } from './two-engines.js';

const ciphers: IkeCipher[] = ['des', '3des', 'aes-128', 'aes-192', 'aes-256'];
const hashes: IkeHash[] = ['md5', 'sha', 'sha256', 'sha384', 'sha512'];
const groups: DhGroup[] = [1, 2, 5, 14, 15, 16, 19, 20, 21];

t.test('every cipher, hash and group together', async (t) => {
  for (const encryption of ciphers) {
    for (const hash of hashes) {
      for (const group of groups) {
        const policies = [policy({ encryption, hash, group })];
        const { member, server, network } = memberAndServer({ policies }, { policies });
        network.initiate(member, server);
        network.run(1000);
        t.ok(agreed(member, server), `${encryption} ${hash} group ${group}: both sides hold the same keys`);
        t.same([member.logs, server.logs], [[], []], 'no complaints');
      }
    }
  }
});

t.test('what both sides know afterwards', async (t) => {
  const { member, server, network } = memberAndServer({}, { policies: [policy({ lifetimeSeconds: 600 })] });
  network.initiate(member, server);
  t.match(member.engine.sas(), [{ state: 'MM_NO_STATE', initiator: true }], 'visible while it lasts');
  network.run(1000);
  t.equal(network.sent.length, 6, 'six messages');
  const [a] = member.up;
  const [b] = server.up;
  t.match(a, {
    state: 'GDOI_IDLE',
    initiator: true,
    local: memberEnd,
    remote: serverEnd,
    connectionId: 1001,
    doi: 2,
    policy: { lifetimeSeconds: 3600 },
  });
  t.match(b, { state: 'GDOI_IDLE', initiator: false, local: serverEnd, remote: memberEnd, doi: 2, policy: { lifetimeSeconds: 600 } });
  t.same(b.peerId, { type: 1, protocol: 17, port: 848, data: new Uint8Array([10, 0, 0, 1]) }, 'the member’s ID');
  t.same(a.peerId?.data, new Uint8Array([10, 0, 0, 2]), 'the server’s ID');
  t.same(member.keyLog, [Buffer.from(a.key).toString('hex')], 'key log');
  t.equal(member.count('ike_main_mode_completed') + server.count('ike_main_mode_completed'), 2, 'counted');
  t.equal(member.count('ike_retransmits') + server.count('ike_retransmits'), 0, 'nothing was sent twice');
});

t.test('all policies are offered; the first that both have is taken', async (t) => {
  const policies = [
    policy({ priority: 20, group: 14 }),
    policy({ priority: 10, group: 20 }),
    policy({ priority: 5, authentication: 'rsa-sig' }),
  ];
  const { member, server, network } = memberAndServer(
    { policies },
    { policies: [policy({ group: 14 }), policy({ priority: 99, group: 20 })] },
  );
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'an SA');
  t.equal(member.up[0].policy.group, 20, 'the member’s priority 10');
});

t.test('no common policy', async (t) => {
  const { member, server, network } = memberAndServer({}, { policies: [policy({ group: 14 })] });
  network.initiate(member, server);
  network.run(60_000);
  t.same([member.up, server.up, server.engine.sas(), member.engine.sas()], [[], [], [], []], 'no SA and no rest of one');
  t.match(member.failures, [/message 1.*NO-PROPOSAL-CHOSEN/], 'the member’s user is told once, with the reason');
  t.ok(
    member.logs.some((line) => /^%CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main Mode failed with peer at 10\.0\.0\.2/.test(line)),
    'member log',
  );
  t.ok(
    server.logs.some((line) => /^%CRYPTO-6-IKMP_MODE_FAILURE: .*10\.0\.0\.1.*no offered ISAKMP transform/.test(line)),
    'server log',
  );
  t.equal(server.count('ike_no_proposal'), 5, 'one per sending');
});

t.test('wrong pre-shared key', async (t) => {
  const { member, server, network } = memberAndServer({}, { keys: [anyPeer('another secret')] });
  network.initiate(member, server);
  network.run(60_000);
  t.same([member.up, server.up, server.engine.sas()], [[], [], []], 'no SA');
  t.match(member.failures, [/message 5: pre-shared key mismatch suspected/], 'the member’s user is told once');
  t.ok(
    server.logs.some((line) =>
      /^%CRYPTO-5-IKMP_INVAL_KEY: .*10\.0\.0\.1: pre-shared key mismatch suspected: message 5 did not decrypt/.test(line),
    ),
    'server log',
  );
  t.equal(server.count('ike_undecryptable'), 5, 'one per sending');
  t.notMatch([...member.logs, ...server.logs].join('\n'), /secret/, 'no key in any log');
});

t.test('peer without a key', async (t) => {
  const { member, server, network } = memberAndServer({}, { keys: [{ line: 1, key: 'x', address: 0xc0000000, mask: 0xff000000 }] });
  network.initiate(member, server);
  network.run(60_000);
  t.same([member.up, server.up, server.engine.sas()], [[], [], []], 'no SA');
  t.match(member.failures, [/no answer to message 1/], 'member');
  t.ok(
    server.logs.some((line) => /^%CRYPTO-4-IKMP_NO_PRESHARED_KEY: .*10\.0\.0\.1 is missing/.test(line)),
    'server log',
  );
});

t.test('the initiator has no key, or no policy, itself', async (t) => {
  const cases: [Partial<PeerOptions>, RegExp][] = [
    [{ keys: [] }, /no pre-shared key/],
    [{ policies: [policy({ authentication: 'rsa-sig' })] }, /no ISAKMP policy/],
  ];
  for (const [options, reason] of cases) {
    const { member, server, network } = memberAndServer(options);
    network.initiate(member, server);
    t.match(member.failures, [reason], 'told at once');
    t.equal(network.sent.length, 0, 'nothing sent');
  }
});

t.test('a member does not answer offers', async (t) => {
  const { member, server, network } = memberAndServer();
  network.initiate(server, member);
  network.run(60_000);
  t.same([member.up, member.engine.sas(), member.logs], [[], [], []], 'silence');
  t.equal(member.count('ike_unexpected'), 5, 'counted');
});

t.test('one exchange at a time with a peer; later ones are independent', async (t) => {
  const { member, server, network } = memberAndServer();
  network.initiate(member, server);
  network.initiate(member, server);
  t.equal(network.sent.length, 1, 'the second call finds the first under way');
  network.run(1000);
  network.initiate(member, server);
  network.run(1000);
  t.equal(member.engine.sas().length, 2, 'two SAs');
  t.ok(agreed(member, server), 'the second one too');
  t.not(Buffer.from(member.up[0].key).toString('hex'), Buffer.from(member.up[1].key).toString('hex'), 'with its own keys');
});

t.test('reconfigure', async (t) => {
  const { member, server, network } = memberAndServer({ keys: [anyPeer('new')] }, { acceptInbound: false });
  server.engine.reconfigure({ policies: [policy()], keys: [anyPeer('new')], acceptInbound: true }, 0);
  network.initiate(member, server);
  network.run(1000);
  t.ok(agreed(member, server), 'new key and role are in force');
  t.strictSame(server.engine.reconfigure({ policies: [], keys: [anyPeer('new')] }, 1000), []);
  t.equal(server.engine.sas().length, 1, 'an SA that is up stays');
});

t.test('an SA ends with the key that has proved its peer, whether that is taken away or changed', async (t) => {
  for (const keys of [[], [anyPeer('another')]]) {
    const { member, server, network } = memberAndServer();
    network.initiate(member, server);
    network.run(1000);
    t.ok(agreed(member, server));
    const farewell = server.engine.reconfigure({ policies: [policy()], keys, acceptInbound: true }, network.now);
    t.equal(server.engine.sas().length, 0);
    t.equal(farewell.filter(({ kind }) => kind === 'send').length, 1, 'the peer is told');
  }
});
