// NAT of one worker, as both of its stages (path/35, path/45) use it: finds, keeps and ends sessions for packets in slots, and rewrites
// them. Which packets are to be translated, and by what rule, is the stages'. Does not: ALGs; SCTP, whose checksum covers its ports alone.

import { NatCount } from '../counters/declare.js';
import { checksum } from '../proto/checksum.js';
import { Icmp } from '../proto/icmp.js';
import { Ip4, IpProto } from '../proto/ipv4.js';
import { lengthsFit } from '../proto/l4-lengths.js';
import {
  End,
  isIcmpError,
  isIcmpQuery,
  isKeptFromOutside,
  natHasPorts,
  nextState,
  Quote,
  quotedPorts,
  readIcmpId,
  readQuote,
  rewriteAddress,
  rewriteEnd,
  rewriteQuote,
} from '../proto/nat.js';
import { Cap, NatRow } from '../tables/layout.js';
import { NatFragments } from './nat-fragments.js';
import { NatSessions, NatShape } from './nat-sessions.js';
import { PacketFlag, SlotShape, type Slots } from './slots.js';

/** So many sessions lie in the caches anyway. */
const Cached = 4096;

/** What {@link Nat.kindOf} says. */
export const enum NatKind {
  /** It names a flow: {@link Nat.nearPort} and farPort are set. */
  Flow = 0,
  /** A later fragment: its flow is that of the first. */
  LaterFragment = 1,
  /** An ICMP error: its flow is in what it quotes. */
  Error = 2,
  /** It cannot be told what it belongs to. */
  Unknown = 3,
}

export class Nat {
  readonly sessions: NatSessions;
  /** How often each clause has matched, modulo 2^32: packet-tracer asks which did. */
  readonly clauseHits = new Int32Array(Cap.NatClauses);
  private readonly fragments: NatFragments;
  /** Of the packet that kindOf() looked at: the port of its source and that of its destination; ICMP queries have their identifier in both. */
  private from = 0;
  private to = 0;
  /** Of the flow that portOf() looked at. */
  portProtocol = 0;
  private readonly quote = new Int32Array(Quote.Words);
  private readonly hashes = new Int32Array(SlotShape.Count);
  /** By packet: what prepare() has found, row + 1; what is left of an earlier packet is as good as none. */
  private readonly guesses = new Int32Array(SlotShape.Count);

  /** @param rows of the worker's sessions, a power of two of them @param timeouts seconds by NatState @param counts NatCount */
  constructor(
    private readonly slots: Slots,
    rows: Int32Array,
    private readonly timeouts: Int32Array,
    private readonly counts: Float64Array,
  ) {
    this.sessions = new NatSessions(rows.length / NatRow.Words, rows);
    this.fragments = new NatFragments(rows);
  }

  kindOf(id: number): NatKind {
    const { view, off, len, l4Off, proto, sport, dport, flags } = this.slots;
    this.from = 0;
    this.to = 0;
    if ((flags[id] & PacketFlag.LaterFragment) !== 0)
      return natHasPorts(proto[id]) || proto[id] === IpProto.Icmp ? NatKind.LaterFragment : NatKind.Flow;
    if (proto[id] === IpProto.Icmp) {
      const l4 = l4Off[id];
      if (l4 + Icmp.HeaderLen > off[id] + len[id]) return NatKind.Unknown;
      const type = view.getUint8(l4 + Icmp.Type);
      if (isIcmpError(type)) return NatKind.Error;
      if (!isIcmpQuery(type)) return NatKind.Unknown;
      this.from = this.to = readIcmpId(view, l4);
    } else if (natHasPorts(proto[id])) {
      const isFirst = (flags[id] & PacketFlag.MoreFragments) !== 0;
      if (sport[id] < 0 || !lengthsFit(view, proto[id], l4Off[id], off[id] + len[id], isFirst)) return NatKind.Unknown;
      this.from = sport[id];
      this.to = dport[id];
    }
    return NatKind.Flow;
  }

  /** The port by which workers share flows out: of the end that is ours, for an ICMP error that of what it quotes. @returns -1 = it has none */
  portOf(id: number, which: End): number {
    const { proto } = this.slots;
    const kind = this.kindOf(id);
    this.portProtocol = proto[id];
    if (kind === NatKind.Flow && (natHasPorts(proto[id]) || proto[id] === IpProto.Icmp)) return which === End.Source ? this.from : this.to;
    if (kind !== NatKind.Error || !this.readError(id)) return -1;
    this.portProtocol = this.quote[Quote.Protocol];
    return quotedPorts(this.quote, which === End.Source ? End.Destination : End.Source) >>> 16;
  }

  /** Port of the source of the packet that kindOf() has looked at. */
  get sourcePort(): number {
    return this.from;
  }

  get destinationPort(): number {
    return this.to;
  }

  /** The outside port as sessions have it, for a packet on its way out: ICMP queries have none. */
  outsidePortOf(id: number): number {
    return this.slots.proto[id] === IpProto.Icmp ? 0 : this.to;
  }

  /** The live session of a packet from inside, which kindOf() called a flow. @returns row, NatShape.None */
  findFromInside(id: number, now: number): number {
    const { proto, src, dst } = this.slots;
    return this.live(
      this.sessions.findInside(proto[id], src[id], (this.from << 16) | this.outsidePortOf(id), dst[id], this.guesses[id]),
      now,
    );
  }

  /** The same for a packet from outside. */
  findFromOutside(id: number, now: number): number {
    const { proto, src, dst } = this.slots;
    const far = proto[id] === IpProto.Icmp ? 0 : this.from;
    return this.live(this.sessions.findOutside(proto[id], dst[id], (this.to << 16) | far, src[id], this.guesses[id]), now);
  }

  /**
   * Before many packets are looked up in a table that no cache holds: what they need is fetched all at once. @param ids those that may belong to
   * sessions
   */
  prepare(ids: Int32Array, count: number, fromInside: boolean): void {
    if (this.sessions.length < Cached) return;
    const { proto, src, dst, sport, dport } = this.slots;
    const { hashes, guesses } = this;
    const index = fromInside ? this.sessions.inside : this.sessions.outside;
    for (let i = 0; i < count; i++) {
      const id = ids[i];
      hashes[i] = fromInside
        ? index.hash(proto[id], src[id], (sport[id] << 16) | dport[id], dst[id])
        : index.hash(proto[id], dst[id], (dport[id] << 16) | sport[id], src[id]);
    }
    index.guess(hashes, count);
    for (let i = 0; i < count; i++) guesses[ids[i]] = hashes[i];
  }

  /** Is a packet without ports from outside that of a session? (ESP to an inside host, which is not for this router to open.) */
  hasFromOutside(id: number): boolean {
    const { proto, src, dst } = this.slots;
    const row = this.sessions.length > 0 ? this.sessions.findOutside(proto[id], dst[id], 0, src[id]) : NatShape.None;
    return row >= 0 && this.sessions.rows[row * NatRow.Words + NatRow.Rule] !== -1; // what is this router's own has a row too
  }

  private live(row: number, now: number): number {
    if (row < 0 || !this.sessions.isOver(row, this.timeouts, now)) return row;
    this.sessions.remove(row);
    this.counts[NatCount.Expired]++;
    return NatShape.None;
  }

  /** Of a later fragment. @returns row, NatShape.None when its first has not come, or the session is over */
  findFragment(id: number, now: number): number {
    const { src, dst } = this.slots;
    return this.fragments.find(src[id], dst[id], this.nameOf(id), now);
  }

  /** Remembers the session of a datagram whose first fragment this is. Before it is rewritten. */
  noteFragment(id: number, row: number, now: number): void {
    const { src, dst } = this.slots;
    this.fragments.note(src[id], dst[id], this.nameOf(id), row, now);
  }

  private nameOf(id: number): number {
    return (this.slots.view.getUint16(this.slots.off[id] + Ip4.Id) << 8) | this.slots.proto[id];
  }

  /** A packet from inside counts for its session and becomes what the outside sees. */
  rewriteOut(id: number, row: number, now: number): void {
    const { rows } = this.sessions;
    const at = row * NatRow.Words;
    rows[at + NatRow.PacketsOut]++;
    rows[at + NatRow.Used] = now;
    this.follow(id, at, false);
    const ports = rows[at + NatRow.OutsidePorts];
    this.rewrite(id, End.Source, rows[at + NatRow.GlobalAddress], ports >>> 16);
    if (this.hasTwoEnds(at)) this.rewrite(id, End.Destination, rows[at + NatRow.OutsideAddress], farPort(this.slots.proto[id], ports));
    this.counts[NatCount.Outbound]++;
  }

  /** A packet from outside counts for its session and becomes what the inside sees. */
  rewriteIn(id: number, row: number, now: number): void {
    const { rows } = this.sessions;
    const at = row * NatRow.Words;
    rows[at + NatRow.PacketsIn]++;
    if (isKeptFromOutside(rows[at + NatRow.State])) rows[at + NatRow.Used] = now;
    this.follow(id, at, true);
    const ports = rows[at + NatRow.InsidePorts];
    this.rewrite(id, End.Destination, rows[at + NatRow.InsideAddress], ports >>> 16);
    if (this.hasTwoEnds(at)) this.rewrite(id, End.Source, rows[at + NatRow.OutsideLocal], farPort(this.slots.proto[id], ports));
    this.counts[NatCount.Inbound]++;
  }

  /** Is the outside end translated too (`ip nat outside source`)? */
  private hasTwoEnds(at: number): boolean {
    const { rows } = this.sessions;
    return (
      rows[at + NatRow.OutsideLocal] !== rows[at + NatRow.OutsideAddress] ||
      ((rows[at + NatRow.InsidePorts] ^ rows[at + NatRow.OutsidePorts]) & 0xffff) !== 0
    );
  }

  private follow(id: number, at: number, fromOutside: boolean): void {
    const { view, off, len, l4Off, flags } = this.slots;
    if ((flags[id] & PacketFlag.LaterFragment) !== 0) return;
    const { rows } = this.sessions;
    rows[at + NatRow.State] = nextState(rows[at + NatRow.State], view, l4Off[id], off[id] + len[id], fromOutside);
  }

  private rewrite(id: number, which: End, address: number, port: number): void {
    const { view, off, len, l4Off, proto, src, dst, sport, dport, flags } = this.slots;
    const isLater = (flags[id] & PacketFlag.LaterFragment) !== 0;
    if (isLater) rewriteAddress(view, off[id], which, address);
    else rewriteEnd(view, off[id], l4Off[id], off[id] + len[id], which, address, port);
    (which === End.Source ? src : dst)[id] = address;
    if (!isLater && natHasPorts(proto[id])) (which === End.Source ? sport : dport)[id] = port;
    flags[id] |= PacketFlag.Translated;
  }

  /**
   * An ICMP error for an inside host, which quotes what left here (RFC 5508 §4): its destination and what it quotes become those of the inside.
   * @returns false when it is about no session, and nothing was changed
   */
  rewriteErrorIn(id: number): boolean {
    const { quote, sessions } = this;
    if (!this.readError(id) || quote[Quote.Src] !== this.slots.dst[id]) return false;
    const ports = quotedPorts(quote, End.Source);
    const at = sessions.findOutside(quote[Quote.Protocol], quote[Quote.Src], ports, quote[Quote.Dst]) * NatRow.Words;
    if (at < 0 || sessions.rows[at + NatRow.Rule] < 0) return false;
    const { rows } = sessions;
    const inside = rows[at + NatRow.InsideAddress];
    this.rewriteQuoted(id, End.Source, inside, rows[at + NatRow.InsidePorts] >>> 16);
    this.rewriteOuter(id, End.Destination, inside);
    if (!this.hasTwoEnds(at)) return true;
    this.rewriteQuoted(id, End.Destination, rows[at + NatRow.OutsideLocal], farPort(quote[Quote.Protocol], rows[at + NatRow.InsidePorts]));
    if (this.slots.src[id] === rows[at + NatRow.OutsideAddress]) this.rewriteOuter(id, End.Source, rows[at + NatRow.OutsideLocal]);
    return true;
  }

  /**
   * An ICMP error on its way out, which quotes what came in: what it quotes becomes what the outside knows, and its source the global
   * address, unless this router has made it. @returns false when it is about no session
   */
  rewriteErrorOut(id: number): boolean {
    const { quote, sessions } = this;
    if (!this.readError(id)) return false;
    const ports = quotedPorts(quote, End.Destination);
    const at = sessions.findInside(quote[Quote.Protocol], quote[Quote.Dst], ports, quote[Quote.Src]) * NatRow.Words;
    if (at < 0 || sessions.rows[at + NatRow.Rule] < 0) return false;
    const { rows } = sessions;
    const global = rows[at + NatRow.GlobalAddress];
    this.rewriteQuoted(id, End.Destination, global, rows[at + NatRow.OutsidePorts] >>> 16);
    if ((this.slots.flags[id] & PacketFlag.Made) === 0) this.rewriteOuter(id, End.Source, global);
    if (!this.hasTwoEnds(at)) return true;
    this.rewriteQuoted(id, End.Source, rows[at + NatRow.OutsideAddress], farPort(quote[Quote.Protocol], rows[at + NatRow.OutsidePorts]));
    if (this.slots.dst[id] === rows[at + NatRow.OutsideLocal]) this.rewriteOuter(id, End.Destination, rows[at + NatRow.OutsideAddress]);
    return true;
  }

  /** @returns false when it does not quote enough, is in fragments, or its checksum or that of the quoted header is wrong (RFC 5508 REQ-3) */
  private readError(id: number): boolean {
    const { view, off, len, l4Off, flags } = this.slots;
    const { quote } = this;
    if ((flags[id] & PacketFlag.MoreFragments) !== 0 || !readQuote(view, l4Off[id], off[id] + len[id], quote)) return false;
    if (checksum(view, quote[Quote.At], quote[Quote.L4] - quote[Quote.At]) !== 0) return false;
    return checksum(view, l4Off[id], off[id] + len[id] - l4Off[id]) === 0;
  }

  private rewriteQuoted(id: number, which: End, address: number, port: number): void {
    const { view, off, len, l4Off, flags } = this.slots;
    rewriteQuote(view, l4Off[id], off[id] + len[id], this.quote, which, address, port);
    flags[id] |= PacketFlag.Translated;
  }

  private rewriteOuter(id: number, which: End, address: number): void {
    const { view, off, src, dst } = this.slots;
    rewriteAddress(view, off[id], which, address);
    (which === End.Source ? src : dst)[id] = address;
  }
}

/** The outside port of a session's word; an ICMP query has its one identifier, which both ends share. */
function farPort(protocol: number, ports: number): number {
  return protocol === IpProto.Icmp ? ports >>> 16 : ports & 0xffff;
}
