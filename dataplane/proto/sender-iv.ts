// The IV of counter modes when many senders share one key: RFC 6054 §3, RFC 6407 §5.4, RFC 4106 §3.1.
//
//  +----------------------+-----------+---------------------------------------+
//  | sender ID (SidBits)  | worker, 4 | counter (60 - SidBits)                |   64 bits, never twice under one key
//  +----------------------+-----------+---------------------------------------+
//
// The sender ID keeps members apart, the worker bits keep the threads of one member apart, the counter the packets of a thread.

const WorkerBits = 4;
/** Counters are Float64: exact below 2^53. */
const ExactLimit = 2 ** 53;

/** By the width of sender IDs; a power per packet would cost more than the rest of an IV. */
const limits = Float64Array.from({ length: 33 }, (_, sidBits) =>
  sidBits === 0 ? 0 : Math.min(2 ** (64 - WorkerBits - sidBits), ExactLimit),
);

/** How many IVs one worker has under one sender ID. @param sidBits 1..32; other widths have none: a shared key needs sender IDs */
export function counterLimit(sidBits: number): number {
  return sidBits < 0 || sidBits > 32 ? 0 : limits[sidBits];
}

/** @param at of the 8 bytes @param sid signed or unsigned, less than 2^sidBits @param worker 0..15 @param counter below {@link counterLimit} */
export function writeIv(view: DataView, at: number, sid: number, sidBits: number, worker: number, counter: number): void {
  const lowBits = 64 - WorkerBits - sidBits; // of the counter
  let high = sidBits === 32 ? sid : sid << (32 - sidBits);
  let low = counter;
  if (lowBits >= 32) high |= worker << (lowBits - 32);
  else low += worker * ((1 << lowBits) >>> 0);
  high |= Math.floor(low / 0x100000000);
  view.setInt32(at, high);
  view.setUint32(at + 4, low >>> 0);
}
