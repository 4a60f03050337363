// Two routers with one AES-256-GCM SA. Only ESP with the hosts' addresses may cross between them.
//
//   h1 10.1.1.10 --- in r1 out 172.16.1.1 --- c1 core c2 --- 172.16.2.1 out r2 in --- 10.1.2.10 h2

import { randomBytes } from 'node:crypto';
import t from 'tap';
import { SaCount } from '../../dataplane/counters/declare.js';
import {
  AceAction,
  aceRow,
  groupRows,
  interfaceRow,
  ip,
  Lab,
  seams,
  skipReason,
  TestControl,
  TestDataplane,
  tablesHead,
} from './dataplane-lab.js';

function build(): Lab {
  const lab = new Lab();
  for (const node of ['h1', 'r1', 'core', 'r2', 'h2']) lab.addNode(node);
  lab.mustRun('core', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const n of [1, 2]) {
    lab.link(`h${n}`, 'eth0', `r${n}`, 'in');
    lab.link(`r${n}`, 'out', 'core', `c${n}`);
    lab.address(`h${n}`, 'eth0', `10.1.${n}.10/24`);
    lab.address('core', `c${n}`, `172.16.${n}.2/30`);
    lab.defaultRoute(`h${n}`, `10.1.${n}.1`);
    lab.mustRun('core', 'ip', 'route', 'add', `10.1.${n}.0/24`, 'via', `172.16.${n}.1`);
  }
  return lab;
}

const aces = [aceRow(AceAction.Permit, '10.1.1.0/24', '10.1.2.0/24'), aceRow(AceAction.Permit, '10.1.2.0/24', '10.1.1.0/24')];

function headOf(member: 1 | 2) {
  const other = member === 1 ? 2 : 1;
  const interfaces = [interfaceRow(0, 'in', `10.1.${member}.1/24`), interfaceRow(1, 'out', `172.16.${member}.1/30`)];
  const far = { prefix: ip(`10.1.${other}.0`), prefixLength: 24, nextHop: ip(`172.16.${member}.2`), interface: null, distance: 1 };
  return tablesHead(1, interfaces, [far]);
}

for (const seam of seams) {
  t.test(`ESP between two dataplanes, GROUPWIRE_NATIVE=${seam}`, { skip: skipReason }, async (t) => {
    const lab = build();
    t.teardown(() => lab.remove());
    const before = lab.fingerprint('r1');
    const key = randomBytes(36);
    const dataplanes = [new TestDataplane(lab, 'r1', { GROUPWIRE_NATIVE: seam }), new TestDataplane(lab, 'r2', { GROUPWIRE_NATIVE: seam })];
    const controls = [await dataplanes[0].start(), await dataplanes[1].start()];
    for (const [i, control] of controls.entries()) {
      t.same(await control.publish(headOf(i === 0 ? 1 : 2), groupRows(1, aces, { spi: 0x12345678, sid: i + 1, key })), [], `r${i + 1}`);
    }
    const capture = lab.start('core', ['tcpdump', '-n', '-v', '-i', 'c1', '-l', 'not arp and not ip6']);
    let seen = '';
    capture.stdout?.on('data', (chunk) => {
      seen += chunk;
    });
    await new Promise((resolve) => capture.stderr?.once('data', resolve));

    const through = lab.ping('h1', '10.1.2.10', 5, '-Q', '0xb8');
    t.equal(through.received, 5, through.out);
    t.match(through.out, /ttl=62/, 'each router is one hop');
    t.equal(await lab.tcpEcho('h1', 'h2', '10.1.2.10', 1_000_000), 'same', 'TCP');
    t.equal(lab.ping('r1', '10.1.2.10', 1, '-I', '10.1.1.1').received, 1, 'a program of the router itself is protected too');
    capture.kill('SIGINT');
    await new Promise((resolve) => capture.once('exit', resolve));
    const packets = seen.split('\n').filter((line) => /^\s+\d+\.\d+\.\d+\.\d+/.test(line));
    t.ok(packets.length > 20, `captured ${packets.length}`);
    const clear = packets.filter((line) => !/10\.1\.[12]\.1?[01]* > 10\.1\.[12]\.\d+: ESP\(spi=0x12345678/.test(line));
    t.same(clear, [], 'nothing but ESP with the inner addresses outside');
    t.match(seen, /tos 0xb8/, 'ToS is copied to the outer header');

    const snapshot = await controls[0].snapshot();
    t.equal(snapshot.sas.length, 1, 'one SA');
    t.ok(snapshot.sas[0].counters[SaCount.SealedPackets] > 5 && snapshot.sas[0].counters[SaCount.OpenedPackets] > 5, 'SA counters');
    const again = await TestControl.open(`${dataplanes[0].run}/dataplane.sock`);
    t.same(again.hello.knownSenders, [`${0x12345678}:1`], 'its sender ID is told to a control that comes back');
    t.equal(again.hello.generation, 1, 'and the generation');

    await dataplanes[0].end('SIGKILL');
    const restarted = await dataplanes[0].start();
    t.same(restarted.hello.knownSenders, [`${0x12345678}:1`], 'IV counters survive kill -9');
    await restarted.publish(headOf(1), groupRows(1, aces, { spi: 0x12345678, sid: 1, key }));
    t.equal(lab.ping('h1', '10.1.2.10', 3).received, 3, 'traffic resumes with the same SA: no replay, no IV twice');
    for (const dataplane of dataplanes) t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
    t.equal(lab.fingerprint('r1'), before, 'the machine is as it was');
  });
}
