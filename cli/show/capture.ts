// `show monitor capture [NAME]`, in the words of IOS XE.

import type { Snapshot } from '../../control/api/snapshot.js';
import { joinBlocks } from './columns.js';
import { select, type View } from './view.js';

type Capture = NonNullable<Snapshot['captures']>[number];

function renderCapture({ name, target, accessList, file, limits, active, ended, ...counts }: Capture, now: number): string[] {
  const seconds = Math.floor(((counts.endedAt ?? now) - counts.startedAt) / 1000);
  return [
    `Status Information for Capture ${name}`,
    '  Target Type:',
    `  Interface: ${target}, Direction: BOTH`,
    `   Status : ${active ? 'Active' : `Inactive (${ended})`}`,
    '  Filter Details:',
    accessList === null ? '   Capture all packets' : `   Access-list: ${accessList}`,
    '  File Details:',
    `   Associated file name: ${file}`,
    '  Limit Details:',
    `   Number of Packets to capture: ${limits.packets}`,
    `   Packet Capture duration: ${limits.seconds}`,
    `   Size of the file: ${limits.bytes}`,
    '  Captured:',
    `   ${counts.packets} packets in ${seconds} seconds, ${counts.bytes} bytes, ${counts.dropped} of them dropped by this router`,
    `   ${counts.lost} packets were not recorded for want of room`,
  ];
}

export function viewOfCaptures(name: string | null, { captures = [], takenAt }: Snapshot): View {
  const chosen = select(captures, name, (capture) => capture.name, 'Capture');
  const lines = joinBlocks(chosen.map((capture) => renderCapture(capture, takenAt)));
  return { lines: lines.length > 0 ? lines : ['No captures'], json: { captures: chosen } };
}
