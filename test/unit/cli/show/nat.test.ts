// show ip nat and show route-map: against the published outputs where they are there (blanks do not count: the pages lost their columns), and small
// ones of our own.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { renderShow } from '../../../../cli/show/index.js';
import type { Snapshot } from '../../../../control/api/snapshot.js';
import type { NatTranslation, NatTranslations } from '../../../../control/api/snapshot-nat.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { emptySnapshot } from './sample.js';

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..', '../shared/cisco-show');
const skip = existsSync(folder) ? false : `published outputs are not at ${folder}`;

/** Lines without the echo of the command, blanks at the ends, and more than one blank. */
function squeeze(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim().replace(/ +/g, ' '));
  return lines.filter((line) => line !== '' && !/# ?show/.test(line));
}

function published(name: string): string[] {
  return squeeze(readFileSync(join(folder, name), 'utf8'));
}

function render(words: string, change: Partial<Snapshot> = {}, translations: NatTranslations | null = null): string {
  const command = parseExec(`show ${words}`);
  if ('error' in command) throw new Error(`${words}: ${command.error}`);
  const { pipe, ...topic } = command as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, { ...emptySnapshot(), ...change }, translations);
}

function tcp(globalPort: number, inside: string, id: number): NatTranslation {
  return {
    protocol: 'tcp',
    insideGlobal: `192.168.1.1:${globalPort}`,
    insideLocal: `${inside}:53`,
    outsideLocal: '192.168.2.22:256',
    outsideGlobal: '192.168.2.22:256',
    createdSecondsAgo: 44,
    usedSecondsAgo: 1,
    timeoutSeconds: 60,
    state: 'syn',
    mapping: 1,
    interface: 'GigabitEthernet0/3/1',
    packetsOut: 1,
    packetsIn: 0,
    id,
  };
}

const three: NatTranslations = {
  takenAt: Date.UTC(2011, 3, 9, 10, 52, 32),
  total: 3,
  translations: [tcp(514, '192.168.2.3', 0x8ef80350), tcp(513, '192.168.2.2', 0x8ef801b0), tcp(512, '192.168.2.4', 0x8ef80280)],
};

const nat: Snapshot['nat'] = {
  inside: ['GigabitEthernet0/3/1'],
  outside: ['GigabitEthernet0/3/0'],
  mappings: [
    { id: 1, use: 'inside source', source: 'list', name: '1', interface: 'GigabitEthernet0/3/0', pool: null, overload: true },
    { id: 2, use: 'inside source', source: 'route-map', name: 'NAT', interface: 'GigabitEthernet0/3/0', pool: null, overload: true },
  ],
  pools: [],
  statics: 0,
  timeouts: { timeout: 86400 },
  maxEntries: null,
};
const counter = (name: string, value: number) => ({ name, help: '', value });
const counters: Snapshot['counters'] = {
  drops: [counter('nat_no_port', 0), counter('nat_full', 0), counter('no_route', 9)],
  path: [],
  nat: [
    counter('sessions', 3),
    counter('sessions_created', 3),
    counter('sessions_expired', 0),
    counter('outbound_packets', 3_000_000),
    counter('inbound_packets', 228_983),
  ],
  control: [],
};

t.test('show ip nat translations, published', { skip }, (t) => {
  t.strictSame(squeeze(render('ip nat translations', {}, three)), published('show_ip_nat_translations.txt'));
  t.strictSame(squeeze(render('ip nat translations verbose', {}, three)), published('show_ip_nat_translations_verbose.txt'));
  t.end();
});

t.test('show ip nat statistics, published but for pools', { skip }, (t) => {
  const other = /^(\[Id|pool |start |type |longest |CEF )/;
  const ours = squeeze(render('ip nat statistics', { nat, counters }, three));
  const lines = published('show_ip_nat_statistics.txt');
  t.strictSame(
    ours.filter((line) => !other.test(line)),
    lines.filter((line) => !other.test(line)),
  );
  t.end();
});

t.test('show route-map, published: each of our lines is one of theirs', { skip }, (t) => {
  const entry = (name: string, sequence: number, accessLists: string[], interfaces: string[] = []) => ({
    name,
    sequence,
    action: 'permit' as const,
    description: null,
    accessLists,
    interfaces,
  });
  const unknown = (command: string, file: string, routeMaps: Snapshot['routeMaps']) =>
    squeeze(render(command, { routeMaps })).filter((line) => !published(file).includes(line));
  const counted = 'Policy routing matches: 0 packets, 0 bytes';
  t.strictSame(unknown('route-map', 'show_route-map.txt', [entry('equal', 10, []), entry('equal', 20, ['101'])]), []);
  t.strictSame(unknown('route-map all', 'show_route-map_all.txt', [entry('test', 10, [], ['GigabitEthernet1'])]), []);
  t.ok(published('show_route-map_all.txt').includes(counted));
  t.end();
});

t.test('columns, ICMP, protocols without ports, more than are shown', (t) => {
  const translations: NatTranslation[] = [
    { ...tcp(1024, '10.0.1.10', 1), protocol: 'icmp', outsideLocal: '8.8.8.8:7', outsideGlobal: '8.8.8.8:1024' },
    {
      ...tcp(0, '10.0.1.10', 2),
      protocol: 'esp',
      insideGlobal: '198.51.100.200',
      insideLocal: '10.0.1.10',
      timeoutSeconds: null,
      mapping: null,
      interface: null,
    },
  ];
  const some = { takenAt: Date.UTC(2026, 10, 26), total: 40_000, translations };
  t.equal(
    render('ip nat translations', {}, some),
    `Pro  Inside global         Inside local          Outside local         Outside global
icmp 192.168.1.1:1024      10.0.1.10:53          8.8.8.8:7             8.8.8.8:1024
esp  198.51.100.200        10.0.1.10             192.168.2.22:256      192.168.2.22:256
Total number of translations: 40000
% Only 2 of them are shown
`,
  );
  const verbose = render('ip nat translations verbose', {}, some);
  t.match(verbose, '  create 11/25/26 23:59:16, use 11/25/26 23:59:59, timeout: never\n  Map-Id(In):0, ');
  t.strictSame(JSON.parse(render('ip nat translations | json', {}, some)), some);
  t.equal(render('ip nat translations', {}, null).split('\n')[1], 'Total number of translations: 0');
  t.end();
});

t.test('show ip nat statistics: what each statement has, what was dropped', (t) => {
  const drops = [counter('nat_no_port', 2), counter('nat_full', 3), counter('nat_fragment', 4)];
  const two = { ...three, translations: [...three.translations, { ...tcp(1, '10.0.0.1', 9), mapping: 2 }] };
  const text = render('ip nat statistics', { nat: { ...nat, inside: ['eth1', 'eth2'] }, counters: { ...counters, drops } }, two);
  t.match(text, '\nInside interfaces:\n  eth1, eth2\n');
  t.match(text, '\n[Id: 1] access-list 1 interface GigabitEthernet0/3/0 refcount 3\n');
  t.match(text, '\n[Id: 2] route-map NAT interface GigabitEthernet0/3/0 refcount 1\n');
  t.match(text, '\nPool stats drop: 0  Mapping stats drop: 9\nPort block alloc fail: 2\nIP alias add fail: 0\nLimit entry add fail: 3\n');
  t.match(JSON.parse(render('ip nat statistics | json', { nat, counters: { ...counters, drops } }, two)), {
    outside: ['GigabitEthernet0/3/0'],
    mappings: [
      { id: 1, refcount: 3 },
      { id: 2, refcount: 1 },
    ],
    counters: counters.nat,
    drops,
  });
  t.match(render('ip nat statistics'), /^Total active translations: 0 /);
  t.end();
});

t.test('show ip nat translations of a protocol, an address, and their number', (t) => {
  const some = { ...three, total: 50_000, translations: [...three.translations, { ...tcp(7, '10.0.0.1', 9), protocol: 'udp' }] };
  t.equal(render('ip nat translations total', {}, some), 'Total number of translations: 50000\n');
  t.equal(render('ip nat translations udp total', {}, some), 'Total number of translations: 1\n');
  t.match(render('ip nat translations inside 192.168.2.2', {}, some), /192\.168\.2\.2:53[^\n]*\nTotal number of translations: 1\n$/);
  t.match(render('ip nat translations inside 192.168.1.1 tcp total', {}, some), ': 3\n');
  t.match(render('ip nat translations outside 192.168.2.2 total', {}, some), ': 0\n', 'no prefix of one');
  t.strictSame(JSON.parse(render('ip nat translations udp total | json', {}, some)), { total: 1 });
  t.end();
});

t.test('static translations and pools', (t) => {
  const none = '---';
  const fixed = {
    ...tcp(80, '10.0.1.10', 1),
    protocol: none,
    insideGlobal: '203.0.113.20',
    insideLocal: '10.0.1.20',
    outsideLocal: none,
    outsideGlobal: none,
    state: 'static' as const,
    mapping: 4097,
  };
  const simple = { ...fixed, insideGlobal: '203.0.113.50', insideLocal: '10.0.1.10', state: 'simple' as const, mapping: 1 };
  const flow = { ...tcp(5000, '10.0.1.10', 3), insideGlobal: '203.0.113.50:5000' };
  const some = { ...three, total: 3, translations: [fixed, simple, flow] };
  t.strictSame(squeeze(render('ip nat translations', {}, some)).slice(1, 3), [
    '--- 203.0.113.20 10.0.1.20 --- ---',
    '--- 203.0.113.50 10.0.1.10 --- ---',
  ]);
  t.match(render('ip nat translations verbose', {}, some), '  Map-Id(In):4097, Input-IDB: GigabitEthernet0/3/1, flags: static\n');
  const pools = [
    { name: 'P', first: '203.0.113.50', last: '203.0.113.59', netmask: '255.255.255.0', type: 'generic' as const, addresses: 10 },
  ];
  const mappings = [{ ...nat.mappings[0], interface: null, pool: 'P', overload: false }];
  const lines = squeeze(render('ip nat statistics', { nat: { ...nat, mappings, pools, statics: 1 }, counters }, some));
  t.equal(lines[0], 'Total active translations: 5 (1 static, 4 dynamic; 3 extended)');
  const at = lines.indexOf('[Id: 1] access-list 1 pool P refcount 1');
  t.strictSame(
    lines.slice(at + 1, at + 4).map((line) => line.trim()),
    [
      'pool P: netmask 255.255.255.0',
      'start 203.0.113.50 end 203.0.113.59',
      'type generic, total addresses 10, allocated 1 (10%), misses 0',
    ],
  );
  t.end();
});

t.test('show route-map NAME', (t) => {
  const routeMaps: Snapshot['routeMaps'] = [
    { name: 'NAT', sequence: 10, action: 'deny', description: 'the VPN', accessLists: ['VPN', '101'], interfaces: ['eth0', 'eth1'] },
    { name: 'OTHER', sequence: 20, action: 'permit', description: null, accessLists: [], interfaces: [] },
  ];
  t.equal(
    render('route-map NAT', { routeMaps }),
    `route-map NAT, deny, sequence 10
  Description:
    the VPN
  Match clauses:
    ip address (access-lists): VPN 101
    interface eth0 eth1
  Set clauses:
  Policy routing matches: 0 packets, 0 bytes
`,
  );
  t.strictSame(JSON.parse(render('route-map OTHER | json', { routeMaps })), { routeMaps: [routeMaps[1]] });
  t.throws(() => render('route-map X', { routeMaps }), { message: '% Route-map X does not exist' });
  t.end();
});
