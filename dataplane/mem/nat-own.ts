// Ends the sessions of addresses that are no longer ours: another address of the interface, another pool, a static translation that is gone. What
// came back could not reach us, and what the inside sends would keep them alive for ever. Of one worker. Does not: know statements; what is
// begun by one that is gone goes on while its address is ours.

import { Cap, NatRange, NatRow } from '../tables/layout.js';
import { isLocal } from './hash.js';
import type { NatRules } from './nat-rules.js';
import type { NatSessions } from './nat-sessions.js';
import { BankCount, PortRow } from './shared.js';
import type { Tables } from './tables.js';

export class NatOwn {
  /** What was ours: own addresses, ranges of NAT, the first address of each port. */
  private known: Int32Array = new Int32Array(0);

  constructor(
    private readonly tables: Tables,
    private readonly rules: NatRules,
    private readonly sessions: NatSessions,
  ) {}

  /** Tables have changed. Rows are looked at only when addresses have: all of them, which takes some 30 ms for a million. */
  adopt(): void {
    const { localAddresses, natRanges, ports, counts } = this.tables;
    const now = [
      ...localAddresses.subarray(0, counts[BankCount.LocalAddresses]),
      ...natRanges.subarray(0, counts[BankCount.NatRanges] * NatRange.Words),
      ...Array.from({ length: Cap.Ports }, (_, port) => ports[port * PortRow.Words + PortRow.Address]),
    ];
    const isSame = now.length === this.known.length && now.every((word, at) => word === this.known[at]);
    if (isSame) return;
    this.known = Int32Array.from(now);
    const { rows, used } = this.sessions;
    for (let row = 0; row < used; row++)
      if (rows[row * NatRow.Words + NatRow.Protocol] !== 0 && this.isLost(row)) this.sessions.remove(row);
  }

  private isLost(row: number): boolean {
    const { rows } = this.sessions;
    const at = row * NatRow.Words;
    if (rows[at + NatRow.Rule] < 0) return false; // the router's own: its port is kept until it is quiet
    const global = rows[at + NatRow.GlobalAddress];
    const local = rows[at + NatRow.OutsideLocal];
    if (global !== rows[at + NatRow.InsideAddress] && !this.isOurs(global)) return true;
    return local !== rows[at + NatRow.OutsideAddress] && !this.rules.isNats(local);
  }

  private isOurs(address: number): boolean {
    const { localSet, ports } = this.tables;
    if (isLocal(localSet, address) || this.rules.isNats(address)) return true;
    for (let port = 0; port < Cap.Ports; port++) if (ports[port * PortRow.Words + PortRow.Address] === address) return true;
    return false;
  }
}
