// The machine and the versions that a run was taken with.

import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from './machine.js';
import { built, launcher } from './paths.js';

const packages = ['strongswan-charon', 'libcharon-extra-plugins', 'openvpn', 'iperf3', 'libssl3', 'libssl3t64'];

async function word(argv: readonly string[]): Promise<string> {
  const { status, stdout } = await run(argv);
  return status === 0 ? stdout.trim() : '';
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** @returns names and values; what this machine does not say is left out */
export async function readEnvironment(): Promise<Record<string, string>> {
  const checkout = resolve(launcher, '../..');
  const git = ['git', '-c', `safe.directory=${checkout}`, '-C', checkout];
  const changed = await word([...git, 'status', '--porcelain', '--untracked-files=no', '--', 'dataplane', 'control', 'cli']);
  const all: Record<string, string> = {
    groupwire: `${await word([...git, 'rev-parse', '--short', 'HEAD'])}${changed === '' ? '' : ' with local changes'}`,
    kernel: release(),
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    virtualisation: await word(['systemd-detect-virt', '--vm']),
    debian: text('/etc/debian_version'),
    node: process.version,
    'wireguard-go': text(join(built, 'wireguard-go.origin')),
    'congestion control': 'cubic',
    'rmem_max, wmem_max': `${text('/proc/sys/net/core/rmem_max')}, ${text('/proc/sys/net/core/wmem_max')}`,
    'load at the start': loadavg()[0].toFixed(2),
  };
  for (const name of packages) all[name] = await word(['dpkg-query', '-W', '-f', `\${Version}`, name]);
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}
