// A group goes from ESP to ESP in UDP and back while packets pass, by rekeys alone.
//
//   h1 10.0.1.10 -- r1 --- core [capture] --- r2 -- 10.0.2.10 h2          r4 key server: udp-encapsulation, then not
//
//   h1 <-> h2 :: numbered datagrams, and ping :: none lost, none twice
//   core      :: what h1's are sealed in      :: ESP, UDP, ESP
//   r1, r2    :: registrations                :: one each

import t from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { tellLosses } from '../support/losses.js';
import { until } from '../support/netns.js';
import { Flow } from '../support/traffic.js';
import { capture, readFields } from '../support/tshark.js';
import { memberOf, teksOf } from './decrypt-case.js';

t.test('from ESP to ESP in UDP and back, under traffic', async (t) => {
  // A rekey by hand takes as long as its repetitions: one, after ten seconds.
  const edit = (router: string, text: string) =>
    router === 'r4' ? substitute(text, /rekey retransmit 10 number \d+/, 'rekey retransmit 10 number 1') : text;
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'], edit });
  t.teardown(() => lab.down());
  const crossing = await capture(lab, 'core', 'r1', '-Q in src host 10.0.1.10');
  const flows = [await Flow.start(lab, 'h1', 'h2', 100, 6001), await Flow.start(lab, 'h2', 'h1', 100, 6002)];
  const ping = lab.spawn('h1', ['ping', '-n', '-i', '0.2', '-W', '5', '10.0.2.10']);
  await ping.says(/bytes from/);

  /** The key server's next policy, known to both members and soon in force. @returns its TEK */
  const change = async (alter: (text: string) => string): Promise<number> => {
    const [from, known] = [lab.log('r4').length, await teksOf(lab, 'r1')];
    lab.configure('r4', alter);
    lab.reload('r4');
    await lab.logs('r4', /SYS-5-RELOAD/, 30_000, from);
    await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey');
    let added: number | undefined;
    await until('the next TEK at both members', async () => {
      const [ours, theirs] = await Promise.all([teksOf(lab, 'r1'), teksOf(lab, 'r2')]);
      added = ours.find((spi) => !known.includes(spi));
      return added !== undefined && theirs.includes(added);
    });
    return added ?? 0;
  };
  const inForce = (spi: number) =>
    until(
      'both members to send with the next TEK',
      async () => (await Promise.all([teksOf(lab, 'r1'), teksOf(lab, 'r2')])).every(([sending]) => sending === spi),
      60_000,
      200,
    );
  const inUdp = await change((text) => substitute(text, /^ {3}replay counter .*$/m, '$&\n   udp-encapsulation'));
  t.match(await lab.groupwire('r4', 'show', 'crypto', 'gdoi', 'group', 'GDOI-GROUP'), /Encapsulation +: ESP in UDP 4500/);
  await lab.sh('h1', 'sleep 2'); // between the two is time in UDP
  const back = await change((text) => substitute(text, /^ {3}udp-encapsulation\n/m, ''));
  await inForce(inUdp);
  await inForce(back);
  await lab.sh('h1', 'sleep 1'); // and some more that is sealed with it

  await ping.stop('SIGINT');
  t.match(ping.stdout, / 0% packet loss/);
  for (const flow of flows) {
    const report = await flow.stop();
    t.ok(report.sent > 500, `enough was sent to mean something: ${report.sent}`);
    t.same(report.lost, [], `datagrams lost of ${report.sent}${report.lost.length === 0 ? '' : `; dropped: ${await tellLosses(lab)}`}`);
    t.equal(report.doubled, 0, 'datagrams that arrived twice');
  }
  await crossing.cut();
  const protocols = (await readFields(crossing.file, 'ip', ['ip.proto'])).map(([number]) => number);
  t.same(
    protocols.filter((number, i) => number !== protocols[i - 1]),
    ['50', '17', '50'],
    'what r1 sealed in',
  );
  for (const router of ['r1', 'r2'] as const)
    t.equal((await memberOf(lab, router)).succeededRegistrations, 1, `${router} stayed registered`);
});
