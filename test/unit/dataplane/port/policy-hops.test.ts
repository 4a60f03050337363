// Hops of policy routing: the port whose network a hop is on, marks, rules and tables, and what can be reached.

import t from 'tap';
import type { LinuxState } from '../../../../dataplane/port/linux-state.js';
import { hopRows, planHops, planSenders } from '../../../../dataplane/port/policy-hops.js';
import { formatRule, type PortDevices } from '../../../../dataplane/port/rules.js';
import type { PolicyHop } from '../../../../dataplane/tables/message.js';

const address = (value: number, prefixLength: number, device: string) => ({ address: value, prefixLength, device, secondary: false });
const state: LinuxState = {
  links: new Map(),
  addresses: [
    address(0x0a000001, 8, 'eth0'),
    address(0x0a010001, 16, 'eth1'),
    address(0xc0a80001, 24, 'other0'),
  ] as LinuxState['addresses'],
  routes: [],
  rules: [],
};
const ports: PortDevices[] = [
  { port: 3, device: 'eth0', tun: 'gw-eth0', driver: 'tun' },
  { port: 5, device: 'eth1', tun: 'gw-eth1', driver: 'tun' },
];
const hops: PolicyHop[] = [
  { kind: 'next-hop', address: 0x0a000009 },
  { kind: 'next-hop', address: 0x0a010009 },
  { kind: 'next-hop', address: 0xc0a80009 },
  { kind: 'next-hop', address: 0x0a010001 },
  { kind: 'interface', port: 5 },
  { kind: 'interface', port: 9 },
  { kind: 'null' },
];

t.test('the most specific network of ours; neither another netdev, nor ourselves', (t) => {
  const senders = planSenders(hops, ports, state);
  t.strictSame(
    [...senders],
    [
      [3, [{ hop: 0, mark: 0x67770001 }]],
      [
        5,
        [
          { hop: 1, mark: 0x67770002 },
          { hop: 4, mark: 0x67770000 },
        ],
      ],
    ],
  );
  const { rules, routes } = planHops(hops, ports, senders);
  t.strictSame(rules.map(formatRule), [
    'pref 60 fwmark 0x67770001 lookup 8528',
    'pref 60 fwmark 0x67770002 lookup 8529',
    'pref 60 fwmark 0x67770000 lookup 254',
  ]);
  t.strictSame(
    routes.map(({ text }) => text),
    ['default via 10.0.0.9 dev eth0 table 8528', 'default via 10.1.0.9 dev eth1 table 8529'],
  );
  const rows = (isOpen: boolean) => [...hopRows(hops, senders, () => isOpen)];
  const router = (port: number, value: number) => [0, port, value | 0];
  t.strictSame(rows(true), [
    ...router(3, 0x0a000009),
    ...router(5, 0x0a010009),
    ...router(-1, 0xc0a80009),
    ...router(-1, 0x0a010001),
    ...[1, 5, 0],
    ...[1, -1, 0],
    ...[2, -1, 0],
  ]);
  t.strictSame(
    rows(false).filter((_, at) => at % 3 === 1),
    hops.map(() => -1),
    'without senders none is reached',
  );
  t.end();
});
