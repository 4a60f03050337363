// Opening what Node has no call for. Node can open(2) but not ioctl(2) or mkfifo(3), so a one-shot perl child (perl-base is part of
// every Debian) does those calls and exits. The child inherits the open descriptor, and TUNSETIFF acts on the open file, not on
// the process: so afterwards the device is this process's own, needs no bridge, and vanishes with it.

import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { Coalesce } from './twin-gro.js';
import { Virtio } from './twin-wire.js';

// linux/if_tun.h
const TunSetIff = 0x400454ca;
const TunSetVnetHdrSize = 0x400454d8;
const TunSetOffload = 0x400454d0;
const IffTun = 0x0001;
const IffMultiQueue = 0x0100;
const IffNoPi = 0x1000;
const IffVnetHdr = 0x4000;
/** TUN_F_CSUM, TSO4, TSO6. TSO6 is for the kernel's own sake: without it, it cuts superpackets that the pipeline then drops one by one. */
const Offloads = 0x01 | 0x02 | 0x04;
/** TUN_F_USO4, USO6: Linux 6.2. */
const UdpOffloads = 0x20 | 0x40;

// Threads share descriptors but no variables, so what tx may gather is noted at the open file itself, in status flags that mean nothing
// to a TUN: O_APPEND = TCP, O_NOATIME = UDP (linux/fcntl.h). Every thread reads them in /proc/self/fdinfo.
const SetStatusFlags = 4;
const { O_RDWR, O_NONBLOCK, O_APPEND, O_NOATIME } = constants;

// struct ifreq is 40 bytes: name, flags, unused. Descriptor 3 is the TUN. Prints the errno, negative when it is not about the name.
const attachScript = `open(my $tun, '+<&=', 3) or die $!;
my ($name, $flags, $offloads) = @ARGV;
my ($request, $size, $marks) = (pack('Z16 s x22', $name, $flags), pack('i', ${Virtio.Bytes}), 0);
sub fail { print $_[0] * $!; exit }
ioctl($tun, ${TunSetIff}, $request) or fail(1);
ioctl($tun, ${TunSetVnetHdrSize}, $size) or fail(-1);
if (!$offloads) { ioctl($tun, ${TunSetOffload}, 0) or fail(-1); }
elsif (ioctl($tun, ${TunSetOffload}, ${Offloads | UdpOffloads})) { $marks = ${O_APPEND | O_NOATIME}; }
else { ioctl($tun, ${TunSetOffload}, ${Offloads}) or fail(-1); $marks = ${O_APPEND}; }
fcntl($tun, ${SetStatusFlags}, ${O_RDWR | O_NONBLOCK} | $marks) or fail(-1);`;
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
export function openTun(name: string, queues: boolean, offloads: boolean): number {
  if (typeof name !== 'string') throw new TypeError('name: a string is needed');
  for (const [what, value] of Object.entries({ queues, offloads }))
    if (typeof value !== 'boolean') throw new TypeError(`${what}: a boolean is needed`);
  if (!/^[\w.-]{1,15}$/.test(name)) throw new RangeError('name: 1 to 15 of A-Z a-z 0-9 _ . -');
  const fd = openDevice();
  const flags = IffTun | IffNoPi | IffVnetHdr | (queues ? IffMultiQueue : 0);
  const errno = runPerl(attachScript, [name, String(flags), offloads ? '1' : '0'], fd);
  if (errno === 0) return fd;
  closeSync(fd);
  throw systemError(Math.abs(errno), name, attachAdvice(errno));
}

/** What tx may gather on a TUN that any thread opened, Coalesce bits. Throws RangeError when the descriptor is none. */
export function coalesceOf(fd: number): number {
  let text = '';
  try {
    text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const flags = Number.parseInt(/^flags:\s*(\d+)$/m.exec(text)?.[1] ?? '', 8);
  if (!/^iff:/m.test(text) || Number.isNaN(flags)) throw new RangeError(`fd: ${fd} is not a link`);
  return ((flags & O_APPEND) !== 0 ? Coalesce.Tcp : 0) | ((flags & O_NOATIME) !== 0 ? Coalesce.Udp : 0);
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
}

/** Native.tunSteer, rawOpen, packetOpen, packetFilter, xdpOpen, xdpSender: sockets and programs for which perl would have to stay. */
export function refuse(what: string): () => never {
  return () => {
    const text = `${what}: not supported by the twin: this driver needs the addon (make build)`;
    throw Object.assign(new Error(text), { code: 'ENOTSUP', errno: -osConstants.errno.ENOTSUP });
  };
}

function openDevice(): number {
  try {
    return openSync('/dev/net/tun', O_RDWR | O_NONBLOCK);
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
    return openSync(path, O_RDWR | O_NONBLOCK);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param inherit becomes descriptor 3 of the child: on 0..2 libuv would make the shared open file blocking @returns the number it printed, 0 = nothing */
function runPerl(script: string, args: string[], inherit?: number): number {
  const child = spawnSync('perl', ['-e', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', ...(inherit === undefined ? [] : [inherit])],
    encoding: 'utf8',
  });
  if (child.error) throw new Error(`perl: ${child.error.message}: the twin needs perl; install perl-base, or build the addon`);
  if (child.status !== 0) throw new Error(`perl: ${child.stderr.trim()}`);
  return Number(child.stdout);
}
