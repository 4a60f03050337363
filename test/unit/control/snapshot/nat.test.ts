// Sessions of the packet path as translations; hits of lists that NAT asks.

import t from 'tap';
import { Allocation } from '../../../../control/compile/allocation.js';
import { compileTables } from '../../../../control/compile/tables.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { accessListStates } from '../../../../control/snapshot/access-lists.js';
import { natState, natTranslations } from '../../../../control/snapshot/nat.js';
import { routeMapStates } from '../../../../control/snapshot/route-maps.js';
import { NatRow, NatState } from '../../../../dataplane/tables/layout.js';

const { config } = parseConfig(`interface eth0
 ip address 198.51.100.2 255.255.255.0
 ip nat outside
interface eth1
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
ip access-list extended NAT
 deny ip any host 203.0.113.9
 permit tcp 10.0.1.0 0.0.0.255 any neq 25
ip access-list extended OTHER
 permit ip any any
route-map R deny 10
 description x
 match interface eth0
ip nat inside source list NAT interface eth0 overload
ip nat inside source route-map R interface eth0 overload
ip nat translation tcp-timeout never
ip nat translation icmp-timeout 9
`);

function session(values: Partial<Record<NatRow, number>>): Int32Array {
  const row = new Int32Array(NatRow.Words);
  const all = {
    [NatRow.InsideAddress]: 0x0a00010a,
    [NatRow.GlobalAddress]: 0xc6336402,
    [NatRow.OutsideAddress]: 0xcb007109,
    [NatRow.OutsideLocal]: 0xcb007109,
    [NatRow.InsidePorts]: (50_000 << 16) | 443,
    [NatRow.OutsidePorts]: (60_000 << 16) | 443,
    [NatRow.Protocol]: 6,
    [NatRow.State]: NatState.TcpEstablished,
    [NatRow.Made]: 100,
    [NatRow.Used]: 7,
    [NatRow.PacketsOut]: 3,
    [NatRow.PacketsIn]: -1,
    [NatRow.Serial]: -2,
    ...values,
  };
  for (const [word, value] of Object.entries(all)) row[Number(word)] = value;
  return row;
}

function translate(...sessions: Int32Array[]) {
  const rows = new Int32Array(sessions.length * NatRow.Words);
  for (const [i, row] of sessions.entries()) rows.set(row, i * NatRow.Words);
  return natTranslations({ sessions: 70_000, rows }, config, 5);
}

t.test('a TCP session', (t) => {
  t.strictSame(translate(session({})), {
    takenAt: 5,
    total: 70_000,
    translations: [
      {
        protocol: 'tcp',
        insideGlobal: '198.51.100.2:60000',
        insideLocal: '10.0.1.10:50000',
        outsideLocal: '203.0.113.9:443',
        outsideGlobal: '203.0.113.9:443',
        createdSecondsAgo: 100,
        usedSecondsAgo: 7,
        timeoutSeconds: null,
        state: 'established',
        mapping: 1,
        interface: 'eth1',
        packetsOut: 3,
        packetsIn: 0xffffffff,
        id: 0xfffffffe,
      },
    ],
  });
  t.end();
});

t.test('port-timeout: of the session itself, in the states in which it counts', (t) => {
  const secondsOf = (limit: number, state: number) =>
    translate(session({ [NatRow.Limit]: limit, [NatRow.State]: state })).translations[0].timeoutSeconds;
  t.equal(secondsOf(120, NatState.TcpEstablished), 120);
  t.equal(secondsOf(0x7fffffff, NatState.Udp), null, 'never');
  t.equal(secondsOf(120, NatState.TcpFinRst), 60);
  t.equal(secondsOf(0, NatState.Udp), 300);
  t.end();
});

t.test('ICMP has its identifier at both ends, ESP no port; the router’s own flows have no mapping', (t) => {
  const { translations } = translate(
    session({ [NatRow.Protocol]: 1, [NatRow.State]: NatState.Icmp, [NatRow.InsidePorts]: 77 << 16, [NatRow.OutsidePorts]: 99 << 16 }),
    session({ [NatRow.Protocol]: 50, [NatRow.State]: NatState.Other, [NatRow.InsidePorts]: 0, [NatRow.OutsidePorts]: 0 }),
    session({ [NatRow.Rule]: -1, [NatRow.InsideAddress]: 0xc6336402 }),
  );
  t.match(translations, [
    {
      protocol: 'icmp',
      insideGlobal: '198.51.100.2:99',
      insideLocal: '10.0.1.10:77',
      outsideLocal: '203.0.113.9:77',
      outsideGlobal: '203.0.113.9:99',
      state: 'icmp',
      timeoutSeconds: 9,
    },
    { protocol: 'esp', insideGlobal: '198.51.100.2', outsideLocal: '203.0.113.9', state: 'other', timeoutSeconds: 86_400 },
    { mapping: null, interface: null },
  ]);
  t.end();
});

t.test('what is configured', (t) => {
  t.strictSame(natState(config), {
    inside: ['eth1'],
    outside: ['eth0'],
    mappings: [
      { id: 1, use: 'inside source', source: 'list', name: 'NAT', interface: 'eth0', pool: null, overload: true },
      { id: 2, use: 'inside source', source: 'route-map', name: 'R', interface: 'eth0', pool: null, overload: true },
    ],
    pools: [],
    statics: 0,
    timeouts: {
      timeout: 86_400,
      'tcp-timeout': null,
      'udp-timeout': 300,
      'dns-timeout': 60,
      'icmp-timeout': 9,
      'syn-timeout': 60,
      'finrst-timeout': 60,
    },
    maxEntries: null,
  });
  t.strictSame(routeMapStates(config, null, []), [
    { name: 'R', sequence: 10, action: 'deny', description: 'x', accessLists: [], interfaces: ['eth0'] },
  ]);
  t.end();
});

t.test('hits: two rows of one entry have one counter; a list that nothing asks has none', (t) => {
  const tables = compileTables(config, new Map(), new Allocation(), 1, 0);
  const hits = (state: ReturnType<typeof accessListStates>) => state.map(({ name, entries }) => [name, entries.map((entry) => entry.hits)]);
  t.strictSame(hits(accessListStates(config, tables, [5, 320])), [
    ['NAT', [5, 320]],
    ['OTHER', [null]],
  ]);
  t.strictSame(hits(accessListStates(config, tables, [])), [
    ['NAT', [0, 0]],
    ['OTHER', [null]],
  ]);
  t.strictSame(hits(accessListStates(config, null, []))[0], ['NAT', [null, null]]);
  t.end();
});
