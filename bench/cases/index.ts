// What is measured: each case is one configuration with the traffic that shows what it costs. Issues that add a stage add cases here.

import type { Env } from '../../dataplane/env.js';
import { natTables } from '../../test/path/nat/flows.js';
import type { TablesSpec, TransformName } from '../../test/path/router.js';
import { aclTables, aclTraffic } from './acl.js';
import { fibRoutes, fibTraffic } from './fib.js';
import { clearTraffic, openTraffic, openUdpTraffic, sealTraffic, tablesFor, tunnelTables } from './member.js';
import { makeSessions, natTraffic } from './nat.js';
import { qosNoneTables, qosOutTables, qosTraffic } from './qos.js';
import { synTraffic, tcpTables, tcpTraffic } from './tcp.js';

export type Mix = '64' | '1400' | 'imix';
/** Bytes of the datagrams that come in (the inner ones, where ESP comes in), in this order, over and over. */
export const mixes: Record<Mix, readonly number[]> = {
  64: [64],
  1400: [1400],
  imix: [64, 570, 64, 570, 64, 64, 1400, 64, 570, 64, 570, 64], // 7 : 4 : 1
};

export interface Workload {
  tables: TablesSpec;
  /** Instead of those of the tables. */
  routes?: ReturnType<typeof fibRoutes>;
  /** Read by port 0 in turn, again and again. */
  packets: Uint8Array[];
  /** Before the first packet. */
  prepare?: (env: Env) => void;
}

export interface PathCase {
  name: string;
  sizes: readonly Mix[];
  make: (lengths: readonly number[]) => Workload;
}

const all: readonly Mix[] = ['64', '1400', 'imix'];
const small: readonly Mix[] = ['64'];

function aclCase(rows: number): PathCase {
  return { name: `acl-${rows}`, sizes: small, make: () => ({ tables: aclTables(rows), packets: aclTraffic(rows) }) };
}

function fibCase(routes: number, label: string): PathCase {
  const make = (): Workload => {
    const table = fibRoutes(routes);
    return { tables: tablesFor('clear'), routes: table, packets: fibTraffic(table) };
  };
  return { name: `fib-${label}`, sizes: small, make };
}

function natCase(sessions: number, label: string, sizes: readonly Mix[]): PathCase {
  const make = (lengths: readonly number[]): Workload => ({
    tables: natTables(),
    packets: natTraffic(sessions, lengths),
    prepare: (env) => makeSessions(env, sessions),
  });
  return { name: `nat-${label}`, sizes, make };
}

function cryptoCases(transform: TransformName): PathCase[] {
  return [
    {
      name: `seal-${transform}`,
      sizes: all,
      make: (lengths) => ({ tables: tablesFor('seal', transform), packets: sealTraffic(lengths) }),
    },
    {
      name: `open-${transform}`,
      sizes: all,
      make: (lengths) => ({ tables: tablesFor('open', transform), packets: openTraffic(transform, lengths) }),
    },
  ];
}

const udpCases: readonly PathCase[] = [
  { name: 'seal-udp', sizes: all, make: (lengths) => ({ tables: tablesFor('seal', 'gcm-256', 4500), packets: sealTraffic(lengths) }) },
  {
    name: 'open-udp',
    sizes: all,
    make: (lengths) => ({ tables: tablesFor('open', 'gcm-256', 4500), packets: openUdpTraffic('gcm-256', lengths) }),
  },
];

export const cases: readonly PathCase[] = [
  { name: 'clear', sizes: all, make: (lengths) => ({ tables: tablesFor('clear'), packets: clearTraffic(lengths) }) },
  ...[1, 10, 100, 1000].map(aclCase),
  fibCase(1, '1'),
  fibCase(1000, '1k'),
  fibCase(10_000, '10k'),
  fibCase(1_000_000, '1m'),
  natCase(240, '240', all),
  natCase(1000, '1k', small),
  natCase(100_000, '100k', small),
  natCase(1_000_000, '1m', small),
  ...udpCases,
  { name: 'gre', sizes: all, make: (lengths) => ({ tables: tunnelTables(false), packets: sealTraffic(lengths) }) },
  { name: 'gre-seal-gcm-256', sizes: all, make: (lengths) => ({ tables: tunnelTables(true), packets: sealTraffic(lengths) }) },
  { name: 'tcp', sizes: all, make: (lengths) => ({ tables: tcpTables(null), packets: tcpTraffic(lengths) }) },
  { name: 'mss', sizes: all, make: (lengths) => ({ tables: tcpTables(1360), packets: tcpTraffic(lengths) }) },
  { name: 'mss-syn', sizes: small, make: () => ({ tables: tcpTables(1360), packets: synTraffic() }) },
  { name: 'qos-none', sizes: all, make: (lengths) => ({ tables: qosNoneTables(), packets: qosTraffic(lengths) }) },
  { name: 'qos-16', sizes: all, make: (lengths) => ({ tables: qosOutTables(), packets: qosTraffic(lengths) }) },
  ...cryptoCases('gcm-256'),
  ...cryptoCases('3des-sha1'),
  ...cryptoCases('aes-sha1'),
];
