// Records of packets on their way from the dataplane to a capture's file: what is none is refused with RangeError, what is read is written as blocks
// whose lengths agree (pcapng §3.1).
import { interfaceBlock, packetBlock } from '../../control/capture/pcapng.js';
import { readRecords } from '../../control/capture/records.js';
import { CaptureWord } from '../../dataplane/tables/capture.js';

/** @throws Error when a block does not say its own length at both ends */
function checkBlock(block: Uint8Array): void {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const total = view.getUint32(4, true);
  if (total !== block.length || total % 4 !== 0 || view.getUint32(total - 4, true) !== total)
    throw new Error(`block of ${block.length} bytes says ${total}`);
}

export function fuzz(bytes: Uint8Array): void {
  const words = new Int32Array(bytes.slice(0, bytes.length & ~3).buffer);
  try {
    for (const { bytes: data, direction, reason, micros, packet } of readRecords(words)) {
      const comment = reason < 0 ? null : String.fromCharCode(...data.subarray(0, 9));
      checkBlock(packetBlock({ interface: 0, micros, direction, comment, packet, bytes: data }));
      checkBlock(interfaceBlock(String(reason), String(micros)));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

function seed(...packets: number[][]): Uint8Array {
  const words = packets.flatMap((packet) => {
    const record = new Int32Array(CaptureWord.Words + Math.ceil(packet.length / 4));
    record.set([packet.length, 0, 1, 1, packet.length % 3 === 0 ? -1 : 4, 5, 6, 7]);
    new Uint8Array(record.buffer).set(packet, CaptureWord.Words * 4);
    return [...record];
  });
  return new Uint8Array(Int32Array.from(words).buffer);
}

export const seeds: readonly Uint8Array[] = [seed([0x45, 1, 2, 3, 4]), seed([], [1], [1, 2, 3, 4, 5, 6, 7, 8, 9])];
