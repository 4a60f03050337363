// A service-policy at the output with sixteen classes, each an access list with a range of ports, that never limits: what classes, counters and queues cost.

import { QosDirection, QosUse } from '../../dataplane/tables/layout.js';
import { ipv4, udp } from '../../test/path/packets.js';
import { qosTables } from '../../test/path/qos/configured.js';
import type { TablesSpec } from '../../test/path/router.js';
import { tablesFor } from './member.js';

const Classes = 16;
const Outside = 1; // port
/** Of flows that differ in their ports. */
const Flows = 240; // a multiple of every mix

function firstPort(n: number): number {
  return 2000 + n * 100;
}

/** The last class is class-default. */
export function qosOutTables(): TablesSpec {
  const named = Array.from({ length: Classes - 1 }, (_, n) => n);
  const lists = named.map((n) => `ip access-list extended A${n}\n permit udp any any range ${firstPort(n)} ${firstPort(n) + 99}\n`);
  const maps = named.map((n) => `class-map C${n}\n match access-group name A${n}\n`);
  const classes = named.map((n) => (n === 0 ? ' class C0\n  priority\n' : ` class C${n}\n  bandwidth remaining percent 5\n`));
  const text = `${lists.join('')}${maps.join('')}policy-map OUT\n${classes.join('')} class class-default\n  fair-queue\n`;
  const { tables } = qosTables(text, ' bandwidth 10000000\n service-policy output OUT\n');
  // Some 170 Gbit/s: more than a worker forwards.
  if (tables.qosTables) tables.qosTables.uses[(Outside * 2 + QosDirection.Output) * QosUse.Words + QosUse.RateHigh] = 5;
  return { ...tablesFor('clear'), qosTables: tables.qosTables };
}

/** Without the policy. */
export function qosNoneTables(): TablesSpec {
  return tablesFor('clear');
}

/** As many of one class as of another. */
export function qosTraffic(lengths: readonly number[]): Uint8Array[] {
  return Array.from({ length: Flows }, (_, i) =>
    ipv4({
      src: '10.0.1.10',
      dst: '198.51.100.1',
      payload: udp(1024 + i, firstPort(i % Classes) + (i % 97), lengths[i % lengths.length] - 28),
    }),
  );
}
