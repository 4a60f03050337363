// TCP in the clear: what `ip tcp adjust-mss` costs data, and SYNs, each of which it changes.

import { ipv4 } from '../../test/path/packets.js';
import { memberTables, type TablesSpec } from '../../test/path/router.js';
import { segment } from '../../test/support/tcp-segment.js';

/** Of flows that differ in their destinations. */
const Flows = 240;
const Acknowledged = 16;
const Syn = 2;
/** An MSS of 1460, and what fills the header to the length of Linux's SYN. */
const options = [2, 4, 5, 180, ...new Array(16).fill(1)];

/** @param mss null: without the line */
export function tcpTables(mss: number | null): TablesSpec {
  const tables = memberTables(1, null);
  if (mss === null) return tables;
  return { ...tables, ports: tables.ports.map((port, i) => (i === 1 ? { ...port, adjustMss: mss } : port)) };
}

function flows(payloadOf: (i: number) => Uint8Array): Uint8Array[] {
  return Array.from({ length: Flows }, (_, i) =>
    ipv4({ src: '10.0.1.10', dst: `198.51.100.${i + 1}`, protocol: 6, payload: payloadOf(i) }),
  );
}

export function tcpTraffic(lengths: readonly number[]): Uint8Array[] {
  return flows((i) => segment([], { flags: Acknowledged, data: new Uint8Array(lengths[i % lengths.length] - 40) }));
}

/** Datagrams of 60 bytes. */
export function synTraffic(): Uint8Array[] {
  return flows(() => segment(options, { flags: Syn }));
}
