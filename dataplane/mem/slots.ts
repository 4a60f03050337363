// The packet pool. A packet is a slot of fixed size with headroom (encapsulation moves the offset back, never the bytes) and
// tailroom (ESP padding and ICV); what is known about it stands in columns indexed by the slot's number, the id.
//
//   id * 2048          +128                                        +1984        +2048
//   |  headroom 128    |  packet as received, up to 1856 bytes       | tailroom 64 |
//                      ^ off                                 ^ off + len

import { QosKey } from '../proto/qos-classes.js';
import { allocatePages } from './page.js';

export const enum SlotShape {
  Bytes = 2048,
  Headroom = 128,
  Tailroom = 64,
  /** The longest datagram a slot takes. */
  MaxPacket = 1856,
  Count = 4096,
}

/** Bits of the flags column. */
export const enum PacketFlag {
  /** Its source is one of our addresses: made by a program of this host, which owes no hop. */
  FromHost = 1,
  /** Came out of an SA. */
  Decrypted = 2,
  /** Carries our ESP header now. */
  Sealed = 4,
  /** A fragment with offset > 0. */
  LaterFragment = 8,
  /** A fragment with more to come. */
  MoreFragments = 16,
  /** An ICMP error made here. */
  Made = 32,
  /** An ICMP error that quotes what came out of an SA: must not cross a crypto-map port in the clear. */
  Confidential = 64,
  /** The hop that this router is has not been taken from its TTL yet: it came by a link that the kernel does not route, or out of an SA. */
  OwesHop = 128,
  /** NAT has changed one of its ends: an error about it goes to the end as it was. */
  Translated = 256,
  /** A fragment whose first is known: `firstPorts` is set (path/20). */
  Joined = 512,
  /** Policy routing has decided where it goes: by its hop, column `hop`. */
  PolicyRouted = 1024,
  /** From inside for an address that NAT answers for: its source has been translated, and it goes on as if it had come from outside (path/33). */
  Hairpin = 2048,
  /** Came out of a tunnel. */
  Decapsulated = 4096,
  /** The kernel, or a program's socket, sent it into the tunnel of its port: it leaves by that one, whatever the routes say. */
  ByTunnel = 8192,
  /** A probe of path MTU discovery (path/28): column `sa` says what seals it. */
  MtuProbe = 16384,
}

/** What queues are told about a packet beside its headers. */
export const enum QosColumn {
  /** qos-group that a policy at the input has set, 0 = none. */
  Group = 0xff,
  /** `keys` says what it was before it was encapsulated. */
  Known = 0x100,
  /** The crypto map that seals it keeps that. */
  Keep = 0x200,
}

/** How many times one packet may be encapsulated and decapsulated. */
export const MaxNesting = 4;

function column(): Int32Array {
  return new Int32Array(SlotShape.Count);
}

export class Slots {
  readonly bytes = new Uint8Array(allocatePages(SlotShape.Count * SlotShape.Bytes));
  readonly view = new DataView(this.bytes.buffer);
  /** Of the IPv4 header, from the start of the pool. */
  readonly off = column();
  /** Bytes of the datagram. */
  readonly len = column();
  readonly rxPort = column();
  readonly txPort = column();
  /** Address of the next router, or of the destination on a connected network; signed. Set by 40-route. */
  readonly nextHop = column();
  /** Hop of policy routing (PolicyHopRow), where PacketFlag.PolicyRouted is set. */
  readonly hop = column();
  /** Of the transport header, from the start of the pool. */
  readonly l4Off = column();
  readonly proto = column();
  /** Addresses, signed. */
  readonly src = column();
  readonly dst = column();
  /** 0..65535, or Port.Unknown / Port.None. */
  readonly sport = column();
  readonly dport = column();
  readonly tos = column();
  /** Of a fragment that is PacketFlag.Joined: source port << 16 | destination port of its datagram; of ICMP what tells the flow, in both. */
  readonly firstPorts = column();
  readonly flags = column();
  /** SA slot that seals or opens it, -1 = none. */
  readonly sa = column();
  /** Replay key of what is being opened: sender ID, or outer source. */
  readonly sender = column();
  /** How often it has been encapsulated and decapsulated. */
  readonly nesting = column();
  /** For queues: {@link QosColumn}. Of `keys` a row of QosKey where QosColumn.Known is set. */
  readonly qos = column();
  readonly keys = new Int32Array(SlotShape.Count * QosKey.Words);
  /** Number of the last record that a capture has of it, 0 = none (mem/capture.ts). */
  readonly captured = column();
  /** Number of the packet in captures, 0 = it has none yet. */
  readonly packet = column();
  /** For 95-local: ICMP type << 24 | code << 16 | MTU of the error about it. */
  readonly error = column();
  /** For 95-local: why it is dropped once the error is written. */
  readonly reason = column();

  /** Free ids, last in first out: the slot freed last is still in the cache. rx peeks from the end before it commits. */
  readonly freeIds = column();
  freeCount = SlotShape.Count;

  constructor() {
    for (let i = 0; i < SlotShape.Count; i++) this.freeIds[i] = SlotShape.Count - 1 - i;
  }

  /** @returns an id, or -1 when the pool is empty. Columns hold what the last user left. */
  allocate(): number {
    if (this.freeCount < 1) return -1;
    const id = this.freeIds[--this.freeCount];
    this.captured[id] = 0;
    this.packet[id] = 0;
    return id;
  }

  /** What is known about one packet, for another made of it; where its bytes lie (off, len, l4Off) is for the caller. */
  copyColumns(from: number, to: number): void {
    const { rxPort, txPort, nextHop, hop, proto, src, dst, sport, dport, tos, flags, sa, nesting, qos, keys, packet } = this;
    rxPort[to] = rxPort[from];
    txPort[to] = txPort[from];
    nextHop[to] = nextHop[from];
    hop[to] = hop[from];
    proto[to] = proto[from];
    src[to] = src[from];
    dst[to] = dst[from];
    sport[to] = sport[from];
    dport[to] = dport[from];
    tos[to] = tos[from];
    flags[to] = flags[from];
    sa[to] = sa[from];
    nesting[to] = nesting[from];
    packet[to] = packet[from];
    qos[to] = qos[from];
    if ((qos[from] & QosColumn.Known) !== 0)
      for (let word = 0; word < QosKey.Words; word++) keys[to * QosKey.Words + word] = keys[from * QosKey.Words + word];
  }

  release(id: number): void {
    this.freeIds[this.freeCount++] = id;
  }
}
