// A router whose service-policies are IOS text, through control's compiler: eth0 is port 0 inside 10.0.1.0/24, eth1 port 1 outside with the default route,
// Tunnel0 port 2 if it is configured.

import { Allocation } from '../../../control/compile/allocation.js';
import type { QosOrigin } from '../../../control/compile/qos.js';
import { compileTables } from '../../../control/compile/tables.js';
import { parseConfig } from '../../../control/config/parse.js';
import { verifyConfig } from '../../../control/config/verify.js';
import { QosCount, qosTexts } from '../../../dataplane/counters/declare.js';
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

/** offered = sent + dropped + queued, of every class. @returns what is wrong, or null */
export function qosImbalance(router: Router, { origins }: Configured): string | null {
  const { qos } = router.env.counters;
  for (const [row, { class: name, policy }] of origins.entries()) {
    const of = (count: QosCount): number => qos[row * QosCount.Count + count];
    for (const bytes of [0, 1]) {
      const drops = [
        QosCount.PoliceDropPackets,
        QosCount.TailDropPackets,
        QosCount.RandomDropPackets,
        QosCount.OverRatePackets,
        QosCount.NoBufferPackets,
      ];
      const out =
        of(QosCount.SentPackets + bytes) + of(QosCount.QueuedPackets + bytes) + drops.reduce((sum, drop) => sum + of(drop + bytes), 0);
      if (of(QosCount.OfferedPackets + bytes) !== out)
        return `${policy} ${name}: ${of(QosCount.OfferedPackets + bytes)} offered, ${out} accounted for`;
    }
  }
  return null;
}
