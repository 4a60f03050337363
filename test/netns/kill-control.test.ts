// Acceptance 6: control is killed; traffic goes on, and control comes back with the registration it had.
//
//   h1 -- r1 [kill -9 control] --- core --- r2 -- h2        h1 -> h2: a datagram every 10 ms and better, none lost
//
//   r1 :: after the kill  :: another control process, ready
//   r4 :: ks members      :: no new registration

import t from 'tap';
import { Lab } from '../support/lab.js';
import { until } from '../support/netns.js';
import { Flow } from '../support/traffic.js';

interface Servers {
  gdoiServers: { registrations: number }[];
}
interface Members {
  gdoiMembers: { registered: boolean; teks: { spi: number }[] }[];
}

t.test('kill -9 of control', async (t) => {
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const registrations = async () => ((await lab.show('r4', 'crypto gdoi ks')) as Servers).gdoiServers[0].registrations;
  const before = await registrations();
  const teks = ((await lab.show('r1', 'crypto gdoi gm')) as Members).gdoiMembers[0].teks.map(({ spi }) => spi);
  t.equal(before, 2, 'registrations of two members');
  const flow = await Flow.start(lab, 'h1', 'h2', 200, 6001);
  const back = await Flow.start(lab, 'h2', 'h1', 200, 6002);
  await lab.sh('h1', 'sleep 1');

  const killed = lab.pidOf('r1', 'control');
  process.kill(killed, 'SIGKILL');
  await until('another control process', () => isOther(lab, killed));
  await lab.groupwire('r1', 'wait-ready', '--timeout', '10');
  await lab.sh('h1', 'sleep 2'); // time to do what must not happen: register again, or change flows

  for (const report of [await flow.stop(), await back.stop()]) t.same(report.lost, [], `datagrams lost of ${report.sent}`);
  t.equal(await registrations(), before, 'registrations that the key server counts');
  const [member] = ((await lab.show('r1', 'crypto gdoi gm')) as Members).gdoiMembers;
  t.ok(member.registered, 'r1 says it is registered');
  t.same(
    member.teks.map(({ spi }) => spi),
    teks,
    'the TEKs it had',
  );
});

function isOther(lab: Lab, killed: number): boolean {
  try {
    return lab.pidOf('r1', 'control') !== killed;
  } catch {
    return false; // between the two there is none
  }
}
