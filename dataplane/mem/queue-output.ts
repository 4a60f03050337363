// The step that 62-tunnel-queue and 80-queue have in common: packets of tx's vector into the queues of their ports, and out of them what may leave.

import { Cap, Tunnel, TunnelMode } from '../tables/layout.js';
import { HandOverSerial, type HandToParts, makeHandTo } from './hand-over.js';
import type { QosOutput } from './qos-output.js';
import type { Tables } from './tables.js';
import type { Vector } from './vector.js';

export interface QueueOutputParts extends HandToParts {
  tables: Tables;
  output: QosOutput;
  workerIndex: number;
  workers: number;
  tx: Vector;
}

/** @returns the step. Its parameter: ports that are tunnels, or the others */
export function makeQueueOutput(parts: QueueOutputParts): (tunnelPorts: boolean) => void {
  const { slots, tables, output, handOver, workerIndex, workers, tx } = parts;
  const handTo = makeHandTo(parts);
  const { txPort } = slots;
  const { tunnels } = tables;
  const { isUsed } = output;

  function isTunnel(port: number): boolean {
    return tunnels[port * Tunnel.Words + Tunnel.Mode] !== TunnelMode.None;
  }

  /** @returns true when another worker has its queue, and the packet is dealt with */
  function handedOn(id: number, port: number): boolean {
    if (handOver === null || port % workers === workerIndex) return false;
    handTo(id, port % workers, HandOverSerial.ToQueue);
    return true;
  }

  return function queueOutput(tunnelPorts) {
    const count = tx.length;
    // What goes on is written over what was read: never more than that before the ports are asked.
    tx.length = 0;
    for (let i = 0; i < count; i++) {
      const id = tx.ids[i];
      const port = txPort[id];
      if (isUsed[port] === 0 || isTunnel(port) !== tunnelPorts) tx.push(id);
      else if (!handedOn(id, port)) output.take(id, tx);
    }
    for (let port = 0; port < Cap.Ports; port++) if (isUsed[port] !== 0 && isTunnel(port) === tunnelPorts) output.release(port, tx);
  };
}
