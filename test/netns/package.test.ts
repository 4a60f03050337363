// The Debian package as its units run it: as two users, with the capabilities of the units and nothing else. Everything a member does works.
//
//   h1 -- r1 [from the package] --- core [capture] --- r2 -- h2      r4 :: key server      inet :: Internet host
//
//   r1   :: processes                :: the units' users and capabilities, no new privileges; READY, WATCHDOG, STOPPING are told
//   h1   :: ping h2, inet            :: encrypted (ESP at core), translated
//   r1   :: port-driver xdp, ping, write, reload :: as for root
//   r1   :: control ends and comes back          :: no packet is lost, the dataplane is the same
//   r1   :: end                      :: rules and settings are as they were
//
// And as Containerfile says: root without any capability but NET_ADMIN, /proc/sys read-only. And by a user without any right, on TUNs that root has made:
// what the router says is to be done by root is done by root, until it is ready.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fetchReady } from '../../control/api/client.js';
import { ask } from '../support/ask.js';
import { Lab, repoRoot } from '../support/lab.js';
import { Background, until } from '../support/netns.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { capture } from '../support/tshark.js';
import { capabilitySet, lostBy, PackageRoot, statusOf, Unit } from './package-case.js';

// The other end of NOTIFY_SOCKET: which service says what is told apart by the user who says it.
const manager = `
import os, socket, struct, sys
os.umask(0)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1); s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, 4096)
    uid = [struct.unpack('3i', c[:12])[1] for l, k, c in ancillary if k == socket.SCM_CREDENTIALS]
    # BARRIER=1: who sends it waits until its descriptor is closed here
    for l, k, c in ancillary: k == socket.SCM_RIGHTS and [os.close(fd) for fd in struct.unpack(f'{len(c) // 4}i', c)]
    print(uid[0], data.decode().replace('\\n', ' '), flush=True)
`;

const config = readFileSync(join(repoRoot, 'scripts/configs/lab/r1.cfg'), 'utf8');

const root = await PackageRoot.make();
t.teardown(() => root.remove());

t.test('a member from the package, with the rights of its units', async (t) => {
  const lab = await Lab.up({ start: ['r2', 'r4'] });
  t.teardown(() => lab.down());
  const tap = await capture(lab, 'core', 'any', '-Q in ip');
  const before = await lab.sh('r1', 'ip rule; sysctl -a -e -r "rp_filter|forwarding|accept_local|early_demux|send_redirects"');
  root.configure('r1', config);
  const [control, dataplane] = [new Unit('groupwire'), new Unit('groupwire-dataplane')];
  for (const unit of [control, dataplane]) root.makeDirectories(unit, 'r1');
  const told = new Background(['/usr/bin/python3', '-c', manager, join(root.run, 'notify')]);
  t.teardown(() => told.stop('SIGKILL'));
  await told.says(/bound/);
  const start = (unit: Unit) =>
    new Background(['ip', 'netns', 'exec', lab.namespace('r1'), ...root.unitArgv(unit, 'r1')], {
      NOTIFY_SOCKET: '/run/notify',
      WATCHDOG_USEC: '3000000',
    });
  const services = { dataplane: start(dataplane), control: start(control) };
  t.teardown(() => Promise.all(Object.values(services).map((service) => service.stop('SIGKILL'))));
  const show = (...words: string[]) => ask('r1', join(root.run, 'groupwire/r1'), words);
  const failed = () => `\n${services.control.stderr}\n${services.dataplane.stderr}\n${told.stdout}`;
  try {
    await until('control to answer', () => show('show', 'version').then(Boolean, () => false));
    await show('wait-ready', '--timeout', '60');
    for (const unit of [control, dataplane]) await told.says(new RegExp(`^${unit.uid} READY=1`, 'm'));
    await told.says(new RegExp(`^${control.uid} STATUS=ready$`, 'm'));
  } catch (error) {
    throw new Error((error as Error).message + failed());
  }

  const processes = JSON.parse(await show('show', 'processes', 'cpu', '|', 'json')).processes as { name: string; pid: number }[];
  t.strictSame(processes.map(({ name }) => name).sort(), ['control', 'dataplane', 'supervisor']);
  for (const { name, pid } of processes) {
    const unit = name === 'dataplane' ? dataplane : control;
    const rights = capabilitySet(unit.capabilities);
    const { Uid, Groups, NoNewPrivs, CapEff, CapBnd, CapPrm } = statusOf(pid);
    t.strictSame(
      { Uid: Uid.split('\t')[1], Groups, NoNewPrivs, CapEff, CapBnd, CapPrm },
      { Uid: String(unit.uid), Groups: '', NoNewPrivs: '1', CapEff: rights, CapBnd: rights, CapPrm: rights },
      name,
    );
  }

  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/, 'branch to branch');
  t.match((await lab.run('h1', ['ping', ...pings(3), '198.51.100.10'])).stdout, / 0% packet loss/, 'to the Internet');
  t.match(await show('show', 'ip', 'nat', 'translations'), /172\.16\.1\.2:\d+ +10\.0\.1\.10/);
  t.match(await show('show', 'interfaces'), /Port driver is xdp,/, 'programs of the kernel are loaded');
  t.match(await show('ping', '10.0.2.10', 'source', '10.0.1.1'), /Success rate is 100 percent/, 'raw sockets');

  root.configure('r1', config.replace('description branch 1', 'description of another day'));
  process.kill(processes.find(({ name }) => name === 'supervisor')!.pid, 'SIGHUP');
  await told.says(new RegExp(`^${control.uid} RELOADING=1[\\s\\S]*^${control.uid} READY=1`, 'm'));
  t.match(await show('show', 'running-config'), /description of another day/, 'reloaded');
  await show('exec', 'write');
  t.match(readFileSync(root.configPath('r1'), 'utf8'), /^hostname R1$[\s\S]*R1-KEY/m, 'written, by a user who may');

  const running = lab.spawn('h1', ['ping', '-n', '-i', '0.02', '-q', '10.0.2.10']);
  await services.control.stop('SIGTERM');
  services.control = start(control);
  await until('control to answer again', () => show('show', 'version').then(Boolean, () => false));
  await show('wait-ready', '--timeout', '60');
  t.equal(lostBy(await running.stop('SIGINT')), 0, 'forwarding went on without control');
  const after = JSON.parse(await show('show', 'processes', 'cpu', '|', 'json')).processes as { name: string; pid: number }[];
  const pidOf = (list: typeof processes, wanted: string) => list.find(({ name }) => name === wanted)?.pid;
  t.equal(pidOf(after, 'dataplane'), pidOf(processes, 'dataplane'));
  for (const unit of [control, dataplane]) await told.says(new RegExp(`^${unit.uid} WATCHDOG=1$`, 'm'));

  await services.control.stop();
  await services.dataplane.stop();
  for (const unit of [control, dataplane]) await told.says(new RegExp(`^${unit.uid} STOPPING=1$`, 'm'));
  t.equal(
    await lab.sh('r1', 'ip rule; sysctl -a -e -r "rp_filter|forwarding|accept_local|early_demux|send_redirects"'),
    before,
    'as before',
  );
  await tap.stop();
  t.equal(splitBranchPackets(readCapture(tap.file)).clear.length, 0, 'packets between branches in the clear');
});

t.test('a member in a container with NET_ADMIN alone', async (t) => {
  const lab = await Lab.up({ start: ['r2', 'r4'] });
  t.teardown(() => lab.down());
  root.configure('router', config);
  const containerfile = readFileSync(join(repoRoot, 'scripts/packaging/Containerfile'), 'utf8');
  t.strictSame([...containerfile.matchAll(/--cap-(add|drop) (\w+)/g)].map(([text]) => text).slice(0, 2), [
    '--cap-drop ALL',
    '--cap-add NET_ADMIN',
  ]);
  const settings = [...containerfile.matchAll(/--sysctl (\S+=\S+)/g)].map(([, setting]) => setting);
  // What the runtime does for the interfaces that the container has.
  await lab.sh('r1', `sysctl -qw ${settings.join(' ')} net.ipv4.conf.eth1.send_redirects=0 net.ipv4.conf.eth1.rp_filter=1`);
  const kept = '-all,+net_admin';
  const entry = /^ENTRYPOINT (.*)$/m.exec(containerfile)?.[1] ?? '[]';
  const command = ['setpriv', '--bounding-set', kept, '--inh-caps', kept, '--', ...(JSON.parse(entry) as string[])];
  mkdirSync(join(root.run, 'groupwire'), { recursive: true });
  const argv = root.argv(
    command,
    `mount --bind /proc/sys ${root.directory}/root/proc/sys; mount -o remount,bind,ro ${root.directory}/root/proc/sys`,
  );
  const router = new Background(['ip', 'netns', 'exec', lab.namespace('r1'), ...argv], { GROUPWIRE_INSTANCE: 'router' });
  t.teardown(() => router.stop('SIGKILL'));
  const show = (...words: string[]) => ask('router', join(root.run, 'groupwire/router'), words);
  try {
    await until('the router to answer', () => existsSync(join(root.run, 'groupwire/router/control.sock')));
    await router.says(/%SYS-3-DATAPLANE: \/proc\/sys\/net\/ipv4\/conf\/eth1\/rp_filter: read-only: it must be 0, set it from outside/);
    await lab.sh('r1', 'sysctl -qw net.ipv4.conf.eth1.rp_filter=0');
    await show('wait-ready', '--timeout', '60');
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${router.stderr}`);
  }
  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/, 'branch to branch');
  t.match((await lab.run('h1', ['ping', ...pings(3), '198.51.100.10'])).stdout, / 0% packet loss/, 'to the Internet');
  t.match(await show('show', 'interfaces'), /Port driver is tun \(xdp is not possible\)/);
  await router.stop();
  t.equal(await lab.sh('r1', 'ip rule | grep -c "proto 84" || true'), '0\n', 'rules are gone');
});

/**
 * Does as root, on r1, what a router without rights says of itself.
 * @param done what was done before, which a router that has not looked again still names: `ip rule` does nothing twice
 */
async function doForIt(lab: Lab, missing: readonly string[], done: Set<string>): Promise<void> {
  const lines = missing.flatMap((text) => {
    const command = /(?:^|: )(ip .*): to be done by root$/.exec(text)?.[1];
    const [, path, value] = /^\/proc\/sys\/(\S+): not permitted: it must be (\d), /.exec(text) ?? [];
    if (command !== undefined) return [command];
    return path === undefined ? [] : [`sysctl -qw ${path.replaceAll('/', '.')}=${value}`];
  });
  for (const line of lines) {
    if (!done.has(line)) await lab.sh('r1', line);
    done.add(line);
  }
}

t.test('a member without any right, on TUNs made in advance', async (t) => {
  const lab = await Lab.up({ start: ['r2', 'r4'] });
  t.teardown(() => lab.down());
  root.configure('plain', config);
  await lab.sh('r1', 'sysctl -qw net.ipv4.ip_unprivileged_port_start=500');
  const words = [
    '-c',
    '/etc/groupwire/plain.cfg',
    '--instance',
    'plain',
    '--runtime',
    '/run/plain',
    '--state',
    '/var/lib/plain',
    '--metrics',
    'off',
  ];
  const start = () => {
    const argv = root.somebodysArgv('plain', ['groupwire', 'run', ...words, '--prepared']);
    return new Background(['ip', 'netns', 'exec', lab.namespace('r1'), ...argv]);
  };
  let router = start();
  t.teardown(() => router.stop('SIGKILL'));
  const socket = join(root.run, 'plain/control.sock');
  const missing = () =>
    fetchReady(socket, 5000).then(
      ({ missing }) => missing,
      () => ['control does not answer'],
    );
  const done = new Set<string>();
  await until(
    'the router to be ready',
    async () => {
      const now = await missing();
      await doForIt(lab, now, done);
      return now.length === 0;
    },
    60_000,
    500,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${(await missing()).join('; ')}\n${router.stderr.slice(-3000)}`);
  });
  t.ok(done.size > 20, `${done.size} things were root's`);
  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/, 'branch to branch');
  t.match((await lab.run('h1', ['ping', ...pings(3), '198.51.100.10'])).stdout, / 0% packet loss/, 'to the Internet');
  const status = statusOf(Number(/"name":"dataplane","pid":(\d+)/.exec(readFileSync(join(root.run, 'plain/processes.json'), 'utf8'))?.[1]));
  t.equal(status.CapEff, capabilitySet([]), 'no capability');

  await router.stop();
  t.match(
    (await lab.run('h1', ['ping', ...pings(2, 1), '10.0.2.10'])).stdout,
    / 100% packet loss/,
    "nothing leaks while it is away: the rules are root's",
  );
  router = start();
  await until('it to be ready again', async () => (await missing()).length === 0, 60_000, 200);
  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/, 'and root had nothing to do');
});
