// One router between two hosts, nothing encrypted. The kernel is the judge.
//
//   a 10.1.1.10 --- e0 10.1.1.1  r  10.1.2.1 e1 --- 10.1.2.10 b

import t, { type Test } from 'tap';
import { readVariant } from '../support/variant.js';
import { interfaceRow, Lab, noRows, seams, skipReason, type TestControl, TestDataplane, tablesHead, until } from './dataplane-lab.js';

function build(): Lab {
  const lab = new Lab();
  for (const node of ['a', 'r', 'b']) lab.addNode(node);
  lab.link('a', 'eth0', 'r', 'e0');
  lab.address('a', 'eth0', '10.1.1.10/24');
  lab.defaultRoute('a', '10.1.1.1');
  connectB(lab);
  return lab;
}

function connectB(lab: Lab): void {
  lab.link('b', 'eth0', 'r', 'e1');
  lab.address('b', 'eth0', '10.1.2.10/24');
  lab.defaultRoute('b', '10.1.2.1');
}

/** Deletes e1, and makes it again once the router has said that it is gone. */
async function replaceE1(t: Test, lab: Lab, control: TestControl): Promise<void> {
  lab.mustRun('r', 'ip', 'link', 'del', 'e1');
  await until('the missing netdev is told', () => /no netdev e1/.test(control.applied.at(-1)?.errors.join() ?? ''));
  t.notMatch(lab.mustRun('r', 'ip', 'link'), /gw-e1/, 'its TUN is gone');
  connectB(lab);
}

const interfaces = [interfaceRow(0, 'e0', '10.1.1.1/24'), interfaceRow(1, 'e1', '10.1.2.1/24')];

for (const seam of seams) {
  t.test(`clear forwarding, GROUPWIRE_NATIVE=${seam}`, { skip: skipReason }, async (t) => {
    const lab = build();
    t.teardown(() => lab.remove());
    const before = lab.fingerprint('r');
    const dataplane = new TestDataplane(lab, 'r', { GROUPWIRE_NATIVE: seam });
    const control = await dataplane.start();
    t.equal(control.hello.generation, 0, 'nothing is applied at first');
    t.same(await control.publish(tablesHead(1, interfaces), noRows()), [], 'tables are applied without errors');

    const through = lab.ping('a', '10.1.2.10', 3);
    t.equal(through.received, 3, `a reaches b: ${through.out}`);
    t.match(through.out, /ttl=63/, 'the router is exactly one hop');
    const expired = lab.ping('a', '10.1.2.10', 1, '-t', '1');
    t.match(expired.out, /From 10\.1\.1\.1 .*Time to live exceeded/, 'TTL 1 ends at the router');
    t.equal(lab.ping('a', '10.1.2.10', 1, '-t', '2').received, 1, 'TTL 2 reaches b');

    for (const node of ['a', 'b']) lab.mustRun(node, 'ip', 'neigh', 'flush', 'all');
    t.equal(lab.ping('a', '10.1.1.1').received, 1, 'the router answers ARP for its own address');
    t.equal(lab.ping('b', '10.1.1.1').received, 1, 'its address on the other side answers');
    t.equal(lab.ping('r', '10.1.1.10').received, 1, 'a program of the router reaches a');
    t.match(lab.mustRun('r', 'ip', 'route', 'get', '10.1.2.10'), /src 10\.1\.2\.1/, "a program's source address is the egress interface's");
    t.equal(lab.ping('r', '10.1.2.10').received, 1, 'a program of the router reaches b');
    t.equal(lab.ping('r', '10.1.2.1').received, 1, 'a program of the router reaches the router');
    const echoes = () =>
      lab
        .mustRun(
          'b',
          'awk',
          '/^Icmp:/ { if (head) { for (i = 1; i <= NF; i++) if (names[i] == "InEchos") print $i } else { split($0, names); head = 1 } }',
          '/proc/net/snmp',
        )
        .trim();
    const heard = echoes();
    lab.mustRun('a', 'ip', 'addr', 'add', '10.1.2.1/32', 'dev', 'lo');
    lab.ping('a', '10.1.2.10', 2, '-I', '10.1.2.1');
    lab.mustRun('a', 'ip', 'addr', 'del', '10.1.2.1/32', 'dev', 'lo');
    t.equal(echoes(), heard, "nobody outside may use the router's address");
    t.equal(lab.ping('a', '10.1.2.10', 2, '-s', '3000').received, 2, 'fragments pass');
    t.equal(
      lab.ping('a', '10.1.1.255', 1, '-b').out.includes('Destination Net Unreachable'),
      false,
      'subnet broadcast stays with the host',
    );

    t.equal(await lab.tcpEcho('a', 'b', '10.1.2.10', 2_000_000), 'same', 'TCP through the router');
    t.equal(await lab.tcpEcho('a', 'r', '10.1.1.1', 500_000), 'same', 'TCP to the router');
    t.equal(await lab.tcpEcho('r', 'b', '10.1.2.10', 500_000), 'same', 'TCP from the router');

    const snapshot = await control.snapshot();
    t.match(snapshot.interfaces, [
      { port: 0, device: 'e0', up: true, mtu: 1500, addresses: ['10.1.1.1/24'] },
      { port: 1, device: 'e1', up: true, mtu: 1500, addresses: ['10.1.2.1/24'] },
    ]);
    t.ok(snapshot.path[0] > 0, `packets were counted: ${snapshot.path}`);
    t.ok(
      snapshot.routes.some(({ prefix, device, protocol }) => prefix === '10.1.2.0/24' && device === 'e1' && protocol === 'kernel'),
      'the FIB is in the snapshot',
    );
    control.close();
    t.equal(lab.ping('a', '10.1.2.10').received, 1, 'forwarding goes on without control');

    t.equal(await dataplane.end('SIGTERM'), 0, `clean exit: ${dataplane.log}`);
    t.equal(lab.fingerprint('r'), before, 'the machine is as it was');
    const isRefused = seam === '0' && readVariant().workers > 1;
    t.match(dataplane.log, isRefused ? /^.*PORT_DRIVER: no steering of TUN queues.*\n$/ : /^$/, 'quiet');
  });
}

t.test('what changes in the kernel is followed', { skip: skipReason }, async (t) => {
  const lab = build();
  t.teardown(() => lab.remove());
  const dataplane = new TestDataplane(lab, 'r', {}, ['--workers', '2']);
  const control = await dataplane.start();
  const late = interfaceRow(2, 'late', '10.1.3.1/24');
  const statics = [
    { prefix: 0x0a090000, prefixLength: 16, nextHop: 0x0a01020a, interface: null, distance: 1 },
    { prefix: 0x0a080000, prefixLength: 16, nextHop: null, interface: 'Null0', distance: 1 },
  ];
  const loopback = interfaceRow(3, 'lo', '10.255.0.1/24', { device: null, name: 'Loopback0' });
  const errors = await control.publish(tablesHead(1, [...interfaces, late, loopback], statics), noRows());
  t.match(errors, [/no netdev late/], 'a netdev that is not there is told');

  t.match(lab.mustRun('r', 'ip', 'route', 'show', '10.9.0.0/16'), /via 10\.1\.2\.10 dev e1 proto 84 metric 1/, 'static route');
  lab.mustRun('b', 'ip', 'addr', 'add', '10.9.0.1/32', 'dev', 'lo');
  t.equal(lab.ping('a', '10.9.0.1').received, 1, 'a static route is used');
  t.match(lab.ping('a', '10.8.0.1').out, /Unreachable/, 'Null0 answers unreachable');
  t.equal(lab.ping('a', '10.255.0.1').received, 1, 'the loopback address answers');
  t.equal(lab.ping('a', '10.255.0.2').received, 0, 'no other address of its prefix does');

  lab.link('r', 'late', 'a', 'eth1');
  lab.address('a', 'eth1', '10.1.3.10/24');
  await until('the late netdev has its address', () => lab.mustRun('r', 'ip', '-br', 'addr').includes('10.1.3.1/24'));
  await until('its error is gone', () => control.applied.at(-1)?.errors.length === 0);
  t.ok(
    control.events.some((event) => event.kind === 'interface' && event.port === 2 && event.up),
    'its coming up is told',
  );
  t.equal(lab.ping('b', '10.1.3.10').received, 1, 'it forwards');

  lab.mustRun('b', 'ip', 'addr', 'add', '10.77.0.1/32', 'dev', 'lo');
  lab.mustRun('r', 'ip', 'route', 'add', '10.77.0.0/16', 'via', '10.1.2.10');
  t.match(lab.mustRun('r', 'ip', 'route', 'show', '10.77.0.0/16'), /dev e1/, 'the kernel finds its gateway on the netdev, not on our TUN');
  await until('a route that someone else adds is mirrored', () => lab.ping('a', '10.77.0.1').received === 1);
  lab.mustRun('r', 'ip', 'link', 'set', 'e1', 'mtu', '1400');
  await until('the TUN follows the MTU', () => /gw-e1: .*mtu 1400/.test(lab.mustRun('r', 'ip', 'link', 'show', 'gw-e1')));
  lab.mustRun('r', 'ip', 'rule', 'del', 'pref', '66', 'iif', 'e0', 'ipproto', 'icmp');
  await until('a rule that someone removed comes back', () => lab.mustRun('r', 'ip', 'rule').includes('iif e0 ipproto icmp lookup'));

  t.same(await control.publish(tablesHead(2, [interfaces[0], { ...interfaces[1], shutdown: true }]), noRows()), [], 'shutdown');
  t.notMatch(lab.mustRun('r', 'ip', 'link', 'show', 'e1'), /[<,]UP/, 'shutdown takes the netdev down');
  t.notMatch(lab.mustRun('r', 'ip', 'addr'), /10\.1\.3\.1|10\.255\.0\.1/, 'addresses of interfaces that left are removed');
  t.notMatch(lab.mustRun('r', 'ip', 'link'), /gw-late/, 'and their TUNs');
  t.same(await control.publish(tablesHead(3, interfaces), noRows()), [], 'no shutdown');
  t.equal(lab.ping('a', '10.1.2.10', 1, '-w', '5').received, 1, 'it forwards again');

  control.send({ ...tablesHead(4, interfaces), controlPorts: [0] }, noRows());
  await until('a bad message is answered', () => control.applied.at(-1)?.generation === 4);
  t.match(control.applied.at(-1)?.errors, [/tables refused: controlPorts/], 'with what is wrong');
  t.equal(lab.ping('a', '10.1.2.10').received, 1, 'and the old tables stay');
  t.equal(await dataplane.end('stdin'), 0, `the end of stdin is a clean exit: ${dataplane.log}`);
});

t.test('a TUN or a netdev that is deleted under us comes back', { skip: skipReason }, async (t) => {
  const lab = build();
  t.teardown(() => lab.remove());
  const dataplane = new TestDataplane(lab, 'r', {});
  const control = await dataplane.start();
  t.same(await control.publish(tablesHead(1, interfaces), noRows()), [], 'applied');
  lab.mustRun('r', 'ip', 'link', 'del', 'gw-e0');
  await until('the TUN is there again', () => /gw-e0.*[<,]UP/.test(lab.run('r', 'ip', '-o', 'link').out));
  await until('and forwards', () => lab.ping('a', '10.1.2.10').received === 1);
  await replaceE1(t, lab, control);
  await until('the netdev that came back is used', () => lab.ping('a', '10.1.2.10').received === 1);
  await until('its error is gone', () => control.applied.at(-1)?.errors.length === 0);
  t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
});

for (const driver of ['tun', 'packet', 'xdp'] as const) {
  t.test(`a netdev that is deleted while it is shut, port-driver ${driver}`, { skip: skipReason }, async (t) => {
    const lab = build();
    t.teardown(() => lab.remove());
    const dataplane = new TestDataplane(lab, 'r', {});
    const control = await dataplane.start();
    const [first, second] = [interfaces[0], { ...interfaces[1], driver }];
    t.same(await control.publish(tablesHead(1, [first, second]), noRows()), [], 'applied');
    t.equal(lab.ping('a', '10.1.2.10').received, 1, 'it forwards');
    t.same(await control.publish(tablesHead(2, [first, { ...second, shutdown: true }]), noRows()), [], 'shutdown');
    await replaceE1(t, lab, control);
    await until('its error is gone', () => control.applied.at(-1)?.errors.length === 0);
    t.same(await control.publish(tablesHead(3, [first, second]), noRows()), [], 'no shutdown');
    await until('the netdev that came back is used', () => lab.ping('a', '10.1.2.10').received === 1);
    t.equal(await dataplane.end('SIGTERM'), 0, dataplane.log);
  });
}
