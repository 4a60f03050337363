// Brings the machine to the desired state, again and again: whenever control sends tables and whenever the kernel's netdevs, addresses
// or routes change. Every round starts from a dump of what is there, so what somebody else removed comes back and what cannot be
// done now (a netdev that is not there yet) is done when it can. Order of a round:
//
//   addresses, up/down -> links, settings -> table G, static routes -> rules, guard, tables T and L -> banks (only when their content changed)
//
// Does not: talk to control (it reports through its events), or forward.

import { SlotShape } from '../mem/slots.js';
import type { InterfaceRow, TablesHead, TunnelState } from '../tables/message.js';
import { planClear, planCloseFirst } from './closed-ports.js';
import { emptyRows, noTables } from './empty-tables.js';
import { listLocalAddresses, mirrorFib } from './fib-mirror.js';
import { describePorts, planInterfaces } from './interfaces.js';
import { planGuard } from './leak-guard.js';
import { type LinuxState, RouteTable, readLinux } from './linux-state.js';
import { groupNeighbours, listGroups, planGroups } from './multicast.js';
import { applyAliases } from './nat-aliases.js';
import type { NeighbourWatch } from './neighbour-watch.js';
import { planNeighbours } from './neighbours.js';
import { hopRows, planHops, planSenders } from './policy-hops.js';
import type { Ports } from './ports.js';
import { type BankContent, isSameContent, isSameList, type PortState, type Publisher } from './publisher.js';
import { diffRoutes, type PlannedRoute, planGatewayTable, planPortTable, planProgramTable } from './routes.js';
import { diffRules, isTunnel, type PortDevices, planRules, Table } from './rules.js';
import { describeErrors, runBatch } from './run-command.js';
import { planMainRoutes } from './static-routes.js';
import { refusedSettings, setDevice, setGlobals } from './sysctl.js';
import { openTunnels, type TunnelStates } from './tunnel-states.js';
import { tunnelRows } from './tunnels.js';
import type { UndoLedger } from './undo-ledger.js';
import type { Tables } from './validate-tables.js';

export interface ApplierEvents {
  applied(generation: number, errors: string[]): void;
  interfaceChanged(row: InterfaceRow, state: PortState, mac: string): void;
  tunnelChanged(port: number, state: TunnelState): void;
  /** Errors that appeared or went away without new tables. */
  errorsChanged(errors: string[]): void;
  /** So many neighbours had no room: what is for them goes through the TUN. */
  neighboursLeft(count: number): void;
  /** The workers do not answer, or ip cannot be run: the process cannot go on. */
  failed(error: Error): void;
}

export class Applier {
  private desired: Tables = { head: noTables, rows: emptyRows() };
  private published: BankContent | null = null;
  private running = false;
  private pending = false;
  private neighboursPending = false; // no round is needed for them alone
  private stopped = false;
  /** Tables came and `applied` has not been said. A control that restarted may count its generations from 1 again. */
  private unanswered = false;
  private lastErrors: string[] = [];
  private announced = new Map<number, string>();
  private round: Promise<void> = Promise.resolve();
  generation = 0; // applied now, 0 = none
  /** The kernel as of the last round. */
  linux: LinuxState = { links: new Map(), addresses: [], routes: [], rules: [] };
  portStates: PortState[] = [];

  constructor(
    private readonly ledger: UndoLedger,
    private readonly ports: Ports,
    private readonly watch: NeighbourWatch,
    private readonly publisher: Publisher,
    readonly tunnels: TunnelStates,
    private readonly events: ApplierEvents,
  ) {}

  get interfaces(): readonly InterfaceRow[] {
    return this.desired.head.interfaces;
  }
  get tables(): Tables {
    return this.desired;
  }

  /** What the current bank routes by. */
  get routes(): BankContent['routes'] {
    return this.published?.routes ?? [];
  }

  /** Takes new desired state; `applied` follows when it is in force. */
  setTables(tables: Tables): void {
    this.desired = tables;
    this.unanswered = true;
    this.schedule();
  }

  /** Something in the kernel may have changed. Before the first tables there is nothing to compare with: what an earlier process left stays, the leak guard above all. */
  schedule(): void {
    if (this.stopped || this.desired.head === noTables) return;
    this.pending = true;
    if (this.running) return;
    this.running = true;
    this.round = this.runRounds();
  }

  /** There is a new dump of neighbours. */
  takeNeighbours(): void {
    if (this.stopped || !this.published) return;
    this.neighboursPending = true;
    if (this.running) return;
    this.running = true;
    this.round = this.runRounds();
  }

  /** No round starts after this. Resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.pending = false;
    this.neighboursPending = false;
    await this.round;
  }

  private async runRounds(): Promise<void> {
    await null; // so that `round` is set before the first round's events
    try {
      while ((this.pending || this.neighboursPending) && !this.stopped) {
        this.neighboursPending = false;
        if (!this.pending) {
          await this.publishNeighbours();
          continue;
        }
        this.pending = false;
        const tables = this.desired;
        const isNew = this.unanswered;
        this.unanswered = false;
        const errors = await this.runRound(tables);
        if (!this.stopped) this.report(tables.head.generation, errors, isNew);
      }
    } catch (error) {
      this.events.failed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.running = false;
    }
  }

  private report(generation: number, errors: string[], isNew: boolean): void {
    this.generation = generation;
    const changed = errors.join('\n') !== this.lastErrors.join('\n');
    this.lastErrors = errors;
    if (isNew) this.events.applied(generation, errors);
    else if (changed) this.events.errorsChanged(errors);
  }

  private async runRound(tables: Tables): Promise<string[]> {
    const errors: string[] = [];
    const { head } = tables;
    await openTunnels(this.ports, head.interfaces, errors); // before addresses, which need their netdevs
    let state = this.change(planInterfaces(head.interfaces, readLinux(), this.ledger, errors), errors) ?? readLinux();
    // A TUN that is made again is another one, and what was routed to it is gone.
    if (await this.changePorts(head, state, errors)) state = readLinux();
    // Closed ports are guarded before the kernel is told to forward on them.
    state = this.change(planCloseFirst(tables.rows, this.ports.list(), state), errors) ?? state;
    setGlobals(this.ledger);
    for (const port of this.ports.list()) if (!isTunnel(port)) setDevice(this.ledger, port.device);
    state = this.change(this.ports.planLinks(state), errors) ?? state;
    // Before the static routes: the kernel asks table G where their gateways are.
    state = this.changeRoutes(state, planGatewayTable(this.ports.list(), state), Table.Gateways, errors);
    // Twice: some go by others, which may have come just now.
    for (const told of [[], errors]) state = this.changeRoutes(state, planMainRoutes(head, state, told), RouteTable.Main, told);
    const devices = this.ports.list();
    state = this.change(this.tunnels.plan(head.interfaces, state), errors) ?? state;
    this.change(this.planPolicy(tables, devices, state), errors);
    applyAliases(this.ledger, head, devices, state, errors);
    this.linux = state;
    await this.publish(tables, devices, state, errors);
    this.announce(head.interfaces, state);
    return [...errors, ...refusedSettings()];
  }

  /** @returns the state afterwards, null when there was nothing to change */
  private change(commands: readonly string[], errors: string[]): LinuxState | null {
    if (commands.length === 0) return null;
    errors.push(...describeErrors(runBatch(commands)));
    return readLinux();
  }

  private changeRoutes(state: LinuxState, planned: readonly PlannedRoute[], table: number, errors: string[]): LinuxState {
    const commands = diffRoutes(state, planned, (other) => other === table);
    return this.change(commands, errors) ?? state;
  }

  /** @returns whether any was closed or opened */
  private async changePorts({ interfaces: rows, policyHops: hops }: TablesHead, state: LinuxState, errors: string[]): Promise<boolean> {
    let changed = false;
    const own = listLocalAddresses(this.ports.list(), state).sort((a, b) => a - b);
    this.ports.groups = listGroups(rows);
    this.ports.senders = planSenders(hops, devicesOf(rows), state);
    for (const { port, device } of this.ports.list()) {
      const row = rows.find((candidate) => candidate.port === port);
      if (this.ports.isAsWanted(port, row, state.links.get(device), own)) continue;
      await this.ports.close(port);
      changed = true;
    }
    for (const row of rows) {
      const { port, device, name } = row;
      const link = device === null ? undefined : state.links.get(device);
      if (device === null || !link || row.tunnel) continue;
      if (link.mtu > SlotShape.MaxPacket)
        errors.push(`interface ${name}: ${device} has an MTU of ${link.mtu} bytes: packets over ${SlotShape.MaxPacket} are dropped`);
      if (this.ports.find(port)) continue;
      try {
        await this.ports.open({ ...row, device }, link, own);
        changed = true;
      } catch (error) {
        errors.push(`interface ${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    try {
      await this.ports.setOwnAddresses(own);
    } catch (error) {
      // The kernel forwards what the sockets take too: the next round opens these ports again, with what is possible then.
      errors.push(`port-driver packet: ${error instanceof Error ? error.message : String(error)}`);
      for (const { port, driver } of this.ports.list()) if (driver === 'packet') await this.ports.close(port);
      this.pending = true;
      changed = true;
    }
    this.watch.follow(this.ports.list());
    return changed;
  }

  private planPolicy(tables: Tables, devices: readonly PortDevices[], state: LinuxState): string[] {
    const hops = planHops(tables.head.policyHops, devices, this.ports.senders);
    const routes = [
      ...devices.flatMap((port) => planPortTable(port, state)),
      ...planProgramTable(devices, state),
      ...planClear(tables.rows, devices, state),
      ...hops.routes,
    ];
    const guard = planGuard(tables.rows.aces, tables.rows.cryptoEntries, devices);
    const { interfaces, controlPorts, espPorts } = tables.head;
    const filtered = new Set(interfaces.flatMap(({ port, filterIn }) => (filterIn === null ? [] : [port])));
    const rules = planRules(devices, controlPorts, listLocalAddresses(devices, state), filtered, espPorts);
    return [
      ...diffRoutes(state, routes, (table) => table !== RouteTable.Main && table !== Table.Gateways),
      ...diffRules(state.rules, [...rules, ...hops.rules, ...guard]),
    ];
  }

  private async publish(tables: Tables, devices: readonly PortDevices[], state: LinuxState, errors: string[]): Promise<void> {
    this.portStates = describePorts(tables.head.interfaces, new Set(devices.map(({ port }) => port)), state);
    const routes = mirrorFib(devices, state);
    const content: BankContent = {
      rows: tables.rows,
      ports: this.portStates,
      routes: this.published && isSameList(this.published.routes, routes) ? this.published.routes : routes,
      localAddresses: listLocalAddresses(devices, state),
      neighbours: this.neighbours(devices, state),
      groups: planGroups(tables.head.interfaces, errors),
      nat: tables.head.nat,
      tunnels: tunnelRows(tables.head.interfaces, this.tunnels.list),
      policyHops: hopRows(tables.head.policyHops, this.ports.senders, (port, hop) => this.ports.hasSender(port, hop)),
    };
    if (this.published && isSameContent(this.published, content)) return;
    errors.push(...(await this.publisher.publish(content)));
    this.published = content;
  }

  private neighbours(devices: readonly PortDevices[], state: LinuxState): Int32Array {
    const known = [...this.watch.neighbours, ...groupNeighbours(this.interfaces, devices)];
    const { rows, left } = planNeighbours(devices, known, state.links);
    this.events.neighboursLeft(left);
    return rows;
  }

  private async publishNeighbours(): Promise<void> {
    if (!this.published) return;
    const content = { ...this.published, neighbours: this.neighbours(this.ports.list(), this.linux) };
    if (isSameContent(this.published, content)) return;
    await this.publisher.publish(content); // what does not fit was told by the round
    this.published = content;
  }

  private announce(rows: readonly InterfaceRow[], state: LinuxState): void {
    this.tunnels.announce(this.events.tunnelChanged);
    for (const row of rows) {
      const port = this.portStates.find((candidate) => candidate.port === row.port);
      if (!port) continue;
      const mac = state.links.get(row.device ?? 'lo')?.mac ?? '';
      const now = `${port.up} ${port.mtu} ${mac}`;
      if (this.announced.get(row.port) === now) continue;
      this.announced.set(row.port, now);
      this.events.interfaceChanged(row, port, mac);
    }
  }
}

function devicesOf(rows: readonly InterfaceRow[]): { port: number; device: string }[] {
  return rows.flatMap(({ port, device }) => (device === null ? [] : [{ port, device }]));
}
