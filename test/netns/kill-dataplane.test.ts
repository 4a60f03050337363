// Acceptance 6: the dataplane is killed under traffic; nothing leaks in the clear, and traffic resumes by itself.
//
//   h1 -- r1 [kill -9 dataplane, twice] --- core [capture] --- r2 -- h2        h1 <-> h2 all the time
//
//   core :: 10.0/16 <-> 10.0/16   :: only ESP, at no time anything in the clear
//   h1   :: datagrams to h2       :: arrive again; the gap is shown as a comment, its length is not judged here

import t from 'tap';
import { Lab } from '../support/lab.js';
import { until } from '../support/netns.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { Flow } from '../support/traffic.js';
import { capture } from '../support/tshark.js';

t.test('kill -9 of the dataplane', async (t) => {
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const tap = await capture(lab, 'core', 'any', '-Q in ip');
  const flow = await Flow.start(lab, 'h1', 'h2', 500, 6001);
  const back = await Flow.start(lab, 'h2', 'h1', 500, 6002);
  for (const round of [1, 2]) {
    await lab.sh('h1', 'sleep 1');
    const killed = lab.pidOf('r1', 'dataplane');
    process.kill(killed, 'SIGKILL');
    const reachable = async () => (await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10'])).status === 0;
    await until(`traffic to resume after kill ${round}`, reachable);
    t.not(lab.pidOf('r1', 'dataplane'), killed, 'another dataplane process');
  }
  await lab.sh('h1', 'sleep 1');
  for (const report of [await flow.stop(), await back.stop()]) {
    const gaps = report.lost.map((range) => range.split('-').map(Number)).map(([a, b]) => ((b ?? a) - a + 1) / 500);
    t.comment(
      `longest gap ${Math.max(0, ...gaps).toFixed(2)} s, ${report.sent - report.received} of ${report.sent} datagrams lost in two kills`,
    );
    t.ok(report.received > report.sent / 4, `traffic resumed: ${report.received} of ${report.sent} arrived`);
  }
  await tap.stop();
  const { esp, clear } = splitBranchPackets(readCapture(tap.file));
  t.equal(clear.length, 0, 'packets between branches in the clear');
  t.ok(esp.length > 500, `ESP packets seen: ${esp.length}`);
});
