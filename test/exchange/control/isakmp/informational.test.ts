// After phase 1: lifetimes, deletes, notifications, and messages that belong to nothing.

import t from 'tap';
import { IdleMs } from '../../../../control/isakmp/ike-engine.js';
import { buildClearNotification, sealInformational } from '../../../../control/isakmp/informational.js';
import { MessageCipher, saHeader } from '../../../../control/isakmp/message-cipher.js';
import { writeDeletion, writeNotification } from '../../../../control/isakmp/notification.js';
import { buildMessage } from '../../../../control/isakmp/payloads.js';
import { agreed, memberAndServer, memberEnd, policy, seededRandom, serverEnd } from './two-engines.js';

function established(lifetimeSeconds = 3600) {
  const policies = [policy({ lifetimeSeconds })];
  const pair = memberAndServer({ policies }, { policies });
  pair.network.initiate(pair.member, pair.server);
  pair.network.run(1000);
  return pair;
}

t.test('deleteSa tells the peer', async (t) => {
  const { member, server, network } = established();
  t.ok(agreed(member, server), 'up');
  network.perform(member, member.engine.deleteSa(member.up[0], network.now));
  network.run(1000);
  t.same([member.engine.sas(), server.engine.sas()], [[], []], 'gone on both sides');
  t.same([member.deleted.length, server.deleted.length], [1, 1], 'users told once');
  t.equal(network.sent.length, 7, 'one message, no answer');
  t.same(member.engine.deleteSa(member.up[0], network.now), [], 'again: nothing');
  const copy = network.sent[6].bytes;
  network.inject(memberEnd, server, copy);
  t.equal(server.count('ike_no_sa'), 1, 'a repeated delete finds nothing');
});

t.test('SAs end with their lifetime, and when idle', async (t) => {
  const short = established(60);
  short.network.run(61_000);
  t.same([short.member.engine.sas(), short.server.engine.sas()], [[], []], 'lifetime');
  t.same([short.member.deleted.length, short.server.deleted.length], [1, 1], 'users told once');
  const idle = established();
  idle.network.run(IdleMs - 10_000);
  t.equal(idle.server.engine.sas().length, 1, 'not idle yet');
  idle.network.run(20_000);
  t.same([idle.member.engine.sas(), idle.server.engine.sas()], [[], []], 'idle');
  const used = established();
  used.network.run(IdleMs - 10_000);
  used.server.up[0].lastUsedAt = used.network.now;
  used.member.up[0].lastUsedAt = used.network.now;
  used.network.run(20_000);
  t.equal(used.server.engine.sas().length, 1, 'use keeps it');
});

t.test('a protected notification reaches the user', async (t) => {
  const { member, server, network } = established();
  network.perform(server, server.engine.notify(server.up[0], 18, new Uint8Array([1, 2])));
  network.run(1000);
  t.same(member.notifications, [{ type: 18, data: new Uint8Array([1, 2]) }], 'type and data');
  const bytes = network.sent[6].bytes.slice();
  network.inject(serverEnd, member, bytes);
  t.equal(member.count('ike_unexpected'), 1, 'the same again does not');
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << (at % 8);
    network.inject(serverEnd, member, changed);
  }
  t.equal(member.notifications.length, 1, 'no changed copy does');
});

t.test('HASH(1) is needed', async (t) => {
  const { member, server, network } = established();
  const sa = member.up[0];
  const bodies = [
    {
      type: 12,
      body: writeDeletion({ doi: 2, protocol: 1, spiSize: 16, spis: [new Uint8Array([...sa.initiatorCookie, ...sa.responderCookie])] }),
    },
  ];
  const without = new MessageCipher(sa, 9).seal(saHeader(sa, 5, 9), bodies);
  const wrong = new MessageCipher(sa, 9).seal(saHeader(sa, 5, 9), [{ type: 8, body: new Uint8Array(32) }, ...bodies]);
  network.inject(memberEnd, server, without);
  network.inject(memberEnd, server, wrong);
  t.equal(server.count('ike_auth_failed'), 2, 'counted');
  t.equal(server.engine.sas().length, 1, 'not acted upon');
});

t.test('deletes and notifications that lie, from an authenticated peer', async (t) => {
  const { member, server, network } = established();
  const sa = member.up[0];
  const random = seededRandom('lies');
  const head = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
  const bodies: [number, Uint8Array][] = [
    [12, head('0000000201100001')],
    [12, head('000000020110ffff00')],
    [12, head('0000000201000001')],
    [12, new Uint8Array(3)],
    [11, head('0000000201ff000e')],
    [11, new Uint8Array(7)],
  ];
  for (const [type, body] of bodies) network.inject(memberEnd, server, sealInformational(sa, random, [{ type, body }]));
  t.equal(server.count('ike_malformed'), bodies.length, 'refused');
  const other = writeDeletion({ doi: 2, protocol: 1, spiSize: 16, spis: [new Uint8Array(16)] });
  const esp = writeDeletion({ doi: 1, protocol: 3, spiSize: 4, spis: [new Uint8Array(4)] });
  for (const body of [other, esp]) network.inject(memberEnd, server, sealInformational(sa, random, [{ type: 12, body }]));
  t.equal(server.engine.sas().length, 1, 'SAs of others, or of another kind, are not touched');
});

t.test('notifications in clear are never acted upon', async (t) => {
  const { member, server, network } = established();
  const sa = member.up[0];
  const cookies = { initiatorCookie: sa.initiatorCookie, responderCookie: sa.responderCookie };
  const header = { ...cookies, nextPayload: 0, exchange: 5, flags: 0, messageId: 0, length: 0 };
  const sendings = network.sent.length;
  for (const type of [4, 14, 24, 16384, 24578, 36136]) network.inject(memberEnd, server, buildClearNotification(header, 7, 2, type));
  const spis = [new Uint8Array([...sa.initiatorCookie, ...sa.responderCookie])];
  const deletion = buildMessage({ ...cookies, exchange: 5, flags: 0, messageId: 7 }, [
    { type: 12, body: writeDeletion({ doi: 2, protocol: 1, spiSize: 16, spis }) },
  ]);
  network.inject(memberEnd, server, deletion);
  const answer = writeNotification({ doi: 1, protocol: 1, spi: spis[0], type: 36136, data: new Uint8Array(4) });
  network.inject(memberEnd, server, buildMessage({ ...cookies, exchange: 5, flags: 0, messageId: 8 }, [{ type: 11, body: answer }]));
  t.equal(server.count('ike_unprotected_notifications'), 8, 'counted');
  t.ok(server.logs.length <= 5, 'logged at a limited rate');
  t.same([server.engine.sas().length, server.notifications, network.sent.length - sendings], [1, [], 0], 'no effect, no answer');
});

t.test('messages for a state that does not exist', async (t) => {
  const { member, server, network } = established();
  const pull = new MessageCipher(member.up[0], 3).seal(saHeader(member.up[0], 32, 3), [{ type: 8, body: new Uint8Array(32) }]);
  network.inject(memberEnd, server, pull);
  t.equal(server.pulls.length, 1, 'PULL under the SA is passed on');
  network.inject({ ...memberEnd, address: 0x0a000009 }, server, pull);
  network.inject({ ...memberEnd, port: 4500 }, server, pull);
  t.equal(server.count('ike_no_sa'), 2, 'the same from elsewhere is not');
  const clear = pull.slice();
  clear[19] = 0;
  network.inject(memberEnd, server, clear);
  t.ok(
    server.logs.some((line) => line.startsWith('%CRYPTO-6-IKMP_NOT_ENCRYPTED')),
    'PULL in clear',
  );
  t.equal(server.pulls.length, 1, 'only the first');
  const push = pull.slice();
  push[18] = 33;
  network.inject({ address: 1, port: 848 }, member, push);
  t.equal(member.pushes.length, 1, 'PUSH needs no SA');
  for (const exchange of [0, 1, 3, 4, 6, 34, 36, 240, 255]) {
    const odd = pull.slice();
    odd[18] = exchange;
    network.inject(memberEnd, server, odd);
  }
  t.same([server.count('ike_malformed'), server.engine.sas().length], [9, 1], 'other exchange types; aggressive mode with a message ID');
});

t.test('PULL before phase 1 is complete', async (t) => {
  const { member, server, network } = memberAndServer();
  network.fault = (datagram, n) => (n < 4 ? [{ delay: 1, bytes: datagram.bytes }] : []);
  network.initiate(member, server);
  network.run(500);
  const half = server.engine.sas()[0];
  t.equal(half.state, 'MM_KEY_EXCH', 'half open');
  const pull = buildMessage({ ...half, exchange: 32, flags: 1, messageId: 5 }, [{ type: 8, body: new Uint8Array(28) }]);
  network.inject(memberEnd, server, pull);
  t.same([server.pulls, server.count('ike_unexpected')], [[], 1], 'dropped');
});
