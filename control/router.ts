// One router instance as control sees it: configuration, engines, keys, tables and saved state, tied together. No sockets and no
// timers: main.ts feeds datagrams and time in, and gives the means to send, publish, save and log.

import { randomBytes } from 'node:crypto';
import type { DataplaneEvent, SnapshotHead, TablesHead } from '../dataplane/tables/message.js';
import type { Action, Datagram, Ms } from './actions.js';
import type { CounterSet } from './api/counters.js';
import { ClosedMaps } from './closed-maps.js';
import { Allocation, CapacityError } from './compile/allocation.js';
import type { SaDirection } from './compile/direction.js';
import { interfacesByPort } from './compile/interfaces-by-port.js';
import { pairMaterials } from './compile/pairs.js';
import { compileTables, type Tables } from './compile/tables.js';
import { diffConfig } from './config/diff.js';
import type { Config } from './config/model.js';
import { DataplaneEvents } from './dataplane-events.js';
import type { DataplaneHello } from './dataplane-link.js';
import { Debug } from './debug.js';
import { hasRoomForFlow } from './flow-room.js';
import { GdoiEngine } from './gdoi/gdoi-engine.js';
import { GroupClocks } from './group-clocks.js';
import { groupKeysOf } from './group-keys.js';
import { IkeUsers } from './ike-users.js';
import { configuredPolicies } from './ipsec/configured-policies.js';
import { IpsecEngine } from './ipsec/ipsec-engine.js';
import { Exchange } from './isakmp/header.js';
import { IkeEngine } from './isakmp/ike-engine.js';
import { settingsOf } from './isakmp/ike-options.js';
import { unwrapNonEsp, wrapNonEsp } from './isakmp/nat-traversal.js';
import { IvSpaces } from './iv-spaces.js';
import type { KeySink } from './key-log.js';
import { acceptsOffers, localAddressFor } from './local-ends.js';
import type { SystemLog } from './log.js';
import { type Membership, membershipsOf } from './multicast-sockets.js';
import { Outbox } from './outbox.js';
import { noCertificates } from './pki/certificate-store.js';
import type { RsaKeys } from './pki/rsa-keys.js';
import type { Trustpoints } from './pki/trustpoints.js';
import { SecurityLog } from './security-log.js';
import { ServerWatch } from './server-watch.js';
import type { SealedStore } from './store/sealed-store.js';

export interface RouterMeans {
  log: SystemLog;
  counters: CounterSet;
  store: SealedStore;
  rsaKeys: RsaKeys;
  /** null: no certificates. */
  trustpoints?: Trustpoints | null;
  keyLog: KeySink | null;
  /** @returns false when there is no socket for the datagram's local address */
  send(datagram: Datagram): boolean;
  publish(head: TablesHead, blobs: Uint8Array[]): void;
  /** Multicast groups that rekeys come to; nothing else is listened for there. */
  join(memberships: readonly Membership[]): void;
}

export const routerCounters = [
  { name: 'multicast_rejected', help: 'Datagrams to a multicast group of rekeys that are no rekey' },
  { name: 'invalid_spi', help: 'Reports of ESP for us with an SPI that we do not have (rate-limited by the packet path)' },
];

const GdoiState = 'gdoi';

export class Router {
  readonly allocation = new Allocation();
  readonly ike: IkeEngine;
  readonly gdoi: GdoiEngine;
  readonly ipsec: IpsecEngine;
  readonly watch: ServerWatch;
  readonly startedAt: Ms;
  /** What the last compilation gave; null before the first. */
  tables: Tables | null = null;
  readonly debug: Debug;
  private generation = 0;
  private started = false;
  private publishable = false;
  private readonly ivSpaces: IvSpaces;
  private readonly directions = new Map<string, SaDirection>();
  readonly clocks = new GroupClocks();
  readonly closedMaps = new ClosedMaps();
  private readonly securityLog: SecurityLog;
  private readonly events: DataplaneEvents;
  private readonly outbox: Outbox;

  constructor(
    public config: Config,
    private readonly means: RouterMeans,
    now: Ms,
  ) {
    this.startedAt = now;
    this.securityLog = new SecurityLog(means.log);
    this.outbox = new Outbox((datagram) => {
      this.debug.datagram('sent', datagram, this.config);
      means.send(wrapNonEsp(datagram));
    });
    this.events = new DataplaneEvents(this, means.log, means.counters);
    this.debug = new Debug(
      (text, facility: string = 'GDOI') => means.log.write(facility, 7, 'DEBUG', text),
      (counter) => means.counters.helpOf(counter),
    );
    const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
    this.gdoi = new GdoiEngine({
      config,
      random,
      localAddressFor: (remote, from) => localAddressFor(this.config, remote, from),
      signingKey: (label) => means.rsaKeys.privateKey(label),
    });
    const hasRoom = (): boolean => hasRoomForFlow(this.tables, this.config);
    this.ipsec = new IpsecEngine({ random, spiTaken: (spi) => this.gdoi.usesSpi(spi), hasRoom });
    means.trustpoints?.configure(config);
    this.watch = new ServerWatch(this);
    this.ike = new IkeEngine({
      ...settingsOf(config, means.trustpoints ?? noCertificates),
      random,
      user: new IkeUsers(this.gdoi, this.ipsec, this.watch),
      acceptInbound: acceptsOffers(config),
      registrationRate: config.registrationRate,
    });
    this.gdoi.attach(this.ike);
    this.ipsec.attach(this.ike);
    this.ipsec.configure(configuredPolicies(config), now);
    this.ivSpaces = new IvSpaces(means.store);
  }

  get trustpoints(): Trustpoints | null {
    return this.means.trustpoints ?? null;
  }

  get running(): boolean {
    return this.started;
  }

  /** Starts the engines, once. @param resume members go on with their saved keys; else they register afresh. A key server always goes on. */
  start(resume: boolean, now: Ms): void {
    if (this.started) return;
    this.started = true;
    const saved = this.means.store.loadWithJournal(GdoiState);
    if (saved) this.gdoi.importState(saved.bytes, now, { members: resume }, saved.entries);
    this.perform(this.gdoi.start(now), now);
    this.means.join(membershipsOf(this.gdoi));
  }

  /**
   * A dataplane said hello. One that forwards already (its generation > 0: we were restarted) must not see a table without its SAs, so the
   * engines start first; else they start when interfaces and sockets are there (main.ts). Sender IDs whose IV counters died with a dataplane are replaced.
   * @param snapshot what that dataplane runs now
   */
  dataplaneUp({ generation, knownSenders, workers }: DataplaneHello, snapshot: SnapshotHead | null, now: Ms): void {
    this.gdoi.senderIdsWanted = workers;
    if (snapshot) this.allocation.seed(snapshot);
    this.allocation.hits.forgetCleared();
    this.generation = Math.max(this.generation, generation);
    this.publishable = true;
    this.ivSpaces.dataplaneUp(knownSenders); // before anything is published
    this.perform(this.ipsec.dataplaneUp(new Set(knownSenders), now), now);
    if (generation > 0) this.start(true, now);
    for (const { name } of this.gdoi.memberGroups()) {
      const { teks, senderIds } = this.gdoi.policyOf(name);
      if (senderIds?.values.some((sid) => !this.ivSpaces.usable(teks, sid))) this.perform(this.gdoi.renewSenderIds(name, now), now);
    }
    this.publishTables(now);
  }

  /** The packet path has these tables in force. */
  applied(generation: number): void {
    this.outbox.applied(generation);
    for (const { severity, text } of this.closedMaps.applied(generation)) this.means.log.write('CRYPTO', severity, 'FAIL_CLOSE', text);
  }

  dataplaneDown(): void {
    this.publishable = false;
    this.outbox.applied(Number.POSITIVE_INFINITY);
  }

  /** Something the packet path saw that only control can judge. */
  dataplaneEvent(event: DataplaneEvent, now: Ms): void {
    if (event.kind === 'acl-log' || event.kind === 'acl-log-missed') this.securityLog.receive(event, this, now);
    else this.events.receive(event, now);
  }

  readonly interfaceOf = (port: number): string | undefined => interfacesByPort(this.config, this.allocation).get(port);

  receive(datagram: Datagram, now: Ms): void {
    if (!this.started) return;
    const message = unwrapNonEsp(datagram);
    if (typeof message === 'string') {
      this.means.counters.add(message);
      return;
    }
    this.debug.datagram('received', message, this.config);
    this.perform(this.ike.receive(message, now), now);
  }

  /** What came to a multicast group: rekeys, and nothing else is looked at. */
  receiveMulticast(datagram: Datagram, now: Ms): void {
    if (datagram.bytes[18] === Exchange.GroupkeyPush) this.receive(datagram, now);
    else this.means.counters.add('multicast_rejected');
  }

  tick(now: Ms): void {
    this.securityLog.tick(now);
    this.outbox.tick(now);
    if (!this.started) return;
    this.perform([...this.ike.tick(now), ...this.gdoi.tick(now), ...this.ipsec.tick(now), ...this.watch.tick(now)], now);
    if (this.tables?.nextChange != null && this.tables.nextChange <= now) this.publishTables(now);
  }

  /** When tick() has something to do next. */
  nextTick(): Ms | null {
    const engines = [this.ike.nextTick(), this.gdoi.nextTick(), this.ipsec.nextTick(), this.watch.nextTick()];
    const times = [...engines, this.securityLog.nextTick(), this.outbox.nextTick(), this.tables?.nextChange ?? null].filter(
      (time) => time !== null,
    );
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Applies a verified configuration; unchanged groups keep their keys, unchanged interfaces their flows. @returns the families that changed; nothing is touched when none did */
  reconfigure(config: Config, now: Ms): string[] {
    const changed = diffConfig(this.config, config);
    this.config = config;
    if (changed.size === 0) return [];
    this.means.trustpoints?.configure(config);
    const settings = settingsOf(config, this.means.trustpoints ?? noCertificates);
    const limits = { acceptInbound: acceptsOffers(config), registrationRate: config.registrationRate };
    const ended = this.ike.reconfigure({ ...settings, ...limits }, now);
    ended.push(...this.ipsec.configure(configuredPolicies(config), now));
    if (this.started) this.perform([...this.gdoi.reconfigure(config, now), ...ended], now);
    this.publishTables(now);
    return [...changed].map(String);
  }

  /** Carries actions out in order: state is on disk before the message that depends on it leaves. */
  perform(actions: readonly Action[], now: Ms): void {
    this.debug.crypto.begin(now);
    let changed = false;
    let sasChanged = false;
    let isHeld = false;
    for (const action of actions) {
      if (action.kind === 'send') {
        // The peer may send under a new SA as soon as it has the message.
        if (sasChanged) this.publishTables(now);
        isHeld ||= sasChanged && this.publishable;
        sasChanged = false;
        this.outbox.post(action.datagram, isHeld ? this.generation : null, now);
      } else if (action.kind === 'log') this.means.log.write(action.facility, action.severity, action.mnemonic, action.text);
      else if (action.kind === 'count') this.count(action.counter, action.reason);
      else if (action.kind === 'key-log') this.means.keyLog?.writeIke(action.initiatorCookie, action.encryptionKey);
      else if (action.kind === 'journal') {
        if (!this.means.store.append(GdoiState, action.entry)) this.means.store.save(GdoiState, this.gdoi.exportState());
      } else if (action.kind === 'sas-changed') sasChanged = true;
      else {
        this.means.store.save(GdoiState, this.gdoi.exportState());
        this.debug.changed(action.group, this.gdoi, now);
        changed = true;
      }
    }
    if (changed || sasChanged) this.publishTables(now);
    if (changed) this.means.join(membershipsOf(this.gdoi));
    this.debug.crypto.observe(() => this.ike.sas(), this.ipsec.pairs);
  }

  private count(counter: string, reason: string | undefined): void {
    this.means.counters.add(counter);
    this.debug.counted(counter, reason);
  }

  private publishTables(now: Ms): void {
    if (!this.publishable) return;
    const { gdoi, ivSpaces, clocks } = this;
    const keys = groupKeysOf({ gdoi, ivSpaces, clocks, directionOf: (group) => this.directionOf(group) }, now);
    try {
      this.tables = compileTables(this.config, keys, this.allocation, ++this.generation, now, this.ipsec.pairs);
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error;
      this.means.log.write('CRYPTO', 3, 'TABLE_FULL', `${error.message}: the tables before stay in force`);
      return;
    }
    this.ivSpaces.remember(keys);
    this.closedMaps.publish(this.generation, this.tables.closedMaps);
    for (const sa of [...[...keys.values()].flatMap(({ teks }) => teks), ...pairMaterials(this.ipsec.pairs)])
      this.means.keyLog?.writeTek(sa);
    this.means.publish(this.tables.head, this.tables.blobs);
  }

  /** `crypto gdoi gm ipsec direction`: `both` is what configuration and key server say. */
  setDirection(group: string, direction: SaDirection, now: Ms): void {
    if (direction === 'both') this.directions.delete(group);
    else this.directions.set(group, direction);
    this.publishTables(now);
  }

  /** What is chosen here; null = the key server says it. */
  directionOf(group: string): SaDirection | null {
    return this.directions.get(group) ?? (this.config.gdoiGroups.get(group)?.passive ? 'inbound-optional' : null);
  }
}
