// A key server and any number of members in one process, without sockets: datagrams are carried over in rounds, so that what the key server
// does is apart from what the members do and can be measured alone. Real engines, real Diffie-Hellman, signatures and state.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Action, Datagram, Ms } from '../control/actions.js';
import type { Config, DhGroup, Ipv4 } from '../control/config/model.js';
import { parseConfig } from '../control/config/parse.js';
import { GdoiEngine } from '../control/gdoi/gdoi-engine.js';
import { IkeEngine } from '../control/isakmp/ike-engine.js';

const serverAddress: Ipv4 = 0x0a000001;
const firstMember: Ipv4 = 0x0b000000;
/** Members that register together: fewer than may be half open. */
export const Batch = 250;

const common = (group: DhGroup): string[] => [
  'crypto isakmp policy 10',
  ' encr aes',
  ' hash sha256',
  ' authentication pre-share',
  ` group ${group}`,
  'crypto isakmp key BENCH-KEY address 0.0.0.0 0.0.0.0',
];
const serverText = (group: DhGroup, kekSeconds: number): string[] => [
  'crypto call admission limit ike rate 10000',
  ...common(group),
  'crypto ipsec transform-set T esp-gcm 256',
  'crypto ipsec profile P',
  ' set transform-set T',
  'ip access-list extended A',
  ' deny udp any eq 848 any eq 848',
  ' permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255',
  'crypto gdoi group G',
  ' identity number 777',
  ' server local',
  '  rekey algorithm aes 256',
  `  rekey lifetime seconds ${kekSeconds}`,
  '  rekey sig-hash algorithm sha256',
  '  rekey authentication mypubkey rsa K',
  '  rekey transport unicast',
  '  sa ipsec 1',
  '   profile P',
  '   match address ipv4 A',
  '  address ipv4 10.0.0.1',
];
const memberText = (group: DhGroup): string[] => [
  ...common(group),
  'crypto gdoi group G',
  ' identity number 777',
  ' server address ipv4 10.0.0.1',
];

function configOf(lines: readonly string[]): Config {
  return parseConfig(lines.join('\n')).config;
}

/** What a key server's state goes to. */
export interface StateStore {
  save(bytes: Uint8Array): void;
  append(entry: Uint8Array): void;
}

class Node {
  readonly gdoi: GdoiEngine;
  readonly ike: IkeEngine;
  outbox: Datagram[] = [];

  constructor(
    config: Config,
    address: Ipv4,
    private readonly store: StateStore | null,
    signingKey: ReturnType<typeof generateKeyPairSync>['privateKey'] | null,
  ) {
    const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
    this.gdoi = new GdoiEngine({ config, random, localAddressFor: () => address, signingKey: () => signingKey as never });
    this.ike = new IkeEngine({
      policies: config.isakmpPolicies,
      keys: config.isakmpKeys,
      random,
      user: this.gdoi,
      acceptInbound: store !== null,
      registrationRate: config.registrationRate,
    });
    this.gdoi.attach(this.ike);
  }

  perform(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'send') this.outbox.push(action.datagram);
      else if (action.kind === 'policy-changed') this.store?.save(this.gdoi.exportState());
      else if (action.kind === 'journal') this.store?.append(action.entry);
    }
  }

  /** As control/main.ts does for every datagram. */
  receive({ local, remote, bytes }: Datagram, now: Ms): void {
    this.perform(this.ike.receive({ local: remote, remote: local, bytes }, now));
    this.ike.nextTick();
    this.gdoi.nextTick();
  }
}

export class ControlLoad {
  now: Ms = 1_700_000_000_000;
  /** Until the last push of the last rekey had left the engine, ms of wall time. */
  pushMs = 0;
  readonly server: Node;
  private readonly members = new Map<Ipv4, Node>();
  private readonly memberConfig: Config;
  private restarted = 0;

  /** @param around runs what the key server does: it may measure it */
  constructor(
    private readonly group: DhGroup,
    store: StateStore,
    public around: (run: () => void) => void = (run) => run(),
  ) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.memberConfig = configOf(memberText(group));
    this.server = new Node(configOf(serverText(group, 86_400)), serverAddress, store, privateKey);
    this.server.perform(this.server.gdoi.start(this.now));
  }

  get size(): number {
    return this.members.size;
  }

  /** Registers so many new members. @throws Error when one of them is not registered then */
  register(count: number): void {
    for (let left = count; left > 0; left -= Batch) this.startMembers(firstMember + this.members.size, Math.min(left, Batch));
  }

  /** As many members as a batch has lose everything and register again, each time the next ones. @throws as register() */
  restart(): void {
    this.startMembers(firstMember + this.restarted, Batch);
    this.restarted = (this.restarted + Batch) % this.members.size;
  }

  private startMembers(first: Ipv4, count: number): void {
    const batch = Array.from({ length: count }, (_, i) => new Node(this.memberConfig, first + i, null, null));
    for (const [i, member] of batch.entries()) {
      this.members.set(first + i, member);
      member.perform(member.gdoi.start(this.now));
    }
    this.exchange(batch);
    if (batch.some((member) => member.gdoi.policyOf('G').teks.length === 0)) throw new Error('a member is not registered');
    this.now += 1000; // the second of the limit is over
    this.tick();
  }

  /** One rekey to all, acknowledged by all. @throws Error when a member lacks the new TEK then */
  rekey(): void {
    this.around(() => {
      const before = performance.now();
      this.server.perform(this.server.gdoi.rekey('G', this.now));
      this.pushMs = performance.now() - before;
    });
    this.exchange([...this.members.values()]);
    this.tick();
    const newest = this.server.gdoi.serverGroups()[0].teks.at(-1)?.spi;
    for (const member of this.members.values())
      if (member.gdoi.policyOf('G').teks.at(-1)?.spi !== newest) throw new Error('a member lacks the new TEK');
  }

  /** The next rekey brings a new KEK. @param kekSeconds its lifetime, another one than before */
  renewKek(kekSeconds: number): void {
    this.server.perform(this.server.gdoi.reconfigure(configOf(serverText(this.group, kekSeconds)), this.now));
  }

  /** Carries datagrams over until there are none. */
  private exchange(members: readonly Node[]): void {
    const { server } = this;
    for (;;) {
      const toServer = members.flatMap((member) => member.outbox.splice(0));
      if (toServer.length > 0) {
        this.around(() => {
          for (const datagram of toServer) server.receive(datagram, this.now);
        });
      }
      const toMembers = server.outbox;
      server.outbox = [];
      for (const datagram of toMembers) this.members.get(datagram.remote.address)?.receive(datagram, this.now);
      if (toServer.length + toMembers.length === 0) return;
    }
  }

  private tick(): void {
    this.around(() => this.server.perform([...this.server.ike.tick(this.now), ...this.server.gdoi.tick(this.now)]));
  }
}
