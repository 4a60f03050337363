// Fragments of ESP and GRE as a fuzz target: whatever they say, no slot is lost, nothing throws, and what is held is bounded.
import { ipv4 } from '../path/packets.js';
import { memberTables, Router, type SaSpec } from '../path/router.js';

const sa: SaSpec = { spi: 0xf101, transform: 'null-sha1' };
let router: Router | null = null;

function make(): Router {
  const tunnel = { source: '172.16.2.2', destination: '172.16.3.2' };
  return new Router(
    memberTables(2, sa, { ports: [{ address: '10.0.2.1' }, { address: '172.16.2.2' }, { address: '192.168.1.1', tunnel }] }),
  );
}

/** Five bytes for each fragment: protocol and MF and time, identification, offset, length. */
export function fuzz(bytes: Uint8Array): void {
  router ??= make();
  for (let at = 0; at + 5 <= bytes.length; at += 5) {
    const [kind, id, high, low, length] = bytes.subarray(at, at + 5);
    const isGre = (kind & 1) !== 0;
    const ends = isGre ? { src: '172.16.3.2', dst: '172.16.2.2' } : { src: '10.0.1.10', dst: '10.0.2.10' };
    const payload = new Uint8Array((kind & 2) !== 0 ? (length & 0x7f) * 8 : length + 1).fill(kind);
    const fragmentOffset = (((high & 3) << 8) | low) * 8;
    router.forward(
      1,
      ipv4({ ...ends, protocol: isGre ? 47 : 50, id: id & 7, mf: (kind & 2) !== 0, fragmentOffset, payload, tos: kind >> 6 }),
    );
    if ((kind & 0x38) === 0x38) router.nowMs += 2000;
    const wrong = router.imbalance();
    if (wrong !== null) throw new Error(wrong);
  }
}

export const seeds: readonly Uint8Array[] = [
  Uint8Array.of(2, 1, 0, 0, 64, 0, 1, 0, 64, 40),
  Uint8Array.of(1, 2, 0, 64, 40, 3, 2, 0, 0, 64),
  Uint8Array.of(2, 3, 0, 0, 64, 2, 3, 0, 32, 64, 0, 3, 0, 64, 4, 0x3b, 3, 0, 0, 8),
];
