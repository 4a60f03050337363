// What a `tables` message says of a router that has nothing.

import { NatState } from '../tables/layout.js';
import { blobNames, type TablesHead, type TablesRows } from '../tables/message.js';

/** Rows of a router without groups. */
export function emptyRows(): TablesRows {
  const none = new Int32Array(0);
  return {
    aces: none,
    cryptoEntries: none,
    sas: none,
    saKeys: new Uint8Array(0),
    natClauses: none,
    policyEntries: none,
    policyClauses: none,
    qosUses: none,
    qosTests: none,
    qosClasses: none,
    qosReds: none,
  };
}

/** Of a router that has nothing. */
export const noTables: TablesHead = {
  type: 'tables',
  generation: 0,
  interfaces: [],
  staticRoutes: [],
  controlPorts: [],
  espPorts: [],
  groups: [],
  nat: {
    timeouts: new Array(NatState.Count).fill(0),
    maxEntries: 0,
    statics: [],
    pools: [],
    ranges: [],
    limits: [],
    portTimeouts: [],
    routes: [],
  },
  policyHops: [],
  blobs: [...blobNames],
  blobBytes: blobNames.map(() => 0),
};
