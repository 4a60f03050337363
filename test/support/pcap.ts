// Reads the classic pcap files that tcpdump writes, as far as IPv4 goes: Ethernet, raw IP and cooked captures. No pcapng.

import { readFileSync, writeFileSync } from 'node:fs';

export interface CapturedPacket {
  /** The IPv4 datagram, without the link's padding. */
  ip: Buffer;
  source: string;
  destination: string;
  tos: number;
  protocol: number;
  /** Seconds since 1970. */
  time: number;
}

/** Link types of pcap: bytes in front of the network header, and where the EtherType stands (-1: there is none). */
const links: Record<number, { length: number; etherType: number }> = {
  1: { length: 14, etherType: 12 }, // Ethernet
  101: { length: 0, etherType: -1 }, // raw IP
  113: { length: 16, etherType: 14 }, // Linux cooked v1
  276: { length: 20, etherType: 0 }, // Linux cooked v2
};

function dotted(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

/** All IPv4 packets of a capture, in its order. @throws Error when it is no classic little-endian pcap file */
export function readCapture(file: string): CapturedPacket[] {
  const bytes = readFileSync(file);
  if (bytes.length < 24 || bytes.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${file}: not a pcap file of this machine`);
  const link = links[bytes.readUInt32LE(20)];
  if (link === undefined) throw new Error(`${file}: unknown link type ${bytes.readUInt32LE(20)}`);
  const packets: CapturedPacket[] = [];
  for (let at = 24; at + 16 <= bytes.length; ) {
    const time = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) / 1e6;
    const length = bytes.readUInt32LE(at + 8);
    const frame = bytes.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (frame.length < link.length + 20) continue;
    if (link.etherType >= 0 && frame.readUInt16BE(link.etherType) !== 0x0800) continue;
    const ip = frame.subarray(link.length, link.length + frame.readUInt16BE(link.length + 2));
    packets.push({ ip, source: dotted(ip, 12), destination: dotted(ip, 16), tos: ip[1], protocol: ip[9], time });
  }
  return packets;
}

/** Writes IPv4 datagrams as a capture of raw IP, a microsecond apart. */
export function writeCapture(file: string, packets: readonly Buffer[]): void {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65535, 16);
  head.writeUInt32LE(101, 20);
  const records = packets.flatMap((ip, i) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(i, 4);
    record.writeUInt32LE(ip.length, 8);
    record.writeUInt32LE(ip.length, 12);
    return [record, ip];
  });
  writeFileSync(file, Buffer.concat([head, ...records]));
}

/** True for an address of 10.0.0.0/16, the branches. */
export function isBranch(address: string): boolean {
  return address.startsWith('10.0.');
}

/** Packets between branches, split into ESP and whatever else crossed. */
export function splitBranchPackets(packets: readonly CapturedPacket[]): { esp: CapturedPacket[]; clear: CapturedPacket[] } {
  const between = packets.filter((packet) => isBranch(packet.source) && isBranch(packet.destination));
  return { esp: between.filter((packet) => packet.protocol === 50), clear: between.filter((packet) => packet.protocol !== 50) };
}

/** A packet without what a router must change on the way: TTL, header checksum. */
export function withoutHopFields(ip: Buffer): string {
  const copy = Buffer.from(ip);
  copy[8] = 0;
  copy.writeUInt16BE(0, 10);
  return copy.toString('hex');
}

/** All packets of a capture so, sorted: to compare with what came out elsewhere, in any order. */
export function sortedWithoutHopFields(file: string): string[] {
  return readCapture(file)
    .map(({ ip }) => withoutHopFields(ip))
    .sort();
}
