// Rekeys over hours: TEK and KEK change under loss, duplication and reordering. At every moment, what one member seals with, every other
// member can open: that is what "no packet is lost" means to the control plane.

import t, { type Test } from 'tap';
import type { Datagram } from '../../../../control/actions.js';
import { Exchange } from '../../../../control/isakmp/header.js';
import { type Fault, memberAddress, memberConfig, Network, type Node, type ServerOptions, seededRandom } from './group-network.js';

/** Notes every moment at which a receiver lacks the key that a sender uses. */
function watchSeals(network: Network, members: Node[]): string[] {
  const gaps: string[] = [];
  network.watch = () => {
    for (const sender of members) {
      const tek = sender.alive ? sender.sending() : null;
      if (!tek) continue;
      for (const receiver of members) {
        if (!receiver.alive || receiver === sender || !receiver.registered || receiver.opens(tek.spi)) continue;
        gaps.push(
          `at ${(network.now - 1_700_000_000_000) / 1000} s member ${receiver.address & 255} cannot open what ${sender.address & 255} sends`,
        );
      }
    }
  };
  return gaps;
}

const exchangeOf = ({ bytes }: Datagram): number => bytes[18];

function randomFault(seed: string, which: (exchange: number) => boolean): Fault {
  const random = seededRandom(seed);
  return (datagram) => {
    if (!which(exchangeOf(datagram))) return null;
    const [dice, delay] = random(2);
    if (dice < 64) return { delays: [] };
    if (dice < 128) return { delays: [1, 20 + delay] };
    return dice < 192 ? { delays: [delay * 2] } : null;
  };
}

async function groupUnderWatch(
  t: Test,
  options: ServerOptions,
  seconds: number,
  fault: Fault = () => null,
): Promise<{ server: Node; members: Node[] }> {
  const { network, server, members } = Network.group(3, options);
  network.runFor(3000);
  t.ok(
    members.every((member) => member.registered),
    'registered',
  );
  const gaps = watchSeals(network, members);
  network.fault = fault;
  network.runFor(seconds * 1000);
  t.same(gaps.slice(0, 5), [], 'what is sealed can be opened, always');
  t.ok(
    members.every((member) => member.registered && member.sending()),
    'still registered',
  );
  return { server, members };
}

for (const lifetimeSeconds of [15, 30, 60, 300]) {
  t.test(`TEK lifetime ${lifetimeSeconds} s, 20 lifetimes`, async (t) => {
    const { server, members } = await groupUnderWatch(t, { lifetimeSeconds }, lifetimeSeconds * 20);
    for (const member of members) {
      const [status] = member.gdoi.memberGroups();
      t.equal(status.succeededRegistrations, 1, 'rekeys only, no second registration');
      t.ok(status.rekeysReceived >= 20, `${status.rekeysReceived} rekeys`);
    }
    t.equal(server.count('gdoi_rekeys_acknowledged'), server.count('gdoi_rekeys_sent') * 3, 'every rekey is acknowledged by all');
    t.equal(server.count('gdoi_rekey_retransmits'), 0);
  });
}

t.test('a day with one-hour TEKs and the KEK renewed at its end', async (t) => {
  const { members } = await groupUnderWatch(t, {}, 90_000);
  const [status] = members[0].gdoi.memberGroups();
  t.equal(status.succeededRegistrations, 1);
  t.ok(status.kek && status.kek.lifetimeSeconds > 86_000, 'a new KEK');
  t.ok(status.lastRekeySequence < 10, `sequence begins again under a new KEK: ${status.lastRekeySequence}`);
});

t.test('KEK shorter than the TEK', async (t) => {
  const { members, server } = await groupUnderWatch(t, { lifetimeSeconds: 300, server: { rekeyLifetimeSeconds: 60 } }, 1200);
  t.equal(members[0].gdoi.memberGroups()[0].succeededRegistrations, 1);
  t.ok(server.count('gdoi_rekeys_sent') > 20);
  t.equal(server.count('gdoi_rekeys_acknowledged'), server.count('gdoi_rekeys_sent') * 3);
});

t.test('KEK of every algorithm and signature hash', async (t) => {
  for (const rekeyEncryption of ['des', '3des', 'aes-128', 'aes-192', 'aes-256'] as const) {
    for (const rekeySignatureHash of ['sha', 'sha256', 'sha384', 'sha512'] as const) {
      const { network, server, members } = Network.group(1, { server: { rekeyEncryption, rekeySignatureHash } });
      network.runFor(2000);
      server.perform(server.gdoi.rekey('G', network.now));
      network.runFor(2000);
      t.equal(members[0].count('gdoi_rekeys_received'), 1, `${rekeyEncryption} ${rekeySignatureHash}`);
    }
  }
});

t.test('rekeys under loss, duplication and reordering of the push exchange', async (t) => {
  for (const seed of ['a', 'b', 'c']) {
    const push = (exchange: number): boolean => exchange === Exchange.GroupkeyPush || exchange === Exchange.GroupkeyPushAck;
    // Five repetitions, so that a quarter of loss does not take all copies away.
    const server = { rekeyRetransmitSeconds: 10, rekeyRetransmitNumber: 10, rekeyLifetimeSeconds: 1000 };
    const { members } = await groupUnderWatch(t, { lifetimeSeconds: 300, server }, 4000, randomFault(seed, push));
    for (const member of members)
      t.ok(member.count('gdoi_push_duplicates') + member.count('gdoi_push_rejected_unknown') > 0, 'repetitions were seen');
  }
});

t.test('a repeated push extends nothing', async (t) => {
  const { network, server, members } = Network.group(1, { lifetimeSeconds: 60 });
  network.runFor(2000);
  network.fault = (datagram) => (exchangeOf(datagram) === Exchange.GroupkeyPushAck ? { delays: [] } : null);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(10);
  const before = members[0].gdoi.policyOf('G').teks.map(({ spi, expiresAt, activatesAt }) => ({ spi, expiresAt, activatesAt }));
  network.runFor(25_000);
  t.ok(members[0].count('gdoi_push_duplicates') > 0, 'it was repeated');
  t.same(
    members[0].gdoi.policyOf('G').teks.map(({ spi, expiresAt, activatesAt }) => ({ spi, expiresAt, activatesAt })),
    before,
  );
});

t.test('a member whose pushes are all lost registers again in time', async (t) => {
  const { network, members } = Network.group(2, { lifetimeSeconds: 300 });
  network.runFor(2000);
  const [deaf] = members;
  network.fault = (datagram) =>
    exchangeOf(datagram) === Exchange.GroupkeyPush && datagram.remote.address === deaf.address ? { delays: [] } : null;
  network.runFor(3_000_000);
  t.ok(deaf.registered);
  t.equal(deaf.count('gdoi_rekeys_received'), 0);
  t.ok(deaf.gdoi.memberGroups()[0].succeededRegistrations > 5);
  t.match(deaf.logged('GM_RE_REGISTER')[0], /no rekey came in time/);
});

t.test('a member that joins in the middle of a change-over gets both keys', async (t) => {
  const { network, server, members } = Network.group(2, { lifetimeSeconds: 300 });
  network.runFor(2000);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(5000);
  const late = network.add(memberAddress(50), memberConfig());
  const gaps = watchSeals(network, [...members, late]);
  late.start();
  network.runFor(1000);
  t.equal(late.gdoi.policyOf('G').teks.length, 2);
  t.equal(late.sending()?.spi, members[0].sending()?.spi, 'sends with the old one, as all do');
  network.runFor(300_000);
  t.same(gaps, []);
});

t.test('a rekey between message 2 and message 4 reaches the new member', async (t) => {
  const { network, server } = Network.group(1, { lifetimeSeconds: 300 });
  network.runFor(2000);
  const late = network.add(memberAddress(50), memberConfig());
  let pulls = 0;
  network.fault = (datagram, from) => {
    if (from !== late || exchangeOf(datagram) !== Exchange.GroupkeyPull) return null;
    return { delays: [++pulls === 2 ? 500 : 1] };
  };
  late.start();
  network.runFor(100);
  t.equal(pulls, 2, 'message 3 is under way');
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(2000);
  t.equal(late.gdoi.policyOf('G').teks.length, 2);
  t.equal(late.count('gdoi_rekeys_received'), 1);
});

t.test('three rekeys without acknowledgement remove a member, but not one that never acknowledged', async (t) => {
  const { network, server, members } = Network.group(3, { lifetimeSeconds: 300 });
  network.runFor(2000);
  const [dies, mute] = members;
  network.fault = (datagram, from) => (from === mute && exchangeOf(datagram) === Exchange.GroupkeyPushAck ? { delays: [] } : null);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(60_000);
  dies.kill();
  for (let n = 0; n < 3; n++) {
    t.equal(server.gdoi.serverGroups()[0].members.length, 3);
    server.perform(server.gdoi.rekey('G', network.now));
    network.runFor(60_000);
  }
  const [status] = server.gdoi.serverGroups();
  t.same(
    status.members.map(({ address }) => address),
    [mute.address, members[2].address],
  );
  t.match(server.logged('GM_DELETE')[0], /172\.17\.0\.1 /);
  t.match(status.members[0], {
    rekeysSent: 4,
    rekeyAcksReceived: 0,
    rekeyAcksMissed: 4,
    sentSequences: [4, 3, 2, 1],
    receivedSequences: [],
  });
  t.match(status.members[1], { rekeysSent: 4, rekeyAcksReceived: 4, receivedSequences: [4, 3, 2, 1] });
});

t.test('without acknowledgements every repetition is sent', async (t) => {
  const { network, server } = Network.group(2, { server: { rekeyAcknowledgement: 'cisco' } });
  network.runFor(2000);
  server.perform(server.gdoi.rekey('G', network.now));
  network.runFor(60_000);
  t.equal(server.count('gdoi_rekey_retransmits'), 4);
  t.equal(server.gdoi.serverGroups()[0].members.length, 2);
});
