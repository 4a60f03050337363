// A narrow link behind a core that tells nobody: TCP stops, and with `ip tcp adjust-mss` it does not. The lab: mtu-lab.ts.
//
//   core drops ICMP 3/4; h1 -> inet translated, h1 -> h2 in the SA :: 10 MB of TCP do not arrive; with adjust-mss they do, at 1400 and at 576
//   r1 :: groupwire mtu                                            :: finds 1400 and says that ICMP is blocked

import t from 'tap';
import { substitute } from '../support/lab.js';
import { blockTooBig, buildNarrowLab, narrow, tcpTransfer, ways } from './mtu-lab.js';

const TenMegabytes = 10_000_000;

const adjusted = (mss: number) => (text: string) =>
  substitute(text.replace(/ ip tcp adjust-mss \d+\n/g, ''), /( linux-device eth0\n)/, mss === 0 ? '$1' : `$1 ip tcp adjust-mss ${mss}\n`);

t.test('ICMP is blocked in the core', async (t) => {
  const lab = await buildNarrowLab();
  t.teardown(() => lab.down());
  const reload = async (mss: number) => {
    for (const router of ['r1', 'r2'] as const) {
      const from = lab.log(router).length;
      lab.configure(router, adjusted(mss));
      lab.reload(router);
      await lab.logs(router, /SYS-5-RELOAD/, 30_000, from);
    }
  };
  await lab.sh('core', blockTooBig);
  await narrow(lab, 'behind', 1400);
  const [internet, group] = ways;
  for (const [what, nodes, address] of [internet, group])
    t.equal(await tcpTransfer(lab, nodes, address, TenMegabytes, 2), false, `1400, ${what}: without adjust-mss it does not complete`);
  t.match(await lab.groupwire('r1', 'mtu', '172.16.2.2'), /: 1400 bytes .*\n {2}ICMP fragmentation needed: blocked, .*adjust-mss\n/);
  for (const [mtu, mss] of [
    [1400, 1306],
    [576, 480],
  ] as const) {
    await narrow(lab, 'behind', mtu);
    await reload(mss);
    for (const [what, nodes, address] of [internet, group])
      t.equal(await tcpTransfer(lab, nodes, address, TenMegabytes), true, `${mtu}, ${what}: with adjust-mss it does`);
  }
});
