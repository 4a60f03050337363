// Datagrams of TCP and UDP flows, and batches in which flows run into each other and go wrong in every way that gathering must notice.
// Built from RFC 9293, RFC 768 and RFC 791 with the packets of the path tests, without the code under test.

import fc from 'fast-check';
import { fixHeader, type Ipv4Spec, ip, ipv4, sumOf } from '../../../path/packets.js';

export interface TcpSpec {
  ip: Ipv4Spec;
  sport: number;
  dport: number;
  seq: number;
  ack?: number;
  flags?: number;
  window?: number;
  urgent?: number;
  /** A multiple of 4 bytes. */
  options?: Uint8Array;
  data: Uint8Array;
}

/** RFC 9293 §3.1, RFC 768: over pseudo-header, header and data. */
function transportSum(spec: Ipv4Spec, protocol: number, segment: Uint8Array): number {
  const pseudo = new Uint8Array(12 + segment.length);
  const view = new DataView(pseudo.buffer);
  view.setUint32(0, ip(spec.src));
  view.setUint32(4, ip(spec.dst));
  pseudo[9] = protocol;
  view.setUint16(10, segment.length);
  pseudo.set(segment, 12);
  return sumOf(pseudo);
}

export function tcpDatagram(spec: TcpSpec): Uint8Array {
  const options = spec.options ?? new Uint8Array(0);
  const header = 20 + options.length;
  const segment = new Uint8Array(header + spec.data.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, spec.sport);
  view.setUint16(2, spec.dport);
  view.setUint32(4, spec.seq);
  view.setUint32(8, spec.ack ?? 0);
  segment[12] = (header / 4) << 4;
  segment[13] = spec.flags ?? 0x10;
  view.setUint16(14, spec.window ?? 501);
  view.setUint16(18, spec.urgent ?? 0);
  segment.set(options, 20);
  segment.set(spec.data, header);
  view.setUint16(16, transportSum(spec.ip, 6, segment));
  return ipv4({ ...spec.ip, protocol: 6, payload: segment });
}

export interface UdpSpec {
  ip: Ipv4Spec;
  sport: number;
  dport: number;
  data: Uint8Array;
  checksum?: boolean;
}

export function udpDatagram(spec: UdpSpec): Uint8Array {
  const segment = new Uint8Array(8 + spec.data.length);
  const view = new DataView(segment.buffer);
  view.setUint16(0, spec.sport);
  view.setUint16(2, spec.dport);
  view.setUint16(4, segment.length);
  segment.set(spec.data, 8);
  if (spec.checksum !== false) view.setUint16(6, transportSum(spec.ip, 17, segment) || 0xffff);
  return ipv4({ ...spec.ip, protocol: 17, payload: segment });
}

/** Bytes that differ from place to place; text(seed + n) is what text(seed) has from n on. */
export function text(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(seed + i, 0x9e3779b1) >>> 24;
  return bytes;
}

/** What is odd about one datagram. Those of the first line happen to good traffic; what they change stays changed for the rest of the flow. */
const twists = [
  ...['psh', 'fin', 'ack', 'window', 'options', 'tos', 'ttl', 'df', 'ece', 'gap', 'id'],
  ...['syn', 'rst', 'urg', 'cwr', 'urgent', 'empty', 'ip-sum', 'sum', 'no-sum', 'more-fragments', 'fragment', 'ip-options', 'reserved'],
  ...['trailing', 'total', 'short', 'icmp', 'udp-length', 'data-offset'],
] as const;
export type Twist = (typeof twists)[number] | '';

export interface Step {
  flow: number;
  twist: Twist;
  /** Bytes added to the flow's usual payload; mostly 0. */
  delta: number;
}

interface State {
  seq: number;
  id: number;
  ack: number;
  window: number;
  tos: number;
  ttl: number;
  df: boolean;
  /** Of RFC 7323's option; 0 = there is none. */
  timestamp: number;
}

/** The usual payload of flow n, bytes. */
const usual = [100, 1000, 1, 37, 1448, 536, 8, 700];
const flagOf: Partial<Record<Twist, number>> = { psh: 0x18, fin: 0x11, syn: 0x12, rst: 0x14, urg: 0x30, cwr: 0x90, ece: 0x50 };

/** Datagrams one after the other, each flow with its own state. Even flows are TCP, odd ones UDP; several lie between the same addresses. */
export function buildBatch(steps: readonly Step[]): Uint8Array[] {
  const states = new Map<number, State>();
  return steps.map((step, at) => {
    const tcp = step.flow % 2 === 0;
    const fresh = {
      seq: 0xffffff00 + step.flow * 1000,
      id: 0xfff0,
      ack: 7,
      window: 501,
      tos: 0,
      ttl: 63,
      df: step.flow % 4 < 2,
      timestamp: 1,
    };
    const state = states.get(step.flow) ?? fresh;
    states.set(step.flow, state);
    return buildDatagram(step, state, tcp, at);
  });
}

function buildDatagram({ flow, twist, delta }: Step, state: State, tcp: boolean, at: number): Uint8Array {
  if (twist === 'ack') state.ack += 1000;
  if (twist === 'window') state.window++;
  if (twist === 'options') state.timestamp = (state.timestamp + 1) % 3;
  if (twist === 'tos') state.tos ^= 0x28;
  if (twist === 'ttl') state.ttl--;
  if (twist === 'df') state.df = !state.df;
  if (twist === 'gap') state.seq += 1000;
  if (twist === 'id') state.id += 3;
  const length = twist === 'empty' ? 0 : Math.max(0, usual[(flow >> 1) % usual.length] + delta);
  const data = text(at * 31, length);
  const spec: Ipv4Spec = {
    src: `10.1.0.${1 + ((flow >> 1) % 3)}`,
    dst: '10.2.0.1',
    tos: state.tos,
    ttl: state.ttl,
    df: state.df && twist !== 'more-fragments' && twist !== 'fragment',
    id: state.id & 0xffff,
    mf: twist === 'more-fragments',
    fragmentOffset: twist === 'fragment' ? 1480 : 0,
    options: twist === 'ip-options' ? Uint8Array.of(1, 1, 1, 0) : undefined,
  };
  const [sport, dport] = [5000 + (flow >> 3), 80 + ((flow & 7) >> 1)]; // of TCP and UDP the same
  const options = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, state.timestamp, 0, 0, 0, 1).slice(0, state.timestamp === 0 ? 0 : 12);
  const urgent = twist === 'urgent' ? 5 : 0;
  const { seq, ack, window } = state;
  const datagram = tcp
    ? tcpDatagram({ ip: spec, sport, dport, seq: seq >>> 0, ack, window, flags: flagOf[twist], urgent, options, data })
    : udpDatagram({ ip: spec, sport, dport, data, checksum: twist !== 'no-sum' });
  state.seq += length;
  state.id++;
  return spoil(datagram, twist, tcp);
}

function spoil(datagram: Uint8Array, twist: Twist, tcp: boolean): Uint8Array {
  if (twist === 'ip-sum') datagram[10] ^= 0x40;
  if (twist === 'sum') datagram[datagram.length - 1] ^= 1;
  if (twist === 'reserved') datagram[6] |= 0x80;
  if (twist === 'icmp') datagram[9] = 1;
  // With the first two bytes of data in each other's place, the checksum is as right as it was.
  if (twist === 'udp-length' && !tcp && datagram.length >= 30) {
    const length = datagram.slice(24, 26);
    datagram.copyWithin(24, 28, 30);
    datagram.set(length, 28);
  }
  // The total length lies, the transport checksum covers all.
  if (twist === 'total') {
    datagram[3] ^= 4;
    fixHeader(datagram);
  }
  if (twist === 'data-offset' && tcp) datagram[32] = 0xf0;
  if (twist === 'trailing') return Uint8Array.of(...datagram, 0, 0, 0);
  if (twist === 'short') return datagram.slice(0, 24);
  return datagram;
}

/** Batches of 1 to 60. @param flows how many; more than 16 do not fit the table of open ones @param allowed what may be odd */
export function batches(flows: number, allowed: readonly Twist[] = twists): fc.Arbitrary<Step[]> {
  const delta = fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1, -60, 60) });
  const twist = fc.oneof({ weight: 8, arbitrary: fc.constant<Twist>('') }, { weight: 1, arbitrary: fc.constantFrom<Twist>(...allowed) });
  const few = fc.record({ flow: fc.nat(3), twist, delta });
  const many = fc.record({ flow: fc.nat(flows - 1), twist, delta });
  const length = { minLength: 1, maxLength: 60, size: 'max' as const };
  return fc.oneof(fc.array(few, length), fc.array(many, length));
}

/** Twists that a kernel carries on unchanged: nothing that it checks, and no options. */
export const forwardable: readonly Twist[] = [
  ...(['psh', 'fin', 'ack', 'window', 'options', 'tos', 'ttl', 'df', 'ece', 'gap', 'id'] as const),
  ...(['syn', 'rst', 'urg', 'cwr', 'urgent', 'empty', 'sum', 'no-sum'] as const),
];

export interface Superpacket {
  tcp: boolean;
  flags: number;
  ipOptions: boolean;
  tcpOptions: boolean;
  df: boolean;
  id: number;
  seq: number;
  payload: number;
  gsoSize: number;
}

export const superpackets: fc.Arbitrary<Superpacket> = fc.record({
  tcp: fc.boolean(),
  flags: fc.nat(255),
  ipOptions: fc.boolean(),
  tcpOptions: fc.boolean(),
  df: fc.boolean(),
  id: fc.nat(0xffff),
  seq: fc.constantFrom(0, 1, 0x7fffff00, 0xffffff00),
  payload: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 65000 })),
  gsoSize: fc.integer({ min: 40, max: 9000 }),
});

/** The datagram that payload[from..to] makes, with the flags, Identification and sequence number it has at that place. */
function part(spec: Superpacket, from: number, to: number, index: number, flags: number): Uint8Array {
  const data = text(3 + from, to - from);
  const header: Ipv4Spec = {
    src: '10.1.0.1',
    dst: '10.2.0.1',
    df: spec.df,
    id: (spec.id + index) & 0xffff,
    options: spec.ipOptions ? Uint8Array.of(0x94, 4, 0, 0) : undefined,
  };
  if (!spec.tcp) return udpDatagram({ ip: header, sport: 1, dport: 2, data });
  const options = spec.tcpOptions ? Uint8Array.of(1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8) : undefined;
  return tcpDatagram({ ip: header, sport: 1, dport: 2, seq: (spec.seq + from) >>> 0, flags, options, data });
}

/** What cutting must give: CWR (RFC 3168 §6.1.2: once per window) on the first only, FIN and PSH on the last only. */
export function cutNaively(spec: Superpacket): Uint8Array[] {
  const cuts: Uint8Array[] = [];
  for (let from = 0; from < spec.payload; from += spec.gsoSize) {
    let flags = spec.flags;
    if (from > 0) flags &= 0x7f;
    if (from + spec.gsoSize < spec.payload) flags &= 0xf6;
    cuts.push(part(spec, from, Math.min(from + spec.gsoSize, spec.payload), cuts.length, flags));
  }
  return cuts;
}

/** The same as a device gives it (virtio 1.2 §5.1.6): header, then one datagram of any length, its checksum left to do. */
export function virtioFrame(spec: Superpacket): Uint8Array {
  const whole = part(spec, 0, spec.payload, 0, spec.flags);
  const ipHeader = (whole[0] & 15) * 4;
  const header = new DataView(new ArrayBuffer(10));
  header.setUint8(0, 1);
  header.setUint8(1, (spec.tcp ? 1 : 5) | ((spec.flags & 0x80) !== 0 && spec.tcp ? 0x80 : 0));
  header.setUint16(2, ipHeader + (spec.tcp ? (whole[ipHeader + 12] >> 4) * 4 : 8), true);
  header.setUint16(4, spec.gsoSize, true);
  header.setUint16(6, ipHeader, true);
  header.setUint16(8, spec.tcp ? 16 : 6, true);
  return new Uint8Array(Buffer.concat([new Uint8Array(header.buffer), whole]));
}
