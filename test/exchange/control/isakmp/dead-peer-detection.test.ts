// RFC 3706 between two engines.

import t from 'tap';
import type { KeepaliveSettings } from '../../../../control/config/model.js';
import { notifyPayload, sealInformational } from '../../../../control/isakmp/informational.js';
import { memberAndServer, memberEnd, seededRandom } from './two-engines.js';

function established(keepalive: KeepaliveSettings | null) {
  const pair = memberAndServer({ settings: { keepalive } });
  pair.network.initiate(pair.member, pair.server);
  pair.network.run(1000);
  return pair;
}

const periodic: KeepaliveSettings = { seconds: 10, retrySeconds: 2, mode: 'periodic' };

t.test('periodic: the peer answers, the SA stays until it is idle', async (t) => {
  const { member, server, network } = established(periodic);
  network.run(105_000);
  t.equal(member.count('ike_dpd_sent'), 10, 'every ten seconds');
  t.equal(server.count('ike_dpd_answered'), 10, 'answered');
  t.same([member.notifications, server.notifications], [[], []], 'users hear nothing of it');
  network.run(300_000);
  t.same([member.engine.sas(), server.engine.sas()], [[], []], 'detection is no use of an SA: it ends when idle');
  t.equal(member.count('ike_dpd_dead'), 0, 'not as dead');
});

t.test('periodic: five without an answer', async (t) => {
  const { member, network } = established(periodic);
  network.fault = () => [];
  network.run(30_000);
  t.equal(member.count('ike_dpd_sent'), 5, 'five times');
  t.match([member.deleted.length, member.engine.sas()], [1, []], 'the user is told once, the SA is gone');
  t.match(member.logs, [/^%CRYPTO-5-SESSION_STATUS: Crypto session is DOWN\. Peer 10\.0\.0\.2:848/]);
});

t.test('periodic: lost ones are made up for', async (t) => {
  const { member, network } = established(periodic);
  let lost = 3;
  network.fault = ({ bytes }) => (lost-- > 0 ? [] : [{ delay: 1, bytes }]);
  network.run(60_000);
  t.equal(member.engine.sas().length, 1, 'three lost in a row: still up');
});

t.test('on-demand: silence is no reason to ask', async (t) => {
  const { member, server, network } = established({ ...periodic, mode: 'on-demand' });
  network.run(60_000);
  t.equal(member.count('ike_dpd_sent'), 0, 'nothing was sent, nothing is asked');
  network.fault = () => [];
  member.up[0].lastUsedAt = network.now;
  network.run(40_000);
  t.equal(member.count('ike_dpd_sent'), 5, 'something was sent and not answered');
  t.equal(member.engine.sas().length, 0, 'dead');
  t.equal(server.engine.sas().length, 1, 'the other side asks nobody');
});

t.test('stale, foreign and malformed ones, from an authenticated peer', async (t) => {
  const { member, server, network } = established(null);
  const sa = member.up[0];
  const random = seededRandom('dpd');
  const ask = (data: number[], type = 36136): void =>
    network.inject(memberEnd, server, sealInformational(sa, random, [notifyPayload(sa, type, new Uint8Array(data))]));
  ask([0, 0, 0, 9]);
  t.equal(server.count('ike_dpd_answered'), 1, 'answered without keepalives of its own');
  ask([0, 0, 0, 9]);
  ask([0, 0, 0, 8]);
  t.equal(server.count('ike_unexpected'), 2, 'not newer: not answered');
  ask([0, 0, 0, 7], 36137);
  t.equal(server.count('ike_unexpected'), 3, 'an answer to nothing');
  ask([]);
  ask([0, 0, 10]);
  ask([0, 0, 0, 10, 0]);
  const other = { ...sa, initiatorCookie: new Uint8Array(8) };
  network.inject(memberEnd, server, sealInformational(sa, random, [notifyPayload(other, 36136, new Uint8Array([0, 0, 0, 10]))]));
  t.equal(server.count('ike_malformed'), 4, 'no sequence number, or other cookies');
  ask([0, 0, 0, 10]);
  t.equal(server.count('ike_dpd_answered'), 2, 'the next good one is');
  t.equal(server.engine.sas().length, 1, 'nothing is lost');
});
