// What the dataplane's namespace tests share: namespaces that always go away, commands in them, a dataplane process, and a small
// control client. Nothing here knows the configuration language.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyRows, noTables } from '../../dataplane/port/empty-tables.js';
import { Ace, AceAction, Cap, CryptoEntry, CryptoFlag, EspAuth, EspCipher, Sa, SaFlag, SaKey } from '../../dataplane/tables/layout.js';
import {
  type DataplaneEvent,
  encodeFrame,
  FrameReader,
  type FromDataplane,
  type InterfaceRow,
  type SnapshotHead,
  type StaticRouteRow,
  type TablesHead,
  type TablesRows,
} from '../../dataplane/tables/message.js';
import { plainInterface } from '../support/interface-row.js';
import { pings } from '../support/ping.js';
import { readVariant } from '../support/variant.js';

const dataplaneMain = join(dirname(fileURLToPath(import.meta.url)), '../../dataplane/main.js');

export const skipReason = process.geteuid?.() === 0 ? false : 'needs root';
/** What cases of both sides of the native seam run over, as GROUPWIRE_NATIVE. A variant is of one side. */
export const seams = isVaried() ? [process.env.GROUPWIRE_NATIVE ?? '1'] : ['1', '0'];

function isVaried(): boolean {
  return process.env.GROUPWIRE_NATIVE !== undefined || (process.env.GROUPWIRE_VARIANT ?? '') !== '';
}

export interface Output {
  status: number | null;
  /** Both outputs. */
  out: string;
  stdout: string;
}

export class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), 'gwdp-'));
  private readonly prefix = `gwdp${process.pid}${randomBytes(2).toString('hex')}`;
  private readonly nodes: string[] = [];
  private readonly children: ChildProcess[] = [];

  addNode(name: string): void {
    this.nodes.push(name);
    this.host('ip', 'netns', 'add', this.namespace(name));
    this.mustRun(name, 'ip', 'link', 'set', 'lo', 'up');
  }

  namespace(node: string): string {
    return `${this.prefix}-${node}`;
  }

  /** A veth pair between two nodes, both ends up. */
  link(nodeA: string, deviceA: string, nodeB: string, deviceB: string): void {
    const [a, b] = [this.namespace(nodeA), this.namespace(nodeB)];
    this.host('ip', 'link', 'add', deviceA, 'netns', a, 'type', 'veth', 'peer', 'name', deviceB, 'netns', b);
    this.mustRun(nodeA, 'ip', 'link', 'set', deviceA, 'up');
    this.mustRun(nodeB, 'ip', 'link', 'set', deviceB, 'up');
  }

  address(node: string, device: string, cidr: string): void {
    this.mustRun(node, 'ip', 'addr', 'add', cidr, 'dev', device);
  }

  defaultRoute(node: string, via: string): void {
    this.mustRun(node, 'ip', 'route', 'add', 'default', 'via', via);
  }

  run(node: string, ...command: string[]): Output {
    const child = spawnSync('ip', ['netns', 'exec', this.namespace(node), ...command], { encoding: 'utf8', timeout: 20_000 });
    return { status: child.status, out: child.stdout + child.stderr, stdout: child.stdout };
  }

  /** @returns its standard output: `ip link` complains beside it of namespaces of others that are just going */
  mustRun(node: string, ...command: string[]): string {
    return this.runChecked(node, ...command).stdout;
  }

  private runChecked(node: string, ...command: string[]): Output {
    const output = this.run(node, ...command);
    if (output.status !== 0) throw new Error(`${node}: ${command.join(' ')}: status ${output.status}: ${output.out}`);
    return output;
  }

  /** Number of answers to `count` pings. */
  ping(node: string, target: string, count = 1, ...options: string[]): { received: number; out: string } {
    const { out } = this.run(node, 'ping', ...pings(count, 3), ...options, target);
    return { received: Number(/(\d+) received/.exec(out)?.[1] ?? 0), out };
  }

  start(node: string, command: string[], environment: Record<string, string> = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace(node), ...command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.children.push(child);
    return child;
  }

  /** Sends `bytes` random bytes over TCP from one node to another and compares what came back. */
  async tcpEcho(client: string, server: string, address: string, bytes: number): Promise<string> {
    const listen = `const s=require('net').createServer(c=>c.pipe(c)).listen(7007,'0.0.0.0',()=>console.log('up'))`;
    const talk = `const n=require('net'),c=require('crypto'),d=c.randomBytes(${bytes});let got=[];
      const s=n.connect(7007,'${address}',()=>s.end(d));s.setTimeout(8000,()=>{console.log('timeout');process.exit(1)});
      s.on('data',x=>got.push(x));s.on('error',e=>{console.log(e.message);process.exit(1)});
      s.on('end',()=>console.log(Buffer.concat(got).equals(d)?'same':'different '+Buffer.concat(got).length))`;
    const listener = this.start(server, [process.execPath, '-e', listen]);
    await new Promise((resolve) => listener.stdout?.once('data', resolve));
    const talker = this.start(client, [process.execPath, '-e', talk]);
    let out = '';
    talker.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    await new Promise((resolve) => talker.once('exit', resolve));
    listener.kill('SIGKILL');
    return out.trim();
  }

  /** Rules, links, routes, addresses and the settings that we touch, to compare before and after. */
  fingerprint(node: string): string {
    const settings = ['ip_early_demux', 'ip_forward'].map((name) => `net.ipv4.${name}`);
    const perDevice = ['rp_filter', 'send_redirects', 'forwarding', 'accept_local'].map((name) => `net.ipv4.conf.*.${name}`);
    const sysctl = this.mustRun(
      node,
      'sh',
      '-c',
      `sysctl -a 2>/dev/null | grep -E '${[...settings, ...perDevice].join('|').replaceAll('*', '[^.]*')}'`,
    );
    const dumps = [['rule'], ['route', 'show', 'table', 'all'], ['-o', 'addr']].map((args) => this.dump(node, '-4', ...args));
    // The administrative state alone: carrier comes and goes by itself.
    const links = this.dump(node, '-o', 'link').trimEnd().split('\n');
    const states = links.map((line) => `${/^\d+: (\S+):/.exec(line)?.[1]} ${/[<,]UP[,>]/.test(line)} ${/mtu \d+/.exec(line)?.[0]}`);
    return [...dumps, ...states, sysctl].join('\n');
  }

  /** What `ip` prints, asked for again when something changed meanwhile: it warns of that. */
  private dump(node: string, ...args: string[]): string {
    for (;;) {
      const { out, stdout } = this.runChecked(node, 'ip', ...args);
      if (!out.includes('Dump was interrupted')) return stdout;
    }
  }

  private host(...command: string[]): void {
    const child = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(`${command.join(' ')}: ${child.stderr}`);
  }

  remove(): void {
    for (const child of this.children) child.kill('SIGKILL');
    for (const node of this.nodes) spawnSync('ip', ['netns', 'del', this.namespace(node)]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Control, as small as it can be: one connection, one message at a time. */
export class TestControl {
  readonly events: DataplaneEvent[] = [];
  readonly applied: { generation: number; errors: string[] }[] = [];
  hello!: Extract<FromDataplane, { type: 'hello' }>;
  private readonly waiting: { type: string; resolve: (message: FromDataplane) => void }[] = [];

  private constructor(private readonly socket: Socket) {
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      for (const { head } of reader.push(chunk)) this.take(head as FromDataplane);
    });
    socket.on('error', () => undefined); // a killed dataplane
  }

  /** Retries until the dataplane listens. */
  static async open(path: string, timeoutMs = 30_000): Promise<TestControl> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const socket = connect(path);
      const connected = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      if (connected) {
        const control = new TestControl(socket);
        control.hello = (await control.next('hello')) as Extract<FromDataplane, { type: 'hello' }>;
        return control;
      }
      if (Date.now() > deadline) throw new Error(`${path}: no dataplane within ${timeoutMs} ms`);
      await sleep(20);
    }
  }

  async publish(head: TablesHead, rows: TablesRows): Promise<string[]> {
    const answer = this.next('applied');
    this.send(head, rows);
    const message = (await answer) as Extract<FromDataplane, { type: 'applied' }>;
    if (message.generation !== head.generation) throw new Error(`applied generation ${message.generation}, published ${head.generation}`);
    return message.errors;
  }

  send(head: TablesHead, rows: TablesRows): void {
    const blobs = head.blobs.map((name) => {
      const { buffer, byteOffset, byteLength } = rows[name];
      return new Uint8Array(buffer, byteOffset, byteLength);
    });
    this.socket.write(encodeFrame({ ...head, blobBytes: blobs.map((blob) => blob.length) }, blobs));
  }

  async snapshot(): Promise<SnapshotHead> {
    const answer = this.next('snapshot');
    this.socket.write(encodeFrame({ type: 'snapshot', id: 7 }));
    return (await answer) as SnapshotHead;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  private next(type: string): Promise<FromDataplane> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${type} within 30 s`)), 30_000);
      this.waiting.push({
        type,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      });
    });
  }

  private take(message: FromDataplane): void {
    if (message.type === 'event') this.events.push(message.event);
    if (message.type === 'applied') this.applied.push(message);
    const at = this.waiting.findIndex(({ type }) => type === message.type);
    if (at >= 0) this.waiting.splice(at, 1)[0].resolve(message);
  }
}

/** A dataplane process in a node. */
export class TestDataplane {
  readonly run: string;
  readonly state: string;
  process!: ChildProcess;
  log = '';

  constructor(
    private readonly lab: Lab,
    private readonly node: string,
    private readonly environment: Record<string, string>,
    private readonly options: string[] = [],
  ) {
    this.run = join(lab.folder, node, 'run');
    this.state = join(lab.folder, node, 'state');
  }

  async start(): Promise<TestControl> {
    const workers = String(readVariant().workers);
    const args = ['--instance', this.node, '--run', this.run, '--state', this.state, '--workers', workers, ...this.options];
    this.process = this.lab.start(this.node, [process.execPath, dataplaneMain, ...args], this.environment);
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk) => {
        this.log += chunk;
      });
    }
    const died = new Promise<never>((_, reject) => {
      this.process.once('exit', (code) => reject(new Error(`dataplane ended with status ${code}: ${this.log}`)));
    });
    died.catch(() => undefined); // it ends some time, and somebody else looks at how
    return Promise.race([TestControl.open(join(this.run, 'dataplane.sock')), died]);
  }

  /** @returns exit status, null when a signal ended it */
  async end(how: 'SIGTERM' | 'SIGKILL' | 'stdin'): Promise<number | null> {
    const gone = new Promise<number | null>((resolve) => this.process.once('exit', resolve));
    if (how === 'stdin') this.process.stdin?.end();
    else this.process.kill(how);
    return gone;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export async function until(what: string, condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

export function ip(text: string): number {
  return text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

export function interfaceRow(port: number, device: string, cidr: string, more: Partial<InterfaceRow> = {}): InterfaceRow {
  const [address, length] = cidr.split('/');
  const addresses = [{ address: ip(address), prefixLength: Number(length) }];
  const { inside = 'tun', outside = 'tun', offload: offloads } = readVariant();
  const driver = device === null ? 'tun' : port === 1 ? outside : inside;
  return plainInterface(port, `GigabitEthernet0/${port}`, { device, driver, driverChosen: true, offloads, addresses, ...more });
}

export function tablesHead(generation: number, interfaces: InterfaceRow[], staticRoutes: StaticRouteRow[] = []): TablesHead {
  return { ...noTables, generation, interfaces, staticRoutes, controlPorts: [848, 500, 4500], groups: ['G'], blobBytes: [] };
}

export function noRows(): TablesRows {
  return emptyRows();
}

/** `permit ip FROM TO` and so on, prefixes. */
export function aceRow(action: AceAction, from: string, to: string): number[] {
  const row: number[] = new Array(Ace.Words).fill(0);
  const part = (cidr: string): [number, number] => {
    const [address, length] = cidr.split('/');
    return [ip(address) | 0, Number(length) === 0 ? 0 : -1 << (32 - Number(length))];
  };
  row[Ace.Action] = action;
  row[Ace.Protocol] = -1;
  [row[Ace.Src], row[Ace.SrcCare]] = part(from);
  [row[Ace.Dst], row[Ace.DstCare]] = part(to);
  row[Ace.SrcPortHigh] = 65535;
  row[Ace.DstPortHigh] = 65535;
  return row;
}

/** One group with one AES-256-GCM SA that this member seals with under its sender IDs; without `spi` registered but keyless. */
export function groupRows(
  port: number,
  aces: number[][],
  sa: { spi: number; sid: number | readonly number[]; key: Uint8Array; serial?: number } | null,
): TablesRows {
  const entry: number[] = new Array(CryptoEntry.Words).fill(0);
  entry[CryptoEntry.Port] = port;
  entry[CryptoEntry.AclCount] = aces.length;
  entry[CryptoEntry.OutboundSa] = sa ? 0 : -1;
  entry[CryptoEntry.Flags] = CryptoFlag.Registered;
  const rows: TablesRows = { ...noRows(), aces: Int32Array.from(aces.flat()), cryptoEntries: Int32Array.from(entry) };
  if (!sa) return rows;
  const row = new Int32Array(Sa.Words);
  row[Sa.Serial] = sa.serial ?? 1;
  row[Sa.Spi] = sa.spi | 0;
  row[Sa.Flags] = SaFlag.Inbound | SaFlag.Outbound;
  row[Sa.Cipher] = EspCipher.AesGcm16;
  row[Sa.Auth] = EspAuth.None;
  row[Sa.CipherKeyLen] = 32;
  row[Sa.IvLen] = 8;
  row[Sa.IcvLen] = 16;
  row[Sa.Align] = 4;
  row[Sa.ReplayWindow] = 64;
  row[Sa.SidBits] = 24;
  const sids = typeof sa.sid === 'number' ? [sa.sid] : sa.sid;
  row[Sa.SidCount] = sids.length;
  row.set(sids, Sa.Sids);
  row[Sa.AclCount] = aces.length;
  row[Sa.ExpiresAt] = Math.floor(Date.now() / 1000) + 3600;
  const keys = new Uint8Array(SaKey.Bytes);
  keys.set(sa.key.subarray(0, 36), SaKey.Cipher); // 32 bytes of key, 4 of salt
  return { ...rows, sas: row, saKeys: keys };
}

export { AceAction, Cap };
