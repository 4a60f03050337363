// `debug crypto gdoi ...`: what the engines do, seen from outside: datagrams, counted events with their reasons, changes of keys. Switched on
// and off while the router runs. A line never holds a key: it is made of headers, counters' texts, SPIs and lifetimes.
//
//   %GDOI-7-DEBUG: KS:REGISTRATION:ERROR: GROUPKEY-PULL messages whose HASH payload is wrong
//
// Levels include those in front of them: error, terse, event, detail, packet (all-levels is packet).

import type { Datagram, Ms } from './actions.js';
import { formatIpv4 } from './config/addresses.js';
import {
  type DebugFeature,
  type DebugLevel,
  type DebugRole,
  type DebugSelection,
  debugFeatures,
  debugLevels,
} from './config/debug-commands.js';
import type { Config } from './config/model.js';
import { CryptoDebug } from './debug-crypto.js';
import type { GdoiEngine } from './gdoi/gdoi-engine.js';
import { describeKeys } from './gdoi/key-status.js';
import { toHex } from './isakmp/bytes.js';
import { Exchange, HeaderLength } from './isakmp/header.js';
import type { NatDebugLevel } from './nat-log.js';

type Place = [roles: DebugRole | 'both', feature: DebugFeature, level: DebugLevel];

/** Where a counter belongs; those of IKE are infrastructure. */
const places: Record<string, Place> = {
  // What came of it is told at level event.
  ike_requests_received: ['both', 'infrastructure', 'detail'],
  ike_requests_accepted: ['both', 'infrastructure', 'detail'],
  ike_requests_sent: ['both', 'infrastructure', 'detail'],
  ike_requests_begun: ['both', 'infrastructure', 'detail'],
  gdoi_malformed: ['both', 'infrastructure', 'error'],
  gdoi_registrations: ['gm', 'registration', 'event'],
  gdoi_registration_failures: ['gm', 'registration', 'error'],
  gdoi_policy_rejected: ['gm', 'acls', 'error'],
  gdoi_invalid_spi_registrations: ['gm', 'registration', 'event'],
  gdoi_pull_rate_limited: ['ks', 'registration', 'error'],
  gdoi_pull_retransmits: ['both', 'registration', 'event'],
  gdoi_pull_served: ['ks', 'registration', 'event'],
  gdoi_pull_unknown_group: ['ks', 'registration', 'error'],
  gdoi_pull_unauthorized: ['ks', 'registration', 'error'],
  gdoi_pull_auth_failed: ['both', 'registration', 'error'],
  gdoi_pull_unexpected: ['ks', 'registration', 'error'],
  gdoi_sender_ids_allocated: ['ks', 'registration', 'detail'],
  gdoi_sender_ids_exhausted: ['ks', 'registration', 'terse'],
  gdoi_rekeys_sent: ['ks', 'rekey', 'event'],
  gdoi_rekey_retransmits: ['ks', 'rekey', 'event'],
  gdoi_rekeys_acknowledged: ['ks', 'rekey', 'event'],
  gdoi_rekeys_unacknowledged: ['ks', 'rekey', 'error'],
  gdoi_members_removed: ['ks', 'rekey', 'terse'],
  gdoi_rekeys_received: ['gm', 'rekey', 'event'],
  gdoi_rekey_acks_sent: ['gm', 'rekey', 'event'],
  gdoi_push_duplicates: ['gm', 'rekey', 'detail'],
  gdoi_push_rejected_unknown: ['gm', 'rekey', 'error'],
  gdoi_push_rejected_malformed: ['gm', 'rekey', 'error'],
  gdoi_push_rejected_sequence: ['gm', 'replay', 'error'],
  gdoi_push_rejected_signature: ['gm', 'rekey', 'error'],
  gdoi_push_rejected_policy: ['gm', 'rekey', 'error'],
  gdoi_ack_duplicates: ['ks', 'replay', 'detail'],
  gdoi_acks_rejected: ['ks', 'rekey', 'error'],
};
const exchangeNames: Record<number, [name: string, feature: DebugFeature]> = {
  [Exchange.Main]: ['main mode', 'infrastructure'],
  [Exchange.Aggressive]: ['aggressive mode', 'infrastructure'],
  [Exchange.Informational]: ['informational', 'infrastructure'],
  [Exchange.GroupkeyPull]: ['GROUPKEY-PULL', 'registration'],
  [Exchange.GroupkeyPush]: ['GROUPKEY-PUSH', 'rekey'],
  [Exchange.GroupkeyPushAck]: ['GROUPKEY-PUSH-ACK', 'rekey'],
};

export class Debug {
  /** `gm registration` -> level. */
  private readonly levels = new Map<string, DebugLevel>();
  /** `debug ip nat [LIST]`: control/nat-log.ts. */
  nat: NatDebugLevel = 'off';
  natList: string | null = null;

  readonly crypto: CryptoDebug;

  /** @param write one line @param helpOf text of a counter */
  constructor(
    private readonly write: (text: string, facility?: 'CRYPTO') => void,
    private readonly helpOf: (counter: string) => string | undefined,
  ) {
    this.crypto = new CryptoDebug((text) => write(text, 'CRYPTO'));
  }

  get active(): boolean {
    return this.levels.size > 0 || this.nat !== 'off' || this.crypto.active;
  }

  set({ roles, features, level }: DebugSelection, on: boolean): void {
    for (const role of roles)
      for (const feature of features) {
        if (on) this.levels.set(`${role} ${feature}`, level);
        else this.levels.delete(`${role} ${feature}`);
      }
  }

  clear(): void {
    this.crypto.clear();
    this.levels.clear();
    this.nat = 'off';
    this.natList = null;
  }

  /** One line for each that is on, in a fixed order. */
  describe(): string[] {
    const gdoi = [...this.crypto.describe(), ...this.gdoiLevels()];
    if (this.nat === 'off') return gdoi;
    const list = this.natList === null ? '' : ` for access list ${this.natList}`;
    return [...gdoi, `IP NAT ${this.nat === 'detailed' ? 'detailed ' : ''}debugging is on${list}`];
  }

  private gdoiLevels(): string[] {
    return (['gm', 'ks'] as const).flatMap((role) =>
      debugFeatures.flatMap((feature) => {
        const level = this.levels.get(`${role} ${feature}`);
        return level === undefined ? [] : [`GDOI ${role === 'gm' ? 'GM' : 'KS'} ${feature} debugging is on, level ${level}`];
      }),
    );
  }

  /** @param config says what this router is towards the other end */
  datagram(direction: 'sent' | 'received', { local, remote, bytes }: Datagram, config: Config): void {
    if (!this.active || bytes.length < HeaderLength) return;
    this.crypto.datagram(direction, { local, remote, bytes });
    const servers = [...config.gdoiGroups.values()].flatMap(({ serverAddresses }) => serverAddresses);
    const role = servers.includes(remote.address) ? 'gm' : 'ks';
    const [name, feature] = exchangeNames[bytes[18]] ?? [`exchange ${bytes[18]}`, 'infrastructure'];
    const ends = `${direction === 'sent' ? 'to' : 'from'} ${formatIpv4(remote.address)}:${remote.port}, local ${formatIpv4(local.address)}`;
    const cookies = `${toHex(bytes.subarray(0, 8))} ${toHex(bytes.subarray(8, 16))}`;
    this.line(
      role,
      feature,
      'packet',
      `${direction} ${name} ${ends}, ${bytes.length} bytes, cookies ${cookies}, message ID ${toHex(bytes.subarray(20, 24))}`,
    );
  }

  /** @param reason in words, where there is one */
  counted(counter: string, reason: string | undefined): void {
    if (!this.active) return;
    this.crypto.counted(counter, this.helpOf(counter) ?? counter, reason);
    const [roles, feature, level] = places[counter] ?? ['both', 'infrastructure', 'event'];
    const text = `${this.helpOf(counter) ?? counter}${reason === undefined ? '' : `: ${reason}`}`;
    for (const role of roles === 'both' ? (['gm', 'ks'] as const) : [roles]) if (this.line(role, feature, level, text)) return;
  }

  /** Keys of a group changed. */
  changed(group: string, gdoi: Pick<GdoiEngine, 'memberGroups' | 'serverGroups'>, now: Ms): void {
    if (!this.active) return;
    for (const [role, states] of [
      ['gm', gdoi.memberGroups()],
      ['ks', gdoi.serverGroups()],
    ] as const) {
      const state = states.find(({ name }) => name === group);
      if (state) this.line(role, 'acls', 'detail', `group ${group}: ${describeKeys(state.kek, state.teks, now)}`);
    }
  }

  private wants(role: DebugRole, feature: DebugFeature, level: DebugLevel): boolean {
    const chosen = this.levels.get(`${role} ${feature}`);
    return chosen !== undefined && debugLevels.indexOf(level) <= debugLevels.indexOf(chosen);
  }

  private line(role: DebugRole, feature: DebugFeature, level: DebugLevel, text: string): boolean {
    if (!this.wants(role, feature, level)) return false;
    this.write(`${role}:${feature}:${level}`.toUpperCase().concat(`: ${text}`));
    return true;
  }
}

/** For the test that no counter is forgotten. */
export const placedCounters: readonly string[] = Object.keys(places);
