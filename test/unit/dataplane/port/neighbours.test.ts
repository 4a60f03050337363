import t from 'tap';
import { MaxNeighbours, NeighbourRow } from '../../../../dataplane/mem/shared.js';
import type { LinuxLink } from '../../../../dataplane/port/linux-state.js';
import { parseNeighbours, planNeighbours, planProbes } from '../../../../dataplane/port/neighbours.js';

const ports = [
  { port: 0, device: 'eth0', tun: 'gw-eth0', driver: 'packet' as const },
  { port: 1, device: 'eth1', tun: 'gw-eth1', driver: 'xdp' as const },
  { port: 2, device: 'eth2', tun: 'gw-eth2', driver: 'raw' as const },
];
const link = (name: string, mac: string, up = true): [string, LinuxLink] => [
  name,
  { name, index: 1, up, carrier: true, mtu: 1500, mac, ethernet: true },
];
const links = new Map([link('eth0', '02:00:00:00:00:a0'), link('eth1', '02:00:00:00:00:a1'), link('eth2', '02:00:00:00:00:a2')]);

/** As `ip -4 -N -j neigh show nud all` prints them. */
const printed = [
  { dst: '10.0.0.9', dev: 'eth1', lladdr: 'fe:dc:ba:98:76:54', state: ['STALE'] },
  { dst: '200.0.0.1', dev: 'eth0', lladdr: '02:00:00:00:00:01', state: ['REACHABLE'] },
  { dst: '10.0.0.3', dev: 'eth0', lladdr: '02:00:00:00:00:03', state: ['PERMANENT'] },
  { dst: '10.0.0.4', dev: 'eth0', lladdr: '02:00:00:00:00:04', state: ['NOARP'] },
  { dst: '10.0.0.5', dev: 'eth0', state: ['INCOMPLETE'] },
  { dst: '10.0.0.6', dev: 'eth0', lladdr: '02:00:00:00:00:06', state: ['FAILED'] },
  { dst: '10.0.0.7', dev: 'eth2', lladdr: '02:00:00:00:00:07', state: ['STALE'] },
  { dst: '224.0.0.22', dev: 'eth0', lladdr: '01:00:5e:00:00:16', state: ['NOARP'] },
  { dst: '10.0.0.255', dev: 'eth0', lladdr: 'ff:ff:ff:ff:ff:ff', state: ['NOARP'] },
  { dst: '10.0.0.8', dev: 'eth0', state: ['STALE'], proxy: null },
];

t.test('rows with finished headers', async (t) => {
  const { rows, left } = planNeighbours(ports, parseNeighbours(printed), links);
  t.equal(left, 0);
  const bytes = new DataView(rows.buffer);
  const texts: string[] = [];
  for (let at = 0; at < rows.length; at += NeighbourRow.Words) {
    // As 90-tx writes them: each word big-endian.
    for (let word = 0; word < 3; word++) bytes.setInt32((at + NeighbourRow.Header + word) * 4, rows[at + NeighbourRow.Header + word]);
    const header = Buffer.from(rows.buffer, (at + NeighbourRow.Header) * 4, 12).toString('hex');
    texts.push(`${rows[at]} ${rows[at + NeighbourRow.Address]} ${header}`);
  }
  t.same(texts, [
    `0 ${0x0a000003} 020000000003${'0200000000a0'}`,
    `0 ${0x0a000004} 020000000004${'0200000000a0'}`,
    `0 ${0xc8000001 | 0} 020000000001${'0200000000a0'}`,
    `1 ${0x0a000009} fedcba987654${'0200000000a1'}`,
  ]);
});

t.test('the same mapping is the same rows', async (t) => {
  const first = planNeighbours(ports, parseNeighbours(printed), links).rows;
  const later = printed.map((row) => (row.state[0] === 'STALE' ? { ...row, state: ['DELAY'] } : row)).reverse();
  t.same(planNeighbours(ports, parseNeighbours(later), links).rows, first, 'another state or order is no change');
  const moved = new Map([...links, link('eth0', '02:00:00:00:00:ff')]);
  t.notSame(planNeighbours(ports, parseNeighbours(printed), moved).rows, first, 'another address of our own is');
  const down = new Map([...links, link('eth0', '02:00:00:00:00:a0', false)]);
  t.equal(planNeighbours(ports, parseNeighbours(printed), down).rows.length, NeighbourRow.Words, 'a netdev that is down reaches nobody');
});

t.test('more than there is room for', async (t) => {
  const many = Array.from({ length: MaxNeighbours + 5 }, (_, i) => ({
    dst: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    dev: 'eth0',
    lladdr: '02:00:00:00:00:01',
    state: ['REACHABLE'],
  }));
  const { rows, left } = planNeighbours(ports, parseNeighbours(many), links);
  t.equal(rows.length, MaxNeighbours * NeighbourRow.Words);
  t.equal(left, 5);
});

t.test('only what has grown stale and is ours is probed', async (t) => {
  t.same(planProbes(ports, parseNeighbours(printed)), ['neigh change 10.0.0.9 dev eth1 nud probe']);
});

t.test('what is no list is refused', async (t) => {
  t.throws(() => parseNeighbours({}), /not a list/);
  t.same(parseNeighbours([{ dst: '10.0.0.1', dev: 'eth0', lladdr: '00:11', state: ['STALE'] }, {}]), [], 'no MAC address, nothing at all');
});
