// `show drops`, its JSON and /metrics: the same cells, and every way to add them up comes to one total.

import fc from 'fast-check';
import t from 'tap';
import { dropTable, renderDrops } from '../../../../cli/show/drops.js';
import { renderShow } from '../../../../cli/show/index.js';
import { renderMetrics } from '../../../../control/api/metric-text.js';
import type { DropCell, Snapshot } from '../../../../control/api/snapshot.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { dropTexts } from '../../../../dataplane/counters/declare.js';
import { isSendDrop } from '../../../../dataplane/counters/drops.js';
import { runs } from '../../../support/runs.js';
import { emptySnapshot, interfaceState } from './sample.js';

function render(words: string, change: Partial<Snapshot> = {}): string {
  const { pipe, ...topic } = parseExec(`show ${words}`) as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, { ...emptySnapshot(), ...change });
}

function cell(port: number, name: string | null, reason: string, direction: DropCell['direction'], packets: number): DropCell {
  return { port, interface: name, reason, direction, packets };
}

t.test('show drops: a matrix whose rows and columns come to one total, since clear counters', (t) => {
  const drops = ['no_route', 'acl_in', 'tx_full', 'esp_replay'].map((name) => ({ name, help: `why ${name}`, value: 0 }));
  const dropCells = [
    cell(0, 'GigabitEthernet0/0', 'acl_in', 'receive', 7),
    cell(1, 'eth1', 'acl_in', 'receive', 1),
    cell(1, 'eth1', 'tx_full', 'send', 30),
    cell(4, null, 'no_route', 'receive', 3),
    cell(5, null, 'no_route', 'receive', 2),
  ];
  const cleared = {
    at: 0,
    interfaces: [],
    drops: [],
    dropCells: [cell(1, 'eth1', 'tx_full', 'send', 10), cell(4, 'Tunnel0', 'no_route', 'receive', 3)],
  };
  const change = {
    interfaces: ['GigabitEthernet0/0', 'eth1', 'Loopback0'].map((name) => interfaceState(name)),
    counters: { drops, dropCells, path: [], nat: [], control: [] },
    cleared,
  };
  t.equal(
    render('drops', change),
    `Reason                     Gi0/0        eth1      (none)     Packets
tx_full                        0          20           0          20
acl_in                         7           1           0           8
no_route                       0           0           2           2
Total                          7          21           2          30
  received                     7           1           2          10
  to be sent                   0          20           0          20

tx_full: why tx_full
acl_in: why acl_in
no_route: why no_route
`,
  );
  t.strictSame(JSON.parse(render('drops | json', change)), {
    reasons: [
      { name: 'no_route', help: 'why no_route', packets: 2, interfaces: { '(none)': 2 } },
      { name: 'acl_in', help: 'why acl_in', packets: 8, interfaces: { 'GigabitEthernet0/0': 7, eth1: 1 } },
      { name: 'tx_full', help: 'why tx_full', packets: 20, interfaces: { eth1: 20 } },
      { name: 'esp_replay', help: 'why esp_replay', packets: 0, interfaces: {} },
    ],
    interfaces: [
      { name: 'GigabitEthernet0/0', receive: 7, send: 0 },
      { name: 'eth1', receive: 1, send: 20 },
      { name: 'Loopback0', receive: 0, send: 0 },
      { name: '(none)', receive: 2, send: 0 },
    ],
    total: 30,
  });
  t.equal(render('drops').split('\n')[1], `Total                          0`);
  t.end();
});

t.test('whatever was dropped: rows, columns, JSON and /metrics add up to it', async () => {
  const names = ['GigabitEthernet0/0', 'eth1', null, null];
  const drops = dropTexts.map(({ name, help }) => ({ name, help, value: 0 }));
  const counts = fc.array(fc.tuple(fc.nat(names.length - 1), fc.nat(dropTexts.length - 1), fc.integer({ min: 1, max: 1e9 })), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(counts, async (list) => {
      const unique = new Map(list.map(([port, reason, packets]) => [`${port} ${reason}`, { port, reason, packets }]));
      const dropCells = [...unique.values()].map(({ port, reason, packets }) =>
        cell(port, names[port], dropTexts[reason].name, isSendDrop(reason) ? 'send' : 'receive', packets),
      );
      const total = dropCells.reduce((sum, { packets }) => sum + packets, 0);
      const snapshot: Snapshot = {
        ...emptySnapshot(),
        interfaces: ['GigabitEthernet0/0', 'eth1'].map((name) => interfaceState(name)),
        counters: { drops, dropCells, path: [], nat: [], control: [] },
      };
      const table = dropTable(snapshot);
      const add = (numbers: number[]) => numbers.reduce((sum, value) => sum + value, 0);
      if (table.total !== total) throw new Error(`total ${table.total}, dropped ${total}`);
      if (add(table.reasons.map(({ packets }) => packets)) !== total) throw new Error('rows');
      if (add(table.interfaces.map(({ receive, send }) => receive + send)) !== total) throw new Error('columns');
      for (const line of renderDrops(snapshot).filter((text) => /^[a-zT ][a-z_ ]+( +[0-9]+)+$/.test(text))) {
        const numbers = line.match(/ [0-9]+/g)!.map(Number);
        if (add(numbers.slice(0, -1)) !== numbers.at(-1)) throw new Error(`does not add up: ${line}`);
      }
      const exposed = [...(await renderMetrics(snapshot)).matchAll(/^groupwire_interface_drops_total\{.*\} (\S+)$/gm)];
      if (add(exposed.map(([, value]) => Number(value))) !== total) throw new Error('metrics');
    }),
    { numRuns: runs(100) },
  );
});
