// results -> Markdown.

import { peerTexts } from './peers/names.js';
import { judgeAll, type Outcome } from './requirements.js';
import type { Results } from './results.js';
import { type ColumnName, columnNames, columns, peersOf, type Spread, segsOf, spreadOf } from './summary.js';

const titleOf = (peer: string) => peerTexts[peer]?.title ?? peer;
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(header), `|${'---|'.repeat(header.length)}`, ...rows.map(row)].join('\n');
}

/** `median (min–max)`, the median alone for one round, a dash for none. */
export function showSpread(value: Spread | null, digits: number): string {
  if (value === null) return '–';
  const show = (x: number) => x.toFixed(digits);
  return value.n === 1 ? show(value.median) : `${show(value.median)} (${show(value.min)}–${show(value.max)})`;
}

function measurements(results: Results, seg: number): string {
  const used = columnNames.filter((name) => peersOf(results).some((peer) => spreadOf(results, peer, seg, name) !== null));
  const rows = peersOf(results).map((peer) => {
    const all = results.rounds.filter((round) => round.peer === peer && round.seg === seg);
    const good = all.filter((round) => round.failed === undefined).length;
    const cells = used.map((name) => showSpread(spreadOf(results, peer, seg, name), columns[name].digits));
    return [titleOf(peer), good === all.length ? String(good) : `${good} of ${all.length}: FAILED`, ...cells];
  });
  return table(['', 'n', ...used.map((name) => columns[name].title)], rows);
}

function showOutcome({ requirement, seg, ours, theirName, theirs, ratio, met }: Outcome): string[] {
  const { digits, title } = columns[requirement.column as ColumnName];
  const bound = requirement.least === undefined ? `≤ ${requirement.most}` : `≥ ${requirement.least}`;
  const them =
    requirement.against === undefined
      ? ''
      : theirName === null
        ? 'no other VPN measured'
        : `${titleOf(theirName)} ${showSpread(theirs, digits)}`;
  const got = ratio === null ? '' : `${ratio.value.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
  const verdict = met === null ? 'not measured' : met ? 'yes' : '**no**';
  return [titleOf(requirement.peer), title, String(seg), showSpread(ours, digits), them, got, bound, verdict];
}

/** @param name of the result files, without an ending */
export function markdown(results: Results, name: string): string {
  const environment = Object.entries(results.environment).map(([key, value]) => `${key} ${value}`);
  const knobs = Object.entries(results.knobs).map(([key, value]) => `${key} ${value}`);
  const failures = results.rounds.filter((round) => round.failed !== undefined);
  const outcomes = judgeAll(results);
  const parts = [
    `# Side by side, ${name}`,
    `Medians (min–max) over rounds of one interleaved run, ${results.started} to ${results.finished}. Raw rounds: [${name}.json](${name}.json). What the columns mean: [bench/README.md](../README.md).`,
    `Machine: ${environment.join(' · ')}.`,
    `Run: ${knobs.join(' · ')}.`,
  ];
  for (const seg of segsOf(results)) {
    const what = seg === 0 ? 'hosts send superpackets of up to 64 KB over veth' : 'MTU-sized packets, offloads off on every veth';
    parts.push(`## SEG=${seg}: ${what}`, measurements(results, seg));
  }
  if (outcomes.length > 0) {
    parts.push(
      '## Acceptance',
      'Ratio of the medians; in brackets our worst round by their best, and the other way round.',
      table(['', 'measure', 'SEG', 'ours', 'compared with', 'ratio', 'wanted', 'met'], outcomes.map(showOutcome)),
    );
  }
  if (failures.length > 0) {
    parts.push(
      '## Failed',
      failures.map(({ peer, seg, round, failed }) => `- ${peer}, SEG=${seg}, round ${round}: ${failed?.replaceAll('\n', ' ')}`).join('\n'),
    );
  }
  parts.push(
    '## The peers',
    peersOf(results)
      .map((peer) => `- **${titleOf(peer)}**: ${peerTexts[peer]?.how ?? ''}`)
      .join('\n'),
  );
  return `${parts.join('\n\n')}\n`;
}
