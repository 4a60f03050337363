// For tests of port drivers: a veth pair `gw0` (ours) - `host0` (in a network namespace of its own), and scapy at both ends. A body that
// uses it runs inside its own namespace (unshare --net); both namespaces end with their processes.

import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { loadNative } from '../../../../dataplane/native/native.js';

export const ourMac = '02:00:00:00:00:01';
export const hostMac = '02:00:00:00:00:02';

const server = `
import json, logging, os, select, socket, sys, traceback
logging.getLogger('scapy').setLevel(logging.ERROR)
from scapy.all import *
from scapy.layers.ipsec import ESP
def open_tap(device):
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20) # SO_RCVBUFFORCE
    tap.setsockopt(263, 23, 1) # SOL_PACKET, PACKET_IGNORE_OUTGOING
    tap.bind((device, 3)) # ETH_P_ALL
    return tap
def send(frames):
    frames = [bytes(frame) for frame in frames]
    for frame in frames: tap.send(frame)
    return [frame.hex() for frame in frames]
def receive(count, seconds=10):
    frames = []
    while len(frames) < count and select.select([tap], [], [], seconds)[0]:
        frame = tap.recv(70000)
        if frame[12:14] == b'\\x08\\x00' and frame[23] != 1: frames.append(frame.hex()) # not the kernel's own ARP and ICMP errors
    return frames
print(json.dumps({'result': 'ready'}), flush=True)
for line in sys.stdin:
    try:
        scope = {**globals(), **json.loads(line), 'result': None}
        exec(scope['snippet'], scope)
        if 'tap' in scope: tap = scope['tap']
        print(json.dumps({'result': scope['result']}), flush=True)
    except Exception:
        print(json.dumps({'error': traceback.format_exc()}), flush=True)
`;

export function ip(...args: string[]): string {
  return command('ip', ...args);
}

export function command(...argv: string[]): string {
  const env = { ...process.env, LD_PRELOAD: '' }; // a sanitizer is for us
  const { status, stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}

/** Python with scapy in a namespace. \`tap\` is a packet socket on its end of the pair once \`listen\` was called. */
export class Station {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    readonly device: string,
    child: ChildProcessWithoutNullStreams,
  ) {
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.pipe(process.stderr);
    process.on('exit', () => child.kill('SIGKILL'));
  }

  /** @param apart in a new namespace */
  static async start(device: string, apart: boolean): Promise<Station> {
    const argv = [...(apart ? ['unshare', '--net'] : []), '/usr/bin/python3', '-u', '-c', server];
    const station = new Station(device, spawn(argv[0], argv.slice(1)));
    await station.#answer();
    return station;
  }

  get pid(): string {
    return String(this.#child.pid);
  }

  async #answer(): Promise<unknown> {
    const { value } = await this.#answers.next();
    const answer = JSON.parse(value ?? '{"error":"python ended"}') as { result?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result;
  }

  /** Runs a snippet that finds `input`'s fields as variables. @returns what it assigns to `result` */
  run(snippet: string, input: Record<string, unknown> = {}): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify({ ...input, snippet })}\n`);
    return this.#answer();
  }

  /** Takes frames from now on. */
  async listen(): Promise<void> {
    await this.run('tap = open_tap(device)', { device: this.device });
  }

  /** @param frames Python: a list of scapy packets @returns the frames in hex */
  async send(frames: string): Promise<string[]> {
    return (await this.run(`result = send(${frames})`)) as string[];
  }

  /** @param frames in hex */
  async sendHex(frames: readonly string[]): Promise<void> {
    await this.run('send(bytes.fromhex(frame) for frame in frames)', { frames });
  }

  /** @returns the next IPv4 frames that came, in hex, without ICMP; fewer when nothing comes for 10 s */
  async receive(count: number): Promise<string[]> {
    return (await this.run(`result = receive(${count})`)) as string[];
  }

  /** A command in its namespace. */
  command(...argv: string[]): string {
    return command('nsenter', `--net=/proc/${this.pid}/ns/net`, ...argv);
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.on('close', () => resolve());
      this.#child.stdin.end();
    });
  }
}

/** Quiet ends: no IPv6, no ARP needed between the pair. We are 10.9.0.1, the host 10.9.0.2. @param pair more arguments for both ends */
export async function makePair(...pair: string[]): Promise<Station> {
  const host = await Station.start('host0', true);
  command('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
  host.command('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1');
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'gw0', 'address', ourMac, ...pair, 'type', 'veth', 'peer', 'name', 'host0', 'address', hostMac, ...pair);
  ip('link', 'set', 'host0', 'netns', host.pid);
  host.command('ip', 'addr', 'add', '10.9.0.2/24', 'dev', 'host0');
  host.command('ip', 'link', 'set', 'host0', 'up');
  ip('addr', 'add', '10.9.0.1/24', 'dev', 'gw0');
  ip('link', 'set', 'gw0', 'up');
  ip('neigh', 'add', '10.9.0.2', 'lladdr', hostMac, 'dev', 'gw0');
  host.command('ip', 'neigh', 'add', '10.9.0.1', 'lladdr', ourMac, 'dev', 'host0');
  await host.listen();
  return host;
}

export const native = loadNative();
const slotBytes = 2048;
const slots = 512;
const headroom = 128;
const pool = new Uint8Array(new SharedArrayBuffer(slots * slotBytes));
const offsets = Int32Array.from({ length: slots }, (_, i) => i * slotBytes + headroom);
const lengths = new Int32Array(slots);
const ready = new Int32Array(1);

export interface Received {
  /** Datagrams in hex. */
  datagrams: string[];
  lengths: number[];
}

/** One rx(). @returns undefined when the device is gone */
export function rxOnce(fd: number, count = slots, maxLength = slotBytes - headroom): Received | undefined {
  const got = native.rx(fd, pool, offsets, lengths, count, maxLength);
  if (got < 0) return undefined;
  const seen = Array.from(lengths.subarray(0, got));
  const hex = (length: number, i: number) =>
    Buffer.from(pool.subarray(offsets[i], offsets[i] + Math.min(length, maxLength))).toString('hex');
  return { lengths: seen, datagrams: seen.map(hex) };
}

/** Reads until nothing is left, after waiting for the first. @param count of a single rx() @returns datagrams in hex */
export function rxAll(fd: number, count = slots): string[] {
  const all: string[] = [];
  native.poll(Int32Array.of(fd), 1, 10_000, ready);
  for (;;) {
    const more = rxOnce(fd, count)?.datagrams ?? [];
    if (more.length === 0) return all;
    all.push(...more);
  }
}

/** @param expected how many datagrams are to come @returns those, and what came with them */
export function rxCount(fd: number, expected: number, count = slots): string[] {
  const all: string[] = [];
  while (all.length < expected) {
    const more = rxAll(fd, count);
    if (more.length === 0) break;
    all.push(...more);
  }
  return all;
}

/** tx() of datagrams behind an Ethernet header to the host. */
export function tx(fd: number, datagrams: readonly string[]): { sent: number; results: number[] } {
  const header = Buffer.from(`${hostMac}${ourMac}0800`.replaceAll(':', ''), 'hex');
  for (const [i, datagram] of datagrams.entries()) {
    const bytes = Buffer.from(datagram, 'hex');
    pool.set(header, offsets[i] - header.length);
    pool.set(bytes, offsets[i]);
    lengths[i] = bytes.length;
  }
  const results = new Int32Array(datagrams.length).fill(-7);
  return { sent: native.tx(fd, pool, offsets, lengths, datagrams.length, results), results: Array.from(results) };
}

/** The IPv4 datagram of a frame, without padding. */
export function datagramOf(frame: string): string {
  const ipv4 = frame.slice(28);
  return ipv4.slice(0, 2 * Number.parseInt(ipv4.slice(4, 8), 16));
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
