// Tunnels as they are now, from round to round: what each last was, how often recursive routing has taken it down, and their netdevs. Does not: decide
// what a tunnel is (tunnels.ts).

import { TunnelWord } from '../mem/tunnel-words.js';
import type { InterfaceRow, TunnelState } from '../tables/message.js';
import type { LinuxState } from './linux-state.js';
import type { Ports } from './ports.js';
import { type EvaluatedTunnel, evaluateTunnels, planTunnelLinks } from './tunnels.js';

export class TunnelStates {
  list: readonly EvaluatedTunnel[] = [];
  private readonly told = new Map<number, TunnelState>();
  /** By port. */
  private readonly recursions = new Map<number, number>();

  /** When each tunnel that sends keepalives was first seen, or last came to be otherwise up; seconds of the workers' clock. */
  private readonly since = new Map<number, number>();

  /** @param words {@link TunnelWord} of each port @param nowSeconds of the workers' clock */
  constructor(
    private readonly words: Int32Array,
    private readonly nowSeconds: () => number,
  ) {}

  /** @returns commands for the netdevs */
  plan(rows: readonly InterfaceRow[], linux: LinuxState): string[] {
    this.list = evaluateTunnels(rows, linux).map((tunnel) => (this.isLost(tunnel) ? { ...tunnel, state: 'no-keepalive' } : tunnel));
    return planTunnelLinks(this.list, linux);
  }

  /** Has a tunnel been lost, or come back, since the last plan? Looked at once a second. */
  get hasChanged(): boolean {
    return this.list.some((tunnel) => tunnel.keepalive !== null && this.isLost(tunnel) !== (tunnel.state === 'no-keepalive'));
  }

  private isLost({ port, state, keepalive }: EvaluatedTunnel): boolean {
    if (keepalive === null || (state !== 'up' && state !== 'no-keepalive')) {
      this.since.delete(port);
      return false;
    }
    const now = this.nowSeconds();
    const since = this.since.get(port) ?? now;
    this.since.set(port, since);
    const last = Math.max(since, Atomics.load(this.words, port * TunnelWord.Count + TunnelWord.KeepaliveSeconds));
    return now - last > keepalive.seconds * keepalive.retries;
  }

  /** Tells every tunnel that is not what it was. */
  announce(changed: (port: number, state: TunnelState) => void): void {
    const ports = new Set(this.list.map(({ port }) => port));
    for (const port of [...this.told.keys()]) if (!ports.has(port)) this.told.delete(port);
    for (const { port, state } of this.list) {
      if (this.told.get(port) === state) continue;
      this.told.set(port, state);
      if (state === 'recursive') this.recursions.set(port, this.recursionsOf(port) + 1);
      changed(port, state);
    }
  }

  recursionsOf(port: number): number {
    return this.recursions.get(port) ?? 0;
  }
}

/** @param errors gets a line per netdev that could not be made */
export async function openTunnels(ports: Pick<Ports, 'openTunnel'>, rows: readonly InterfaceRow[], errors: string[]): Promise<void> {
  for (const row of rows) {
    const { name, device, tunnel } = row;
    if (!tunnel || device === null) continue;
    try {
      await ports.openTunnel({ ...row, device });
    } catch (error) {
      errors.push(`interface ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
