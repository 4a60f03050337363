// ICMP that came back, read from bytes that anybody may have sent: echo replies and errors with what they quote (RFC 792, RFC 1191 §4).
// Does: lengths, checksum, the quoted header. Does not: look whose answer it is, extensions of RFC 4884.

import { sum16 } from '../checksum.js';
import { Size } from './echo.js';

/** What an error quotes of the datagram it is about. Addresses unsigned. */
export interface Quoted {
  source: number;
  destination: number;
  protocol: number;
  /** First four bytes behind the header: ports, or ICMP type, code and checksum; then the next two halves. null = not quoted. */
  words: [number, number, number, number] | null;
}

export type Answer =
  | { kind: 'reply'; from: number; identifier: number; sequence: number /** Behind the ICMP header. */; data: Uint8Array }
  | { kind: 'error'; from: number; type: number; code: number /** Next-hop MTU of 3/4; 0 = not told. */; mtu: number; quoted: Quoted };

const EchoReply = 0;
const Unreachable = 3;
const FragmentationNeeded = 4;
/** Unreachable, source quench, time exceeded, parameter problem. */
const errorTypes = new Set([Unreachable, 4, 11, 12]);
const Icmp = 1;

/** @returns bytes of the IPv4 header at `at`, or null when none can be there */
function headerLengthAt(bytes: Uint8Array, at: number): number | null {
  if (bytes.length < at + Size.Ipv4Header || bytes[at] >>> 4 !== 4) return null;
  const length = (bytes[at] & 15) << 2;
  return length >= Size.Ipv4Header && at + length <= bytes.length ? length : null;
}

function readQuoted(bytes: Uint8Array, view: DataView, at: number): Quoted | null {
  const header = headerLengthAt(bytes, at);
  if (header === null) return null;
  const behind = at + header;
  const words: Quoted['words'] =
    bytes.length >= behind + 8
      ? [view.getUint16(behind), view.getUint16(behind + 2), view.getUint16(behind + 4), view.getUint16(behind + 6)]
      : null;
  return { source: view.getUint32(at + 12), destination: view.getUint32(at + 16), protocol: bytes[at + 9], words };
}

/** @param bytes a whole IPv4 datagram @returns null for what is no echo reply or error, or is damaged */
export function readAnswer(bytes: Uint8Array): Answer | null {
  const header = headerLengthAt(bytes, 0);
  if (header === null || bytes[9] !== Icmp) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const total = Math.min(view.getUint16(2), bytes.length);
  if (total < header + Size.IcmpHeader || sum16(bytes, header, total) !== 0xffff) return null;
  const from = view.getUint32(12);
  const [type, code] = [bytes[header], bytes[header + 1]];
  const whole = bytes.subarray(0, total);
  if (type === EchoReply) {
    const [identifier, sequence] = [view.getUint16(header + 4), view.getUint16(header + 6)];
    return { kind: 'reply', from, identifier, sequence, data: whole.slice(header + Size.IcmpHeader) };
  }
  if (!errorTypes.has(type)) return null;
  const quoted = readQuoted(whole, view, header + Size.IcmpHeader);
  if (!quoted) return null;
  const mtu = type === Unreachable && code === FragmentationNeeded ? view.getUint16(header + 6) : 0;
  return { kind: 'error', from, type, code, mtu, quoted };
}
