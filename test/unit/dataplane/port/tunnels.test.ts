import t from 'tap';
import { TunnelWord } from '../../../../dataplane/mem/tunnel-words.js';
import { parseLinux } from '../../../../dataplane/port/linux-state.js';
import { planPortTable, planProgramTable } from '../../../../dataplane/port/routes.js';
import { formatRule, planRules } from '../../../../dataplane/port/rules.js';
import { TunnelStates } from '../../../../dataplane/port/tunnel-states.js';
import { evaluateTunnels, planTunnelLinks, tunnelRows } from '../../../../dataplane/port/tunnels.js';
import { Cap, Tunnel, TunnelFlag } from '../../../../dataplane/tables/layout.js';
import type { InterfaceRow, TunnelSpec } from '../../../../dataplane/tables/message.js';
import { plainInterface } from '../../../support/interface-row.js';

const ip = (text: string) => text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);

function row(port: number, name: string, device: string | null, more: Partial<InterfaceRow> = {}): InterfaceRow {
  return plainInterface(port, name, { device, ...more });
}

function tunnel(port: number, destination: string | null, spec: Partial<TunnelSpec> = {}, more: Partial<InterfaceRow> = {}): InterfaceRow {
  const fields = { key: null, checksum: false, sequence: false, ttl: 255, tos: null, copyDf: false, keepalive: null };
  const ends = { sourceInterface: 'GigabitEthernet0/1', sourceAddress: null, destination: destination === null ? null : ip(destination) };
  return row(port, `Tunnel${port}`, `Tunnel${port}`, { tunnel: { ...ends, ...fields, ...spec }, ...more });
}

const outside = row(1, 'GigabitEthernet0/1', 'wan', { addresses: [{ address: ip('172.16.0.1'), prefixLength: 24 }] });

function linux(routes: object[] = [], more: { mtu?: number; flags?: string[] } = {}) {
  const links = ['lo', 'wan', 'Tunnel2', 'Tunnel3'].map((ifname, i) => ({
    ifindex: i + 1,
    ifname,
    flags: i > 1 ? (more.flags ?? ['UP', 'LOWER_UP']) : ['UP', 'LOWER_UP'],
    mtu: i > 1 ? (more.mtu ?? 1476) : 1500,
  }));
  const addresses = [{ ifname: 'wan', addr_info: [{ family: 'inet', local: '172.16.0.1', prefixlen: 24 }] }];
  return parseLinux(links, addresses, [{ dst: '172.16.0.0/16', dev: 'wan', flags: [] }, ...routes], []);
}

const stateOf = (rows: InterfaceRow[], routes: object[] = []) =>
  evaluateTunnels([outside, ...rows], linux(routes)).map(({ state }) => state);

t.test('what a tunnel is', (t) => {
  t.strictSame(stateOf([tunnel(2, '172.16.3.2')]), ['up']);
  t.strictSame(stateOf([tunnel(2, '172.16.3.2', {}, { shutdown: true })]), ['shutdown']);
  t.strictSame(stateOf([tunnel(2, '172.16.3.2', { sourceInterface: 'GigabitEthernet0/2' })]), ['no-source']);
  t.strictSame(stateOf([tunnel(2, '172.16.3.2', { sourceInterface: null })]), ['no-source']);
  t.strictSame(stateOf([tunnel(2, '172.16.3.2', { sourceInterface: null, sourceAddress: ip('172.16.0.9') })]), ['no-source'], 'not ours');
  t.strictSame(stateOf([tunnel(2, '172.16.3.2', { sourceInterface: null, sourceAddress: ip('172.16.0.1') })]), ['up']);
  t.strictSame(stateOf([tunnel(2, null)]), ['no-destination']);
  t.strictSame(stateOf([tunnel(2, '172.16.0.1')]), ['destination-is-own']);
  t.strictSame(stateOf([tunnel(2, '10.0.0.1')]), ['no-route']);
  t.strictSame(stateOf([tunnel(2, '10.0.0.1')], [{ dst: 'default', type: '6', flags: [] }]), ['no-route'], 'a blackhole is none');
  t.end();
});

t.test('recursive routing: by itself, round two tunnels, and not when a longer prefix leads out', (t) => {
  const own = { dst: '172.16.3.0/24', dev: 'Tunnel2', flags: [] };
  t.strictSame(stateOf([tunnel(2, '172.16.3.2')], [own]), ['recursive']);
  const dead = { ...own, flags: ['dead', 'linkdown'] };
  t.strictSame(
    stateOf([tunnel(2, '172.16.3.2')], [dead]),
    ['recursive'],
    'its own routes count while it is down, or it would come up at once',
  );
  t.strictSame(stateOf([tunnel(2, '172.16.3.2')], [own, { dst: '172.16.3.2', dev: 'wan', flags: [] }]), ['up']);
  t.strictSame(stateOf([tunnel(2, '172.16.3.2')], [{ ...own, dst: '172.16.0.0/16', metric: 5 }]), ['up'], 'a lower metric leads out');
  const both = [tunnel(2, '10.3.0.1'), tunnel(3, '10.2.0.1')];
  const crossed = [
    { dst: '10.3.0.0/16', dev: 'Tunnel3', flags: [] },
    { dst: '10.2.0.0/16', dev: 'Tunnel2', flags: [] },
  ];
  t.strictSame(stateOf(both, crossed), ['recursive', 'recursive']);
  t.strictSame(stateOf([tunnel(2, '10.3.0.1'), tunnel(3, '172.16.3.2')], crossed), ['up', 'up'], 'one within the other');
  t.end();
});

t.test('the MTU is what the way out has room for, or ip mtu; carrier follows the state', (t) => {
  const plan = (rows: InterfaceRow[], state = linux()) => planTunnelLinks(evaluateTunnels([outside, ...rows], state), state);
  t.strictSame(plan([tunnel(2, '172.16.3.2')]), []);
  t.strictSame(plan([tunnel(2, '172.16.3.2', { key: 0, checksum: true, sequence: true })]), [
    'link set dev Tunnel2 mtu 1464 txqueuelen 1000',
  ]);
  t.strictSame(plan([tunnel(2, '172.16.3.2', {}, { ipMtu: 1400 })]), ['link set dev Tunnel2 mtu 1400 txqueuelen 1000']);
  t.strictSame(plan([tunnel(2, null)]), ['link set dev Tunnel2 carrier off']);
  t.strictSame(plan([tunnel(2, '172.16.3.2')], linux([], { flags: ['UP'] })), ['link set dev Tunnel2 carrier on']);
  t.strictSame(plan([tunnel(2, null)], linux([], { flags: [] })), [], 'nothing while it is shut');
  t.end();
});

t.test('rows: ends and fields of every tunnel that has ends, up or not', (t) => {
  const rows = [outside, tunnel(2, '172.16.3.2', { key: 0xffffffff, sequence: true, copyDf: true, tos: 7, ttl: 9 }), tunnel(3, null)];
  const words = tunnelRows(rows, evaluateTunnels(rows, linux()));
  t.equal(words.length, Cap.Ports * Tunnel.Words);
  const flags = TunnelFlag.Key | TunnelFlag.Sequence | TunnelFlag.CopyDf;
  t.strictSame(Array.from(words.subarray(2 * Tunnel.Words, 2 * Tunnel.Words + 8)), [
    1,
    ip('172.16.0.1') | 0,
    ip('172.16.3.2') | 0,
    flags,
    -1,
    12,
    9,
    7,
  ]);
  t.ok(words.subarray(3 * Tunnel.Words).every((word) => word === 0));
  t.equal(tunnelRows([outside], []).length, 0);
  t.end();
});

t.test('each change is told once, and recursion counted', (t) => {
  const states = new TunnelStates(new Int32Array(Cap.Ports * TunnelWord.Count), () => 0);
  const told: string[] = [];
  const round = (rows: InterfaceRow[], routes: object[] = []) => {
    states.plan([outside, ...rows], linux(routes));
    states.announce((port, state) => told.push(`${port} ${state}`));
  };
  const recursive = [{ dst: '172.16.3.0/24', dev: 'Tunnel2', flags: [] }];
  for (const routes of [[], [], recursive, recursive, [], recursive]) round([tunnel(2, '172.16.3.2')], routes);
  t.strictSame(told, ['2 up', '2 recursive', '2 up', '2 recursive']);
  t.equal(states.recursionsOf(2), 2);
  t.equal(states.recursionsOf(3), 0);
  t.end();
});

t.test('keepalives: so many periods without one that came back, and up again with the next', (t) => {
  const words = new Int32Array(Cap.Ports * TunnelWord.Count);
  let now = 1000;
  const states = new TunnelStates(words, () => now);
  const rows = [outside, tunnel(2, '172.16.3.2', { keepalive: { seconds: 5, retries: 3 } }), tunnel(3, '172.16.4.2')];
  const round = (routes: object[] = []) => {
    states.plan(rows, linux(routes));
    return states.list.map(({ state }) => state);
  };
  t.strictSame(round(), ['up', 'up']);
  now += 15;
  t.equal(states.hasChanged, false);
  now += 1;
  t.equal(states.hasChanged, true);
  t.strictSame(round(), ['no-keepalive', 'up']);
  t.equal(states.hasChanged, false);
  words[2 * TunnelWord.Count + TunnelWord.KeepaliveSeconds] = now;
  t.equal(states.hasChanged, true, 'it came back');
  t.strictSame(round(), ['up', 'up']);
  now += 100;
  const recursive = [{ dst: '172.16.3.0/24', dev: 'Tunnel2', flags: [] }];
  t.strictSame(round(recursive), ['recursive', 'up'], 'the other reason first');
  t.strictSame(round(), ['up', 'up'], 'and the time begins anew behind it');
  t.end();
});

t.test('rules and routes: what is written to a tunnel is delivered, programs reach it by its own netdev', (t) => {
  const ports = [{ port: 2, device: 'Tunnel2', tun: 'Tunnel2', driver: 'tun' as const }];
  t.strictSame(
    planRules(ports, [], [ip('172.16.0.1')])
      .filter(({ iif }) => iif !== 'lo')
      .map(formatRule),
    ['pref 61 iif Tunnel2 lookup 255', 'pref 62 iif Tunnel2 lookup 254', 'pref 100 lookup 255'],
  );
  const state = linux([{ dst: '10.3.0.0/16', dev: 'Tunnel2', flags: [] }]);
  t.strictSame(planPortTable(ports[0], state), []);
  t.match(
    planProgramTable(ports, state).map(({ text }) => text),
    [
      'throw 224.0.0.0/4 table 8496',
      'throw 255.255.255.255 table 8496',
      'throw 172.16.0.0/16 table 8496',
      '10.3.0.0/16 dev Tunnel2 scope 0 table 8496',
    ],
  );
  t.end();
});
