// What must hold in a group at every moment. Each watch looks at the one node that something happened to, never at all of them, so that a
// day of a thousand members is watched event by event.

import type { Ms } from '../../control/actions.js';
import type { Node } from '../exchange/control/gdoi/group-network.js';

type Policy = ReturnType<Node['gdoi']['policyOf']>;

/** A member as the watches see it. */
export interface Watched {
  node: Node;
  /** Grows when the IV counters of its sender IDs are lost: whoever gets the same ID again is another sender. */
  epoch: number;
  /** Which part of a divided network it is in; all are in 0 otherwise. */
  side: number;
  policy: Policy | null;
}

/**
 * No two registered members of one side are without a common TEK. Members with the same set of TEKs are counted together. A TEK counts as
 * long as the key server that made it says: a member may keep it for some seconds more (its lifetime came in whole seconds, perhaps with
 * the last repetition of a push), but whoever has nothing else by then is not registered any more.
 */
export class CommonTek {
  private readonly counts = new Map<string, number>();
  private readonly sets = new Map<Watched, string>();
  private readonly ends = new Map<number, Ms>();

  /** What the key server has now. */
  learn(teks: readonly { spi: number; expiresAt: Ms }[]): void {
    for (const { spi, expiresAt } of teks) this.ends.set(spi, expiresAt);
  }

  /** @returns what is wrong; null when nothing is */
  update(member: Watched, now: Ms): string | null {
    const spis = member.node.alive ? (member.policy?.teks.map(({ spi }) => spi) ?? []) : [];
    const set = spis.length > 0 ? `${member.side}:${spis.sort().join()}` : '';
    const before = this.sets.get(member) ?? '';
    if (set === before) return null;
    this.sets.set(member, set);
    this.add(before, -1);
    this.add(set, 1);
    if (set === '') return null;
    const apart = [...this.counts.keys()].find((other) => !this.shareOne(set, other, now));
    return apart === undefined ? null : `members with TEKs ${set} and members with TEKs ${apart} have none in common`;
  }

  /** Members that hold at least one TEK. */
  get registered(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  private shareOne(a: string, b: string, now: Ms): boolean {
    const [sideA, listA] = a.split(':');
    const [sideB, listB] = b.split(':');
    if (sideA !== sideB) return true;
    const [mine, others] = [listA, listB].map((list) => list.split(',').filter((spi) => (this.ends.get(Number(spi)) ?? now + 1) > now));
    return mine.length === 0 || others.length === 0 || mine.some((spi) => others.includes(spi));
  }

  private add(set: string, change: number): void {
    if (set === '') return;
    const count = (this.counts.get(set) ?? 0) + change;
    if (count > 0) this.counts.set(set, count);
    else this.counts.delete(set);
  }
}

/** One IV space, a sender ID under a TEK, has one owner for ever (RFC 6054 §2), whatever restarts. */
export class SenderSpaces {
  private readonly owners = new Map<string, string>();

  get size(): number {
    return this.owners.size;
  }

  update({ node, epoch, policy }: Watched): string | null {
    if (!node.alive || !policy) return null;
    const owner = `${node.address}/${epoch}`;
    for (const { spi } of policy.teks) {
      for (const sid of policy.senderIds?.values ?? []) {
        const known = this.owners.get(`${spi}:${sid}`) ?? owner;
        this.owners.set(`${spi}:${sid}`, known);
        if (known !== owner) return `sender ID ${sid} under TEK ${spi} of ${known} again with ${owner}`;
      }
    }
    return null;
  }
}

/** Every rekey that a member accepts has a higher sequence number than all before it under that KEK, over restarts too. */
export class RekeyOrder {
  private readonly last = new Map<string, number>();
  private readonly received = new Map<Node, number>();
  accepted = 0;

  /** @param kek hex SPI of the KEK under which it was accepted: the cookies of the message */
  update({ node }: Watched, kek: string | null): string | null {
    const [status] = kek === null ? [] : node.gdoi.memberGroups();
    if (!status || kek === null) return null;
    const before = this.received.get(node) ?? 0;
    this.received.set(node, status.rekeysReceived);
    if (status.rekeysReceived <= before) return null;
    this.accepted++;
    const key = `${node.address} ${kek}`;
    const last = this.last.get(key) ?? 0;
    this.last.set(key, status.lastRekeySequence);
    return status.lastRekeySequence > last ? null : `rekey ${status.lastRekeySequence} under KEK ${kek} accepted after ${last}`;
  }

  /** The member has lost its state, and its counts with it. */
  forget(node: Node): void {
    this.received.delete(node);
  }
}

/** How many of something happened in the fullest second, wherever it begins. */
export class FullestSecond {
  most = 0;
  private readonly times: Ms[] = [];
  private first = 0;
  private seen = 0;

  /** @param total how many there were up to now */
  update(total: number, now: Ms): void {
    for (; this.seen < total; this.seen++) this.times.push(now);
    while (this.first < this.times.length && this.times[this.first] <= now - 1000) this.first++;
    this.most = Math.max(this.most, this.times.length - this.first);
  }
}
