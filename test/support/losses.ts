// Where packets of a lab were lost: what a failure line needs, so that a loss on a machine far away can be told from a fault of ours.

import { readFileSync } from 'node:fs';
import { type Host, type Lab, type Router, routers } from './lab.js';

const others: readonly Host[] = ['h1', 'h2', 'h3', 'core'];

interface LinkCounters {
  ifname: string;
  stats64: { rx: { dropped: number }; tx: { dropped: number } };
}

/** Packets that the machine's CPUs refused because their backlog was full (softnet_stat, second column): of all namespaces together. */
export function backlogDrops(): number {
  const rows = readFileSync('/proc/net/softnet_stat', 'latin1').trim().split('\n');
  return rows.reduce((sum, row) => sum + Number.parseInt(row.split(/ +/)[1], 16), 0);
}

async function ofDevices(lab: Lab, node: Router | Host): Promise<string[]> {
  const links = JSON.parse(await lab.sh(node, 'ip -s -j link')) as LinkCounters[];
  return links.flatMap(({ ifname, stats64: { rx, tx } }) =>
    rx.dropped + tx.dropped > 0 ? [`${node} ${ifname} rx ${rx.dropped} tx ${tx.dropped}`] : [],
  );
}

async function ofRouter(lab: Lab, router: Router): Promise<string[]> {
  const text = await lab.sh(router, 'curl -s http://127.0.0.1:9848/metrics || true'); // it may not run
  const drops = text.matchAll(/^groupwire_drops_total\{(.*)\} ([1-9]\d*)$/gm);
  return Array.from(drops, ([, labels, count]) => `${router} ${labels} ${count}`);
}

/** @returns what every router and every device of the lab counts as dropped, one line, for a message */
export async function tellLosses(lab: Lab): Promise<string> {
  const parts = await Promise.all([
    ...routers.map((router) => ofRouter(lab, router)),
    ...[...routers, ...others].map((node) => ofDevices(lab, node)),
  ]);
  return parts.flat().join('; ');
}

/** The same behind a message about a loss. @param backlog backlogDrops() before what was lost was sent */
export async function tellLossesSince(lab: Lab, backlog: number): Promise<string> {
  return `; dropped: ${await tellLosses(lab)}; full backlog ${backlogDrops() - backlog}`;
}

/** One echo request, and all the time for its answer. @throws Error that says where packets were lost when there is none */
export async function mustAnswer(lab: Lab, from: Host, to: string): Promise<void> {
  const { status, stdout } = await lab.run(from, ['ping', '-n', '-c', '1', '-W', '5', to]);
  if (status !== 0)
    throw new Error(`${from} has no answer from ${to}: ${stdout.trim().split('\n').slice(1).join(' ')}: ${await tellLosses(lab)}`);
}
