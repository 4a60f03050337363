// `monitor capture`: what control asks of the dataplane, and the records that come back (message.ts carries both).

/** One packet that was seen: these words, then the datagram in whole words. */
export const enum CaptureWord {
  /** Bytes of the datagram. */
  Length = 0,
  /** {@link CapturePlace} */
  Place = 1,
  Port = 2,
  /** {@link CaptureDirection} */
  Direction = 3,
  /** Drop of counters/declare.ts; -1 = it was not dropped, or not in the same pass. */
  Reason = 4,
  /** Of the workers' clock. */
  Seconds = 5,
  Micros = 6,
  /** Number of the packet: what is made of it keeps it, fragments and copies too. */
  Packet = 7,
  Words = 8,
}

export const enum CapturePlace {
  /** As it is on the wire of the port; of a tunnel as it is in front of GRE. */
  Wire = 0,
  /** In front of an SA of the port that seals it, or behind one that has opened it. */
  Inner = 1,
  /** Handed to the host itself. */
  Host = 2,
}

/** As in pcapng's epb_flags. */
export const enum CaptureDirection {
  In = 1,
  Out = 2,
}

/** ACE rows of a filter. */
export const MaxCaptureAces = 1024;

export interface CaptureStart {
  type: 'capture-start';
  /** Of this capture: its records carry it. The one that was running before is over. */
  session: number;
  /** Bit per port whose wire is recorded. */
  wire: number;
  /** What SAs seal and open is recorded. */
  inner: boolean;
  /** Rows of Ace (layout.ts) that must permit what is recorded, one after the other; null = everything is. */
  aces: number[] | null;
  /** The filter is asked once, where a packet is seen first; then the packet is followed, to the host too. */
  follow: boolean;
}

export type ToCapture = CaptureStart | { type: 'capture-stop' };

/** Behind it: records. @param wallMs that the workers' clock is behind Unix time, ms @param lost records that the rings had no room for so far @param last nothing comes behind it */
export type FromCapture = { type: 'captured'; session: number; wallMs: number; lost: number; last: boolean };
