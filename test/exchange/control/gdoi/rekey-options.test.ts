// What a key server may choose about its rekeys: when members drop what is replaced, and what the signature is made over.

import t from 'tap';
import { Network } from './group-network.js';

t.test('RFC 6407 §5.4.1: DEACTIVATION_TIME_DELAY: the old TEK goes when it is over, on both sides', async (t) => {
  const { network, server, members } = Network.group(3, { lifetimeSeconds: 600, server: { rekeyDeactivationSeconds: 45 } });
  network.runFor(3000);
  const [old] = members[0].gdoi.policyOf('G').teks;
  network.runFor(600_000 - 90_000 - 20_000 - 3000 - 1000);
  t.equal(members[0].gdoi.policyOf('G').teks.length, 1, 'before the rekey in time');
  network.runFor(2000);
  for (const member of members) t.equal(member.gdoi.policyOf('G').teks.length, 2);
  network.runFor(40_000);
  for (const member of members) {
    t.equal(member.gdoi.policyOf('G').teks.length, 2, 'the old one still opens');
    t.not(member.sending()?.spi, old.spi, 'the new one is in use');
  }
  network.runFor(10_000);
  for (const member of members) t.notOk(member.opens(old.spi), 'long before it would have expired');
  t.notOk(server.gdoi.serverGroups()[0].teks.some(({ spi }) => spi === old.spi));
  t.equal(members[0].gdoi.memberGroups()[0].succeededRegistrations, 1);
});

t.test('a deactivation delay below the activation delay does not break the change-over', async (t) => {
  const { network, members } = Network.group(3, {
    lifetimeSeconds: 600,
    server: { rekeyDeactivationSeconds: 10, rekeyRetransmitSeconds: 30, rekeyRetransmitNumber: 2 },
  });
  network.runFor(3000);
  const gaps: string[] = [];
  network.watch = () => {
    for (const sender of members) {
      const tek = sender.sending();
      if (tek && !members.every((member) => member.opens(tek.spi))) gaps.push(`${network.now}`);
    }
  };
  network.runFor(1_800_000);
  t.same(gaps, []);
});

t.test('RFC 6407 §5.3.6: signatures over DigestInfo or over the hash alone: members take both', async (t) => {
  for (const rekeySignatureEncoding of [undefined, 'raw'] as const) {
    for (const rekeySignatureHash of ['sha', 'sha256', 'sha512'] as const) {
      const server = { rekeySignatureHash, ...(rekeySignatureEncoding && { rekeySignatureEncoding }) };
      const group = Network.group(1, { server });
      group.network.runFor(3000);
      group.server.perform(group.server.gdoi.rekey('G', group.network.now));
      group.network.runFor(1000);
      t.equal(group.members[0].count('gdoi_rekeys_received'), 1, `${rekeySignatureEncoding ?? 'digest-info'} ${rekeySignatureHash}`);
    }
  }
});
