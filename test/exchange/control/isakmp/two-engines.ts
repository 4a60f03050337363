// Engines and the network between them, in one process: a clock that jumps from event to event, seeded randomness, and a fault that
// may drop, double, delay or change every datagram.

import { createHash } from 'node:crypto';
import type { Action, Datagram, Endpoint, Ms, RandomBytes } from '../../../../control/actions.js';
import { defaultIsakmp } from '../../../../control/config/empty.js';
import type { IsakmpKey, IsakmpPolicy, IsakmpProfile, IsakmpSettings, Keyring } from '../../../../control/config/model.js';
import { ikeCounters } from '../../../../control/isakmp/counters.js';
import type { HalfOpenBounds } from '../../../../control/isakmp/half-open.js';
import type { IsakmpHeader } from '../../../../control/isakmp/header.js';
import { IkeEngine, type IkeUser } from '../../../../control/isakmp/ike-engine.js';
import { unwrapNonEsp, wrapNonEsp } from '../../../../control/isakmp/nat-traversal.js';
import type { Phase1Sa } from '../../../../control/isakmp/phase1-sa.js';
import type { CertificateStore } from '../../../../control/pki/certificate-store.js';

export const memberEnd: Endpoint = { address: 0x0a000001, port: 848 };
export const serverEnd: Endpoint = { address: 0x0a000002, port: 848 };
const declared = new Set(ikeCounters.map(({ name }) => name));

export function seededRandom(seed: string): RandomBytes {
  let counter = 0;
  return (length) => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      const block = createHash('sha256').update(`${seed}/${counter++}`).digest();
      out.set(block.subarray(0, length - at), at);
    }
    return out;
  };
}

export function policy(change: Partial<IsakmpPolicy> = {}): IsakmpPolicy {
  return {
    line: 1,
    priority: 10,
    encryption: 'aes-128',
    hash: 'sha256',
    authentication: 'pre-share',
    group: 19,
    lifetimeSeconds: 3600,
    ...change,
  };
}

export function anyPeer(key: string): IsakmpKey {
  return { line: 1, key, address: 0, mask: 0 };
}

export interface PeerOptions {
  end: Endpoint;
  policies?: IsakmpPolicy[];
  keys?: IsakmpKey[];
  acceptInbound?: boolean;
  seed?: string;
  bounds?: HalfOpenBounds;
  registrationRate?: number;
  certificates?: CertificateStore;
  identity?: IsakmpSettings['identity'];
  hostname?: string;
  settings?: Partial<IsakmpSettings>;
  keyrings?: Map<string, Keyring>;
  profiles?: Map<string, IsakmpProfile>;
}

/** One engine with a user that writes down what it is told. */
export class Peer implements IkeUser {
  readonly end: Endpoint;
  readonly engine: IkeEngine;
  readonly up: Phase1Sa[] = [];
  readonly failures: string[] = [];
  readonly deleted: Phase1Sa[] = [];
  readonly pulls: Uint8Array[] = [];
  readonly pushes: Datagram[] = [];
  readonly notifications: { type: number; data: Uint8Array }[] = [];
  readonly logs: string[] = [];
  readonly keyLog: string[] = [];
  readonly counts = new Map<string, number>();

  constructor(options: PeerOptions) {
    this.end = options.end;
    this.engine = new IkeEngine({
      policies: options.policies ?? [policy()],
      keys: options.keys ?? [anyPeer('a shared secret')],
      random: seededRandom(options.seed ?? String(options.end.address)),
      user: this,
      acceptInbound: options.acceptInbound ?? options.end !== memberEnd,
      bounds: options.bounds,
      registrationRate: options.registrationRate,
      certificates: options.certificates,
      keyrings: options.keyrings,
      profiles: options.profiles,
      hostname: options.hostname,
      settings: { ...defaultIsakmp(), identity: options.identity ?? 'address', ...options.settings },
    });
  }

  phase1Up(sa: Phase1Sa): Action[] {
    this.up.push(sa);
    return [];
  }
  phase1Failed(_remote: Endpoint, reason: string): Action[] {
    this.failures.push(reason);
    return [];
  }
  phase1Deleted(sa: Phase1Sa): Action[] {
    this.deleted.push(sa);
    return [];
  }
  pullMessage(_sa: Phase1Sa, message: Uint8Array): Action[] {
    this.pulls.push(message);
    return [];
  }
  pushMessage(datagram: Datagram, _header: IsakmpHeader): Action[] {
    this.pushes.push(datagram);
    return [];
  }
  notification(_sa: Phase1Sa, type: number, data: Uint8Array): Action[] {
    this.notifications.push({ type, data });
    return [];
  }

  count(name: string): number {
    return this.counts.get(name) ?? 0;
  }
}

/** What becomes of the n-th datagram (from 0) of a run: each element arrives after `delay` ms. */
export type Fault = (datagram: Datagram, n: number) => { delay: Ms; bytes: Uint8Array }[];

export const faultless: Fault = ({ bytes }) => [{ delay: 1, bytes }];

export class Network {
  now: Ms = 1_000_000;
  /** Everything that was sent, in order, before the fault. */
  readonly sent: Datagram[] = [];
  /** What an address translator makes of a datagram on its way. */
  translate: (datagram: Datagram) => Datagram = (datagram) => datagram;
  private readonly flying: { at: Ms; datagram: Datagram }[] = [];

  constructor(
    private readonly peers: Peer[],
    public fault: Fault = faultless,
  ) {}

  perform(peer: Peer, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'log') peer.logs.push(`%${action.facility}-${action.severity}-${action.mnemonic}: ${action.text}`);
      else if (action.kind === 'key-log') peer.keyLog.push(Buffer.from(action.encryptionKey).toString('hex'));
      else if (action.kind === 'count') {
        if (!declared.has(action.counter)) throw new Error(`counter '${action.counter}' is not declared`);
        peer.counts.set(action.counter, peer.count(action.counter) + 1);
      } else if (action.kind === 'send') this.launch(action.datagram);
    }
  }

  /** Delivers and lets time pass until nothing is due within `forMs`. */
  run(forMs: Ms): void {
    const end = this.now + forMs;
    for (;;) {
      const ticks = this.peers.map((peer) => ({ peer, at: peer.engine.nextTick() ?? Infinity }));
      const tick = ticks.reduce((a, b) => (b.at < a.at ? b : a));
      this.flying.sort((a, b) => a.at - b.at);
      const flight = this.flying[0];
      const at = Math.min(tick.at, flight?.at ?? Infinity);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (flight && flight.at <= tick.at) {
        this.flying.shift();
        this.arrive(flight.datagram);
      } else this.perform(tick.peer, tick.peer.engine.tick(this.now));
    }
    this.now = end;
  }

  initiate(from: Peer, to: Peer): void {
    this.perform(from, from.engine.initiate(from.end, to.end, this.now));
  }

  /** As if `bytes` came from `from`. */
  inject(from: Endpoint, to: Peer, bytes: Uint8Array): void {
    this.perform(to, to.engine.receive({ local: to.end, remote: from, bytes }, this.now));
  }

  private launch(unwrapped: Datagram): void {
    const datagram = wrapNonEsp(unwrapped);
    const n = this.sent.push(datagram) - 1;
    for (const { delay, bytes } of this.fault(datagram, n)) this.flying.push({ at: this.now + delay, datagram: { ...datagram, bytes } });
  }

  private arrive(datagram: Datagram): void {
    const { local, remote, bytes } = this.translate(datagram);
    const to = this.peers.find(({ end }) => end.address === remote.address);
    if (!to || ![to.end.port, 4500].includes(remote.port)) return;
    const message = unwrapNonEsp({ local: remote, remote: local, bytes });
    if (typeof message === 'string') this.perform(to, [{ kind: 'count', counter: message }]);
    else this.perform(to, to.engine.receive(message, this.now));
  }
}

/** Both SAs are up and agree on every key. */
export function agreed(a: Peer, b: Peer): boolean {
  const [x] = a.up.slice(-1);
  const [y] = b.up.slice(-1);
  if (!x || !y) return false;
  const names = ['key', 'skeyidA', 'skeyidD', 'lastIv', 'initiatorCookie', 'responderCookie'] as const;
  return names.every((name) => x[name].length > 0 && Buffer.compare(x[name], y[name]) === 0);
}

export function memberAndServer(
  member: Partial<PeerOptions> = {},
  server: Partial<PeerOptions> = {},
): { member: Peer; server: Peer; network: Network } {
  const m = new Peer({ end: memberEnd, ...member });
  const s = new Peer({ end: serverEnd, ...server });
  return { member: m, server: s, network: new Network([m, s]) };
}
