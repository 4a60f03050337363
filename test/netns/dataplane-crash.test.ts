// The dataplane is killed: what the group's policy protects must go nowhere, everything else falls through to the kernel, and a new
// process takes over where the old one was.
//
//   a 10.1.1.10, 10.1.5.10 --- e0 10.1.1.1  r  10.1.2.1 e1 --- 10.1.2.10, 10.1.9.10 b
//   protected: 10.1.5.0/24 -> 10.1.9.0/24 and 10.1.1.0/24 -> 10.1.9.0/24, both ways, but not what a deny excepts

import t from 'tap';
import {
  AceAction,
  aceRow,
  groupRows,
  interfaceRow,
  ip,
  Lab,
  noRows,
  skipReason,
  TestControl,
  TestDataplane,
  tablesHead,
  until,
} from './dataplane-lab.js';

const interfaces = [interfaceRow(0, 'e0', '10.1.1.1/24'), interfaceRow(1, 'e1', '10.1.2.1/24')];
const statics = [
  { prefix: ip('10.1.9.0'), prefixLength: 24, nextHop: ip('10.1.2.10'), interface: null, distance: 1 },
  { prefix: ip('10.1.5.0'), prefixLength: 24, nextHop: ip('10.1.1.10'), interface: 'GigabitEthernet0/0', distance: 1 },
];

function build(): Lab {
  const lab = new Lab();
  for (const node of ['a', 'r', 'b']) lab.addNode(node);
  lab.link('a', 'eth0', 'r', 'e0');
  lab.link('b', 'eth0', 'r', 'e1');
  lab.address('a', 'eth0', '10.1.1.10/24');
  lab.address('a', 'lo', '10.1.5.10/32');
  lab.address('b', 'eth0', '10.1.2.10/24');
  lab.address('b', 'lo', '10.1.9.10/32');
  lab.address('b', 'lo', '10.1.9.77/32');
  lab.defaultRoute('a', '10.1.1.1');
  lab.defaultRoute('b', '10.1.2.1');
  return lab;
}

/** Registered, but without an SA: what the ACL permits is dropped by the pipeline too. */
const policy = groupRows(
  1,
  [
    aceRow(AceAction.Deny, '10.1.5.10/32', '10.1.9.77/32'),
    aceRow(AceAction.Deny, '10.1.9.77/32', '10.1.5.10/32'),
    aceRow(AceAction.Permit, '10.1.5.0/24', '10.1.9.0/24'),
    aceRow(AceAction.Permit, '10.1.9.0/24', '10.1.5.0/24'),
    aceRow(AceAction.Permit, '10.1.1.0/24', '10.1.9.0/24'),
    aceRow(AceAction.Permit, '10.1.9.0/24', '10.1.1.0/24'),
  ],
  null,
);

t.test('kill -9: no leak, no lock-out, and back', { skip: skipReason }, async (t) => {
  const lab = build();
  t.teardown(() => lab.remove());
  const before = lab.fingerprint('r');
  const dataplane = new TestDataplane(lab, 'r', {});
  const first = await dataplane.start();
  t.same(await first.publish(tablesHead(1, interfaces, statics), policy), [], 'applied');
  t.equal(lab.ping('a', '10.1.2.10').received, 1, 'clear traffic passes');
  t.equal(lab.ping('a', '10.1.9.77', 1, '-I', '10.1.5.10').received, 1, 'what a deny entry excepts passes');
  t.equal(lab.ping('a', '10.1.9.10', 1, '-I', '10.1.5.10').received, 0, 'what the policy permits needs an SA');
  t.equal(lab.ping('r', '10.1.9.10', 1, '-I', '10.1.1.1').received, 0, 'from the router itself too');

  const capture = lab.start('b', ['tcpdump', '-n', '-i', 'eth0', '-l', 'net', '10.1.9.0/24']);
  let seen = '';
  capture.stdout?.on('data', (chunk) => {
    seen += chunk;
  });
  await new Promise((resolve) => capture.stderr?.once('data', resolve));
  t.equal(await dataplane.end('SIGKILL'), null, 'killed');
  t.notMatch(lab.mustRun('r', 'ip', 'link'), /gw-e0/, 'the TUNs went with it');
  t.equal(lab.ping('a', '10.1.2.10').received, 1, 'clear traffic falls through to the kernel');
  t.equal(lab.ping('r', '10.1.2.10').received, 1, 'also from the router');
  t.equal(await lab.tcpEcho('a', 'r', '10.1.1.1', 100_000), 'same', 'nobody is locked out of the router');
  t.equal(lab.ping('a', '10.1.9.77', 1, '-I', '10.1.5.10').received, 1, 'excepted traffic passes');
  await until('the capture has request and reply', () => seen.match(/10\.1\.9\.77/g)?.length === 2);
  t.equal(lab.ping('a', '10.1.9.10', 3, '-I', '10.1.5.10').received, 0, 'protected traffic is dropped');
  t.equal(lab.ping('r', '10.1.9.10', 2, '-I', '10.1.1.1').received, 0, 'protected traffic of the router too');
  t.equal(lab.ping('r', '10.1.9.10', 1, '-I', 'e1').received, 1, 'the guard is the policy, not more: 10.1.2.1 is outside it');
  await until('the capture is at the last packet', () => /10\.1\.9\.10 > 10\.1\.2\.1/.test(seen));
  t.notMatch(seen, /(10\.1\.5\.10|10\.1\.1\.1) > 10\.1\.9\.10/, 'and not one packet of it left');

  const guard = () => lab.mustRun('r', 'ip', 'rule').match(/from \S+ to \S+ blackhole/g)?.length ?? 0;
  t.equal(guard(), 4, 'four permits are guarded');
  const second = await dataplane.start();
  t.equal(second.hello.generation, 0, 'the new process has no tables');
  t.equal(guard(), 4, 'until it has tables the guard stands');
  t.same(await second.publish(tablesHead(1, interfaces, statics), policy), [], 'a control that counts from 1 again is answered');
  t.equal(guard(), 4, 'guard as before');
  t.equal(lab.mustRun('r', 'ip', 'rule').match(/lookup 8496/g)?.length, 1, 'no rule is there twice');
  t.equal(lab.ping('a', '10.1.2.10', 2).received, 2, 'traffic resumes');

  t.same(await second.publish(tablesHead(2, interfaces, statics), noRows()), [], 'policy gone');
  t.equal(guard(), 0, 'guard gone');
  t.equal(lab.ping('a', '10.1.9.10', 1, '-I', '10.1.5.10').received, 1, 'everything passes');
  t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
  t.equal(lab.fingerprint('r'), before, 'the original settings survived the kill');
});

t.test('permit ip any any: own addresses work, routes can be added', { skip: skipReason }, async (t) => {
  const lab = build();
  t.teardown(() => lab.remove());
  const dataplane = new TestDataplane(lab, 'r', {});
  const control = await dataplane.start();
  const all = groupRows(1, [aceRow(AceAction.Permit, '0.0.0.0/0', '0.0.0.0/0')], null);
  t.same(await control.publish(tablesHead(1, interfaces, statics), all), [], 'applied');
  t.equal(lab.ping('r', '10.1.2.1').received, 1, 'local delivery');
  t.equal(lab.ping('r', '127.0.0.1').received, 1, 'loopback');
  lab.mustRun('r', 'ip', 'route', 'add', '10.66.0.0/16', 'via', '10.1.2.10');
  t.match(lab.mustRun('r', 'ip', 'route', 'show', '10.66.0.0/16'), /dev e1/, 'a gateway is found although the guard covers everything');
  await dataplane.end('SIGKILL');
  t.equal(lab.ping('a', '10.1.2.10').received, 0, 'killed: nothing is forwarded');
  t.equal(lab.ping('r', '10.1.2.1').received, 1, 'local delivery');
  lab.mustRun('r', 'ip', 'route', 'add', '10.67.0.0/16', 'via', '10.1.2.10');
  await dataplane.start();
  t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
  t.notMatch(lab.mustRun('r', 'ip', 'rule'), /84|blackhole/, 'a process that never got tables still tidies up');
  t.match(lab.mustRun('r', 'ip', 'rule'), /^0:\s+from all lookup local/, "the kernel's local rule is back");
});

t.test('a second dataplane of an instance is refused; control is replaced', { skip: skipReason }, async (t) => {
  const lab = build();
  t.teardown(() => lab.remove());
  const dataplane = new TestDataplane(lab, 'r', {});
  const first = await dataplane.start();
  const rival = new TestDataplane(lab, 'r', {});
  await rival.start().then((control) => control.close());
  await until('the rival ends', () => rival.process.exitCode !== null);
  t.match(rival.log, /another dataplane/, 'the second one says why it ends');

  const newer = await TestControl.open(`${dataplane.run}/dataplane.sock`);
  t.same(await newer.publish(tablesHead(1, interfaces), noRows()), [], 'a new control works');
  newer.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1));
  const third = await TestControl.open(`${dataplane.run}/dataplane.sock`);
  t.equal(third.hello.generation, 1, 'a hostile frame costs its connection, not the tables');
  first.close();
  t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
});
