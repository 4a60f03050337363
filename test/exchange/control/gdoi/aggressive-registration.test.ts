// Registration over aggressive mode. Its initiator believes that the SA is up when it has sent message 3, which nobody acknowledges: if that one is lost, the key
// server knows nothing of the SA, and the member's own repetitions and its next try must heal it.

import t from 'tap';
import type { Datagram } from '../../../../control/actions.js';
import { memberAddress, memberConfig, Network, type Node, serverAddress, serverConfig } from './group-network.js';

function pair(): { network: Network; server: Node; member: Node } {
  const network = new Network();
  const serving = serverConfig();
  serving.isakmp.aggressiveMode = true;
  serving.isakmpKeys = [{ line: 1, key: 'k', address: memberAddress(1), mask: 0xffffffff }];
  const joining = memberConfig();
  joining.isakmpKeys = [{ line: 1, key: 'k', address: serverAddress, mask: 0xffffffff }];
  const everyone = [{ address: 0, mask: 0 }];
  joining.isakmpProfiles.set('P', { line: 1, name: 'P', keyring: null, matchAddresses: everyone, initiateAggressive: true });
  const server = network.add(serverAddress, serving);
  server.start();
  return { network, server, member: network.add(memberAddress(1), joining) };
}

/** Message 3 of aggressive mode: encrypted. */
const isMessage3 = ({ bytes }: Datagram): boolean => bytes[18] === 4 && (bytes[19] & 1) === 1;
const exchanges = (node: Node) => node.sent.map(({ bytes }) => bytes[18]);

t.test('three messages, then GROUPKEY-PULL', async (t) => {
  const { network, member } = pair();
  member.start();
  network.runFor(2000);
  t.ok(member.registered);
  t.same(exchanges(member), [4, 4, 32, 32], 'the member’s part');
});

t.test('message 3 is lost: the member repeats its PULL, gives up, and begins anew', async (t) => {
  const { network, server, member } = pair();
  let lost = 0;
  network.fault = (datagram) => (isMessage3(datagram) && lost++ === 0 ? { delays: [] } : null);
  member.start();
  network.runFor(5000);
  t.notOk(member.registered);
  t.equal(lost, 1);
  t.match(member.ike.sas(), [{ state: 'GDOI_IDLE' }], 'it believes that its SA is up');
  t.match(server.ike.sas(), [{ state: 'AG_INIT_EXCH' }], 'the key server waits for message 3');
  t.ok(member.count('gdoi_pull_retransmits') > 0, 'the PULL is repeated');
  t.ok(server.count('ike_unexpected') > 0, 'and counted: PULL before phase 1 is complete');
  network.runFor(120_000);
  t.ok(member.registered, 'the next phase 1 heals it');
  t.match(member.gdoi.memberGroups(), [{ succeededRegistrations: 1, attemptedRegistrations: 2 }], 'in the second try');
  t.match(
    server.ike.sas().map(({ state }) => state),
    ['GDOI_IDLE'],
    'and nothing is left of the first',
  );
});

t.test('message 3 is late: the repetition of the PULL finds the SA', async (t) => {
  const { network, member } = pair();
  network.fault = (datagram) => (isMessage3(datagram) ? { delays: [2500] } : null);
  member.start();
  network.runFor(20_000);
  t.match(member.gdoi.memberGroups(), [{ registered: true, attemptedRegistrations: 1 }], 'in the first try');
});

t.test('every message 3 is lost: no storm, the failure is said, and the keys in use stay', async (t) => {
  const { network, server, member } = pair();
  member.start();
  network.runFor(2000);
  const keys = JSON.stringify(member.gdoi.policyOf('G').teks.map(({ spi }) => spi));
  network.fault = (datagram) => (isMessage3(datagram) ? { delays: [] } : null);
  network.runFor(20_000);
  member.perform(member.gdoi.clearGroup('G', network.now));
  const sent = member.sent.length;
  network.runFor(600_000);
  const [status] = member.gdoi.memberGroups();
  t.ok(status.attemptedRegistrations >= 3 && status.attemptedRegistrations < 40, `${status.attemptedRegistrations} tries in ten minutes`);
  t.match(status.lastFailure, /does not answer/);
  t.ok(member.sent.length - sent < 400, `${member.sent.length - sent} messages`);
  t.equal(JSON.stringify(member.gdoi.policyOf('G').teks.map(({ spi }) => spi)), keys, 'the keys are what they were');
  t.ok(server.ike.sas().length <= 3, `${server.ike.sas().length} exchanges at the key server`);
});
