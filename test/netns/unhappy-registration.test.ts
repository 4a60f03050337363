// Acceptance 5: what goes wrong at registration ends in a clear message and retries with back-off; nobody crashes, the others go on.
//
//   r1  the right key                                  \
//   r2  another pre-shared key than the key server's    core --- r4 key server
//   r3  a group that the key server does not have      /
//
// and a member whose key server does not exist at all. Damaged messages at each step: test/exchange, every byte of every message.

import t from 'tap';
import { Lab, substitute } from '../support/lab.js';

t.test('a wrong key and an unknown group leave the other member alone', async (t) => {
  const lab = await Lab.up({
    waitSeconds: 0,
    edit: (router, text) => {
      if (router === 'r2') return substitute(text, /R2-KEY/, 'NOT-THE-KEY');
      if (router === 'r3') return substitute(text, /identity number 777/, 'identity number 778');
      return text;
    },
  });
  t.teardown(() => lab.down());
  await lab.groupwire('r1', 'wait-ready', '--timeout', '20');
  const ping = lab.spawn('r1', ['ping', '-q', '-i', '0.1', '-I', '10.0.1.1', '-W', '1', '172.16.4.2']);
  await lab.logs('r3', /%GDOI-3-GM_REG_FAILED: Registration to KS 172\.16\.4\.2 .*does not serve this group.*next try in/);
  await lab.logs('r4', /%GDOI-1-UNAUTHORIZED_IDENTITY: .*172\.16\.3\.2/);
  await lab.logs('r4', /%CRYPTO-\d-\w+: .*172\.16\.2\.2/);
  const retries = /GM_REGSTER[\s\S]*GM_REG_FAILED[\s\S]*GM_REGSTER/;
  await lab.logs('r3', retries);
  for (const router of ['r1', 'r2', 'r3', 'r4'] as const) {
    t.notMatch(lab.log(router), /RESTART|NOT-THE-KEY|R2-KEY/, `${router}: no process died and no key was logged`);
  }
  const ready = await lab
    .run('r2', ['true'])
    .then(() => lab.groupwire('r2', 'wait-ready', '--timeout', '0').catch((error: Error) => error.message));
  t.match(ready, /group GDOI-GROUP is not registered/, 'wait-ready says what is missing');
  const [member] = ((await lab.show('r1', 'crypto gdoi gm')) as { gdoiMembers: { registered: boolean; succeededRegistrations: number }[] })
    .gdoiMembers;
  t.match(member, { registered: true, succeededRegistrations: 1 }, 'r1 is registered, once');
  await ping.stop('SIGINT');
});

t.test('a key server that is not there', async (t) => {
  const lab = await Lab.up({ waitSeconds: 0, start: ['r1'] });
  t.teardown(() => lab.down());
  // Five sendings of the first message take about half a minute; what an operator sees meanwhile is the state.
  await lab.logs('r1', /%CRYPTO-5-GM_REGSTER: Start registration to KS 172\.16\.4\.2/);
  const missing = await lab.groupwire('r1', 'wait-ready', '--timeout', '1').catch((error: Error) => error.message);
  t.match(missing, /group GDOI-GROUP is not registered/);
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'isakmp', 'sa'), /172\.16\.4\.2 +172\.16\.1\.2 +MM_NO_STATE/);
  await lab.command('start', 'r4');
  await lab.groupwire('r1', 'wait-ready', '--timeout', '25');
  t.match(lab.log('r1'), /%GDOI-5-GM_REGS_COMPL/, 'it registers when the key server comes');
  t.notMatch(lab.log('r1'), /RESTART/);
});
