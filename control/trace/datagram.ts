// The datagram that packet-tracer asks about, with right lengths and checksums (RFC 791, 768, 793, 792). Payloads are zeroes.

import { sum16 } from '../checksum.js';
import type { TracedFlow } from '../config/exec-trace.js';

const Header = 20;
const Ttl = 64;
const Tcp = { protocol: 6, header: 20, checksum: 16, flags: 13, syn: 0x02, ack: 0x10, dataOffset: 12 } as const;
const Udp = { protocol: 17, header: 8, checksum: 6 } as const;
const Icmp = { protocol: 1, header: 8, checksum: 2 } as const;
const Esp = { protocol: 50 } as const;
/** Enough for IV, one block and ICV of every transform. */
const EspPayload = 72;

function leastPayload({ protocol }: TracedFlow): number {
  switch (protocol) {
    case Tcp.protocol:
      return Tcp.header;
    case Esp.protocol:
      return EspPayload;
    default:
      return Icmp.header; // as many as an ICMP error quotes
  }
}

/** @returns the datagram; one that is asked to be smaller than its headers is as large as they are */
export function buildDatagram(flow: TracedFlow): Uint8Array {
  const bytes = new Uint8Array(Math.max(flow.size ?? 0, Header + leastPayload(flow)));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4500 | flow.tos);
  view.setUint16(2, bytes.length);
  view.setUint16(6, flow.dontFragment ? 0x4000 : 0);
  view.setUint16(8, (Ttl << 8) | flow.protocol);
  view.setUint32(12, flow.source);
  view.setUint32(16, flow.destination);
  view.setUint16(10, ~sum16(bytes, 0, Header) & 0xffff);
  writePayload(flow, bytes, view);
  return bytes;
}

function writePayload({ protocol, ports, icmp, spi, established }: TracedFlow, bytes: Uint8Array, view: DataView): void {
  if (ports) {
    view.setUint16(Header, ports.source);
    view.setUint16(Header + 2, ports.destination);
  }
  // RFC 793 §3.1: pseudo header of addresses, protocol and length.
  const pseudo = sum16(bytes, 12, 20, protocol + bytes.length - Header);
  if (protocol === Tcp.protocol) {
    view.setUint8(Header + Tcp.dataOffset, (Tcp.header / 4) << 4);
    view.setUint8(Header + Tcp.flags, established ? Tcp.ack : Tcp.syn);
    view.setUint16(Header + Tcp.checksum, ~sum16(bytes, Header, bytes.length, pseudo) & 0xffff);
  } else if (protocol === Udp.protocol) {
    view.setUint16(Header + 4, bytes.length - Header);
    view.setUint16(Header + Udp.checksum, ~sum16(bytes, Header, bytes.length, pseudo) & 0xffff || 0xffff);
  } else if (icmp) {
    view.setUint8(Header, icmp.type);
    view.setUint8(Header + 1, icmp.code);
    view.setUint16(Header + Icmp.checksum, ~sum16(bytes, Header, bytes.length) & 0xffff);
  } else if (spi !== null) {
    view.setUint32(Header, spi);
    view.setUint32(Header + 4, 1);
  }
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
