// The key server of this router: its groups, registrations (GROUPKEY-PULL) and acknowledgements of rekeys (RFC 8263).

import type { Action, Datagram, Ms } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import { type Config, DefaultRegistrationRate } from '../config/model.js';
import { concatBytes } from '../isakmp/bytes.js';
import type { IsakmpHeader } from '../isakmp/header.js';
import { LogLimit } from '../isakmp/log-limit.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import { RateGate } from '../rate-gate.js';
import { refuseMember } from './authorization.js';
import { type GroupIdentity, identityKey } from './codec/group-identity.js';
import { type PullOffer, PullResponder, type Refused } from './pull-responder.js';
import { openAck } from './push-ack.js';
import { RecentMessages } from './recent-messages.js';
import type { SavedServer } from './saved-state.js';
import { ServerGroup } from './server-group.js';
import type { ServerEnvironment } from './server-keys.js';
import { serverStatus } from './server-status.js';
import type { ServerStatus } from './status.js';

export class KeyServer {
  private readonly groups = new Map<string, { identity: string; group: ServerGroup }>();
  private readonly responder: PullResponder;
  private readonly limit = new LogLimit();
  private readonly recentAcks = new RecentMessages();
  private readonly gate = new RateGate(DefaultRegistrationRate);
  private saved: SavedServer | null = null;
  private config: Config | null = null;

  constructor(private readonly environment: ServerEnvironment) {
    const served = {
      offer: (identity: GroupIdentity, sa: Phase1Sa, now: Ms) => this.offer(identity, sa, now),
      admit: (sa: Phase1Sa, now: Ms) => this.gate.take(sa.remote.address, now),
    };
    this.responder = new PullResponder(served, environment.random, this.limit);
  }

  /** Before the first configure(). */
  restore(saved: SavedServer): void {
    this.saved = saved;
  }

  save(): SavedServer {
    return { groups: [...this.groups].map(([name, { identity, group }]) => ({ name, identity, state: group.save() })) };
  }

  /** Groups that stay keep their keys, members and sequence numbers. */
  configure(config: Config, now: Ms): Action[] {
    this.config = config;
    this.gate.perSecond = config.registrationRate ?? DefaultRegistrationRate;
    const actions: Action[] = [];
    for (const [name, { identity }] of this.groups) {
      const next = config.gdoiGroups.get(name);
      if (next?.server && next.identity && identityKey(next.identity) === identity) continue;
      this.groups.delete(name);
      actions.push({ kind: 'policy-changed', group: name });
    }
    for (const [name, item] of config.gdoiGroups) {
      if (!item.server) continue;
      const identity = item.identity ? identityKey(item.identity) : '';
      let known = this.groups.get(name);
      if (!known) {
        const state = this.saved?.groups.find((saved) => saved.name === name && saved.identity === identity)?.state ?? null;
        known = { identity, group: new ServerGroup(name, this.environment, item.server, state) };
        this.groups.set(name, known);
      }
      actions.push(...known.group.configure(config, item, now));
    }
    this.saved = null;
    return actions;
  }

  /** SPIs of all groups. */
  usesSpi(spi: number): boolean {
    return [...this.groups.values()].some(({ group }) => group.keys.teks.some((tek) => tek.spi === spi));
  }

  rekey(name: string, now: Ms, immediately = false): Action[] {
    return this.groups.get(name)?.group.rekey(now, immediately) ?? [];
  }

  removeMembers(name: string, now: Ms, immediately: boolean): Action[] {
    return this.groups.get(name)?.group.removeMembers(now, immediately) ?? [];
  }

  pullMessage(sa: Phase1Sa, message: Uint8Array, header: IsakmpHeader, now: Ms): Action[] {
    return this.responder.receive(sa, message, header, now);
  }

  phase1Deleted(sa: Phase1Sa): void {
    this.responder.forget(sa);
  }

  /** Exchange 35. Verifies who could have made it and that it comes from where that member is. */
  ackMessage(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    const spi = concatBytes(header.initiatorCookie, header.responderCookie);
    const from = formatIpv4(datagram.remote.address);
    try {
      // RFC 8263 §5: before anything is computed.
      if (!this.recentAcks.add(datagram)) return [{ kind: 'count', counter: 'gdoi_ack_duplicates' }];
      for (const { group } of this.groups.values()) {
        const kek = group.keys.kekOf(spi);
        if (!kek) continue;
        const { sequence, member } = openAck(kek, datagram.bytes, header);
        if (member !== datagram.remote.address)
          throw new WireError('RFC 8263 §3.4', 'identity is not the source address', 'gdoi_acks_rejected');
        return group.acknowledge(kek, sequence, member, now);
      }
      throw new WireError('RFC 8263 §5', 'no KEK has these cookies', 'gdoi_acks_rejected');
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const text = `acknowledgement of a rekey from ${from} rejected: ${error.message}`;
      return [
        { kind: 'count', counter: error.counter, reason: text },
        ...this.limit.log(4, 'KS_ACK_REJECTED', text, now).map((log) => ({ ...log, facility: 'GDOI' })),
      ];
    }
  }

  tick(now: Ms): Action[] {
    this.responder.tick(now);
    return [...this.groups.values()].flatMap(({ group }) => group.tick(now));
  }

  nextTick(): Ms | null {
    const times = [...this.groups.values()].map(({ group }) => group.nextTick()).filter((time) => time !== null);
    return times.length > 0 ? Math.min(...times) : null;
  }

  status(): ServerStatus[] {
    return [...this.groups.values()].flatMap(({ group }) => {
      const config = this.config?.gdoiGroups.get(group.name);
      return config?.server ? [serverStatus(group, config, config.server)] : [];
    });
  }

  private offer(identity: GroupIdentity, sa: Phase1Sa, now: Ms): PullOffer | Refused {
    const wanted = identityKey(identity);
    for (const { identity: key, group } of this.groups.values()) {
      if (key !== wanted) continue;
      const server = this.config?.gdoiGroups.get(group.name)?.server;
      const refusal = this.config && server ? refuseMember(this.config, group.name, server, sa) : null;
      return refusal ?? group.offer(sa, now);
    }
    return { refused: `Registration of ${formatIpv4(sa.remote.address)} refused: this key server has no group with identity ${wanted}` };
  }
}
