// A tracer over a router of the path tests, and what both say about a packet in a form that can be compared.

import { join } from 'node:path';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { Ctl, controlWords } from '../../../dataplane/mem/shared.js';
import { Cap } from '../../../dataplane/tables/layout.js';
import { type Arrival, type TraceRun, trace } from '../../../dataplane/trace/tracer.js';
import { hex } from '../packets.js';
import { bootId, Now, type Router, type TablesSpec } from '../router.js';

/** The workers of a test take tables over without being told: this says which bank is current. */
export function publish(router: Router): void {
  const control = controlWords(router.shared);
  Atomics.store(control, Ctl.Epoch, 1);
  Atomics.store(control, Ctl.NowSeconds, Now);
  for (let worker = 0; worker < router.shared.workers; worker++) Atomics.store(control, Ctl.Ack + worker, 1);
}

export function traceWith(router: Router, tables: TablesSpec, arrival: Omit<Arrival, 'decrypted'> & { decrypted?: boolean }): TraceRun {
  const means = {
    native: { monotonicMs: () => router.nowMs },
    senderStatePath: join(router.folder, 'senders'),
    bootId,
    linksOf: (port: number) =>
      tables.ports[port] === undefined
        ? []
        : [
            { kind: LinkKind.Tun },
            ...(tables.hops ?? []).flatMap((hop, i) => (hop.port === port ? [{ kind: LinkKind.Policy, hop: i }] : [])),
          ],
    routeTo: () => null,
  };
  return trace(router.shared, means, { decrypted: false, ...arrival });
}

/** A packet that left, without what differs between any two runs: identification and checksum of its header; of ESP all behind the sequence number. */
function normalise(port: number, bytes: Uint8Array): string {
  const copy = bytes.slice();
  copy.fill(0, 4, 6);
  copy.fill(0, 10, 12);
  const isEsp = copy[9] === 50;
  return `${port}: ${copy.length} bytes ${hex(isEsp ? copy.subarray(0, 28) : copy)}`;
}

/** In no order: those of one pass leave port by port. */
export function tracedPackets({ sent }: TraceRun): string[] {
  return sent.map(({ port, bytes }) => normalise(port, bytes)).sort();
}

/** @param outputs by queue of the router */
export function sentPackets(outputs: readonly Uint8Array[][], { hops = [] }: TablesSpec): string[] {
  const portOf = (queue: number): number => (queue < 2 * Cap.Ports ? queue : hops[queue - 2 * Cap.Ports].port);
  return outputs.flatMap((packets, queue) => packets.map((bytes) => normalise(portOf(queue), bytes))).sort();
}
