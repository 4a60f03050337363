// The Debian package, unpacked and run as its units say but for systemd itself: in a root of its own (the package over this machine's files),
// as the units' users, with the units' capabilities and no others, told where to notify.

import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '../support/lab.js';
import { removeAtExit, runChecked } from '../support/netns.js';

/** Users that no Debian package has: the real ones are made by postinst. */
const group = 64_900;
const users: Record<string, number> = { groupwire: 64_901, 'groupwire-dataplane': 64_902 };
const somebody = 64_903;

/** Lines `Key=value` of a unit file: a key's values in order. */
export class Unit {
  private readonly lines: [string, string][];

  constructor(readonly name: string) {
    const text = readFileSync(join(repoRoot, 'scripts/packaging/systemd', `${name}@.service`), 'utf8');
    this.lines = [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]);
  }

  all(key: string): string[] {
    return this.lines.filter(([name]) => name === key).map(([, value]) => value);
  }

  /** @throws Error when there is none, or more than one */
  one(key: string): string {
    const values = this.all(key);
    if (values.length !== 1) throw new Error(`${this.name}@.service has ${values.length} ${key}=`);
    return values[0];
  }

  get uid(): number {
    return users[this.one('User')];
  }

  /** As setpriv and /proc name them: net_admin. */
  get capabilities(): string[] {
    const [ambient, bounding] = [this.one('AmbientCapabilities'), this.one('CapabilityBoundingSet')];
    if (ambient !== bounding) throw new Error(`${this.name}@.service may get more than it starts with: ${bounding}`);
    return ambient.split(' ').map((name) => name.replace(/^CAP_/, '').toLowerCase());
  }

  /** ExecStart with specifiers and variables put in. */
  command(instance: string): string[] {
    const variables = Object.fromEntries(this.all('Environment').map((text) => text.split('=')));
    const words = this.one('ExecStart').replaceAll('%i', instance).split(' ');
    return words.map((word) => (word.startsWith('$') ? (variables[word.slice(1)] ?? '') : word)).filter((word) => word !== '');
  }
}

export class PackageRoot {
  readonly directory = mkdtempSync(join(tmpdir(), 'groupwire-package-'));
  readonly run = join(this.directory, 'run');
  private readonly unpacked = join(this.directory, 'unpacked');
  private readonly undo = removeAtExit(() => rmSync(this.directory, { recursive: true, force: true }));

  /** Builds the package and unpacks it. */
  static async make(): Promise<PackageRoot> {
    const root = new PackageRoot();
    for (const name of ['run', 'state', 'root']) mkdirSync(join(root.directory, name));
    chmodSync(root.directory, 0o755); // its users must get through
    const file = join(root.directory, 'groupwire.deb');
    await runChecked([join(repoRoot, 'scripts/packaging/build-deb'), '--quick', file], {}, 120_000);
    await runChecked(['dpkg-deb', '-x', file, root.unpacked]);
    rmSync(file);
    root.own(join(root.unpacked, 'etc/groupwire'), 0, 0o2770);
    return root;
  }

  remove(): void {
    this.undo();
  }

  private own(path: string, uid: number, mode: number): void {
    chownSync(path, uid, group);
    chmodSync(path, mode); // chown takes setgid off
  }

  /** /etc/groupwire/NAME.cfg */
  configPath(name: string): string {
    return join(this.unpacked, 'etc/groupwire', `${name}.cfg`);
  }

  configure(name: string, text: string): void {
    writeFileSync(this.configPath(name), text);
    this.own(this.configPath(name), 0, 0o660);
  }

  /** What RuntimeDirectory= and StateDirectory= make. */
  makeDirectories(unit: Unit, instance: string): void {
    for (const [key, below, mode] of [
      ['RuntimeDirectory', 'run', unit.all('RuntimeDirectoryMode')[0] ?? '0755'],
      ['StateDirectory', 'state', unit.one('StateDirectoryMode')],
    ]) {
      const path = join(this.directory, below, unit.one(key).replaceAll('%i', instance));
      mkdirSync(path, { recursive: true });
      this.own(path, unit.uid, Number.parseInt(mode, 8));
    }
  }

  /** Runs argv in the root, everything of this machine but /dev, /run, /var/lib and /etc/groupwire read-only. @param before shell lines, as root */
  argv(argv: readonly string[], before = ''): string[] {
    const root = join(this.directory, 'root');
    const script = [
      'set -e',
      'mount --make-rprivate /',
      `mount -t tmpfs root ${root}; cd ${root}`,
      'mkdir usr etc run var var/lib proc sys dev tmp; for link in bin sbin lib lib64; do ln -s usr/$link $link; done',
      `for below in usr etc; do mount -t overlay overlay -o lowerdir=${this.unpacked}/$below:/$below ${root}/$below; done`,
      `mount --bind ${this.run} ${root}/run`,
      `mount --bind ${join(this.directory, 'state')} ${root}/var/lib`,
      `mount --bind ${this.unpacked}/etc/groupwire ${root}/etc/groupwire`,
      `mount --rbind /proc ${root}/proc; mount --rbind /sys ${root}/sys`,
      `mount -t tmpfs dev ${root}/dev; mkdir ${root}/dev/net ${root}/dev/shm; mount -t tmpfs tmp ${root}/tmp`,
      `mknod -m 666 ${root}/dev/net/tun c 10 200; mknod -m 666 ${root}/dev/null c 1 3; mknod -m 666 ${root}/dev/urandom c 1 9`,
      before,
      `exec chroot ${root} "$@"`,
    ];
    return ['unshare', '--mount', 'sh', '-c', script.join('\n'), 'sh', ...argv];
  }

  /** Somebody without any right runs argv; `/run/NAME` and `/var/lib/NAME` are that user's. */
  somebodysArgv(name: string, argv: readonly string[]): string[] {
    for (const below of ['run', 'state']) {
      const path = join(this.directory, below, name);
      mkdirSync(path, { recursive: true });
      this.own(path, somebody, 0o755);
    }
    const identity = ['--reuid', String(somebody), '--regid', String(group), '--clear-groups', '--no-new-privs'];
    return this.argv(['setpriv', ...identity, '--bounding-set', '-all', '--inh-caps', '-all', '--', ...argv]);
  }

  /** As systemd would start the unit. */
  unitArgv(unit: Unit, instance: string): string[] {
    const kept = ['-all', ...unit.capabilities.map((name) => `+${name}`)].join(',');
    const identity = ['--reuid', String(unit.uid), '--regid', String(group), '--clear-groups', '--no-new-privs'];
    const capabilities = ['--bounding-set', kept, '--inh-caps', kept, '--ambient-caps', kept];
    return this.argv(['setpriv', ...identity, ...capabilities, '--', ...unit.command(instance)]);
  }
}

/** @param output of a ping(8) that was ended by SIGINT @returns what it lost, but for the last one, which may have been on its way */
export function lostBy(output: string): number {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(output) ?? [];
  const lost = Number(sent) - Number(received);
  return Number(received) > 0 ? Math.max(0, lost - 1) : Number.NaN;
}

/** Lines of /proc/PID/status. */
export function statusOf(pid: number): Record<string, string> {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Object.fromEntries([...text.matchAll(/^(\w+):[ \t]*(.*)$/gm)].map(([, key, value]) => [key, value]));
}

/** @param names as Unit has them @returns the set as /proc prints it */
export function capabilitySet(names: readonly string[]): string {
  const bits: Record<string, bigint> = { net_bind_service: 10n, net_admin: 12n, net_raw: 13n, ipc_lock: 14n, bpf: 39n };
  const set = names.reduce((sum, name) => sum | (1n << bits[name]), 0n);
  return set.toString(16).padStart(16, '0');
}
