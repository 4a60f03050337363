// Acceptance 5: what goes wrong at registration is said clearly, is tried again with back-off, and disturbs nobody else.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2 all the time, nothing lost
//                 | \---- r3 :: wrong pre-shared key · a group that r4 does not have · a key server that does not answer
//                 r4

import t from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { Flow } from '../support/traffic.js';

const cases = [
  {
    name: 'wrong pre-shared key',
    change: (text: string) => substitute(text, /crypto isakmp key \S+ address/, 'crypto isakmp key WRONG-KEY address'),
    // The member repeats its message for half a minute before it says more (test/exchange has all of it); the key server says it at once.
    member: /%CRYPTO-5-GM_REGSTER: Start registration to KS 172\.16\.4\.2 for group GDOI-GROUP/,
    server: /%CRYPTO-5-IKMP_INVAL_KEY: .*172\.16\.3\.2.*pre-shared key mismatch/,
  },
  {
    name: 'a group that the key server lacks',
    change: (text: string) => substitute(text, /identity number 777/, 'identity number 778'),
    member: /%GDOI-3-GM_REG_FAILED: Registration to KS 172\.16\.4\.2 for group GDOI-GROUP failed: .*; next try in/,
    server: /%GDOI-1-UNAUTHORIZED_IDENTITY: .*778/,
  },
  {
    name: 'a key server that does not answer',
    // With a key for it: what is tested is the silence, not a missing key.
    change: (text: string) =>
      substitute(
        substitute(text, /server address ipv4 172\.16\.4\.2/, 'server address ipv4 198.51.100.10'),
        /(crypto isakmp key \S+ address) \S+/,
        '$1 198.51.100.10',
      ),
    member: /%GDOI-3-GM_REG_FAILED: Registration to KS 198\.51\.100\.10 for group GDOI-GROUP failed: .*; next try in/,
    server: null,
  },
];

t.test('bad registrations beside good members', async (t) => {
  let original = '';
  const edit = (router: string, text: string) => {
    if (router === 'r3') original = text;
    return text;
  };
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'], edit });
  t.teardown(() => lab.down());
  const flow = await Flow.start(lab, 'h1', 'h2', 500, 6001);
  for (const { name, change, member, server } of cases) {
    await t.test(name, async (t) => {
      lab.configure('r3', () => change(original));
      const before = lab.log('r3').length;
      await lab.start('r3');
      if (server !== null) await lab.logs('r4', server);
      // Five sendings of a message that nobody answers take 23 to 39 s (control/isakmp/retransmission.ts).
      await lab.logs('r3', member, 90_000, before);
      await lab.answers('r3');
      const [state] = ((await lab.show('r3', 'crypto gdoi gm')) as { gdoiMembers: { registered: boolean }[] }).gdoiMembers;
      t.equal(state.registered, false, 'r3 says it is registered');
      await lab.command('stop', 'r3');
    });
  }
  t.notMatch(lab.log('r3') + lab.log('r4'), /WRONG-KEY|R3-KEY/, 'keys in the logs');
  t.notMatch(lab.log('r3') + lab.log('r4'), /%SYS-5-RESTART/, 'processes that died');
  const report = await flow.stop();
  t.same(report.lost, [], `datagrams between r1 and r2 lost of ${report.sent}`);
});
