// `packet-tracer` as ASA prints it: phases, then the result. Lines of the configuration have their numbers behind them.

import type { ConfigLine, PacketTrace, ShownPacket, TracePhase } from '../control/api/packet-trace.js';

function renderLine({ line, text }: ConfigLine): string {
  return line > 0 ? `${text} (line ${line})` : text;
}

export function renderPacket({
  source,
  destination,
  protocol,
  sourcePort,
  destinationPort,
  tos,
  ttl,
  bytes,
  dontFragment,
}: ShownPacket): string {
  const end = (address: string, port: number | null): string => (port === null ? address : `${address}/${port}`);
  const header = `tos ${tos}, ttl ${ttl}, ${bytes} bytes${dontFragment ? ', DF' : ''}`;
  return `${protocol} ${end(source, sourcePort)} -> ${end(destination, destinationPort)}, ${header}`;
}

function renderDetail({ stage, before, after, rows }: TracePhase): string[] {
  const matched = Object.entries(rows).filter(([, list]) => list.length > 0);
  return [
    ` Stage ${stage}`,
    `  in:  ${renderPacket(before)}`,
    `  out: ${renderPacket(after)}`,
    ...matched.map(([table, list]) => `  rows of ${table === 'accessList' ? 'access lists' : table}: ${list.join(', ')}`),
  ];
}

function renderPhase(phase: TracePhase, detailed: boolean): string[] {
  return [
    `Phase: ${phase.number}`,
    `Type: ${phase.type}`,
    `Subtype:${phase.subtype === '' ? '' : ` ${phase.subtype}`}`,
    `Result: ${phase.result}`,
    'Config:',
    ...phase.config.map(renderLine),
    'Additional Information:',
    ...phase.information.map((text) => ` ${text}`),
    ...(detailed ? renderDetail(phase) : []),
    '',
  ];
}

function renderEnd(side: string, end: PacketTrace['result']['input']): string[] {
  return [`${side}-interface: ${end.interface}`, `${side}-status: ${end.status}`, `${side}-line-status: ${end.status}`];
}

/** @param detailed with what each stage saw, and all that leaves */
export function renderTrace({ phases, result, generation, worker }: PacketTrace, detailed: boolean): string[] {
  const { input, output, action, dropReason, sent } = result;
  return [
    ...phases.flatMap((phase) => renderPhase(phase, detailed)),
    'Result:',
    ...renderEnd('input', input),
    ...(output ? renderEnd('output', output) : []),
    `Action: ${action}`,
    ...(dropReason ? [`Drop-reason: (${dropReason.name}) ${dropReason.text}`] : []),
    ...(detailed
      ? [
          ...sent.map(
            ({ interface: out, link, packet, made }) => `Sent: ${out} (${link})${made ? ', made here' : ''}: ${renderPacket(packet)}`,
          ),
          `Tables: generation ${generation}, worker ${worker}`,
        ]
      : []),
  ];
}
