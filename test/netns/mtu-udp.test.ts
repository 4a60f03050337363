// Datagrams of 1 to 65,507 bytes without DF, by every way that a branch has, over links of 1500, 1400, 1280 and 576 bytes. The lab: mtu-lab.ts.
//
//   h1 -> inet translated, h1 -> h2 in the group's SA, the same in GRE in the SA :: all arrive whole (hashes)
//   r1, r2 :: show ip traffic :: who cut and who put together

import t from 'tap';
import { backlogDrops, tellLossesSince } from '../support/losses.js';
import { bottlenecks, buildNarrowLab, narrow, trafficOf, udpWhole, ways } from './mtu-lab.js';

t.test('datagrams without DF arrive whole', async (t) => {
  const lab = await buildNarrowLab();
  t.teardown(() => lab.down());
  const backlog = backlogDrops();
  for (const [place, mtus] of [
    ['behind', [1500, ...bottlenecks]],
    ['before', bottlenecks],
  ] as const)
    for (const mtu of mtus) {
      await narrow(lab, place, mtu);
      for (const [what, nodes, address] of ways) {
        const before = { r1: await trafficOf(lab, 'r1'), r2: await trafficOf(lab, 'r2') };
        const { sent, arrived } = await udpWhole(lab, nodes, address);
        const lost = arrived === sent ? '' : await tellLossesSince(lab, backlog);
        t.equal(arrived, sent, `${mtu} ${place} the core, ${what}${lost}`);
        const { r1, r2 } = { r1: await trafficOf(lab, 'r1'), r2: await trafficOf(lab, 'r2') };
        const counted = {
          cutByR1: r1.fragmented > before.r1.fragmented,
          putTogetherByR2: r2.reassembled > before.r2.reassembled,
        };
        const isSealed = address !== '198.51.100.10';
        t.strictSame(
          counted,
          {
            // What is sealed is cut first, and so is all that the own interface has no room for.
            cutByR1: isSealed || place === 'before',
            // What the core has cut, and GRE that was cut before it was sealed.
            putTogetherByR2: isSealed && (address === '10.9.2.10' || (place === 'behind' && mtu < 1500)),
          },
          `${mtu} ${place} the core, ${what}: who cut and who put together`,
        );
      }
    }
});
