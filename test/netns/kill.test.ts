// Acceptance 6: either process of a member is killed outright under traffic.
//
//   h1 -- r1 --- core --- r2 -- h2       kill -9 control of r1: not one datagram is lost, no new registration
//                 ^ capture              kill -9 dataplane of r1: nothing in the clear on core, traffic comes back, no operator needed

import t from 'tap';
import { Lab } from '../support/lab.js';
import { until } from '../support/netns.js';
import { Flow } from '../support/traffic.js';
import { capture, readFields } from '../support/tshark.js';

interface Gm {
  gdoiMembers: { registered: boolean; succeededRegistrations: number; teks: { spi: number }[] }[];
}

t.test('control dies: traffic does not notice', async (t) => {
  const lab = await Lab.up();
  t.teardown(() => lab.down());
  const before = ((await lab.show('r1', 'crypto gdoi gm')) as Gm).gdoiMembers[0];
  const flow = await Flow.start(lab, 'h1', 'h2', 500, 6001);
  const back = await Flow.start(lab, 'h2', 'h1', 500, 6002);
  for (let round = 0; round < 2; round++) {
    const pid = lab.pidOf('r1', 'control');
    process.kill(pid, 'SIGKILL');
    await until('a new control process', () => lab.log('r1').includes(`control (pid ${pid}) ended by SIGKILL`));
    await lab.groupwire('r1', 'wait-ready', '--timeout', '10');
  }
  for (const report of [await flow.stop(), await back.stop()]) {
    t.ok(report.sent > 500, `enough was sent to mean something: ${report.sent}`);
    t.same(report.lost, [], `datagrams lost of ${report.sent}`);
    t.equal(report.doubled, 0);
  }
  const after = ((await lab.show('r1', 'crypto gdoi gm')) as Gm).gdoiMembers[0];
  t.equal(after.succeededRegistrations, before.succeededRegistrations, 'it did not register again');
  t.same(
    after.teks.map(({ spi }) => spi),
    before.teks.map(({ spi }) => spi),
    'the same keys',
  );
});

t.test('the dataplane dies: nothing leaks, and it comes back by itself', async (t) => {
  const lab = await Lab.up();
  t.teardown(() => lab.down());
  const wan = await capture(lab, 'core', 'any');
  const flow = await Flow.start(lab, 'h1', 'h2', 500, 6001);
  for (let round = 0; round < 2; round++) {
    const pid = lab.pidOf('r1', 'dataplane');
    process.kill(pid, 'SIGKILL');
    await until('a new dataplane process', () => lab.log('r1').includes(`dataplane (pid ${pid}) ended by SIGKILL`));
    await lab.groupwire('r1', 'wait-ready', '--timeout', '10');
    await until('traffic to come back', async () => (await lab.run('h1', ['ping', '-q', '-c', '1', '-W', '1', '10.0.2.10'])).status === 0);
  }
  const report = await flow.stop();
  await wan.stop();
  t.ok(report.sent - report.lost.length > 100, `${report.sent - report.lost.length} of ${report.sent} datagrams arrived`);
  t.equal(report.doubled, 0);
  const branches = 'ip.src == 10.0.0.0/16 and ip.dst == 10.0.0.0/16';
  t.same(
    await readFields(wan.file, `${branches} and not ip.proto == 50`, ['frame.number', '_ws.col.Info']),
    [],
    'packets between branches in the clear',
  );
  t.ok((await readFields(wan.file, `${branches} and esp`, ['frame.number'])).length > 100, 'ESP was there to see');
  const [member] = ((await lab.show('r1', 'crypto gdoi gm')) as Gm).gdoiMembers;
  t.match(member, { registered: true, succeededRegistrations: 1 }, 'its IV counters survived: no new registration');
});
