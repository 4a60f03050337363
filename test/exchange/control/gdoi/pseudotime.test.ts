// Pseudotime of time-based anti-replay: from the key server at registration and with each rekey; copies that come late, clocks that drift or step.

import t from 'tap';
import { pseudotimeAt } from '../../../../control/gdoi/pseudotime.js';
import {
  memberAddress,
  memberConfig,
  Network,
  type Node,
  type ServerOptions,
  serverAddress,
  serverConfig,
  start,
} from './group-network.js';

function timedConfig(options: ServerOptions = {}) {
  const config = serverConfig(options);
  for (const sa of config.gdoiGroups.get('G')?.server?.sas.values() ?? []) sa.replay = { method: 'time', windowSeconds: 5 };
  return config;
}

function group(count: number, options: ServerOptions = {}) {
  const network = new Network();
  const server = network.add(serverAddress, timedConfig(options));
  server.start();
  network.runFor(100_000); // the group's clock runs from its first keys on
  const members = Array.from({ length: count }, (_, n) => network.add(memberAddress(n + 1), memberConfig()));
  for (const member of members) member.start();
  network.runFor(2000);
  return { network, server, members };
}

/** How far a member's pseudotime is behind the group's. */
function lateness(node: Node): number {
  const { pseudotime } = node.gdoi.policyOf('G');
  if (!pseudotime) throw new Error('the member has no pseudotime');
  return node.network.now - start - pseudotimeAt(pseudotime, node.network.now);
}

t.test('registration sets it, for old and new members alike', async (t) => {
  const { network, members } = group(2);
  t.match(members[0].gdoi.policyOf('G').teks, [{ replaySeconds: 5, replayWindow: 0 }]);
  for (const member of members) t.ok(lateness(member) >= 0 && lateness(member) < 10, `${lateness(member)} ms`);
  network.runFor(3600_000 * 5);
  for (const member of members) t.ok(lateness(member) < 10, 'and rekeys keep it');
});

t.test('a rekey of which only the last copy arrives does not set the clock back', async (t) => {
  const { network, members } = group(1, { server: { rekeyAcknowledgement: 'interoperable' } });
  let dropped = 0;
  network.fault = (datagram) => (datagram.bytes[18] === 33 && dropped++ % 3 < 2 ? { delays: [] } : null);
  network.runFor(3600_000 * 3);
  t.ok(dropped > 6);
  t.ok(lateness(members[0]) < 10, `${lateness(members[0])} ms late after copies that were 20 s old`);
  const [status] = members[0].gdoi.memberGroups();
  t.ok(status.timeSyncErrors > 0 && status.maxTimeDeltaMs >= 19_000, `${status.timeSyncErrors} errors, ${status.maxTimeDeltaMs} ms`);
  t.match(members[0].logged('PSEUDO_TIME_TOO_OLD')[0], /peer_pst is [\d.]+ sec, allowable_skew is 10 sec/);
  t.equal(status.succeededRegistrations, 1, 'the keys are taken all the same');
});

t.test('a member whose clock lags is moved forward', async (t) => {
  const { network, server, members } = group(1);
  const keys = members[0].gdoi.policyOf('G').pseudotime;
  if (keys) keys.value -= 60_000;
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.ok(lateness(members[0]) < 10);
  t.match(members[0].logged('PSEUDO_TIME_LARGE')[0], /larger than expected in group G/);
});

t.test('it survives restarts of both', async (t) => {
  const { network, server, members } = group(1);
  server.restart();
  members[0].restart();
  network.runFor(60_000);
  t.ok(lateness(members[0]) < 10);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.ok(lateness(members[0]) < 10);
  t.equal(members[0].gdoi.memberGroups()[0].timeSyncErrors, 0);
});

t.test('without time-based replay nobody has a pseudotime', async (t) => {
  const { members } = Network.group(1);
  t.equal(members[0].gdoi.policyOf('G').pseudotime, null);
});
