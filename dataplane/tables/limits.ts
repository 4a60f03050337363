// Bounds that operators are shown.

/** Virtual reassembly (mem/fragments.ts) and reassembly (mem/reassembly.ts). */
export const enum FragmentLimit {
  /** Datagrams in fragments that one worker remembers. */
  Datagrams = 2048,
  /** Fragments of one datagram that wait. */
  PerDatagram = 64,
  /** As IOS's `ip virtual-reassembly timeout`. */
  TimeoutMs = 3000,
}
