// What an ICMP error quotes as a fuzz target: reads stay inside the datagram, and what is accepted is a first fragment of IPv4 with eight bytes behind it.
import { quotedEsp, quoteOfTooBig } from '../../dataplane/proto/quote.js';
import { sumOf } from '../path/packets.js';

/** The bytes as they are, and as "fragmentation needed" with a checksum that is right. */
export function fuzz(bytes: Uint8Array): void {
  run(bytes);
  if (bytes.length < 8) return;
  const error = bytes.slice();
  error.set([3, 4, 0, 0]);
  new DataView(error.buffer).setUint16(2, sumOf(error));
  run(error);
}

function run(bytes: Uint8Array): void {
  // A view of no more than there is: what reads beyond throws.
  const view = new DataView(bytes.slice().buffer);
  const quote = quoteOfTooBig(view, 0, bytes.length);
  if (quote < 0) return;
  const header = (bytes[quote] & 15) * 4;
  if (bytes[quote] >> 4 !== 4 || header < 20 || quote + header + 8 > bytes.length) throw new Error('too short, or no IPv4');
  if ((view.getUint16(quote + 6) & 0x1fff) !== 0) throw new Error('a later fragment');
  const esp = quotedEsp(view, quote, bytes.length);
  if (esp >= 0 && esp + 8 > bytes.length) throw new Error('SPI and sequence are not there');
}

const ip = (protocol: number) => [0x45, 0, 5, 0xdc, 0, 1, 0x40, 0, 63, protocol, 0, 0, 10, 0, 1, 10, 10, 0, 2, 10];
export const seeds: readonly Uint8Array[] = [
  Uint8Array.of(3, 4, 0, 0, 0, 0, 5, 120, ...ip(50), 0, 0, 1, 1, 0, 0, 0, 7),
  Uint8Array.of(3, 4, 0, 0, 0, 0, 5, 120, ...ip(17), 17, 148, 17, 148, 0, 40, 0, 0, 0, 0, 1, 1, 0, 0, 0, 7),
  Uint8Array.of(3, 4, 0, 0, 0, 0, 5, 120, ...ip(47), 0, 0, 8, 0, 0, 0, 0, 0),
];
