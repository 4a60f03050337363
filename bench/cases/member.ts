// A member with one branch network, as in the path tests: clear, seal and open.

import { ivOf, sealByHand, textOf } from '../../test/path/by-hand.js';
import { ipv4, udp } from '../../test/path/packets.js';
import { memberTables, type SaSpec, type TablesSpec, type TransformName, transforms } from '../../test/path/router.js';

/** Of flows that differ in their ports. */
const Flows = 240; // a multiple of every mix
const ends = { src: '10.0.1.10', dst: '10.0.2.10' };

function saOf(transform: TransformName, sids: number[], peerPort = 0): SaSpec {
  // No replay window: the same packets come again and again.
  return { spi: 0x1001, transform, window: 0, sids: transform.startsWith('gcm') ? sids : [], peerPort };
}

/** @param peerPort 4500: ESP in UDP */
export function tablesFor(what: 'clear' | 'seal' | 'open', transform: TransformName = 'gcm-256', peerPort = 0): TablesSpec {
  if (what !== 'open') return memberTables(1, saOf(transform, [1], peerPort));
  // Port 0 is read, so it is the outside here.
  const outside: Partial<TablesSpec> = { entries: [{ port: 0, acl: 0, sa: 0 }], routes: [{ prefix: '0.0.0.0/0', port: 1 }] };
  return memberTables(2, saOf(transform, [2], peerPort), outside);
}

/** A tunnel over the outside interface, whose outer packets are sealed, or not: what is for the other branch goes through it. */
export function tunnelTables(sealed: boolean): TablesSpec {
  const tables = memberTables(1, sealed ? saOf('gcm-256', [1]) : null);
  return {
    ...tables,
    ports: [...tables.ports, { address: '192.168.12.1', tunnel: { source: '172.16.1.2', destination: '172.16.2.2' } }],
    acls: [[{ action: 'permit', protocol: 47, src: '172.16.1.2/32', dst: '172.16.2.2/32' }]],
    entries: sealed ? tables.entries : [],
    routes: [...(tables.routes ?? []), { prefix: '10.0.2.0/24', port: 2 }],
  };
}

function flows(dst: string, lengths: readonly number[]): Uint8Array[] {
  return Array.from({ length: Flows }, (_, i) =>
    ipv4({ src: '10.0.1.10', dst, payload: udp(1024 + i, 2000, lengths[i % lengths.length] - 28) }),
  );
}

/** Not in the policy: leaves as it came. */
export function clearTraffic(lengths: readonly number[]): Uint8Array[] {
  return flows('198.51.100.1', lengths);
}

export function sealTraffic(lengths: readonly number[]): Uint8Array[] {
  return flows('10.0.2.10', lengths);
}

export function openTraffic(transform: TransformName, lengths: readonly number[]): Uint8Array[] {
  const sa = saOf(transform, []);
  const { align } = transforms[transform];
  return sealTraffic(lengths).map((inner, i) => sealByHand(sa, { seq: i + 1, text: textOf(inner, align), iv: ivOf(9, i + 1), ...ends }));
}

/** The same in UDP. */
export function openUdpTraffic(transform: TransformName, lengths: readonly number[]): Uint8Array[] {
  return openTraffic(transform, lengths).map((esp) => ipv4({ ...ends, payload: udp(4500, 4500, esp.slice(20)) }));
}
