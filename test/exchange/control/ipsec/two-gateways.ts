// Two gateways with IPsec engines and the network between them, in one process: a clock that jumps from event to event, seeded randomness, and a
// fault that may drop, double, delay or change every datagram.

import type { Action, Datagram, Endpoint, Ms } from '../../../../control/actions.js';
import { parseIpv4 } from '../../../../control/config/addresses.js';
import { defaultIsakmp } from '../../../../control/config/empty.js';
import type { AclEntry, IsakmpPolicy, IsakmpSettings } from '../../../../control/config/model.js';
import { IkeUsers } from '../../../../control/ike-users.js';
import { ipsecCounters } from '../../../../control/ipsec/counters.js';
import { type FlowPolicy, permittedSelectors, policyKey, type Suite } from '../../../../control/ipsec/flow-policy.js';
import { IpsecEngine } from '../../../../control/ipsec/ipsec-engine.js';
import type { SaPair } from '../../../../control/ipsec/sa-pairs.js';
import { ikeCounters } from '../../../../control/isakmp/counters.js';
import { IkeEngine, type IkeSettings, type IkeUser } from '../../../../control/isakmp/ike-engine.js';
import { unwrapNonEsp, wrapNonEsp } from '../../../../control/isakmp/nat-traversal.js';
import { anyPeer, type Fault, faultless, policy as isakmpPolicy, seededRandom } from '../isakmp/two-engines.js';

export const address = (text: string): number => parseIpv4(text) as number;
export const left = address('192.0.2.1');
export const right = address('192.0.2.2');
const declared = new Set([...ikeCounters, ...ipsecCounters].map(({ name }) => name));

/** `permit ip S/24 D/24`. */
export function line(source: string, destination: string, change: Partial<AclEntry> = {}): AclEntry {
  const ends = { source: address(source), sourceWildcard: 0xff, destination: address(destination), destinationWildcard: 0xff };
  return { line: 1, sequence: 10, action: 'permit', protocol: null, ...ends, sourcePort: null, destinationPort: null, ...change };
}

export const aesSha: Suite = { encryption: 'esp-aes-128', authentication: 'esp-sha-hmac', mode: 'tunnel' };
export const gcm: Suite = { encryption: 'esp-gcm-256', authentication: null, mode: 'tunnel' };

export function flows(local: number, peer: number, change: Partial<FlowPolicy> = {}): FlowPolicy {
  const entries = local === left ? [line('10.1.0.0', '10.2.0.0')] : [line('10.2.0.0', '10.1.0.0')];
  const lifetimes = { lifetimeSeconds: 3600, lifetimeKilobytes: 4_608_000 };
  return { map: 'M', sequence: 10, local, peers: [peer], entries, suites: [aesSha], pfs: null, ...lifetimes, ...change };
}

const noGdoi: IkeUser = {
  phase1Up: () => [],
  phase1Failed: () => [],
  phase1Deleted: () => [],
  pullMessage: () => [{ kind: 'count', counter: 'ike_unexpected' }],
  pushMessage: () => [],
  notification: () => [],
};

export class Gateway {
  readonly ike: IkeEngine;
  readonly ipsec: IpsecEngine;
  readonly logs: string[] = [];
  readonly counts = new Map<string, number>();
  /** Kinds of actions in the order in which they were carried out. */
  readonly performed: Action['kind'][] = [];

  constructor(
    readonly local: number,
    public policies: FlowPolicy[],
    options: {
      seed?: string;
      settings?: Partial<IsakmpSettings>;
      isakmp?: Partial<IsakmpPolicy>;
      ike?: Partial<IkeSettings>;
      /** Whether the tables hold another flow. */
      hasRoom?: () => boolean;
    } = {},
  ) {
    const random = seededRandom(options.seed ?? String(local));
    this.ipsec = new IpsecEngine({ random, spiTaken: () => false, hasRoom: options.hasRoom });
    this.ike = new IkeEngine({
      policies: [isakmpPolicy(options.isakmp)],
      keys: [anyPeer('a shared secret')],
      random,
      user: new IkeUsers(noGdoi, this.ipsec, { failed: () => undefined }),
      acceptInbound: true,
      settings: { ...defaultIsakmp(), ...options.settings },
      ...options.ike,
    });
    this.ipsec.attach(this.ike);
    this.ipsec.configure(policies, 0);
  }

  count(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  get pairs(): SaPair[] {
    return [...this.ipsec.pairs];
  }
}

export class Wire {
  now: Ms = 1_000_000;
  readonly sent: Datagram[] = [];
  /** What an address translator makes of a datagram on its way. */
  translate: (datagram: Datagram) => Datagram = (datagram) => datagram;
  private flying: { at: Ms; datagram: Datagram }[] = [];

  constructor(
    readonly gateways: Gateway[],
    public fault: Fault = faultless,
  ) {}

  perform(gateway: Gateway, actions: readonly Action[]): void {
    for (const action of actions) {
      gateway.performed.push(action.kind);
      if (action.kind === 'log') gateway.logs.push(`%${action.facility}-${action.severity}-${action.mnemonic}: ${action.text}`);
      else if (action.kind === 'count') {
        if (!declared.has(action.counter)) throw new Error(`counter '${action.counter}' is not declared`);
        gateway.counts.set(action.counter, gateway.count(action.counter) + 1);
      } else if (action.kind === 'send') this.launch(wrapNonEsp(action.datagram));
    }
  }

  /** Traffic of a line of the first policy's list. */
  demand(gateway: Gateway, at = 0): void {
    const [policy] = gateway.policies;
    this.perform(gateway, gateway.ipsec.demand(policyKey(policy), permittedSelectors(policy)[at], this.now));
  }

  /** Delivers and lets time pass until nothing is due within `forMs`. */
  run(forMs: Ms): void {
    const end = this.now + forMs;
    for (let turns = 0; ; turns++) {
      if (turns > 100_000) throw new Error('no end');
      const ticks = this.gateways.map((gateway) => ({
        gateway,
        at: Math.min(gateway.ike.nextTick() ?? Infinity, gateway.ipsec.nextTick() ?? Infinity),
      }));
      const tick = ticks.reduce((a, b) => (b.at < a.at ? b : a));
      this.flying.sort((a, b) => a.at - b.at);
      const [flight] = this.flying;
      const at = Math.min(tick.at, flight?.at ?? Infinity);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (flight && flight.at <= tick.at) {
        this.flying.shift();
        this.arrive(flight.datagram);
      } else this.perform(tick.gateway, [...tick.gateway.ike.tick(this.now), ...tick.gateway.ipsec.tick(this.now)]);
    }
    this.now = end;
  }

  /** As if it came from `from`. */
  inject(from: Endpoint, to: Gateway, bytes: Uint8Array): void {
    this.perform(to, to.ike.receive({ local: { address: to.local, port: 500 }, remote: from, bytes }, this.now));
  }

  private launch(datagram: Datagram): void {
    const n = this.sent.push(datagram) - 1;
    for (const { delay, bytes } of this.fault(datagram, n)) this.flying.push({ at: this.now + delay, datagram: { ...datagram, bytes } });
  }

  private arrive(datagram: Datagram): void {
    const { local, remote, bytes } = this.translate(datagram);
    const to = this.gateways.find((gateway) => gateway.local === remote.address);
    if (!to) return;
    const message = unwrapNonEsp({ local: remote, remote: local, bytes });
    if (typeof message === 'string') this.perform(to, [{ kind: 'count', counter: message }]);
    else this.perform(to, to.ike.receive(message, this.now));
  }
}

export function twoGateways(
  a: Partial<FlowPolicy> = {},
  b: Partial<FlowPolicy> = {},
  options: ConstructorParameters<typeof Gateway>[2] = {},
): { a: Gateway; b: Gateway; wire: Wire } {
  const one = new Gateway(left, [flows(left, right, a)], options);
  const other = new Gateway(right, [flows(right, left, b)], options);
  return { a: one, b: other, wire: new Wire([one, other]) };
}

/** Why two pairs do not make a tunnel; null = they do. */
export function mismatch(x: SaPair | undefined, y: SaPair | undefined): string | null {
  if (!x || !y) return 'a pair is missing';
  if (x.inboundSpi !== y.outboundSpi || x.outboundSpi !== y.inboundSpi) return 'SPIs differ';
  const same = (p: Uint8Array, q: Uint8Array): boolean => Buffer.compare(p, q) === 0;
  for (const name of ['encryptionKey', 'salt', 'integrityKey'] as const) {
    if (!same(x.inbound[name], y.outbound[name]) || !same(x.outbound[name], y.inbound[name])) return `${name} differs`;
  }
  if (same(x.inbound.encryptionKey, x.outbound.encryptionKey) && x.inbound.encryptionKey.length > 0) return 'one key for both directions';
  return x.established && y.established ? null : 'not established';
}
