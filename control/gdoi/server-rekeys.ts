// The pushes of one group that are under way: to whom, how often, who acknowledged, who is given up. Counts what `show` prints about them.

import type { Action, Endpoint, Ms } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Ipv4 } from '../config/model.js';
import { equalBytes } from '../isakmp/bytes.js';
import type { Kek } from './group-policy.js';
import { RekeyDelivery } from './rekey-delivery.js';
import type { ServerMembers } from './server-members.js';

/** Of members without acknowledgement in one line of the log. */
const MaxNamed = 5;

/** Saved with the group. */
export interface RekeyCounts {
  rekeysSent: number;
  retransmitsLastRekey: number;
  lastRekeyMilliseconds: number;
}

export interface PushForm {
  kek: Kek;
  sequence: number;
  /** Bytes for all members that pushes from this address of ours go to. */
  build(source: Ipv4): Uint8Array;
  intervalSeconds: number;
  repeats: number;
}

export class ServerRekeys {
  readonly counts: RekeyCounts;
  /** Counts pushes: what was offered before one is out of date after it. */
  generation = 0;
  private deliveries: RekeyDelivery[] = [];
  private last: { generation: number; delivery: RekeyDelivery } | null = null;

  /** @param sourceFor address that pushes come from, for a member that registered with `local` */
  constructor(
    private readonly group: string,
    private readonly members: ServerMembers,
    private readonly sourceFor: (local: Ipv4) => Ipv4,
    saved: RekeyCounts | null,
  ) {
    const { rekeysSent, retransmitsLastRekey, lastRekeyMilliseconds } = saved ?? {
      rekeysSent: 0,
      retransmitsLastRekey: 0,
      lastRekeyMilliseconds: 0,
    };
    this.counts = { rekeysSent, retransmitsLastRekey, lastRekeyMilliseconds };
  }

  /** Sends a push to every member, or once to the multicast group of its KEK, after the state is saved. */
  deliver(form: PushForm, now: Ms): Action[] {
    const delivery = new RekeyDelivery(form.kek, form.sequence, form.build, form.intervalSeconds * 1000, form.repeats, now);
    this.generation++;
    this.last = { generation: this.generation, delivery };
    const changed: Action = { kind: 'policy-changed', group: this.group };
    const members = this.members.list();
    if (members.length === 0) return [changed];
    this.counts.rekeysSent++;
    this.counts.retransmitsLastRekey = 0;
    const local = members[0].local;
    const group = form.kek.destination;
    const sends =
      group === 0
        ? members.map((member) => this.sendTo(delivery, member.address, member.local, member.remote))
        : [delivery.sendTo(group, { ...local, address: this.sourceFor(local.address) }, { address: group, port: local.port })];
    this.deliveries.push(delivery);
    const source = formatIpv4(this.sourceFor(local.address));
    const [how, mnemonic] = group === 0 ? ['Unicast', 'KS_SEND_UNICAST_REKEY'] : ['Multicast', 'KS_SEND_MCAST_REKEY'];
    const to = group === 0 ? '' : ` to ${formatIpv4(group)}`;
    const text = `Sending ${how} Rekey for group ${this.group} from address ${source}${to} with seq # ${form.sequence}`;
    const log: Action = { kind: 'log', facility: 'GDOI', severity: 5, mnemonic, text };
    return [changed, { kind: 'count', counter: 'gdoi_rekeys_sent' }, log, ...sends];
  }

  /** Nothing was pushed, but what was offered is out of date all the same. */
  invalidateOffers(): void {
    this.generation++;
  }

  /** @returns whether an offer of that generation lacks just the last push, and its KEK opens it */
  missedOnlyLast(generation: number, kek: Kek | null): boolean {
    const { last } = this;
    if (!kek || !last || last.generation !== this.generation || generation + 1 !== this.generation) return false;
    return equalBytes(last.delivery.kek.spi, kek.spi);
  }

  /** The last push, to a member that registered while it was under way. */
  sendLast(local: Endpoint, remote: Endpoint): Action[] {
    return this.last ? [this.sendTo(this.last.delivery, remote.address, local, remote)] : [];
  }

  /** @returns false when it is no news; null when no such push is known from that member */
  acknowledge(kek: Kek, sequence: number, member: Ipv4, now: Ms): boolean | null {
    const delivery = this.deliveries.find((item) => item.sequence === sequence && equalBytes(item.kek.spi, kek.spi));
    if (!this.members.has(member) && !delivery?.targets.has(member)) return null;
    if (!delivery?.acknowledge(member, now)) return false;
    this.members.acknowledged(member, sequence);
    return true;
  }

  nextTick(): Ms | null {
    return this.deliveries.length > 0 ? Math.min(...this.deliveries.map((delivery) => delivery.nextTick())) : null;
  }

  tick(now: Ms): Action[] {
    const actions: Action[] = [];
    for (const delivery of [...this.deliveries]) {
      if (delivery.nextTick() > now) continue;
      const { actions: sends, repeated, finished } = delivery.tick(now);
      actions.push(...sends);
      for (const member of repeated) this.members.repeated(member);
      if (repeated.length > 0) this.counts.retransmitsLastRekey++;
      if (!finished) continue;
      this.deliveries = this.deliveries.filter((item) => item !== delivery);
      this.counts.lastRekeyMilliseconds = finished.milliseconds;
      if (delivery.kek.acknowledge && finished.unacknowledged.length > 0) {
        actions.push(this.logMissing(finished.unacknowledged, delivery));
        for (const member of finished.unacknowledged) actions.push(...this.missed(member));
      }
      // Who acknowledged is saved once per rekey, not per acknowledgement.
      actions.push({ kind: 'policy-changed', group: this.group });
    }
    return actions;
  }

  /** RFC 8263 §6: an acknowledgement that does not come is logged; one line for all. */
  private logMissing(members: readonly Ipv4[], delivery: RekeyDelivery): Action {
    const named = members.slice(0, MaxNamed).map(formatIpv4).join(', ');
    const rest = members.length > MaxNamed ? ` and ${members.length - MaxNamed} more` : '';
    const text = `Rekey seq # ${delivery.sequence} for group ${this.group} not acknowledged by ${members.length} of ${delivery.targets.size}: ${named}${rest}`;
    return { kind: 'log', facility: 'GDOI', severity: 4, mnemonic: 'KS_ACK_MISSING', text };
  }

  private missed(member: Ipv4): Action[] {
    const actions: Action[] = [{ kind: 'count', counter: 'gdoi_rekeys_unacknowledged' }];
    if (!this.members.missed(member)) return actions;
    for (const delivery of this.deliveries) delivery.remove(member);
    const text = `GM ${formatIpv4(member)} deleted from group ${this.group}: three rekeys without acknowledgement`;
    const log: Action = { kind: 'log', facility: 'GDOI', severity: 4, mnemonic: 'GM_DELETE', text };
    return [...actions, { kind: 'count', counter: 'gdoi_members_removed' }, log];
  }

  private sendTo(delivery: RekeyDelivery, member: Ipv4, local: Endpoint, remote: Endpoint): Action {
    this.members.sent(member, delivery.sequence);
    return delivery.sendTo(member, { ...local, address: this.sourceFor(local.address) }, remote);
  }
}
