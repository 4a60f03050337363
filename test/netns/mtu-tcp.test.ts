// 10 MB of TCP over a narrow link in front of the core or behind it, by every way that a branch has. Nothing is tuned, ICMP is heard. The lab: mtu-lab.ts.
//
//   h1 -> inet translated, h1 -> h2 in the group's SA, the same in GRE in the SA :: all arrive at 1400, 1280 and 576

import t from 'tap';
import { bottlenecks, buildNarrowLab, narrow, tcpTransfer, ways } from './mtu-lab.js';

const TenMegabytes = 10_000_000;

t.test('10 MB of TCP without any tuning', async (t) => {
  const lab = await buildNarrowLab();
  t.teardown(() => lab.down());
  // The smaller ones last, and what is learnt behind what the interface says: nothing has to be forgotten in between.
  for (const place of ['before', 'behind'] as const)
    for (const mtu of bottlenecks) {
      await narrow(lab, place, mtu);
      await lab.sh('h1', 'ip route flush cache');
      for (const [what, nodes, address] of ways)
        t.equal(await tcpTransfer(lab, nodes, address, TenMegabytes), true, `${mtu} ${place} the core, ${what}`);
    }
});
