// From a batch of datagrams to messages: gro.c in TypeScript, to be read beside it. Neighbouring segments of a TCP stream, and UDP datagrams of
// a flow, become one superpacket; the rule is that the receiver, cutting it as twin-gso.ts does, gets the datagrams that were here. Checksums
// are verified before joining, because they are computed anew behind us: what is wrong leaves as it is, by itself.
// Not the same afterwards: the Identification of datagrams with DF set, which means nothing (RFC 6864 §4.1: atomic datagrams), and
// a checksum written as 0xffff where 0 is the same number, and that of ESP in UDP: there is none before, and who receives it does not look
// (RFC 3948 §2.1). Not coalesced: IPv4 options, fragments, IPv6, other UDP without checksum.

import {
  equalBytes,
  foldSum,
  Gso,
  get16,
  get32,
  Ipv4,
  NeedsCsum,
  Protocol,
  put16,
  putIpChecksum,
  putLittle16,
  sumBytes,
  sumPseudo,
  Tcp,
  TcpFlag,
  Udp,
  Virtio,
} from './twin-wire.js';

const FlowCount = 16;
const MostBytes = 65535;
/** RFC 3948 §2. */
const EspInUdpPort = 4500;
const NonEspMarker = 4;
/** UDP_MAX_SEGMENTS of Linux before 6.8. */
const MostUdp = 64;

/** What may be gathered. */
export const enum Coalesce {
  Nothing = 0,
  Tcp = 1,
  Udp = 2,
}

/** What is written in one piece: virtio header, the first datagram whole, payloads of those that joined it. */
export type Message = Uint8Array[];

export interface Plan {
  messages: Message[];
  /** By datagram. */
  messageOf: Int32Array;
}

interface Datagram {
  /** Where its IPv4 header is in the pool. */
  ip: number;
  /** Bytes. */
  headers: number;
  payload: number;
  /** A data segment, a datagram with checksum, or ESP in UDP. */
  mayJoin: boolean;
  /** Has no checksum. */
  bare: boolean;
  /** Nothing may come behind it. */
  ends: boolean;
}

/** A superpacket that is still open, or the datagram that may become one. */
interface Flow {
  first: number;
  message: Message;
  messageIndex: number;
  headers: number;
  /** Payload of the first, bytes. */
  segment: number;
  /** Bytes of the superpacket. */
  total: number;
  count: number;
  /** Of ESP in UDP without checksums. */
  bare: boolean;
  /** The first's checksums: only looked at when a second comes. */
  verified: boolean;
}

/** Null where a flow was closed. @see openFlow for `victim` */
interface Table {
  readonly flows: (Flow | null)[];
  victim: number;
}

/** What it may belong to: none, any flow between its addresses, or one. */
type Sort = 'no-flow' | 'unknown-flow' | Datagram;

function readDatagram(pool: Uint8Array, ip: number, len: number, coalesce: number): Sort {
  if (len < Ipv4.Header || pool[ip] >> 4 !== 4) return 'no-flow';
  const tcp = pool[ip + Ipv4.Protocol] === Protocol.Tcp;
  if (!tcp && pool[ip + Ipv4.Protocol] !== Protocol.Udp) return 'no-flow';
  if ((coalesce & (tcp ? Coalesce.Tcp : Coalesce.Udp)) === 0) return 'no-flow';
  const inOne = (get16(pool, ip + Ipv4.Fragment) & ~Ipv4.DontFragment) === 0;
  const plain = pool[ip] === 0x45 && get16(pool, ip + Ipv4.Total) === len && inOne;
  if (!plain || len < Ipv4.Header + (tcp ? Tcp.Header : Udp.Header)) return 'unknown-flow';
  const transport = ip + Ipv4.Header;
  const transportHeader = tcp ? (pool[transport + Tcp.Offset] >> 4) * 4 : Udp.Header;
  const headers = Ipv4.Header + transportHeader;
  if ((tcp && transportHeader < Tcp.Header) || headers > len) return 'unknown-flow';
  const payload = len - headers;
  if (tcp) {
    const flags = pool[transport + Tcp.Flags];
    const mayJoin = payload > 0 && (flags & (TcpFlag.Syn | TcpFlag.Rst | TcpFlag.Urg | TcpFlag.Cwr)) === 0;
    return { ip, headers, payload, mayJoin, bare: false, ends: (flags & (TcpFlag.Fin | TcpFlag.Psh)) !== 0 };
  }
  const bare = get16(pool, transport + Udp.Checksum) === 0;
  const isMeant = payload > 0 && (!bare || isEsp(pool, transport, payload));
  const mayJoin = isMeant && get16(pool, transport + Udp.Length) === len - Ipv4.Header;
  return { ip, headers, payload, mayJoin, bare, ends: false };
}

/** @param udp header with `payload` bytes behind it */
function isEsp(pool: Uint8Array, udp: number, payload: number): boolean {
  return get16(pool, udp) === EspInUdpPort && payload > NonEspMarker && get32(pool, udp + Udp.Header) !== 0;
}

/** @param bare there is no checksum but the header's */
function isVerified(pool: Uint8Array, ip: number, len: number, bare: boolean): boolean {
  if (foldSum(sumBytes(pool, ip, Ipv4.Header)) !== 0xffff) return false;
  if (bare) return true;
  const transportLen = len - Ipv4.Header;
  return foldSum(sumBytes(pool, ip + Ipv4.Header, transportLen) + sumPseudo(pool, ip, transportLen)) === 0xffff;
}

/** @returns its place in the table, -1 = none */
function findFlow(table: Table, pool: Uint8Array, ip: number): number {
  return table.flows.findIndex(
    (flow) =>
      flow !== null &&
      equalBytes(pool, flow.first + Ipv4.Source, ip + Ipv4.Source, 12) && // ports included
      pool[flow.first + Ipv4.Protocol] === pool[ip + Ipv4.Protocol],
  );
}

function closeFlowsBetween(table: Table, pool: Uint8Array, ip: number): void {
  for (const [i, flow] of table.flows.entries()) {
    if (flow !== null && equalBytes(pool, flow.first + Ipv4.Source, ip + Ipv4.Source, 8)) table.flows[i] = null;
  }
}

/** Whether TCP's header continues the first segment's, whatever the payload (Linux: tcp_gro_receive). */
function continuesStream(flow: Flow, pool: Uint8Array, ip: number): boolean {
  const first = flow.first + Ipv4.Header;
  const next = ip + Ipv4.Header;
  const sent = flow.total - flow.headers;
  return (
    get32(pool, next + Tcp.Seq) === (get32(pool, first + Tcp.Seq) + sent) >>> 0 &&
    equalBytes(pool, first + Tcp.Ack, next + Tcp.Ack, 5) && // and data offset
    ((pool[first + Tcp.Flags] ^ pool[next + Tcp.Flags]) & ~(TcpFlag.Fin | TcpFlag.Psh)) === 0 &&
    equalBytes(pool, first + Tcp.Window, next + Tcp.Window, 2) &&
    equalBytes(pool, first + Tcp.Urgent, next + Tcp.Urgent, flow.headers - Ipv4.Header - Tcp.Urgent) // and options
  );
}

function fits(flow: Flow, pool: Uint8Array, datagram: Datagram): boolean {
  const { first } = flow;
  const { ip } = datagram;
  if (!datagram.mayJoin || datagram.bare !== flow.bare || datagram.headers !== flow.headers || datagram.payload > flow.segment)
    return false;
  if (flow.total + datagram.payload > MostBytes) return false;
  if (pool[first + Ipv4.Tos] !== pool[ip + Ipv4.Tos] || pool[first + Ipv4.Ttl] !== pool[ip + Ipv4.Ttl]) return false;
  const fragment = get16(pool, ip + Ipv4.Fragment);
  if (fragment !== get16(pool, first + Ipv4.Fragment)) return false;
  const nextId = (get16(pool, first + Ipv4.Id) + flow.count) & 0xffff;
  if (fragment !== Ipv4.DontFragment && get16(pool, ip + Ipv4.Id) !== nextId) return false;
  if (pool[ip + Ipv4.Protocol] === Protocol.Tcp && !continuesStream(flow, pool, ip)) return false;
  if (!flow.verified) flow.verified = isVerified(pool, first, flow.total, flow.bare);
  return flow.verified && isVerified(pool, ip, datagram.headers + datagram.payload, flow.bare);
}

/** @returns whether the flow stays open */
function join(flow: Flow, pool: Uint8Array, datagram: Datagram): boolean {
  const { ip, headers, payload } = datagram;
  const tcp = pool[ip + Ipv4.Protocol] === Protocol.Tcp;
  const header = flow.message[0];
  header[Virtio.GsoType] = tcp ? Gso.Tcp4 : Gso.Udp;
  putLittle16(header, Virtio.GsoSize, flow.segment);
  putLittle16(header, Virtio.HdrLen, flow.headers);
  flow.message.push(pool.subarray(ip + headers, ip + headers + payload));
  flow.total += payload;
  flow.count++;
  const ending = TcpFlag.Fin | TcpFlag.Psh;
  if (tcp) pool[flow.first + Ipv4.Header + Tcp.Flags] |= pool[ip + Ipv4.Header + Tcp.Flags] & ending;
  put16(pool, flow.first + Ipv4.Total, flow.total);
  return !(datagram.ends || payload < flow.segment || (!tcp && flow.count === MostUdp));
}

/** @param place of the datagram's own flow, which it could not join, or -1: then a new one takes the places in turn */
function openFlow(table: Table, place: number, datagram: Datagram, message: Message, messageIndex: number): void {
  if (!datagram.mayJoin || datagram.ends) {
    if (place >= 0) table.flows[place] = null;
    return;
  }
  const { ip, headers, payload, bare } = datagram;
  const taken = place >= 0 ? place : table.victim++ % FlowCount;
  const total = headers + payload;
  table.flows[taken] = { first: ip, message, messageIndex, headers, segment: payload, total, count: 1, bare, verified: false };
}

/** What the receiver needs to cut it: the sum of the pseudo-header in the checksum field, and where that is. */
function finishSuperpacket(header: Uint8Array, pool: Uint8Array, ip: number): void {
  const transport = ip + Ipv4.Header;
  const transportLen = get16(pool, ip + Ipv4.Total) - Ipv4.Header;
  const tcp = pool[ip + Ipv4.Protocol] === Protocol.Tcp;
  const field = tcp ? Tcp.Checksum : Udp.Checksum;
  header[Virtio.Flags] = NeedsCsum;
  putLittle16(header, Virtio.CsumStart, Ipv4.Header);
  putLittle16(header, Virtio.CsumOffset, field);
  putIpChecksum(pool, ip, Ipv4.Header);
  if (!tcp) put16(pool, transport + Udp.Length, transportLen);
  put16(pool, transport + field, foldSum(sumPseudo(pool, ip, transportLen)));
}

/**
 * Groups a batch. Headers of superpackets are rewritten in place. The order of messages is that of their first datagrams; the order
 * within a flow stays. @param coalesce Coalesce bits; 0: every datagram is a message of its own
 */
export function planMessages(pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, count: number, coalesce: number): Plan {
  const table: Table = { flows: new Array<Flow | null>(FlowCount).fill(null), victim: 0 };
  const plan: Plan = { messages: [], messageOf: new Int32Array(count) };
  for (let i = 0; i < count; i++) {
    const ip = offsets[i];
    const sort = count === 1 ? 'no-flow' : readDatagram(pool, ip, lengths[i], coalesce);
    const datagram = typeof sort === 'string' ? null : sort;
    const place = datagram === null ? -1 : findFlow(table, pool, ip);
    const flow = place < 0 ? null : table.flows[place];
    if (flow !== null && datagram !== null && fits(flow, pool, datagram)) {
      plan.messageOf[i] = flow.messageIndex;
      if (!join(flow, pool, datagram)) table.flows[place] = null;
      continue;
    }
    const message = [new Uint8Array(Virtio.Bytes), pool.subarray(ip, ip + lengths[i])];
    plan.messageOf[i] = plan.messages.length;
    plan.messages.push(message);
    if (datagram !== null) openFlow(table, place, datagram, message, plan.messageOf[i]);
    if (sort === 'unknown-flow') closeFlowsBetween(table, pool, ip);
  }
  for (const message of plan.messages) {
    if (message[0][Virtio.GsoType] !== Gso.None) finishSuperpacket(message[0], pool, message[1].byteOffset - pool.byteOffset);
  }
  return plan;
}
