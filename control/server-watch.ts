// Whether the key servers of this router's groups answer. A member hears from its key server when it registers and with a rekey, which may be
// hours apart, so while somebody looks (the status page) every key server is asked once a second: R-U-THERE (RFC 3706) under the IKE SA that there is,
// which an idle one does not survive, and else a main mode. Answered is only what is proved under that SA. Sans-I/O.
// Does not: change what a member does. A key server that is silent is still the one to register with; see dead-peer-detection.ts for `crypto isakmp keepalive`.

import type { Action, Ms } from './actions.js';
import type { Config, GdoiGroup, Ipv4 } from './config/model.js';
import type { GdoiEngine } from './gdoi/gdoi-engine.js';
import type { IkeEngine } from './isakmp/ike-engine.js';
import type { Phase1Sa } from './isakmp/phase1-sa.js';
import { GdoiPort } from './isakmp/ports.js';
import { localAddressFor } from './local-ends.js';

/** Who looks says so every second; then this long nobody has. */
const LookMs = 5000;
const AskMs = 1000;
/** Two or three R-U-THERE without an answer. */
const SilentMs = 2500;
/** Between exchanges that come to nothing. */
const RetryMs = 10_000;

export interface WatchedRouter {
  readonly config: Config;
  readonly gdoi: Pick<GdoiEngine, 'memberGroups'>;
  readonly ike: Pick<IkeEngine, 'sas' | 'ask' | 'initiate'>;
}

export interface ServerAnswer {
  address: Ipv4;
  /** null = it was not heard of yet, and is not overdue. */
  answers: boolean | null;
  heardAt: Ms | null;
  /** Why it does not, in words. */
  reason: string | null;
}

interface Watched {
  heardAt: Ms | null;
  /** The first question since then; null = none is open. */
  askedAt: Ms | null;
  lastAskedAt: Ms;
  /** Of a main mode of ours. */
  begunAt: Ms;
  failure: { at: Ms; reason: string } | null;
}

export class ServerWatch {
  private readonly servers = new Map<Ipv4, Watched>();
  private until: Ms = 0;
  private nextAt: Ms = Number.POSITIVE_INFINITY;

  constructor(private readonly router: WatchedRouter) {}

  /** Somebody looks. */
  look(now: Ms): void {
    this.until = now + LookMs;
    this.nextAt = Math.min(this.nextAt, now);
  }

  /** Phase 1 with it came to nothing: a registration's, or one begun here. */
  failed(address: Ipv4, reason: string, now: Ms): void {
    if (this.groups().some(({ serverAddresses }) => serverAddresses.includes(address))) this.of(address).failure = { at: now, reason };
  }

  /** When tick() has something to do; null = nobody looks. */
  nextTick(): Ms | null {
    return this.nextAt < this.until && this.groups().length > 0 ? this.nextAt : null;
  }

  tick(now: Ms): Action[] {
    if (now < this.nextAt) return [];
    this.nextAt = now < this.until ? now + AskMs : Number.POSITIVE_INFINITY;
    if (now >= this.until) return [];
    const actions: Action[] = [];
    for (const group of this.groups()) {
      for (const address of group.serverAddresses) {
        const watched = this.hear(address, now);
        // Several groups may have the same key server.
        if (now - watched.lastAskedAt >= AskMs) actions.push(...this.ask(watched, address, group, now));
      }
    }
    return actions;
  }

  /** The key servers of a group, in the order of its configuration. */
  answersOf(name: string, now: Ms): ServerAnswer[] {
    const group = this.router.config.gdoiGroups.get(name);
    const rekey = this.router.gdoi.memberGroups().find((status) => status.name === name);
    return (group?.serverAddresses ?? []).map((address) => {
      const watched = this.hear(address, now);
      const rekeyedAt = rekey?.lastRekeyFrom === address ? rekey.lastRekeyAt : null;
      if (rekeyedAt !== null && rekeyedAt > (watched.heardAt ?? 0)) noteHeard(watched, rekeyedAt);
      const isSilent = watched.askedAt !== null && now - watched.askedAt >= SilentMs;
      const answers = isSilent || watched.failure !== null ? false : watched.heardAt === null ? null : true;
      return { address, answers, heardAt: watched.heardAt, reason: watched.failure?.reason ?? (isSilent ? 'no answer' : null) };
    });
  }

  private groups(): GdoiGroup[] {
    return [...this.router.config.gdoiGroups.values()].filter(({ serverAddresses }) => serverAddresses.length > 0);
  }

  private of(address: Ipv4): Watched {
    const known = this.servers.get(address);
    if (known) return known;
    const fresh = { heardAt: null, askedAt: null, lastAskedAt: 0, begunAt: 0, failure: null };
    this.servers.set(address, fresh);
    return fresh;
  }

  /** What its SAs tell. */
  private hear(address: Ipv4, now: Ms): Watched {
    const watched = this.of(address);
    for (const sa of this.sasWith(address)) {
      // Of an exchange on its way nothing is proved, but somebody answers; how it ends is told by failed().
      const heardAt = isUp(sa) ? (sa.heardAt ?? sa.establishedAt) : sa.state.endsWith('_NO_STATE') ? 0 : now;
      if (heardAt > (watched.heardAt ?? 0)) noteHeard(watched, heardAt);
    }
    return watched;
  }

  private ask(watched: Watched, address: Ipv4, group: GdoiGroup, now: Ms): Action[] {
    watched.lastAskedAt = now;
    const isSilent = watched.askedAt !== null && now - watched.askedAt >= SilentMs;
    // The newest: a key server that has begun anew does not know the others.
    const sa = this.sasWith(address).filter(isUp).at(-1);
    const actions = sa ? this.router.ike.ask(sa) : [];
    if (actions.length > 0 && sa) sa.lastUsedAt = now;
    if ((!sa || isSilent) && now - watched.begunAt >= RetryMs) {
      const local = localAddressFor(this.router.config, address, group.registrationInterface);
      watched.begunAt = now;
      if (local !== null) actions.push(...this.router.ike.initiate({ address: local, port: GdoiPort }, { address, port: GdoiPort }, now));
    }
    if (actions.length > 0) watched.askedAt ??= now;
    return actions;
  }

  private sasWith(address: Ipv4): Phase1Sa[] {
    return this.router.ike.sas().filter((sa) => sa.initiator && sa.remote.address === address);
  }
}

function isUp({ state }: Phase1Sa): boolean {
  return state === 'GDOI_IDLE';
}

function noteHeard(watched: Watched, at: Ms): void {
  watched.heardAt = at;
  if (watched.failure !== null && at > watched.failure.at) watched.failure = null;
  if (watched.askedAt !== null && at >= watched.askedAt) watched.askedAt = null;
}
