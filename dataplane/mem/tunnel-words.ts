// What changes with every packet of a tunnel: words in shared memory, of which all workers and the main thread know by Atomics alone.

import { Cap } from '../tables/layout.js';
import { Ctl, type SharedState } from './shared.js';

export const enum TunnelWord {
  /** Sequence number of the next packet that leaves. */
  TxSequence = 0,
  /** The least that is in sequence (RFC 2890 §2.2), and when one last was, in seconds of the workers' clock. */
  RxSequence = 1,
  RxSeconds = 2,
  /** When a keepalive last came back, in seconds of the workers' clock; the main thread writes when the tunnel began. */
  KeepaliveSeconds = 3,
  Count = 4,
}

/** {@link TunnelWord} of each port. */
export function tunnelWordsOf({ memory }: SharedState): Int32Array {
  return new Int32Array(memory, Ctl.Tunnels * 4, Cap.Ports * TunnelWord.Count);
}
