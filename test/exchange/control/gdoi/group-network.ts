// Key servers and members in one process: phase 1 and GDOI engines, a network with faults, a clock that jumps from event to event, and a
// store that holds what was saved before each message left, so that any node can be killed and come back.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Action, Datagram, Endpoint, Ms, RandomBytes } from '../../../../control/actions.js';
import { isMulticast } from '../../../../control/config/addresses.js';
import { emptyConfig } from '../../../../control/config/empty.js';
import {
  type AclEntry,
  type Config,
  type EspAuthentication,
  type EspEncryption,
  type GdoiGroup,
  type GdoiServer,
  type Ipv4,
  isCombinedMode,
} from '../../../../control/config/model.js';

import { Deadlines } from '../../../../control/deadlines.js';
import { gdoiCounters } from '../../../../control/gdoi/counters.js';
import { GdoiEngine } from '../../../../control/gdoi/gdoi-engine.js';
import type { SenderIds } from '../../../../control/gdoi/group-policy.js';
import type { SaPolicy } from '../../../../control/gdoi/policy.js';
import { ikeCounters } from '../../../../control/isakmp/counters.js';
import { IkeEngine } from '../../../../control/isakmp/ike-engine.js';
import { seededRandom } from '../isakmp/two-engines.js';

export { seededRandom };
export const serverAddress: Ipv4 = 0xac100402;
export const start: Ms = 1_700_000_000_000;
/** 1024 bits: made once per test file, because making one takes a while. */
export const rsaKey: KeyObject = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;

const declared = new Set([...ikeCounters, ...gdoiCounters].map(({ name }) => name));

export function memberAddress(n: number): Ipv4 {
  return 0xac110000 + n;
}

export function ace(change: Partial<AclEntry> = {}): AclEntry {
  const any = { source: 0, sourceWildcard: 0xffffffff, destination: 0, destinationWildcard: 0xffffffff };
  return { line: 1, sequence: 10, action: 'permit', protocol: null, ...any, sourcePort: null, destinationPort: null, ...change };
}

export interface ServerOptions {
  lifetimeSeconds?: number;
  encryption?: EspEncryption;
  authentication?: EspAuthentication | null;
  aces?: AclEntry[];
  server?: Partial<GdoiServer>;
  groups?: { name: string; number: number }[];
}

function baseConfig(): Config {
  const config = emptyConfig();
  const policy = { line: 1, priority: 10, hash: 'sha256', authentication: 'pre-share', group: 19, lifetimeSeconds: 86400 } as const;
  config.isakmpPolicies.push({ ...policy, encryption: 'aes-128' });
  config.isakmpKeys.push({ line: 1, key: 'a shared secret', address: 0, mask: 0 });
  return config;
}

export function serverConfig(options: ServerOptions = {}): Config {
  const config = baseConfig();
  const encryption = options.encryption ?? 'esp-aes-256';
  const authentication = isCombinedMode(encryption) ? null : (options.authentication ?? 'esp-sha256-hmac');
  config.transformSets.set('TS', { line: 1, name: 'TS', encryption, authentication, mode: 'tunnel' });
  config.ipsecProfiles.set('P', { line: 1, name: 'P', transformSets: ['TS'], lifetimeSeconds: options.lifetimeSeconds ?? 3600, pfs: null });
  const rekeyTo = ace({ protocol: 17, source: serverAddress, sourceWildcard: 0, destination: 0xef010203, destinationWildcard: 0 });
  config.accessLists.set('REKEY', { line: 1, name: 'REKEY', kind: 'extended', entries: [rekeyTo] });
  const entries = options.aces ?? [
    ace({ action: 'deny', protocol: 17, sourcePort: { operator: 'eq', ports: [848] }, destinationPort: { operator: 'eq', ports: [848] } }),
    ace({ sequence: 20, source: 0x0a000000, sourceWildcard: 0xffff, destination: 0x0a000000, destinationWildcard: 0xffff }),
  ];
  config.accessLists.set('ACL', { line: 1, name: 'ACL', kind: 'extended', entries });
  for (const { name, number } of options.groups ?? [{ name: 'G', number: 777 }]) {
    const server: GdoiServer = {
      line: 1,
      rekeyEncryption: 'aes-128',
      rekeySignatureHash: 'sha256',
      rekeyLifetimeSeconds: 86400,
      rekeyRetransmitSeconds: 10,
      rekeyRetransmitNumber: 2,
      rekeyAuthentication: 'KEY',
      rekeyTransport: 'unicast',
      rekeyAcknowledgement: 'any',
      address: serverAddress,
      authorizationAcl: null,
      authorizationIdentity: null,
      receiveOnly: false,
      sas: new Map([[1, { line: 1, sequence: 1, profile: 'P', matchAddress: 'ACL', replay: { method: 'counter', windowSize: 64 } }]]),
      ...options.server,
    };
    config.gdoiGroups.set(name, { line: 1, name, identity: { kind: 'number', number }, serverAddresses: [], passive: false, server });
  }
  return config;
}

export function memberConfig(number = 777, servers: Ipv4[] = [serverAddress], name = 'G'): Config {
  const config = baseConfig();
  const group: GdoiGroup = { line: 1, name, identity: { kind: 'number', number }, serverAddresses: servers, passive: false, server: null };
  config.gdoiGroups.set(name, group);
  return config;
}

export interface NodeOptions {
  seed?: string;
  /** Instead of what the seed gives. */
  random?: RandomBytes;
  /** Keeps neither logs nor what it sent: a day of a thousand members would not fit. */
  quiet?: boolean;
  senderIdBits?: SenderIds['bits'];
  signingKey?: KeyObject | null;
}

/** One router: engines, its disk, its log. */
export class Node {
  gdoi!: GdoiEngine;
  ike!: IkeEngine;
  disk: Uint8Array | null = null;
  /** Appended to it. */
  readonly journal: Uint8Array[] = [];
  alive = true;
  readonly logs: string[] = [];
  readonly counts = new Map<string, number>();
  /** What it has sent, oldest first. */
  readonly sent: Datagram[] = [];
  private readonly random: RandomBytes;

  constructor(
    readonly network: Network,
    readonly address: Ipv4,
    public config: Config,
    private readonly options: NodeOptions = {},
  ) {
    this.random = options.random ?? seededRandom(options.seed ?? String(address));
    this.build();
  }

  get end(): Endpoint {
    return { address: this.address, port: 848 };
  }

  private build(): void {
    const { config, random, options } = this;
    const key = options.signingKey === undefined ? rsaKey : options.signingKey;
    this.gdoi = new GdoiEngine({
      config,
      random,
      localAddressFor: () => this.address,
      signingKey: (label) => (label === 'KEY' ? key : null),
      senderIdBits: options.senderIdBits,
    });
    this.ike = new IkeEngine({
      policies: config.isakmpPolicies,
      keys: config.isakmpKeys,
      profiles: config.isakmpProfiles,
      settings: config.isakmp,
      random,
      user: this.gdoi,
      acceptInbound: [...config.gdoiGroups.values()].some((group) => group.server !== null),
      registrationRate: config.registrationRate,
    });
    this.gdoi.attach(this.ike);
  }

  start(): void {
    this.perform(this.gdoi.start(this.network.now));
  }

  /** kill -9: everything in memory is gone. */
  kill(): void {
    this.alive = false;
  }

  /** Comes back with what is on disk. */
  restart(options: { members?: boolean; loseDisk?: boolean } = {}): void {
    this.build();
    this.alive = true;
    if (options.loseDisk) {
      this.disk = null;
      this.journal.length = 0;
    }
    if (this.disk) this.gdoi.importState(this.disk, this.network.now, { members: options.members ?? true }, this.journal);
    this.start();
  }

  /** When it has something to do. */
  nextTick(): Ms | null {
    const times = [this.ike.nextTick(), this.gdoi.nextTick()].filter((time) => time !== null);
    return this.alive && times.length > 0 ? Math.min(...times) : null;
  }

  perform(actions: readonly Action[]): void {
    this.network.touch(this);
    for (const action of actions) {
      if (action.kind === 'policy-changed') {
        this.disk = this.gdoi.exportState();
        this.journal.length = 0;
      } else if (action.kind === 'journal') this.journal.push(action.entry);
      else if (action.kind === 'log') {
        if (!this.options.quiet) this.logs.push(`%${action.facility}-${action.severity}-${action.mnemonic}: ${action.text}`);
      } else if (action.kind === 'count') {
        if (!declared.has(action.counter)) throw new Error(`counter ${action.counter} is not declared`);
        this.counts.set(action.counter, (this.counts.get(action.counter) ?? 0) + 1);
      } else if (action.kind === 'send') {
        if (!this.options.quiet) this.sent.push(action.datagram);
        this.network.send(action.datagram, this);
      }
    }
  }

  count(name: string): number {
    if (!declared.has(name)) throw new Error(`counter ${name} is not declared`);
    return this.counts.get(name) ?? 0;
  }

  logged(mnemonic: string): string[] {
    return this.logs.filter((line) => line.includes(`-${mnemonic}:`));
  }

  get registered(): boolean {
    return this.gdoi.policyOf('G').teks.some((tek) => tek.expiresAt > this.network.now);
  }

  /** The TEK it seals with now, chosen as control/compile does: the one activated last, else the first to be. */
  sending() {
    const { now } = this.network;
    const usable = this.gdoi.policyOf('G').teks.filter((tek) => Math.floor(tek.expiresAt / 1000) * 1000 > now);
    const active = usable.filter((tek) => tek.activatesAt <= now);
    if (active.length === 0) return usable.sort((a, b) => a.activatesAt - b.activatesAt)[0] ?? null;
    return active.reduce((best, tek) => (tek.activatesAt >= best.activatesAt ? tek : best));
  }

  /** Whether a packet under this SPI would be opened now. */
  opens(spi: number): boolean {
    return this.gdoi.policyOf('G').teks.some((tek) => tek.spi === spi && Math.floor(tek.expiresAt / 1000) * 1000 > this.network.now);
  }
}

/** What happens to one datagram: delays in ms of the copies that arrive (none = lost), or other bytes. */
export type Fault = (datagram: Datagram, from: Node) => { delays?: Ms[]; bytes?: Uint8Array } | null;

interface Flight {
  datagram: Datagram;
}

export class Network {
  now = start;
  readonly nodes = new Map<Ipv4, Node>();
  fault: Fault = () => null;
  /** Called after every event, with the node that it happened to. */
  watch: (node: Node | null) => void = () => {};
  /** What the event was, when something arrived. */
  delivered: Datagram | null = null;
  /** Deadlines of equal times come in order of arrival: what is late is seen late, the same on every run. */
  private readonly flights = new Deadlines<Flight>();
  private readonly ticks = new Deadlines<Node>();
  /** Their next tick may have moved. */
  private readonly touched = new Set<Node>();

  add(address: Ipv4, config: Config, options: NodeOptions = {}): Node {
    const node = new Node(this, address, config, options);
    this.nodes.set(address, node);
    return node;
  }

  /** A key server and `count` members, started. */
  static group(count: number, server: ServerOptions = {}, options: NodeOptions = {}): { network: Network; server: Node; members: Node[] } {
    const network = new Network();
    const node = network.add(serverAddress, serverConfig(server), options);
    node.start();
    const members = Array.from({ length: count }, (_, n) => network.add(memberAddress(n + 1), memberConfig()));
    for (const member of members) member.start();
    return { network, server: node, members };
  }

  touch(node: Node): void {
    this.touched.add(node);
  }

  send(datagram: Datagram, from: Node): void {
    const fate = this.fault(datagram, from);
    const arriving = { local: datagram.remote, remote: datagram.local, bytes: (fate?.bytes ?? datagram.bytes).slice() };
    for (const delay of fate?.delays ?? [1]) this.flights.set({ datagram: arriving }, this.now + delay);
  }

  /** Delivers a datagram that nobody here sent. */
  inject(datagram: Datagram): void {
    this.flights.set({ datagram }, this.now);
  }

  runFor(ms: Ms): void {
    this.runUntil(this.now + ms);
  }

  /** @param until reached exactly */
  runUntil(until: Ms): void {
    for (const node of this.nodes.values()) this.touch(node);
    for (let idle = 0; ; ) {
      this.queueTouched();
      const next = Math.min(this.flights.next() ?? Number.POSITIVE_INFINITY, this.ticks.next() ?? Number.POSITIVE_INFINITY);
      if (next > until) break;
      idle = next > this.now ? 0 : idle + 1;
      if (idle > 2_000_000) throw new Error('the simulation does not come to rest');
      this.now = Math.max(this.now, next);
      const heard = this.deliver();
      if (heard.length === 0) this.watch(this.tick());
      for (const node of heard) this.watch(node);
    }
    this.now = Math.max(this.now, until);
  }

  /** Who has the address, or has joined the multicast group. */
  private receivers(address: Ipv4): Node[] {
    const own = this.nodes.get(address);
    if (!isMulticast(address)) return own?.alive ? [own] : [];
    return [...this.nodes.values()].filter(
      (node) => node.alive && node.gdoi.memberGroups().some(({ kek }) => kek?.destination === address),
    );
  }

  private queueTouched(): void {
    for (const node of this.touched) {
      const at = node.nextTick();
      if (at !== null) this.ticks.set(node, at);
    }
    this.touched.clear();
  }

  /** @returns who heard it, nobody when nothing arrives now; what nobody listens for is lost */
  private deliver(): Node[] {
    const flight = this.flights.take(this.now);
    this.delivered = flight?.datagram ?? null;
    if (!flight) return [];
    const nodes = this.receivers(flight.datagram.local.address);
    for (const node of nodes) node.perform(node.ike.receive(flight.datagram, this.now));
    return nodes;
  }

  private tick(): Node | null {
    const node = this.ticks.take(this.now);
    if (!node) return null;
    this.touch(node);
    if (node.alive) node.perform([...node.ike.tick(this.now), ...node.gdoi.tick(this.now)]);
    return node;
  }
}

/** What `sa ipsec 1` of a key server says. */
export function saPolicy(change: Partial<SaPolicy> = {}): SaPolicy {
  return {
    sequence: 1,
    profile: 'P',
    aclName: 'A',
    encryption: 'esp-gcm-256',
    authentication: null,
    lifetimeSeconds: 600,
    replayWindow: 64,
    replaySeconds: 0,
    udp: false,
    receiveOnly: false,
    entries: [ace()],
    ...change,
  };
}
