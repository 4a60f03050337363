// The rows of a tables message (message.ts) by the names of its blobs.

import type { Ace, CryptoEntry, NatClause, PolicyClause, PolicyEntry, QosClass, QosRed, QosTest, QosUse, Sa, SaKey } from './layout.js';

/** Rows that travel with TablesHead. Lengths are multiples of the row sizes; `sas` and `saKeys` are indexed by slot (empty slot: serial 0). */
export interface TablesRows {
  /** {@link Ace} */
  aces: Int32Array;
  /** {@link CryptoEntry} */
  cryptoEntries: Int32Array;
  /** {@link Sa} */
  sas: Int32Array;
  /** {@link SaKey} */
  saKeys: Uint8Array;
  /** {@link NatClause} */
  natClauses: Int32Array;
  /** {@link PolicyEntry} */
  policyEntries: Int32Array;
  /** {@link PolicyClause} */
  policyClauses: Int32Array;
  /** {@link QosUse}: none, or two for each port. */
  qosUses: Int32Array;
  /** {@link QosTest} */
  qosTests: Int32Array;
  /** {@link QosClass} */
  qosClasses: Int32Array;
  /** {@link QosRed} */
  qosReds: Int32Array;
}
export type RowTypes = [Ace, CryptoEntry, Sa, SaKey, NatClause, PolicyEntry, PolicyClause, QosUse, QosTest, QosClass, QosRed];
