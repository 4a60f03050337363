// A router whose NAT is IOS text, through control's compiler: port 0 is inside 10.0.1.0/24, port 1 outside 172.16.1.0/24 with the default route.

import { Allocation } from '../../../control/compile/allocation.js';
import { compileTables } from '../../../control/compile/tables.js';
import { parseConfig } from '../../../control/config/parse.js';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { readTables } from '../../../dataplane/port/validate-tables.js';
import { Router, type TablesSpec } from '../router.js';
import { Workers } from '../workers.js';

const interfaces = `interface eth0
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
interface eth1
 ip address 172.16.1.2 255.255.255.0
 ip nat outside
`;

export function tablesOf(text: string, more: Partial<TablesSpec> = {}): TablesSpec {
  const { config, problems } = parseConfig(interfaces + text);
  const wrong = problems.find(({ severity }) => severity === 'error');
  if (wrong) throw new Error(`${wrong.text}: ${wrong.message}`);
  const { head, blobs } = compileTables(config, new Map(), new Allocation(), 1, 0);
  const { rows } = readTables(JSON.parse(JSON.stringify(head)), new Uint8Array(Buffer.concat(blobs)));
  return {
    ports: [
      { address: '10.0.1.1', nat: NatSide.Inside },
      { address: '172.16.1.2', nat: NatSide.Outside },
    ],
    acls: [],
    entries: [],
    sas: [],
    routes: [
      { prefix: '0.0.0.0/0', port: 1, via: '172.16.1.1' },
      { prefix: '172.16.1.0/24', port: 1 },
      { prefix: '10.0.0.0/16', port: 0 },
    ],
    locals: ['10.0.1.1', '172.16.1.2'],
    natTables: { clauses: rows.natClauses, aces: rows.aces, head: head.nat },
    natTimeouts: head.nat.timeouts.map((seconds) => (seconds === 0 ? 0x7fffffff : seconds)),
    ...(head.nat.maxEntries > 0 ? { natSessions: head.nat.maxEntries } : {}),
    ...more,
  };
}

/** @param text global configuration */
export function routerOf(text: string, more: Partial<TablesSpec> = {}): Router {
  return new Router(tablesOf(text, more));
}

export function workersOf(count: number, text: string): Workers {
  return new Workers(count, tablesOf(text));
}
