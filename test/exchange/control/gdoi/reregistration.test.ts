// Why and when members register again: spread before their keys expire, after deleted keys, on packets under SPIs they do not have.

import t from 'tap';
import { Exchange } from '../../../../control/isakmp/header.js';
import { FullestSecond } from '../../../simulator/watch.js';
import { Network, type Node } from './group-network.js';

const [hostA, hostB] = [0x0a000001, 0x0a000002];

/** Notes in which second members begin phase 1. */
function watchTries(network: Network, members: readonly Node[]): FullestSecond {
  const fullest = new FullestSecond();
  const tries = new Map<Node, number>();
  let total = 0;
  for (const member of members) tries.set(member, member.count('ike_main_mode_started'));
  network.watch = (node) => {
    const before = node && tries.get(node);
    if (!node || before === undefined || before === null) return;
    const now = node.count('ike_main_mode_started');
    total += now - before;
    tries.set(node, now);
    fullest.update(total, network.now);
  };
  return fullest;
}

t.test('200 members that got no rekey do not come back in one second, and before their keys expire', async (t) => {
  const { network, members } = Network.group(200);
  network.runFor(30_000);
  t.ok(members.every((member) => member.registered));
  network.fault = (datagram) => (datagram.bytes[18] === Exchange.GroupkeyPush ? { delays: [] } : null);
  const fullest = watchTries(network, members);
  let least = members.length;
  for (let second = 30; second < 3700; second++) {
    network.runFor(1000);
    least = Math.min(least, members.filter((member) => member.registered).length);
  }
  t.equal(least, members.length, 'nobody was without keys for a moment');
  for (const member of members) t.equal(member.gdoi.memberGroups()[0].succeededRegistrations, 2, 'once more, not twice');
  t.ok(fullest.most < 200 / 8, `${fullest.most} of 200 in the fullest second: 20 s of spread`);
});

t.test('before the KEK expires too', async (t) => {
  const { network, server, members } = Network.group(40, { lifetimeSeconds: 86_400, server: { rekeyLifetimeSeconds: 600 } });
  network.runFor(2000);
  network.fault = (datagram) => (datagram.bytes[18] === Exchange.GroupkeyPush ? { delays: [] } : null);
  const fullest = watchTries(network, members);
  network.runFor(598_000);
  const kek = server.gdoi.serverGroups()[0].kek?.spi;
  for (const member of members) t.equal(member.gdoi.memberGroups()[0].kek?.spi, kek, 'has the new KEK before the old one expires');
  t.ok(fullest.most < 10, `${fullest.most} of 40 in the fullest second`);
});

t.test('deleted keys: members come back within seconds, but not in the same one', async (t) => {
  const { network, server, members } = Network.group(100, { encryption: 'esp-gcm-128' }, { senderIdBits: 8 });
  network.runFor(20_000);
  t.ok(members.every((member) => member.registered));
  const fullest = watchTries(network, members.slice(1));
  for (let n = 0; n < 160 && server.count('gdoi_sender_ids_exhausted') === 0; n++) {
    members[0].perform(members[0].gdoi.renewSenderIds('G', network.now));
    network.runFor(300);
  }
  t.equal(server.count('gdoi_sender_ids_exhausted'), 1);
  network.runFor(30_000);
  t.ok(members.every((member) => member.registered));
  t.ok(fullest.most < 50, `${fullest.most} of 99 in the fullest second`);
});

/** One member that got none of a rekey's copies, and the SPI that the others send under now. */
function missedRekey(): { network: Network; member: Node; newSpi: number; oldSpi: number } {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  const [oldTek] = members[0].gdoi.policyOf('G').teks;
  network.fault = (datagram) =>
    datagram.bytes[18] === Exchange.GroupkeyPush && datagram.remote.address === members[0].address ? { delays: [] } : null;
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(60_000);
  const newSpi = members[1].sending()?.spi ?? 0;
  t.not(newSpi, oldTek.spi);
  return { network, member: members[0], newSpi, oldSpi: oldTek.spi };
}

function report(network: Network, member: Node, spi: number, destination = hostB): void {
  member.gdoi.invalidSpi(spi, hostA, destination, network.now);
  network.touch(member);
}

t.test('packets under an unknown SPI: the member that missed a rekey registers again', async (t) => {
  const { network, member, newSpi } = missedRekey();
  t.notOk(member.opens(newSpi));
  report(network, member, newSpi);
  network.runFor(6000);
  t.ok(member.opens(newSpi));
  t.equal(member.count('gdoi_invalid_spi_registrations'), 1);
  t.match(member.logged('GM_RE_REGISTER')[0], /under an SPI/);
});

t.test('not when the rekey comes after all', async (t) => {
  const { network, server, members } = Network.group(2);
  network.runFor(2000);
  // The first copy to one member is lost; the repetition comes 10 s later.
  let lost = 0;
  network.fault = (datagram) =>
    datagram.bytes[18] === Exchange.GroupkeyPush && datagram.remote.address === members[0].address && lost++ === 0 ? { delays: [] } : null;
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(9900);
  const spi = members[1].gdoi.policyOf('G').teks.at(-1)?.spi ?? 0;
  t.notOk(members[0].opens(spi));
  report(network, members[0], spi);
  network.runFor(60_000);
  t.ok(members[0].opens(spi));
  t.equal(members[0].gdoi.memberGroups()[0].succeededRegistrations + members[0].count('gdoi_invalid_spi_registrations'), 1);
});

t.test('a flood of forged SPIs: six registrations in an hour, whatever comes', async (t) => {
  const { network, members } = Network.group(1, { lifetimeSeconds: 86_400 });
  network.runFor(2000);
  const [member] = members;
  for (let second = 0; second < 3600; second++) {
    for (let n = 0; n < 5; n++) report(network, member, 1_000_000 + second * 5 + n);
    network.runFor(1000);
  }
  t.equal(member.count('gdoi_invalid_spi_registrations'), 6, 'after 0, 1, 3, 7, 15, 31 minutes');
  t.ok(member.registered);
});

t.test('not for packets that the group does not protect, nor for an SPI of the past', async (t) => {
  const { network, member, newSpi, oldSpi } = missedRekey();
  report(network, member, newSpi, 0xc0a80001);
  network.runFor(10_000);
  t.equal(member.count('gdoi_invalid_spi_registrations'), 0, 'other hosts');
  network.fault = () => null;
  network.runFor(3_600_000);
  t.notOk(member.opens(oldSpi), 'it has expired');
  report(network, member, oldSpi);
  network.runFor(10_000);
  t.equal(member.count('gdoi_invalid_spi_registrations'), 0, 'a sender that switches late');
});
