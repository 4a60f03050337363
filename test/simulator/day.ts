// A key server and many members over simulated hours, on the real engines: phase 1, GDOI, Diffie-Hellman, signatures. The network loses,
// doubles and reorders; nodes are killed and come back; the network may be divided for a while. The watches look at every event.

import type { Ms } from '../../control/actions.js';
import { toHex } from '../../control/isakmp/bytes.js';
import { Exchange } from '../../control/isakmp/header.js';
import { memberAddress, memberConfig, Network, type Node, serverAddress, serverConfig } from '../exchange/control/gdoi/group-network.js';
import { Random } from './random.js';
import { CommonTek, FullestSecond, RekeyOrder, SenderSpaces, type Watched } from './watch.js';

const Minute = 60_000;
const Hour = 60 * Minute;

export interface DayOptions {
  seed: string;
  members: number;
  hours: number;
  /** Of datagrams, 0 to 1. */
  loss: number;
  duplication: number;
  /** A datagram takes 1 ms to this, so that those behind it overtake it. */
  maxDelayMs: Ms;
  memberRestarts: number;
  serverRestarts: number;
  /** A half of the members is cut off from the key server. */
  partition: { at: Ms; length: Ms } | null;
  registrationRate: number;
}

/** The group: TEK 1 h, KEK 24 h, 10 % loss, 5 % duplication, reordering. */
export const usualDay: Omit<DayOptions, 'seed'> = {
  members: 1000,
  hours: 24.5,
  loss: 0.1,
  duplication: 0.05,
  maxDelayMs: 400,
  memberRestarts: 40,
  serverRestarts: 10,
  partition: null,
  registrationRate: 100,
};

interface Planned {
  at: Ms;
  run: () => void;
}

export class Day {
  readonly network = new Network();
  readonly server: Node;
  readonly members: Watched[] = [];
  /** What went wrong, with the simulated second. */
  readonly faults: string[] = [];
  readonly commonTek = new CommonTek();
  readonly senderSpaces = new SenderSpaces();
  readonly rekeys = new RekeyOrder();
  readonly registrations = new FullestSecond();
  /** Datagrams: sent, lost, doubled. */
  readonly traffic = { sent: 0, lost: 0, doubled: 0, cut: 0 };
  restarts = 0;
  /** Packets between members that the receiver could not open, of all that were tried. */
  readonly probes = { sent: 0, unopened: 0 };
  /** Members without keys when the division ended. */
  cutOff = 0;
  /** Simulated ms from the end of the division until everybody was registered. */
  backAfterMs: Ms | null = null;
  private readonly random: Random;
  private readonly byNode = new Map<Node, Watched>();
  private readonly plans: Planned[] = [];
  private readonly start: Ms;
  private divided = false;
  /** Saved anew whenever its keys change. */
  private serverDisk: Uint8Array | null = null;

  constructor(readonly options: DayOptions) {
    const { network } = this;
    this.random = new Random(`${options.seed}/network`);
    this.start = network.now;
    const config = serverConfig({ encryption: 'esp-gcm-256' });
    config.registrationRate = options.registrationRate;
    this.server = network.add(serverAddress, config, { random: new Random(`${options.seed}/server`).bytes, quiet: true });
    for (let n = 1; n <= options.members; n++) {
      const random = new Random(`${options.seed}/${n}`).bytes;
      const node = network.add(memberAddress(n), memberConfig(), { random, quiet: true });
      const member = { node, epoch: 0, side: 0, policy: null };
      this.members.push(member);
      this.byNode.set(node, member);
    }
    network.fault = (datagram, from) => this.fateOf(from, datagram.remote.address);
    network.watch = (node) => this.look(node);
  }

  run(): void {
    const { network } = this;
    this.server.start();
    for (const { node } of this.members) node.start();
    this.plan();
    for (const { at, run } of this.plans.sort((a, b) => a.at - b.at)) {
      network.runUntil(this.start + at);
      run();
    }
    network.runUntil(this.start + this.options.hours * Hour);
  }

  /** What happened, in one line: printed with a failure. */
  summary(): string {
    const { options, traffic, probes, registrations, rekeys, senderSpaces, server } = this;
    return JSON.stringify({
      seed: options.seed,
      ...traffic,
      registrations: server.count('gdoi_pull_served'),
      putOff: server.count('ike_rate_limited') + server.count('gdoi_pull_rate_limited'),
      fullestSecond: registrations.most,
      rekeysAccepted: rekeys.accepted,
      senderSpaces: senderSpaces.size,
      restarts: this.restarts,
      probes: probes.sent,
      unopened: probes.unopened,
      backAfterMs: this.backAfterMs,
      faults: this.faults.length,
    });
  }

  get unregistered(): number {
    return this.members.filter(({ node }) => node.alive && !node.registered).length;
  }

  private plan(): void {
    const { options, random } = this;
    const end = options.hours * Hour;
    const restart = (node: Node, downMs: Ms, lost: boolean): void => {
      const at = random.between(Minute, end - 20 * Minute);
      this.plans.push({ at, run: () => node.kill() }, { at: at + downMs, run: () => this.revive(node, lost) });
    };
    for (let n = 0; n < options.serverRestarts; n++) restart(this.server, random.between(500, 60_000), false);
    const some = [...this.members];
    for (let n = 0; n < options.memberRestarts; n++) {
      const [{ node }] = some.splice(random.between(0, some.length), 1);
      restart(node, random.between(500, 300_000), random.fraction() < 0.5);
    }
    for (let at = 5 * Minute; at < end; at += Minute) this.plans.push({ at, run: () => this.probe() });
    if (!options.partition) return;
    const { at, length } = options.partition;
    this.plans.push({ at, run: () => this.divide(true) }, { at: at + length, run: () => this.divide(false) });
    for (let waited = 0; waited < 10 * Minute; waited += 250)
      this.plans.push({ at: at + length + waited, run: () => this.lookForAll(waited) });
  }

  /** @param lost the packet path died too, and its IV counters with it */
  private revive(node: Node, lost: boolean): void {
    if (node.alive) return; // two restarts overlapped
    this.restarts++;
    const member = this.byNode.get(node);
    if (member && lost) {
      member.epoch++;
      this.rekeys.forget(node);
    }
    node.restart({ members: !lost });
    this.look(node);
  }

  private divide(divided: boolean): void {
    this.divided = divided;
    for (const member of this.members) {
      member.side = divided && this.isFar(member.node) ? 1 : 0;
      this.note(this.commonTek.update(member, this.network.now));
    }
    if (!divided) this.cutOff = this.unregistered;
  }

  private isFar(node: Node): boolean {
    return node !== this.server && node.address % 2 === 1;
  }

  private lookForAll(waited: Ms): void {
    if (this.backAfterMs === null && this.unregistered === 0) this.backAfterMs = waited;
  }

  private fateOf(from: Node, to: number): { delays: Ms[] } {
    const { options, random, traffic } = this;
    traffic.sent++;
    const receiver = this.network.nodes.get(to);
    if (this.divided && receiver && this.isFar(from) !== this.isFar(receiver)) {
      traffic.cut++;
      return { delays: [] };
    }
    if (random.fraction() < options.loss) {
      traffic.lost++;
      return { delays: [] };
    }
    const delays = [random.between(1, options.maxDelayMs)];
    if (random.fraction() < options.duplication) {
      traffic.doubled++;
      delays.push(random.between(1, options.maxDelayMs));
    }
    return { delays };
  }

  /** A packet from one member to all others, by the keys as they are now. What cannot be opened is reported as the packet path would. */
  private probe(): void {
    const { network } = this;
    const { node: sender, side } = this.random.pick(this.members);
    const tek = sender.alive ? sender.sending() : null;
    if (!tek) return;
    for (const { node, side: other } of this.members) {
      if (!node.alive || !node.registered || other !== side) continue;
      this.probes.sent++;
      if (node.opens(tek.spi)) continue;
      this.probes.unopened++;
      node.gdoi.invalidSpi(tek.spi, 0x0a000001, 0x0a000002, network.now);
      network.touch(node);
    }
  }

  private look(node: Node | null): void {
    if (!node) return;
    const { network } = this;
    if (node === this.server) {
      this.registrations.update(node.count('gdoi_pull_served'), network.now);
      if (node.disk !== this.serverDisk) this.commonTek.learn(node.gdoi.serverGroups()[0].teks);
      this.serverDisk = node.disk;
      return;
    }
    const member = this.byNode.get(node);
    if (!member) return;
    this.note(this.rekeys.update(member, kekOf(network.delivered?.bytes)));
    const policy = node.gdoi.policyOf('G');
    const same = member.policy?.teks === policy.teks && member.policy.senderIds === policy.senderIds;
    member.policy = policy;
    this.note(this.commonTek.update(member, network.now));
    if (!same) this.note(this.senderSpaces.update(member));
  }

  private note(fault: string | null): void {
    if (fault !== null) this.faults.push(`at ${((this.network.now - this.start) / 1000).toFixed(1)} s: ${fault}`);
  }
}

/** The cookies of a push. */
function kekOf(bytes: Uint8Array | undefined): string | null {
  return bytes && bytes[18] === Exchange.GroupkeyPush ? toHex(bytes.subarray(0, 16)) : null;
}
