// One push on its way to the members: sent to each, repeated byte for byte with the same sequence number until acknowledged (RFC 8263 §6)
// or used up. Without acknowledgements every repetition goes out. All get the same bytes: signed and encrypted once, whatever their number.
// Does not: keys, policy, who is a member.

import type { Action, Endpoint, Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { Kek } from './group-policy.js';

/** RFC 8263 §6: a key server should wait at least 10 s before it declares an acknowledgement missing. */
const AckWaitMs = 10_000;

interface Target {
  local: Endpoint;
  remote: Endpoint;
  bytes: Uint8Array;
  acknowledged: boolean;
}

export interface DeliveryTick {
  actions: Action[];
  /** Members that a repetition went to. */
  repeated: Ipv4[];
  /** Set when the delivery is over. */
  finished: { unacknowledged: Ipv4[]; milliseconds: number } | null;
}

export class RekeyDelivery {
  readonly targets = new Map<Ipv4, Target>();
  /** Targets that have not acknowledged: counted, so that an acknowledgement costs the same among ten members and ten thousand. */
  private outstanding = 0;
  /** By our address: one, unless members know this key server by several. */
  private readonly built = new Map<Ipv4, Uint8Array>();
  private repeatsLeft: number;
  private nextAt: Ms;
  private acknowledgedAt: Ms;
  private closesAt: Ms;

  /**
   * @param kek that protects the push @param sequence under that KEK
   * @param build the push as it is sent from one of our addresses
   */
  constructor(
    readonly kek: Kek,
    readonly sequence: number,
    private readonly build: (source: Ipv4) => Uint8Array,
    private readonly intervalMs: Ms,
    repeats: number,
    private readonly startedAt: Ms,
  ) {
    this.repeatsLeft = repeats;
    this.nextAt = startedAt + intervalMs;
    this.acknowledgedAt = startedAt;
    this.closesAt = startedAt + Math.max(AckWaitMs, repeats * intervalMs + Math.min(intervalMs, AckWaitMs));
  }

  /** Adds a member and sends to it. @param local where the push comes from */
  sendTo(member: Ipv4, local: Endpoint, remote: Endpoint): Action {
    let bytes = this.built.get(local.address);
    if (!bytes) {
      bytes = this.build(local.address);
      this.built.set(local.address, bytes);
    }
    const target = { local, remote, bytes, acknowledged: false };
    this.remove(member);
    this.targets.set(member, target);
    this.outstanding++;
    return { kind: 'send', datagram: target };
  }

  /** @returns false when it is no news */
  acknowledge(member: Ipv4, now: Ms): boolean {
    const target = this.targets.get(member);
    if (!target || target.acknowledged) return false;
    target.acknowledged = true;
    this.outstanding--;
    this.acknowledgedAt = now;
    return true;
  }

  nextTick(): Ms {
    return this.complete() ? this.startedAt : this.repeatsLeft > 0 ? Math.min(this.nextAt, this.closesAt) : this.closesAt;
  }

  tick(now: Ms): DeliveryTick {
    if (this.complete())
      return { actions: [], repeated: [], finished: { unacknowledged: [], milliseconds: this.acknowledgedAt - this.startedAt } };
    const actions: Action[] = [];
    const repeated: Ipv4[] = [];
    if (this.repeatsLeft > 0 && now >= this.nextAt) {
      this.repeatsLeft--;
      this.nextAt = now + this.intervalMs;
      for (const [member, target] of this.targets) {
        if (target.acknowledged) continue;
        repeated.push(member);
        actions.push({ kind: 'count', counter: 'gdoi_rekey_retransmits' }, { kind: 'send', datagram: target });
      }
    }
    if (now < this.closesAt || this.repeatsLeft > 0) return { actions, repeated, finished: null };
    const unacknowledged = [...this.targets].flatMap(([member, target]) => (target.acknowledged ? [] : [member]));
    return { actions, repeated, finished: { unacknowledged, milliseconds: now - this.startedAt } };
  }

  /** A member left: nothing more goes to it. */
  remove(member: Ipv4): void {
    const target = this.targets.get(member);
    if (target && !target.acknowledged) this.outstanding--;
    this.targets.delete(member);
  }

  private complete(): boolean {
    return this.kek.acknowledge && this.outstanding === 0;
  }
}
