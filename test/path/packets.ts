// Packets for path tests, built without the code under test: plain loops and DataView.

export interface Ipv4Spec {
  src: string;
  dst: string;
  protocol?: number;
  payload?: Uint8Array;
  ttl?: number;
  tos?: number;
  id?: number;
  df?: boolean;
  mf?: boolean;
  /** In bytes. */
  fragmentOffset?: number;
  options?: Uint8Array;
}

/** @returns unsigned */
export function ip(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** One's complement sum, complemented; 0 over bytes that hold it. An odd byte at the end counts as the high one. */
export function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Writes the header checksum anew, after a test has changed the header. */
export function fixHeader(packet: Uint8Array): Uint8Array {
  const length = (packet[0] & 15) * 4;
  packet[10] = 0;
  packet[11] = 0;
  const sum = sumOf(packet.subarray(0, length));
  packet[10] = sum >> 8;
  packet[11] = sum & 255;
  return packet;
}

export function ipv4(spec: Ipv4Spec): Uint8Array {
  const options = spec.options ?? new Uint8Array(0);
  const payload = spec.payload ?? new Uint8Array(8);
  const header = 20 + options.length;
  const packet = new Uint8Array(header + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x40 | (header / 4);
  packet[1] = spec.tos ?? 0;
  view.setUint16(2, packet.length);
  view.setUint16(4, spec.id ?? 0x1234);
  view.setUint16(6, (spec.df ? 0x4000 : 0) | (spec.mf ? 0x2000 : 0) | ((spec.fragmentOffset ?? 0) / 8));
  packet[8] = spec.ttl ?? 63;
  packet[9] = spec.protocol ?? 17;
  view.setUint32(12, ip(spec.src));
  view.setUint32(16, ip(spec.dst));
  packet.set(options, 20);
  packet.set(payload, header);
  return fixHeader(packet);
}

/** UDP without checksum. */
export function udp(sport: number, dport: number, data: Uint8Array | number): Uint8Array {
  const body = typeof data === 'number' ? Uint8Array.from({ length: data }, (_, i) => (i * 7) & 255) : data;
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, sport);
  view.setUint16(2, dport);
  view.setUint16(4, bytes.length);
  bytes.set(body, 8);
  return bytes;
}

/** Host 10.0.1.10 behind one member to 10.0.2.10 behind the other, `data` bytes of UDP payload. */
export function branchPacket(data: number, more: Partial<Ipv4Spec> = {}): Uint8Array {
  return ipv4({ src: '10.0.1.10', dst: '10.0.2.10', payload: udp(1000, 2000, data), ...more });
}

/** The packet with another TTL. */
export function withTtl(packet: Uint8Array, ttl: number): Uint8Array {
  const copy = packet.slice();
  copy[8] = ttl;
  return fixHeader(copy);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
