// Blocks of a pcapng file (draft-ietf-opsawg-pcapng): one section, an interface for each place where packets are seen, and packets with their direction and,
// of those that were dropped, the reason as comment. Written in this machine's byte order, which the section header tells. Does not: read, name resolution, statistics.
//
//   | type | total length | body, padded to 32 bits | options | total length |

/** Block types (§4). */
const enum Block {
  Section = 0x0a0d0d0a,
  Interface = 1,
  EnhancedPacket = 6,
}
/** Option codes: of every block (§3.5) and of each kind. The end of options is 0. */
const Comment = 1;
const enum SectionOption {
  Application = 4,
}
const enum InterfaceOption {
  Name = 2,
  Description = 3,
  TimeResolution = 9,
}
const enum PacketOption {
  Flags = 2,
  /** The same packet in several places has one. */
  PacketId = 5,
}
/** LINKTYPE_RAW: datagrams without a link's header. */
const RawIp = 101;
const SnapLength = 65535;

const text = new TextEncoder();

function padded(length: number): number {
  return (length + 3) & ~3;
}

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** @param fields of the body, in front of `data` */
function block(type: Block, fields: readonly number[], data: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const all = options.length === 0 ? [] : [...options, new Uint8Array(4)];
  const total = 12 + fields.length * 4 + padded(data.length) + all.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const value of [type, total, ...fields]) {
    view.setUint32(at, value, true);
    at += 4;
  }
  bytes.set(data, at);
  at += padded(data.length);
  for (const item of all) {
    bytes.set(item, at);
    at += item.length;
  }
  view.setUint32(total - 4, total, true);
  return bytes;
}

const nothing = new Uint8Array(0);

/** @param application that writes it */
export function sectionBlock(application: string): Uint8Array {
  // Byte order, version 1.0, section length unknown.
  const fields = [0x1a2b3c4d, 1, 0xffffffff, 0xffffffff];
  return block(Block.Section, fields, nothing, [option(SectionOption.Application, text.encode(application))]);
}

/** Its number is how many were written before. */
export function interfaceBlock(name: string, description: string): Uint8Array {
  const options = [
    option(InterfaceOption.Name, text.encode(name)),
    option(InterfaceOption.Description, text.encode(description)),
    option(InterfaceOption.TimeResolution, Uint8Array.of(6)),
  ];
  return block(Block.Interface, [RawIp, SnapLength], nothing, options);
}

export interface SeenPacket {
  /** Number of its interface block. */
  interface: number;
  /** Unix time, microseconds. */
  micros: number;
  /** 1 = inbound, 2 = outbound. */
  direction: number;
  /** null = none. */
  comment: string | null;
  /** The same for one packet in several places. */
  packet: number;
  bytes: Uint8Array;
}

export function packetBlock({ interface: number, micros, direction, comment, packet, bytes }: SeenPacket): Uint8Array {
  const fields = [number, Math.floor(micros / 2 ** 32), micros >>> 0, bytes.length, bytes.length];
  const options = [option(PacketOption.Flags, word(direction)), option(PacketOption.PacketId, Uint8Array.of(...word(packet), 0, 0, 0, 0))];
  return block(Block.EnhancedPacket, fields, bytes, comment === null ? options : [option(Comment, text.encode(comment)), ...options]);
}
