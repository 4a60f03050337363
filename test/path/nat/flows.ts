// What the cases of NAT share: the router, flows through it, and a reader that checks every sum anew.

import type { Test } from 'tap';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { type Ipv4Spec, ip, ipv4, sumOf, udp } from '../packets.js';
import { memberTables, type SaSpec, type TablesSpec } from '../router.js';

export const sa: SaSpec = { spi: 0x7001, transform: 'gcm-256', sids: [1] };
export const host = '10.0.1.10';
export const global = '172.16.1.2';
export const server = '198.51.100.7';

/** deny VPN, permit the rest of the inside; or a plain list. */
export function natTables(more: Partial<TablesSpec> = {}): TablesSpec {
  return memberTables(1, sa, {
    ports: [
      { address: '10.0.1.1', nat: NatSide.Inside },
      { address: global, nat: NatSide.Outside },
    ],
    acls: [[{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }], [{ action: 'permit', src: '10.0.1.0/24', dst: 'any' }]],
    nat: [
      { rule: 0, permit: false, acl: 0, globalPort: 1 },
      { rule: 0, permit: true, acl: 1, globalPort: 1 },
    ],
    ...more,
  });
}

/** Of a datagram: addresses and ports, once its checksums are right. */
export function read(t: Test, packet: Uint8Array): { src: number; dst: number; ports: [number, number] } {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const at = (packet[0] & 15) * 4;
  t.equal(sumOf(packet.subarray(0, at)), 0, 'header checksum');
  if (packet[9] === 1) t.equal(sumOf(packet.subarray(at)), 0, 'ICMP checksum');
  else if (packet[9] === 6 || view.getUint16(at + 6) !== 0) t.equal(sumOf(withPseudo(packet)), 0, 'transport checksum');
  return { src: view.getUint32(12), dst: view.getUint32(16), ports: [view.getUint16(at), view.getUint16(at + 2)] };
}

export function withPseudo(packet: Uint8Array): Uint8Array {
  const at = (packet[0] & 15) * 4;
  const body = packet.subarray(at);
  const pseudo = new Uint8Array(12 + body.length);
  pseudo.set(packet.subarray(12, 20));
  pseudo.set([0, packet[9], body.length >> 8, body.length & 255], 8);
  pseudo.set(body, 12);
  return pseudo;
}

/** A segment or datagram with a right checksum. @param sumAt where it stands */
export function summed(spec: Ipv4Spec, body: Uint8Array, sumAt: number): Uint8Array {
  const packet = ipv4({ ...spec, payload: body });
  const sum = sumOf(withPseudo(packet)) || 0xffff; // RFC 768: 0 says that there is none
  packet.set([sum >> 8, sum & 255], 20 + sumAt);
  return packet;
}

export function datagram(src: string, dst: string, sport: number, dport: number, more: Partial<Ipv4Spec> = {}): Uint8Array {
  return summed({ src, dst, ...more }, udp(sport, dport, 33), 6);
}

export function segment(src: string, dst: string, sport: number, dport: number, flags: number): Uint8Array {
  const body = new Uint8Array(25);
  const view = new DataView(body.buffer);
  view.setUint16(0, sport);
  view.setUint16(2, dport);
  body[12] = 0x50;
  body[13] = flags;
  body[24] = 9;
  return summed({ src, dst, protocol: 6 }, body, 16);
}

export function icmp(src: string, dst: string, type: number, code: number, word: number, data: Uint8Array): Uint8Array {
  const body = new Uint8Array(8 + data.length);
  body[0] = type;
  body[1] = code;
  new DataView(body.buffer).setUint32(4, word);
  body.set(data, 8);
  const sum = sumOf(body);
  body.set([sum >> 8, sum & 255], 2);
  return ipv4({ src, dst, protocol: 1, payload: body });
}

export function expectFlow(t: Test, packet: Uint8Array, src: string, sport: number, dst: string, dport: number): void {
  t.strictSame(read(t, packet), { src: ip(src), dst: ip(dst), ports: [sport, dport] });
}
