// The pass as a fuzz target: any bytes on either port must be accounted for, and nothing may throw.
import { branchPacket } from '../path/packets.js';
import { memberTables, Router } from '../path/router.js';

let router: Router | null = null;

/** Byte 0 picks the port; the rest is one datagram. Throws when a packet or slot is lost. */
export function fuzz(bytes: Uint8Array): void {
  router ??= new Router(
    memberTables(
      2,
      { spi: 0xf001, transform: 'gcm-128', sids: [1] },
      { ports: [{ address: '10.0.2.1', mtu: 500 }, { address: '172.16.2.2' }] },
    ),
  );
  router.nowMs += 5;
  router.forward((bytes[0] ?? 0) & 1, bytes.subarray(1));
  const wrong = router.imbalance();
  if (wrong !== null) throw new Error(wrong);
}

export const seeds: readonly Uint8Array[] = [0, 1].flatMap((port) =>
  [40, 600].map((length) => Uint8Array.of(port, ...branchPacket(length))),
);
