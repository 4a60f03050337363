// `show platform packet-trace summary|packet N|all`: as IOS XE prints it, with the words of packet-tracer.

import type { FollowedPacket, FollowedStep, PacketTraceState } from '../../control/api/snapshot-packet-trace.js';
import { renderPacket } from '../packet-tracer.js';
import { joinBlocks } from './columns.js';
import { ShowError, type View } from './view.js';

const nothing: PacketTraceState = { active: false, wanted: 0, accessList: null, packets: [] };

function renderSummary({ packets, active, wanted, accessList }: PacketTraceState): string[] {
  const row = (number: string, input: string, output: string, state: string, reason: string) =>
    `${number.padEnd(5)} ${input.padEnd(25)} ${output.padEnd(25)} ${state.padEnd(6)} ${reason}`.trimEnd();
  const list = accessList === null ? '' : `, access list ${accessList}`;
  return [
    row('Pkt', 'Input', 'Output', 'State', 'Reason'),
    ...packets.map(({ input, output, state, reason }, i) => row(String(i), input, output ?? '-', state, reason ? `(${reason.name})` : '')),
    `Packet tracing is ${active ? `on: ${packets.length} of ${wanted} packets${list}` : 'off'}`,
  ];
}

function renderStep({ type, subtype, interface: name, packet, information }: FollowedStep): string[] {
  return [
    `  ${type}${subtype === '' ? '' : ` ${subtype}`}: ${name}`,
    `    ${renderPacket(packet)}`,
    ...information.map((text) => `    ${text}`),
  ];
}

function renderTime(micros: number): string {
  return `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
}

function renderPacketWay({ input, output, state, reason, begin, end, steps }: FollowedPacket, number: number): string[] {
  return [
    `Packet: ${number}`,
    'Summary',
    `  Input     : ${input}`,
    `  Output    : ${output ?? '-'}`,
    `  State     : ${state}${reason ? ` (${reason.name}) ${reason.text}` : ''}`,
    '  Timestamp',
    `    Start   : ${renderTime(begin)}`,
    `    Stop    : ${renderTime(end)}`,
    'Path Trace',
    ...steps.flatMap(renderStep),
  ];
}

/** @throws ShowError when there is no such packet */
export function viewOfPacketTrace(wanted: number | 'all' | 'summary', state: PacketTraceState = nothing): View {
  if (wanted === 'summary') return { lines: renderSummary(state), json: { packetTrace: state } };
  const chosen = state.packets.map((packet, number) => ({ packet, number })).filter(({ number }) => wanted === 'all' || number === wanted);
  if (wanted !== 'all' && chosen.length === 0) throw new ShowError(`% Packet ${wanted} was not traced`);
  const json = { packets: chosen.map(({ packet, number }) => ({ number, ...packet })) };
  return { lines: joinBlocks(chosen.map(({ packet, number }) => renderPacketWay(packet, number))), json };
}
