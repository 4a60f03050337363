// The package in a clean Debian, under a systemd of its own. `make test-deb` runs this, `make test` does not: it takes a minute and a half.
//
//   h1 -- r1 [Debian: dpkg -i groupwire.deb; systemd; groupwire@r1] --- core [capture] --- r2 -- h2      r4 :: key server
//
//   r1 :: dpkg, systemctl start      :: installs; READY comes, the router is ready; users and rights as the units say; drivers as for root
//   h1 :: ping h2, inet              :: encrypted, translated, under all of the unit's sandbox
//   r1 :: systemctl reload, restart  :: configuration in force; no packet lost, the dataplane is the same
//   r1 :: dpkg -i again              :: control is another process, the dataplane the same; of another build it starts again and nobody registers again
//   r1 :: dataplane is stopped (SIGSTOP) :: the watchdog starts it again
//   r1 :: systemctl stop, dpkg -P    :: rules are gone, files too

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Lab, repoRoot } from '../support/lab.js';
import { Background, removeAtExit, run, runChecked, until } from '../support/netns.js';
import { readCapture, splitBranchPackets } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { capture } from '../support/tshark.js';
import { capabilitySet, lostBy, Unit } from './package-case.js';

const clean = join(repoRoot, 'build/packaging/debian');
const config = readFileSync(join(repoRoot, 'scripts/configs/lab/r1.cfg'), 'utf8');

/** A Debian of its own over the clean one, booted in a namespace. */
class Machine {
  private readonly directory = mkdtempSync(join(tmpdir(), 'groupwire-debian-'));
  readonly root = join(this.directory, 'root');
  private booted: Background | null = null;
  private leader = '';
  private readonly undo = removeAtExit(() => {
    // Its systemd outlives nspawn; all that runs in there ends with it.
    const leader = this.leader === '' ? '' : `kill -KILL ${this.leader}; `;
    spawnSync('sh', ['-c', `${leader}umount -l ${this.root}; rm -rf ${this.directory}`], { stdio: 'ignore' });
  });

  static async make(): Promise<Machine> {
    const machine = new Machine();
    for (const name of ['root', 'upper', 'work', 'dev']) mkdirSync(join(machine.directory, name));
    const layers = `lowerdir=${clean},upperdir=${machine.directory}/upper,workdir=${machine.directory}/work`;
    await runChecked(['mount', '-t', 'overlay', 'overlay', '-o', layers, machine.root]);
    // As udev makes it; this machine's may be for root alone.
    await runChecked(['mknod', '-m', '666', join(machine.directory, 'dev/tun'), 'c', '10', '200']);
    return machine;
  }

  chroot(line: string): Promise<string> {
    return runChecked(['chroot', this.root, 'sh', '-c', line], {
      DEBIAN_FRONTEND: 'noninteractive',
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    });
  }

  async boot(namespace: string): Promise<void> {
    const { capabilities } = new Unit('groupwire-dataplane');
    const given = [...capabilities, 'net_bind_service'].map((name) => `CAP_${name.toUpperCase()}`).join(',');
    this.booted = new Background([
      ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--boot', '--console=read-only', '-D', this.root],
      ...[`--network-namespace-path=/run/netns/${namespace}`, `--capability=${given}`, '--system-call-filter=bpf'],
      `--bind=${this.directory}/dev/tun:/dev/net/tun`,
    ]);
    const children = `/proc/${this.booted.pid}/task/${this.booted.pid}/children`;
    await until('systemd to be there', () => existsSync(children) && readFileSync(children, 'utf8').trim() !== '');
    this.leader = readFileSync(children, 'utf8').trim().split(' ')[0];
    await until(
      'systemd to have started',
      async () => /^(running|degraded)$/m.test((await this.try('systemctl is-system-running')).stdout),
      60_000,
    );
  }

  try(line: string, timeoutMs = 60_000) {
    return run(['nsenter', '-t', this.leader, '-m', '-p', '-u', '-i', '-C', 'sh', '-c', line], {}, timeoutMs);
  }

  /** @throws Error when the status is not 0, with what the services logged */
  async sh(line: string): Promise<string> {
    const { status, stdout, stderr } = await this.try(line, 120_000);
    if (status === 0) return stdout;
    const journal = (await this.try('journalctl --no-pager -b -n 40 -u "groupwire*"')).stdout;
    throw new Error(`${line}: status ${status}: ${stderr || stdout}\n${journal}`);
  }

  async pid(unit: string): Promise<string> {
    return (await this.sh(`systemctl show -P MainPID ${unit}`)).trim();
  }

  async remove(): Promise<void> {
    this.undo();
    await this.booted?.stop('SIGKILL');
  }
}

interface Servers {
  gdoiServers: { registrations: number }[];
}
interface Processes {
  processes: { name: string; pid: number }[];
}

t.test('installed, started, reloaded, upgraded and removed', async (t) => {
  if (!existsSync(clean)) throw new Error(`${clean} is missing: make test-deb makes it`);
  const machine = await Machine.make();
  t.teardown(() => machine.remove());
  const file = join(machine.root, 'root/groupwire.deb');
  copyFileSync(process.env.GROUPWIRE_DEB ?? '', file);
  writeFileSync(join(machine.root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  await machine.chroot('dpkg -i /root/groupwire.deb');
  rmSync(join(machine.root, 'usr/sbin/policy-rc.d'));
  writeFileSync(join(machine.root, 'etc/groupwire/r1.cfg'), config);
  await machine.chroot('chown root:groupwire /etc/groupwire/r1.cfg && chmod 640 /etc/groupwire/r1.cfg');
  const short = join(machine.root, 'etc/systemd/system/groupwire-dataplane@.service.d');
  mkdirSync(short, { recursive: true });
  writeFileSync(join(short, 'watchdog.conf'), '[Service]\nWatchdogSec=6\n');

  const lab = await Lab.up({ start: ['r2', 'r4'] });
  t.teardown(() => lab.down());
  const tap = await capture(lab, 'core', 'any', '-Q in ip');
  await machine.boot(lab.namespace('r1'));
  await machine.sh('systemctl enable --now groupwire@r1');
  const groupwire = (words: string) => machine.sh(`groupwire --instance r1 ${words}`);
  await groupwire('wait-ready --timeout 60');
  const processes = async () => (JSON.parse(await groupwire("show processes cpu '| json'")) as Processes).processes;
  const pidOf = async (wanted: string) => (await processes()).find(({ name }) => name === wanted)?.pid;

  for (const { name, pid } of await processes()) {
    const unit = name === 'dataplane' ? new Unit('groupwire-dataplane') : new Unit('groupwire');
    const user = await machine.sh(`stat -c %U /proc/${pid}`);
    const rights = capabilitySet(unit.capabilities);
    const text = await machine.sh(`cat /proc/${pid}/status`);
    t.equal(user.trim(), unit.one('User'), name);
    for (const set of ['CapEff', 'CapBnd']) t.match(text, new RegExp(`^${set}:\\t${rights}$`, 'm'), `${name}: ${set}`);
    t.match(text, /^Seccomp:\t2$/m, `${name}: system calls are filtered`);
  }
  await until('the status', async () => /Status: "ready"/.test(await machine.sh('systemctl status --no-pager groupwire@r1')));
  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/, 'branch to branch');
  t.match((await lab.run('h1', ['ping', ...pings(3), '198.51.100.10'])).stdout, / 0% packet loss/, 'to the Internet');
  t.match(await groupwire('show interfaces'), /Port driver is xdp,/);
  t.match(await groupwire('ping 10.0.2.10 source 10.0.1.1'), /Success rate is 100 percent/);

  await machine.sh("sed -i 's/description branch 1/description of another day/' /etc/groupwire/r1.cfg && systemctl reload groupwire@r1");
  await until('the reload', async () => (await groupwire('show running-config')).includes('description of another day'));
  await groupwire('exec write');
  t.match(await machine.sh('stat -c "%U %a" /etc/groupwire/r1.cfg'), /^groupwire 640/, 'written by control');

  const losses = async (what: () => Promise<unknown>): Promise<string> => {
    const running = lab.spawn('h1', ['ping', '-n', '-i', '0.05', '-q', '10.0.2.10']);
    await what();
    return await running.stop('SIGINT');
  };
  const dataplane = await machine.pid('groupwire-dataplane@r1');
  const restart = await losses(() => machine.sh('systemctl restart groupwire@r1 && groupwire --instance r1 wait-ready --timeout 60'));
  t.equal(lostBy(restart), 0, 'lost during systemctl restart');
  t.equal(await machine.pid('groupwire-dataplane@r1'), dataplane);

  const control = await pidOf('control');
  const upgrade = await losses(async () => {
    await machine.sh('dpkg -i /root/groupwire.deb');
    await until('another control', async () => ![control, undefined].includes(await pidOf('control').catch(() => undefined)));
    await groupwire('wait-ready --timeout 60');
  });
  t.equal(lostBy(upgrade), 0, 'lost during an upgrade that leaves the dataplane as it is');
  t.equal(await machine.pid('groupwire-dataplane@r1'), dataplane);
  const registrations = async () => ((await lab.show('r4', 'crypto gdoi ks')) as Servers).gdoiServers[0].registrations;
  const registered = await registrations();
  // With traffic: the capture at core shows that none of it leaves in the clear meanwhile.
  await losses(async () => {
    await machine.sh('echo another >/run/groupwire-dataplane/r1/build && dpkg -i /root/groupwire.deb');
    await until('another dataplane', async () => ![dataplane, '0'].includes(await machine.pid('groupwire-dataplane@r1')));
    await until('the router to be ready', async () => (await machine.try('groupwire --instance r1 wait-ready --timeout 1')).status === 0);
  });
  t.match((await lab.run('h1', ['ping', ...pings(5), '10.0.2.10'])).stdout, / 0% packet loss/, 'with the keys it had');
  t.equal(await registrations(), registered, 'nobody registered again');

  const stuck = await machine.pid('groupwire-dataplane@r1');
  await losses(async () => {
    await machine.sh(`kill -STOP ${stuck}`);
    await until('the watchdog', async () => ![stuck, '0'].includes(await machine.pid('groupwire-dataplane@r1')), 60_000);
  });
  t.match(await machine.sh('journalctl --no-pager -b -u groupwire-dataplane@r1'), /Watchdog timeout/);
  await until('the router to be ready', async () => (await machine.try('groupwire --instance r1 wait-ready --timeout 1')).status === 0);

  await machine.sh('systemctl stop groupwire@r1');
  await until(
    'the dataplane to end',
    async () => (await machine.try('systemctl is-active groupwire-dataplane@r1')).stdout.trim() === 'inactive',
  );
  t.equal(await lab.sh('r1', 'ip rule | grep -c "proto 84" || true'), '0\n', 'rules are gone');
  await machine.sh('dpkg -P groupwire');
  t.equal((await machine.try('ls -d /usr/lib/groupwire /var/lib/groupwire /usr/bin/groupwire')).stdout, '');
  t.ok(existsSync(join(machine.root, 'etc/groupwire/r1.cfg')), "an operator's file stays");
  await tap.stop();
  t.equal(splitBranchPackets(readCapture(tap.file)).clear.length, 0, 'packets between branches in the clear');
});
