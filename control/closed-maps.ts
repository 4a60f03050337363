// Crypto maps that are closed (`fail-close`), as the packet path has them: keys expire a moment before it acts on that, and what is said of a map is what
// happens to packets.

import type { Severity } from './actions.js';

export class ClosedMaps {
  private inForce: readonly string[] = [];
  private readonly published: { generation: number; closed: readonly string[] }[] = [];

  /** @param closed names of the maps that these tables close */
  publish(generation: number, closed: readonly string[]): void {
    this.published.push({ generation, closed });
  }

  /** These tables are in force, and none before them. @returns a line for each map that has closed or opened by it */
  applied(generation: number): { severity: Severity; text: string }[] {
    const before = this.inForce;
    while (this.published.length > 0 && this.published[0].generation <= generation) this.inForce = this.published.shift()!.closed;
    const closed = this.inForce.filter((map) => !before.includes(map));
    const opened = before.filter((map) => !this.inForce.includes(map));
    return [
      ...closed.map((map) => ({
        severity: 4 as const,
        text: `crypto map ${map} is closed: nothing passes in the clear until its groups are registered`,
      })),
      ...opened.map((map) => ({ severity: 5 as const, text: `crypto map ${map} is open: the policy of its groups is in force` })),
    ];
  }

  has(map: string): boolean {
    return this.inForce.includes(map);
  }
}
