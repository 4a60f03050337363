// Opening what Node has no call for. Node can open(2) but not ioctl(2) or mkfifo(3), so a one-shot perl child (perl-base is part of
// every Debian) does that call and exits. The child inherits the open descriptor, and TUNSETIFF acts on the open file, not on
// the process: so afterwards the device is this process's own, needs no bridge, and vanishes with it.

import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { requireInt } from './checks.js';

// linux/if_tun.h
const TunSetIff = 0x400454ca;
const IffTun = 0x0001;
const IffNoPi = 0x1000;
const IffMultiQueue = 0x0100;

// struct ifreq is 40 bytes: name, flags, unused. Descriptor 3 is the TUN. Prints the errno.
const attachScript = `open(my $tun, '+<&=', 3) or die $!;
my $request = pack('Z16 s x22', $ARGV[0], $ARGV[1]);
ioctl($tun, ${TunSetIff}, $request) or print $!+0;`;
const fifoScript = `use POSIX (); POSIX::mkfifo($ARGV[0], 0600) or print $!+0;`;

const rootAdvice = 'run as root or grant CAP_NET_ADMIN';

/** An Error like the addon's: `subject: reason: advice`, with `code`. @param errno positive */
export function systemError(errno: number, subject: string, advice: string): NodeJS.ErrnoException {
  const [code, reason] = getSystemErrorMap().get(-errno) ?? ['EUNKNOWN', `error ${errno}`];
  return Object.assign(new Error(`${subject}: ${reason}${advice === '' ? '' : `: ${advice}`}`), { code, errno: -errno });
}

/** The positive errno of what node:fs threw; anything else is a mistake in this program and goes on up. */
export function errnoOf(thrown: unknown): number {
  const errno = (thrown as NodeJS.ErrnoException | null)?.errno;
  if (typeof errno !== 'number') throw thrown;
  return -errno;
}

/** Native.tunOpen */
export function openTun(name: string, queues: boolean): number {
  if (typeof name !== 'string') throw new TypeError('name: a string is needed');
  if (typeof queues !== 'boolean') throw new TypeError('queues: a boolean is needed');
  if (!/^[\w.-]{1,15}$/.test(name)) throw new RangeError('name: 1 to 15 of A-Z a-z 0-9 _ . -');
  const fd = openDevice();
  const errno = runPerl(attachScript, [name, String(IffTun | IffNoPi | (queues ? IffMultiQueue : 0))], fd);
  if (errno === 0) return fd;
  closeSync(fd);
  throw systemError(errno, name, attachAdvice(errno));
}

function openDevice(): number {
  try {
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const advice = code === 'EACCES' || code === 'EPERM' ? rootAdvice : 'load the kernel module: modprobe tun';
    throw systemError(errnoOf(error), '/dev/net/tun', advice);
  }
}

function attachAdvice(errno: number): string {
  const code = getSystemErrorMap().get(-errno)?.[0];
  if (code === 'EACCES' || code === 'EPERM') return rootAdvice;
  if (code === 'EBUSY') return 'another process uses this device';
  if (code === 'EINVAL') return 'a device of this name and another kind exists';
  return '';
}

/** Native.wakeOpen: a FIFO without a name, opened for both directions so that it never reports end of file. */
export function openFifo(): number {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-wake-'));
  try {
    const path = join(folder, 'fifo');
    const errno = runPerl(fifoScript, [path]);
    if (errno !== 0) throw systemError(errno, path, '');
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Native.fdClose */
export function closeFd(fd: number): void {
  requireInt(fd, 'fd', 0, 0x7fffffff);
  closeSync(fd);
}

/** @param inherit becomes descriptor 3 of the child: on 0..2 libuv would make the shared open file blocking @returns errno, 0 = done */
function runPerl(script: string, args: string[], inherit?: number): number {
  const child = spawnSync('perl', ['-e', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', ...(inherit === undefined ? [] : [inherit])],
    encoding: 'utf8',
  });
  if (child.error) throw new Error(`perl: ${child.error.message}: the twin needs perl; install perl-base, or build the addon`);
  if (child.status !== 0) throw new Error(`perl: ${child.stderr.trim()}`);
  return Number(child.stdout);
}
