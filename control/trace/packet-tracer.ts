// One question of packet-tracer: the datagram is made, the dataplane asked, its answer put into words. It is asked again while tables are on their
// way to the dataplane, so that its rows and our lines are of one generation.

import { setTimeout as sleep } from 'node:timers/promises';
import type { TraceAnswer, TraceRequest } from '../../dataplane/tables/trace.js';
import type { PacketTrace } from '../api/packet-trace.js';
import { parseExec } from '../config/exec.js';
import type { DataplaneLink } from '../dataplane-link.js';
import type { Router } from '../router.js';
import { buildDatagram, toHex } from './datagram.js';
import { describeTrace } from './phases.js';

/** Asked so often, with a pause between. */
const Tries = 20;
const PauseMs = 100;

export class TraceError extends Error {}

export interface TraceLink {
  trace(request: Omit<TraceRequest, 'type' | 'id'>): Promise<TraceAnswer | null>;
  snapshot: DataplaneLink['snapshot'];
}

/** @param line of exec @throws TraceError with IOS's `% ...` line */
export async function tracePacket(line: string, router: Router, link: TraceLink): Promise<PacketTrace> {
  const command = parseExec(line);
  if ('error' in command) throw new TraceError(command.error);
  if (command.kind !== 'packet-tracer') throw new TraceError('% not a packet-tracer line');
  if (!router.config.interfaces.has(command.interface)) throw new TraceError(`% There is no interface ${command.interface}`);
  const port = router.allocation.ports.take(command.interface);
  const datagram = toHex(buildDatagram(command.flow));
  for (let i = 0; i < Tries; i++) {
    if (i > 0) await sleep(PauseMs);
    const [answer, snapshot] = [await link.trace({ port, datagram, decrypted: command.decrypted }), await link.snapshot()];
    if (!answer) throw new TraceError('% The dataplane does not answer');
    if (!answer.trace) throw new TraceError(`% ${command.interface}: ${answer.error}`);
    const { tables, config } = router;
    if (!tables || tables.head.generation !== answer.trace.generation) continue;
    const rowOf = (of: number) => snapshot?.interfaces.find((row) => row.port === of);
    return describeTrace(answer.trace, port, {
      config,
      tables,
      now: Date.now(),
      teksOf: (group) => router.gdoi.policyOf(group).teks,
      nameOf: (of) => rowOf(of)?.name ?? null,
      mtuOf: (of) => rowOf(of)?.mtu ?? null,
      isUp: (of) => rowOf(of)?.up ?? false,
    });
  }
  throw new TraceError('% New tables are being applied: try again');
}
