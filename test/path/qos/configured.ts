// A router whose service-policies are IOS text, through control's compiler: eth0 is port 0 inside 10.0.1.0/24, eth1 port 1 outside with the default route,
// Tunnel0 port 2 if it is configured.

import { Allocation } from '../../../control/compile/allocation.js';
import type { QosOrigin } from '../../../control/compile/qos.js';
import { compileTables } from '../../../control/compile/tables.js';
import { parseConfig } from '../../../control/config/parse.js';
import { verifyConfig } from '../../../control/config/verify.js';
import { PathCount, QosCount, qosTexts } from '../../../dataplane/counters/declare.js';
import { readTables } from '../../../dataplane/port/validate-tables.js';
import type { Router, TablesSpec } from '../router.js';

export interface Configured {
  tables: TablesSpec;
  origins: QosOrigin[];
}

/** @param outside lines below eth1 */
export function qosTables(text: string, outside: string, more: Partial<TablesSpec> = {}, inside = ''): Configured {
  const interfaces = `interface eth0
 ip address 10.0.1.1 255.255.255.0
${inside}interface eth1
 ip address 172.16.1.2 255.255.255.0
${outside}`;
  const { config, problems } = parseConfig(text + interfaces);
  const wrong = [...problems, ...verifyConfig(config)].find(({ severity }) => severity === 'error');
  if (wrong) throw new Error(`${wrong.text}: ${wrong.message}`);
  const { head, blobs, qosOrigins } = compileTables(config, new Map(), new Allocation(), 1, 0);
  const { rows } = readTables(JSON.parse(JSON.stringify(head)), new Uint8Array(Buffer.concat(blobs)));
  const tables: TablesSpec = {
    ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2' }],
    acls: [],
    entries: [],
    sas: [],
    routes: [
      { prefix: '0.0.0.0/0', port: 1 },
      { prefix: '10.0.1.0/24', port: 0 },
    ],
    locals: ['10.0.1.1', '172.16.1.2'],
    qosTables: { uses: rows.qosUses, tests: rows.qosTests, classes: rows.qosClasses, reds: rows.qosReds, aces: rows.aces },
    ...more,
  };
  return { tables, origins: qosOrigins };
}

/** What a class has counted, by name, without zeros. */
export function classCounters(router: Router, { origins }: Configured, name: string, policy?: string): Record<string, number> {
  const row = origins.findIndex((origin) => origin.class === name && (policy === undefined || origin.policy === policy));
  const { qos } = router.env.counters;
  return Object.fromEntries(
    qosTexts.flatMap(({ name: text }, i) => (qos[row * QosCount.Count + i] === 0 ? [] : [[text, qos[row * QosCount.Count + i]]])),
  );
}

/** @param unit 0 = packets, 1 = bytes */
function waitingOf(qos: Float64Array, row: number, unit: number): number {
  const gone = [
    QosCount.SentPackets,
    QosCount.PoliceDropPackets,
    QosCount.TailDropPackets,
    QosCount.RandomDropPackets,
    QosCount.OverRatePackets,
    QosCount.NoBufferPackets,
  ];
  return gone.reduce(
    (left, count) => left - qos[row * QosCount.Count + count + unit],
    qos[row * QosCount.Count + QosCount.OfferedPackets + unit],
  );
}

/** What was offered and neither sent nor dropped waits: in all, and in a class what its own classes have. @returns what is wrong, or null */
export function qosImbalance(router: Router, { origins }: Configured): string | null {
  const { qos, path } = router.env.counters;
  const waiting = origins.map((_, row) => [0, 1].map((unit) => waitingOf(qos, row, unit)));
  const sum = (parent: number, unit: number): number =>
    origins.reduce((total, origin, row) => (origin.parent === parent ? total + waiting[row][unit] : total), 0);
  for (const [row, { class: name, policy }] of origins.entries())
    for (const unit of [0, 1]) {
      const isParent = origins.some(({ parent }) => parent === row);
      if (waiting[row][unit] < 0 || (isParent && sum(row, unit) !== waiting[row][unit]))
        return `${policy} ${name}: ${waiting[row][unit]} wait, ${sum(row, unit)} in its classes`;
    }
  return sum(-1, 0) === path[PathCount.Queued] ? null : `${sum(-1, 0)} wait in classes, ${path[PathCount.Queued]} in queues`;
}
