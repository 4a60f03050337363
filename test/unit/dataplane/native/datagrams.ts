// Datagrams built and checked byte by byte, for tests that must not trust the code they test.

export interface Flow {
  protocol: 6 | 17;
  source: string;
  destination: string;
  ports: [number, number];
}

export interface Fields {
  id: number;
  payload: Uint8Array;
  tos?: number;
  ttl?: number;
  /** Flags and offset of IPv4. Default: don't fragment. */
  fragment?: number;
  /** IPv4 options, a multiple of 4 bytes. */
  ipOptions?: number[];
  seq?: number;
  ack?: number;
  flags?: number;
  window?: number;
  tcpOptions?: number[];
  /** Default: the right one. */
  checksum?: number;
}

export function sum(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let total = start;
  for (let i = from; i < to; i++) total += (i - from) % 2 === 0 ? bytes[i] << 8 : bytes[i];
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

function pseudo(bytes: Uint8Array, header: number, length: number): number {
  return sum(bytes, 12, 20) + bytes[9] + length - header;
}

export function build(flow: Flow, fields: Fields): Uint8Array {
  const { payload, ipOptions = [], tcpOptions = [], seq = 0, ack = 0x01020304 } = fields;
  const header = 20 + ipOptions.length;
  const transport = flow.protocol === 6 ? 20 + tcpOptions.length : 8;
  const bytes = new Uint8Array(header + transport + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x40 | (header / 4));
  view.setUint8(1, fields.tos ?? 0);
  view.setUint16(2, bytes.length);
  view.setUint16(4, fields.id & 0xffff);
  view.setUint16(6, fields.fragment ?? 0x4000);
  view.setUint8(8, fields.ttl ?? 64);
  view.setUint8(9, flow.protocol);
  bytes.set(flow.source.split('.').map(Number), 12);
  bytes.set(flow.destination.split('.').map(Number), 16);
  bytes.set(ipOptions, 20);
  view.setUint16(10, ~sum(bytes, 0, header) & 0xffff);
  view.setUint16(header, flow.ports[0]);
  view.setUint16(header + 2, flow.ports[1]);
  bytes.set(payload, header + transport);
  if (flow.protocol === 6) {
    view.setUint32(header + 4, seq >>> 0);
    view.setUint32(header + 8, ack);
    view.setUint8(header + 12, (transport / 4) << 4);
    view.setUint8(header + 13, fields.flags ?? 0x10);
    view.setUint16(header + 14, fields.window ?? 512);
    bytes.set(tcpOptions, header + 20);
  } else {
    view.setUint16(header + 4, transport + payload.length);
  }
  const right = ~sum(bytes, header, bytes.length, pseudo(bytes, header, bytes.length)) & 0xffff;
  view.setUint16(header + (flow.protocol === 6 ? 16 : 6), fields.checksum ?? (right === 0 && flow.protocol === 17 ? 0xffff : right));
  return bytes;
}

/** What is wrong with a received TCP or UDP datagram, or '' */
export function fault(bytes: Uint8Array): string {
  const header = (bytes[0] & 15) * 4;
  if (bytes[0] >> 4 !== 4) return `version ${bytes[0] >> 4}`;
  if (((bytes[2] << 8) | bytes[3]) !== bytes.length) return `total length of ${bytes.length} bytes`;
  if (sum(bytes, 0, header) !== 0xffff) return 'IPv4 checksum';
  if (bytes[9] === 17 && ((bytes[header + 4] << 8) | bytes[header + 5]) !== bytes.length - header) return 'UDP length';
  return sum(bytes, header, bytes.length, pseudo(bytes, header, bytes.length)) === 0xffff ? '' : 'transport checksum';
}

/** As text, after one hop: what a router changes is left out, and the Identification where it means nothing (RFC 6864). */
export function afterHop(bytes: Uint8Array, ttl: number): string {
  const copy = bytes.slice();
  copy[8] = ttl;
  copy.fill(0, 10, 12);
  if ((copy[6] & 0x40) !== 0) copy.fill(0, 4, 6);
  return Buffer.from(copy).toString('hex');
}
