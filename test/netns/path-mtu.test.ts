// A link in the core that is smaller than the rest: TCP of hosts that know nothing of it gets through, in the group's SA and in GRE inside it, with ICMP and without.
// Judged by the hosts' kernels: what they send, what ping is told.
//
//   h1 10.1.1.10 --- in r1 out 172.16.1.1 --- c1 ==less== c2 --- 172.16.2.1 out r2 in --- 10.1.2.10 h2
//      10.9.1.10             Tunnel0 ------------------------------ Tunnel0                 10.9.2.10

import { randomBytes } from 'node:crypto';
import t from 'tap';
import { Drop, PathCount, PortCount } from '../../dataplane/counters/declare.js';
import type { StaticRouteRow, TablesHead } from '../../dataplane/tables/message.js';
import {
  AceAction,
  aceRow,
  groupRows,
  interfaceRow,
  ip,
  Lab,
  skipReason,
  type TestControl,
  TestDataplane,
  tablesHead,
} from './dataplane-lab.js';

const TenMegabytes = 10_000_000;
/** net.ipv4.route.min_pmtu: less is not believed, and packets go without DF. */
const LeastOfLinux = 552;
/** AES-256-GCM: 20 + 8 + 8 + 16, and 2 of the trailer; what is left is a multiple of 4. */
const inner = (path: number) => path - 52 - (path % 4) - 2;

function build(): Lab {
  const lab = new Lab();
  for (const node of ['h1', 'r1', 'c1', 'c2', 'r2', 'h2']) lab.addNode(node);
  lab.link('c1', 'core', 'c2', 'core');
  for (const n of [1, 2]) {
    const [other, core] = [3 - n, `c${n}`];
    lab.link(`h${n}`, 'eth0', `r${n}`, 'in');
    lab.link(`r${n}`, 'out', core, 'edge');
    lab.address(`h${n}`, 'eth0', `10.1.${n}.10/24`);
    lab.address(`h${n}`, 'eth0', `10.9.${n}.10/32`);
    lab.defaultRoute(`h${n}`, `10.1.${n}.1`);
    lab.mustRun(`h${n}`, 'ip', 'route', 'add', `10.9.${other}.0/24`, 'via', `10.1.${n}.1`, 'src', `10.9.${n}.10`);
    lab.mustRun(core, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    lab.address(core, 'edge', `172.16.${n}.2/30`);
    lab.address(core, 'core', `192.0.2.${n}/24`);
    lab.mustRun(core, 'ip', 'route', 'add', `10.1.${n}.0/24`, 'via', `172.16.${n}.1`);
    for (const far of [`10.1.${other}.0/24`, `172.16.${other}.0/30`])
      lab.mustRun(core, 'ip', 'route', 'add', far, 'via', `192.0.2.${other}`);
  }
  return lab;
}

const both = (a: string, b: string) => [aceRow(AceAction.Permit, a, b), aceRow(AceAction.Permit, b, a)];
const aces = [...both('10.1.1.0/24', '10.1.2.0/24'), ...both('172.16.1.1/32', '172.16.2.1/32')];

interface Settings {
  adjustMss?: number;
  copyDf?: boolean;
}

function headOf(n: 1 | 2, generation: number, { adjustMss, copyDf = false }: Settings): TablesHead {
  const other = 3 - n;
  const tunnel = {
    sourceInterface: null,
    sourceAddress: ip(`172.16.${n}.1`),
    destination: ip(`172.16.${other}.1`),
    key: null,
    checksum: false,
    sequence: false,
    ttl: 255,
    tos: null,
    copyDf,
    keepalive: null,
    preClassify: false,
  };
  const interfaces = [
    interfaceRow(0, 'in', `10.1.${n}.1/24`),
    interfaceRow(1, 'out', `172.16.${n}.1/30`, { adjustMss: adjustMss ?? null }),
    interfaceRow(2, 'Tunnel0', `192.168.0.${n}/30`, { driver: 'tun', tunnel }),
  ];
  const to = (prefix: string, hop: string | null, name: string | null): StaticRouteRow => ({
    prefix: ip(prefix),
    prefixLength: prefix.endsWith('.0') ? 24 : 32,
    nextHop: hop === null ? null : ip(hop),
    interface: name,
    distance: 1,
  });
  return tablesHead(generation, interfaces, [
    to(`10.1.${other}.0`, `172.16.${n}.2`, null),
    to(`172.16.${other}.1`, `172.16.${n}.2`, null),
    to(`10.9.${n}.10`, `10.1.${n}.10`, null),
    to(`10.9.${other}.0`, `192.168.0.${other}`, null),
  ]);
}

t.test('a bottleneck in the core', { skip: skipReason }, async (t) => {
  const lab = build();
  t.teardown(() => lab.remove());
  const key = randomBytes(36);
  const dataplanes = [new TestDataplane(lab, 'r1', {}), new TestDataplane(lab, 'r2', {})];
  const controls: TestControl[] = [await dataplanes[0].start(), await dataplanes[1].start()];
  let generation = 0;
  const publish = async (settings: Settings) => {
    generation++;
    for (const [i, control] of controls.entries()) {
      const sa = { spi: 0x12345678, sid: [i + 1, i + 3], key };
      t.same(await control.publish(headOf(i === 0 ? 1 : 2, generation, settings), groupRows(1, aces, sa)), [], `r${i + 1}`);
    }
  };
  const narrow = (mtu: number) => {
    for (const core of ['c1', 'c2']) lab.mustRun(core, 'ip', 'link', 'set', 'core', 'mtu', String(mtu));
  };
  /** What h1's kernel has learnt about a destination, and whether a ping with DF that is so long comes back. */
  const known = (target: string, most: number) => ({
    told: Number(/ mtu (?:lock )?(\d+)/.exec(lab.mustRun('h1', 'ip', 'route', 'get', target))?.[1]),
    passed: lab.ping('h1', target, 1, '-M', 'do', '-s', String(most - 28)).received,
  });
  const counters = async (router: 0 | 1) => {
    const { drops, path, ports, pathMtus } = await controls[router].snapshot();
    return { learnt: drops[Drop.PmtuLearnt], lowered: ports[1][PortCount.MssLowered], reassembled: path[PathCount.Reassembled], pathMtus };
  };

  // The core tells nobody anything: only the SYNs can.
  for (const core of ['c1', 'c2'])
    lab.mustRun(
      core,
      'nft',
      'add table ip f; add chain ip f o { type filter hook output priority 0; }; add rule ip f o icmp type destination-unreachable drop',
    );
  narrow(1280);
  await publish({ adjustMss: inner(1280) - 40 });
  t.equal(await lab.tcpEcho('h1', 'h2', '10.1.2.10', TenMegabytes), 'same', 'ICMP blocked, adjust-mss');
  const blocked = await counters(0);
  t.ok(blocked.lowered >= 1, 'SYNs were lowered');
  t.equal(blocked.learnt, 0, 'nothing was learnt');
  for (const core of ['c1', 'c2']) lab.mustRun(core, 'nft', 'delete table ip f');

  narrow(1400);
  await publish({});
  t.equal(await lab.tcpEcho('h1', 'h2', '10.1.2.10', TenMegabytes), 'same', '1400, in the SA');
  t.strictSame(known('10.1.2.10', inner(1400)), { told: inner(1400), passed: 1 }, 'the exact inner MTU');
  const { pathMtus } = await counters(0);
  t.match(pathMtus, [{ destination: ip('10.1.2.10'), port: null, mtu: 1400, router: ip('172.16.1.2') }]);
  // First without path-mtu-discovery: the host's kernel does not forget what it has learnt.
  const before = (await counters(1)).reassembled;
  t.equal(await lab.tcpEcho('h1', 'h2', '10.9.2.10', 2_000_000), 'same', '1400, GRE without DF: cut, and put together by the other router');
  t.ok((await counters(1)).reassembled > before, 'reassembled');
  await publish({ copyDf: true });
  t.equal(await lab.tcpEcho('h1', 'h2', '10.9.2.10', TenMegabytes), 'same', '1400, GRE in the SA, path-mtu-discovery');
  t.strictSame(known('10.9.2.10', inner(1400) - 24), { told: inner(1400) - 24, passed: 1 }, 'less the GRE header');

  for (const mtu of [1280, 576]) {
    narrow(mtu);
    t.equal(await lab.tcpEcho('h1', 'h2', '10.1.2.10', mtu === 576 ? 2_000_000 : TenMegabytes), 'same', `${mtu}, in the SA`);
    t.strictSame(known('10.1.2.10', inner(mtu)), { told: Math.max(inner(mtu), LeastOfLinux), passed: 1 });
  }
  for (const dataplane of dataplanes) t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
});
