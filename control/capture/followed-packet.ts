// The way of one packet through this router, from the records that were made of it: where it came by, what SAs and tunnels did with it, whether NAT changed its ends, how it
// left, or why it did not. All of it happened; nothing is asked of tables.

import { dropTexts } from '../../dataplane/counters/declare.js';
import { CaptureDirection, CapturePlace } from '../../dataplane/tables/capture.js';
import type { ShownPacket } from '../api/packet-trace.js';
import type { FollowedPacket, FollowedStep } from '../api/snapshot-packet-trace.js';
import { UdpHeaderBytes } from '../compile/transforms.js';
import { formatIpv4 } from '../config/addresses.js';
import { describeProtocol, protocolsWithPorts } from '../config/commands/service-names.js';
import { NatPort } from '../isakmp/ports.js';
import type { CaptureRecord } from './records.js';

const Esp = 50;
const Udp = 17;

/** What of a record is told. */
export type SeenRecord = Pick<CaptureRecord, 'place' | 'direction' | 'reason' | 'micros'> & {
  interface: string;
  isTunnel: boolean;
  packet: ShownPacket;
  /** Of ESP, else null. */
  spi: number | null;
};

/** @param name of the record's interface */
export function describeRecord(record: CaptureRecord, name: string, isTunnel: boolean): SeenRecord {
  const { place, direction, reason, micros, bytes } = record;
  const packet = readPacket(bytes);
  return { place, direction, reason, micros, interface: name, isTunnel, packet, spi: readSpi(bytes, packet) };
}

function readPacket(bytes: Uint8Array): ShownPacket {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const has = (end: number) => end <= bytes.length;
  const header = has(1) ? (bytes[0] & 15) * 4 : 0;
  const isFirst = has(8) && (view.getUint16(6) & 0x1fff) === 0;
  const ported = has(10) && protocolsWithPorts.has(bytes[9]) && isFirst && has(header + 4);
  return {
    source: has(16) ? formatIpv4(view.getUint32(12)) : '0.0.0.0',
    destination: has(20) ? formatIpv4(view.getUint32(16)) : '0.0.0.0',
    protocol: describeProtocol(has(10) ? bytes[9] : 0),
    sourcePort: ported ? view.getUint16(header) : null,
    destinationPort: ported ? view.getUint16(header + 2) : null,
    tos: has(2) ? bytes[1] : 0,
    ttl: has(9) ? bytes[8] : 0,
    bytes: bytes.length,
    dontFragment: has(8) && (bytes[6] & 0x40) !== 0,
  };
}

/** Of ESP, in UDP 4500 too, where IKE has zeroes (RFC 3948 §2.2). */
function readSpi(bytes: Uint8Array, { sourcePort, destinationPort }: ShownPacket): number | null {
  const isInUdp = bytes[9] === Udp && (sourcePort === NatPort || destinationPort === NatPort);
  const at = (bytes[0] & 15) * 4 + (isInUdp ? UdpHeaderBytes : 0);
  if ((bytes[9] !== Esp && !isInUdp) || bytes.length < at + 4) return null;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at) || null;
}

function spiText(spi: number | null | undefined): string[] {
  return typeof spi === 'number' ? [`SA with SPI 0x${spi.toString(16).toUpperCase().padStart(8, '0')}`] : [];
}

function ends({ source, sourcePort, destination, destinationPort }: ShownPacket): [from: string, to: string] {
  const end = (address: string, port: number | null): string => (port === null ? address : `${address}/${port}`);
  return [end(source, sourcePort), end(destination, destinationPort)];
}

/** What differs between two places is no translation: sealed, opened or encapsulated there, or one of several that leave. */
function isOther(before: SeenRecord, after: SeenRecord): boolean {
  const isInner = (record: SeenRecord) => record.place === CapturePlace.Inner;
  const opens = isInner(after) && after.direction === CaptureDirection.In;
  const decaps = after.isTunnel && !isInner(after) && after.direction === CaptureDirection.In;
  return opens || decaps || before.direction === CaptureDirection.Out;
}

function translation(before: SeenRecord, after: SeenRecord): FollowedStep[] {
  if (isOther(before, after)) return [];
  const [from, to] = ends(before.packet);
  const [newFrom, newTo] = ends(after.packet);
  const information = [
    ...(from === newFrom ? [] : [`source ${from} became ${newFrom}`]),
    ...(to === newTo ? [] : [`destination ${to} became ${newTo}`]),
  ];
  if (information.length === 0) return [];
  return [{ type: to === newTo ? 'NAT' : 'UN-NAT', subtype: '', interface: after.interface, packet: after.packet, information }];
}

function stepOf(record: SeenRecord, before: SeenRecord | undefined, after: SeenRecord | undefined): FollowedStep {
  const { place, direction, interface: name, isTunnel, packet, spi, reason } = record;
  const isIn = direction === CaptureDirection.In;
  const common = { interface: name, packet };
  if (place === CapturePlace.Host) return { type: 'LOCAL', subtype: '', ...common, information: ['handed to the host'] };
  if (place === CapturePlace.Inner)
    return isIn
      ? { type: 'VPN', subtype: 'decrypt', ...common, information: spiText(before?.spi) }
      : { type: 'VPN', subtype: 'encrypt', ...common, information: spiText(after?.spi) };
  if (isTunnel) return { type: 'TUNNEL', subtype: isIn ? 'decap' : 'encap', ...common, information: [] };
  const isLost = !isIn && reason >= 0;
  return { type: isIn ? 'INPUT' : 'OUTPUT', subtype: '', ...common, information: [...spiText(spi), ...(isLost ? ['did not leave'] : [])] };
}

/** @param records of one packet, in order; one at least */
export function describeWay(records: readonly SeenRecord[]): FollowedPacket {
  const first = records[0];
  const last = records[records.length - 1];
  const dropped = records.find(({ reason }) => reason >= 0);
  const hasLeft = last.place === CapturePlace.Wire && !last.isTunnel && last.direction === CaptureDirection.Out;
  const text = dropped ? dropTexts[dropped.reason] : undefined;
  return {
    input: first.interface,
    output: hasLeft && !dropped ? last.interface : null,
    state: dropped ? 'DROP' : last.place === CapturePlace.Host ? 'PUNT' : hasLeft ? 'FWD' : 'HELD',
    reason: text ? { name: text.name, text: text.help } : null,
    begin: first.micros,
    end: last.micros,
    steps: records.flatMap((record, i) => {
      const before = records[i - 1];
      return [...(before ? translation(before, record) : []), stepOf(record, before, records[i + 1])];
    }),
  };
}
