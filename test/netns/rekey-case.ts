// Acceptance 4: keys change under constant traffic and not one datagram is lost. Lifetimes are short, the change-over is the ordinary one.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2 and h3 -> h1, numbered UDP datagrams at a constant rate
//                 | \---- r3 -- h3
//                 r4 :: new TEK, new KEK  pushed to r1 r2 r3

import type { Test } from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { backlogDrops, tellLossesSince } from '../support/losses.js';
import { until } from '../support/netns.js';
import { Flow } from '../support/traffic.js';
import { memberOf, members, withTransform } from './decrypt-case.js';

export interface RekeyCase {
  tekLifetimeSeconds: number;
  kekLifetimeSeconds: number;
  /** The case goes on until so many new TEKs, and new KEKs, are in use. */
  tekChanges: number;
  kekChanges: number;
  transform?: string;
  waitMs: number;
  /** Datagrams per second, h1 -> h2 and h3 -> h1. What the twin forwards on a machine that has other work: a worker that gets no CPU for a second must not fill a ring of 512. */
  rates: [number, number];
  /** A flow must have sent more datagrams than that to mean something. */
  leastSent: number;
}

interface Server {
  kek: { spi: string } | null;
  teks: { spi: number }[];
}

export async function checkRekeys(t: Test, options: RekeyCase): Promise<void> {
  const edit = (router: string, text: string) => {
    if (router !== 'r4') return text;
    const transform = options.transform ? withTransform(text, options.transform) : text;
    const tek = ` set transform-set TRANSFORM-SET\n set security-association lifetime seconds ${options.tekLifetimeSeconds}\n`;
    const kek = `  rekey lifetime seconds ${options.kekLifetimeSeconds}\n  rekey retransmit`;
    return substitute(substitute(transform, / set transform-set TRANSFORM-SET\n/, tek), / {2}rekey retransmit/, kek);
  };
  const lab = await Lab.up({ edit });
  t.teardown(() => lab.down());
  const backlog = backlogDrops();
  const flows = [
    await Flow.start(lab, 'h1', 'h2', options.rates[0], 6001),
    await Flow.start(lab, 'h3', 'h1', options.rates[1], 6002, 0xb8),
  ];

  const teksSent = new Set<number>();
  const keks = new Set<string>();
  const look = async () => {
    const [server] = ((await lab.show('r4', 'crypto gdoi ks')) as { gdoiServers: Server[] }).gdoiServers;
    if (server.kek) keks.add(server.kek.spi);
    for (const tek of (await memberOf(lab, 'r1')).teks) if (tek.sending) teksSent.add(tek.spi);
    return teksSent.size > options.tekChanges && keks.size > options.kekChanges;
  };
  await until(`${options.tekChanges} TEK and ${options.kekChanges} KEK changes`, look, options.waitMs, 500).catch(() => undefined);

  for (const flow of flows) {
    const report = await flow.stop();
    t.ok(report.sent > options.leastSent, `enough was sent to mean something: ${report.sent}`);
    const seen = report.lost.length === 0 ? '' : await tellLossesSince(lab, backlog);
    t.same(report.lost, [], `datagrams lost of ${report.sent}${seen}`);
    t.equal(report.doubled, 0, 'datagrams that arrived twice');
  }
  t.ok(teksSent.size > options.tekChanges, `r1 sent with ${teksSent.size} TEKs, expected more than ${options.tekChanges}`);
  t.ok(keks.size > options.kekChanges, `${keks.size} KEKs, expected more than ${options.kekChanges}`);
  for (const router of members) {
    t.equal((await memberOf(lab, router)).succeededRegistrations, 1, `${router} was renewed by pushes, not by registering again`);
  }
}
