// Packets on their way to `monitor capture`: copies in a ring from each worker to the main thread, made where packets come, leave, are opened, sealed and
// dropped. Off is one word that is looked at per batch, or per packet that is sealed, opened or dropped. A full ring loses what comes and counts it; the worker never waits.
//
// Records are shown to the reader at the end of a pass. Until then a drop writes its reason into the packet's own last record; a packet that was held
// over passes, or that none was made of, gets a record of its own when it is dropped.
//
//   entry: words of CaptureWord ... 32 words | datagram

import { type Drop, PathCount } from '../counters/declare.js';
import { isSendDrop } from '../counters/drops.js';
import { matchAcl, readFacts } from '../proto/acl.js';
import { Ip4, lowerTtl, raiseTtl } from '../proto/ipv4.js';
import { hasPorts, Port } from '../proto/l4.js';
import { CaptureDirection, CapturePlace, CaptureWord } from '../tables/capture.js';
import { Ace, AceAction } from '../tables/layout.js';
import { CaptureShape } from './capture-shape.js';
import { Clock } from './clock.js';
import { firstWord, RingReader, RingShape, RingWriter, ringBytes } from './ring.js';
import { type CounterBlocks, Ctl, captureAt, type SharedState } from './shared.js';
import { PacketFlag, SlotShape, type Slots } from './slots.js';

/** Words of the filter: how many ACE rows must permit what is recorded, below 0 = everything is; then the rows. */
export const enum CaptureFilter {
  Count = 0,
  Rows = 1,
}

export function captureFilterOf({ memory, workers }: SharedState): Int32Array {
  return new Int32Array(memory, captureAt(workers), CaptureShape.FilterBytes / 4);
}

function ringAt({ workers }: SharedState, worker: number): number {
  return captureAt(workers) + CaptureShape.FilterBytes + worker * ringBytes(CaptureShape.Entries);
}

/** The main thread's end of a worker's ring. */
export function captureReaderOf(shared: SharedState, worker: number): RingReader {
  return new RingReader(shared.memory, ringAt(shared, worker), CaptureShape.Entries);
}

/** What the kernel does to the TTL between us and the wire. */
export const enum Hop {
  /** It has taken one from what comes from it. */
  Taken = 1,
  None = 0,
  /** It will take one from what is given to it. */
  Takes = -1,
}

export class Capture {
  private readonly ring: RingWriter;
  private readonly worker: number;
  private readonly filter: Int32Array;
  private readonly rows: Int32Array;
  private readonly pool: Int32Array;
  private readonly copies: DataView;
  /** Records that were made, and those of them that the reader sees. */
  private made = 0;
  /** Numbers of packets that were given. */
  private numbered = 0;
  private shown = 0;

  /** @param control the control block: Ctl.CaptureWire and Ctl.CaptureInner say what is recorded @param clock of the passes */
  constructor(
    private readonly slots: Slots,
    shared: SharedState,
    worker: number,
    private readonly control: Int32Array,
    private readonly clock: Float64Array,
    private readonly counters: Pick<CounterBlocks, 'path'>,
  ) {
    this.worker = worker;
    this.ring = new RingWriter(shared.memory, ringAt(shared, worker), CaptureShape.Entries);
    this.filter = captureFilterOf(shared);
    this.rows = this.filter.subarray(CaptureFilter.Rows);
    this.pool = new Int32Array(slots.bytes.buffer);
    this.copies = new DataView(this.ring.words.buffer, this.ring.words.byteOffset, this.ring.words.byteLength);
  }

  /** Is what comes and leaves by a port recorded? */
  takesWire(port: number): boolean {
    return ((this.control[Ctl.CaptureWire] >>> port) & 1) !== 0;
  }

  takesInner(): boolean {
    return this.control[Ctl.CaptureInner] !== 0;
  }

  isOn(): boolean {
    return (this.control[Ctl.CaptureWire] | this.control[Ctl.CaptureInner]) !== 0;
  }

  /** A packet as it came by a port, or as it will leave by it. @param hop see {@link Hop}: it is recorded as it is on the wire */
  noteWire(id: number, port: number, direction: CaptureDirection, hop: Hop): void {
    this.record(id, CapturePlace.Wire, port, direction, -1, hop);
  }

  /** A packet as an SA of a port has opened it, or is about to seal it. */
  noteInner(id: number, port: number, direction: CaptureDirection): void {
    this.record(id, CapturePlace.Inner, port, direction, -1, Hop.None);
  }

  /** A packet that is handed to the host: where packets are followed. */
  noteHost(id: number): void {
    if (this.control[Ctl.CaptureFollow] !== 0)
      this.record(id, CapturePlace.Host, this.slots.rxPort[id], CaptureDirection.Out, -1, Hop.None);
  }

  /** A packet that is about to be dropped, while its slot is as it was. */
  noteDrop(id: number, reason: Drop): void {
    const record = this.slots.captured[id];
    if (record !== 0 && (record - this.shown - 1) >>> 0 < (this.made - this.shown) >>> 0) {
      this.ring.words[firstWord(record - 1, CaptureShape.Entries) + CaptureWord.Reason] = reason;
      return;
    }
    const isSending = isSendDrop(reason);
    const port = isSending ? this.slots.txPort[id] : this.slots.rxPort[id];
    if (!this.takesWire(port)) return;
    // What this host made never came by a wire.
    const isOwn = (this.slots.flags[id] & (PacketFlag.FromHost | PacketFlag.Made)) !== 0;
    this.record(id, CapturePlace.Wire, port, isSending || isOwn ? CaptureDirection.Out : CaptureDirection.In, reason, Hop.None);
  }

  /** Shows the reader what was recorded in a pass. */
  publish(): void {
    if (this.made === this.shown) return;
    this.shown = this.made;
    this.ring.publish();
  }

  private record(id: number, place: CapturePlace, port: number, direction: CaptureDirection, reason: number, hop: Hop): void {
    const { slots, ring, clock } = this;
    slots.captured[id] = 0;
    const isFollowed = this.control[Ctl.CaptureFollow] !== 0 && slots.packet[id] !== 0;
    if (!isFollowed && !this.isPermitted(id)) return;
    const at = ring.claim();
    if (at < 0) {
      this.counters.path[PathCount.CaptureLost]++;
      return;
    }
    this.made = (this.made + 1) | 0;
    slots.captured[id] = this.made;
    if (slots.packet[id] === 0) slots.packet[id] = this.nextNumber();
    const { words } = ring;
    const length = Math.min(slots.len[id], SlotShape.MaxPacket);
    words[at + CaptureWord.Length] = length;
    words[at + CaptureWord.Place] = place;
    words[at + CaptureWord.Port] = port;
    words[at + CaptureWord.Direction] = direction;
    words[at + CaptureWord.Reason] = reason;
    words[at + CaptureWord.Packet] = slots.packet[id];
    words[at + CaptureWord.Seconds] = clock[Clock.UptimeSeconds];
    words[at + CaptureWord.Micros] = clock[Clock.Us] - clock[Clock.UptimeSeconds] * 1e6;
    // Headers are whole words, so datagrams begin at one (hand-over.ts).
    const first = slots.off[id] >> 2;
    const count = (length + 3) >> 2;
    const to = at + RingShape.ColumnWords;
    for (let i = 0; i < count; i++) words[to + i] = this.pool[first + i];
    if (length < Ip4.HeaderLen || this.copies.getUint8(to * 4) >>> 4 !== 4) return;
    if (hop === Hop.Taken) raiseTtl(this.copies, to * 4);
    else if (hop === Hop.Takes) lowerTtl(this.copies, to * 4);
  }

  /** One that no other worker gives: this one stands above bit 27. Never 0. */
  private nextNumber(): number {
    this.numbered = (this.numbered % 0x7ffffff) + 1;
    return (this.worker << 27) | this.numbered;
  }

  /** Asks the filter about the packet as it stands. Its columns may not say yet what its header does. */
  private isPermitted(id: number): boolean {
    const count = this.filter[CaptureFilter.Count];
    if (count < 0) return true;
    const { view, off, len } = this.slots;
    const at = off[id];
    if (len[id] < Ip4.HeaderLen) return false;
    const l4 = at + ((view.getUint8(at) & 15) << 2);
    const end = at + len[id];
    const protocol = view.getUint8(at + Ip4.Protocol);
    const isLater = (view.getUint16(at + Ip4.FlagsOffset) & Ip4.OffsetMask) !== 0;
    const isWhole = !isLater && l4 + 4 <= end;
    const sport = !hasPorts(protocol) ? Port.None : isWhole ? view.getUint16(l4) : Port.Unknown;
    const dport = !hasPorts(protocol) ? Port.None : isWhole ? view.getUint16(l4 + 2) : Port.Unknown;
    const facts = readFacts(view, l4, end, protocol, view.getUint8(at + Ip4.Tos), isLater);
    const src = view.getInt32(at + Ip4.Src);
    const dst = view.getInt32(at + Ip4.Dst);
    const row = matchAcl(this.rows, 0, count, protocol, src, dst, sport, dport, facts);
    return row >= 0 && this.rows[row * Ace.Words + Ace.Action] === AceAction.Permit;
  }
}
