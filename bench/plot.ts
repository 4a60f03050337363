// results -> a plot: one panel a measure, one bar a peer, median with a whisker from min to max. Plain SVG that follows the reader's
// light or dark scheme, so that a README can embed it.

import { peerTexts } from './peers/names.js';
import type { Results } from './results.js';
import { type ColumnName, columns, peersOf, type Spread, segsOf, spreadOf } from './summary.js';

const enum Px {
  PanelWidth = 450,
  Label = 128,
  Bar = 196,
  Row = 20,
  BarHeight = 12,
  PanelHead = 34,
  Head = 50,
  Margin = 14,
}

interface Panel {
  title: string;
  column: ColumnName;
  seg: number;
}

interface Bar {
  peer: string;
  value: Spread;
}

const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.panel { font-weight: 600; }
.small, .value { font-size: 11px; fill: #59636e; }
.axis { stroke: #8c959f; }
.ours { fill: #0969da; } .vpn { fill: #9a6700; } .bound { fill: #afb8c1; }
.range { stroke: #1f2328; stroke-width: 1.2; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .small, .value { fill: #9198a1; } .axis { stroke: #6e7681; }
.ours { fill: #4493f8; } .vpn { fill: #d29922; } .bound { fill: #484f58; }
.range { stroke: #e6edf3; }
}`;

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

const text = (x: number, y: number, words: string, kind = '', anchor = 'start') =>
  `<text x="${x}" y="${y}" class="${kind}" text-anchor="${anchor}">${escapeXml(words)}</text>`;

/** @param full value at the axis' end; a longer bar is cut there and ends in an arrow */
function drawBar({ peer, value }: Bar, y: number, full: number, digits: number): string {
  const place = (x: number) => Px.Label + 8 + (Math.min(Math.max(x, 0), full) / full) * Px.Bar;
  const middle = y + Px.BarHeight / 2;
  const right = place(value.median);
  const parts = [
    text(Px.Label, y + 10, peer, '', 'end'),
    `<rect class="${peerTexts[peer]?.kind ?? 'vpn'}" x="${Px.Label + 8}" y="${y}" width="${(right - Px.Label - 8).toFixed(1)}" height="${Px.BarHeight}"/>`,
  ];
  if (value.n > 1 && value.max <= full) {
    const [from, to] = [place(value.min).toFixed(1), place(value.max).toFixed(1)];
    parts.push(`<path class="range" fill="none" d="M${from} ${middle}H${to}M${from} ${middle - 3}v6M${to} ${middle - 3}v6"/>`);
  }
  const words = `${value.median > full ? '→ ' : ''}${value.median.toFixed(digits)}`;
  const range = value.n > 1 ? ` (${value.min.toFixed(digits)}–${value.max.toFixed(digits)})` : '';
  parts.push(text(Math.round(place(Math.min(value.max, full))) + 6, y + 10, words + range, 'value'));
  return parts.join('\n');
}

function barsOf(results: Results, panel: Panel): Bar[] {
  return peersOf(results).flatMap((peer) => {
    const value = spreadOf(results, peer, panel.seg, panel.column);
    return value === null ? [] : [{ peer, value }];
  });
}

function drawPanel(panel: Panel, bars: readonly Bar[], x: number, y: number): string {
  // Kernel forwarding moves superpackets untouched, ten times as fast as any program: its bar is cut, so that the others can be told apart.
  const inside = bars.filter(({ peer }) => peer !== 'kernel');
  const full = Math.max(...(inside.length > 0 ? inside : bars).map(({ value }) => value.max), Number.MIN_VALUE);
  const bottom = Px.PanelHead + bars.length * Px.Row - 4;
  return [
    `<g transform="translate(${x} ${y})">`,
    text(Px.Label + 8, 20, panel.title, 'panel'),
    ...bars.map((bar, i) => drawBar(bar, Px.PanelHead + i * Px.Row, full, columns[panel.column].digits)),
    `<path class="axis" d="M${Px.Label + 7.5} ${Px.PanelHead - 4}V${bottom}"/>`,
    '</g>',
  ].join('\n');
}

/** @param name of the run, as the plot's title says it. @returns an SVG document */
export function plot(results: Results, name: string): string {
  const segs = segsOf(results);
  const wanted: Panel[] = [
    ...segs.map((seg): Panel => ({ title: `TCP, 1 stream, Gbit/s (SEG=${seg})`, column: 'tcp1', seg })),
    ...segs.slice(0, 1).flatMap((seg): Panel[] => [
      { title: '64-byte UDP at overload, kpps', column: 'flood', seg },
      { title: 'Round trip, average, µs (less is better)', column: 'rtt', seg },
    ]),
  ];
  const panels = wanted.map((panel) => ({ panel, bars: barsOf(results, panel) })).filter(({ bars }) => bars.length > 0);
  const heightOf = (bars: readonly Bar[]) => Px.PanelHead + bars.length * Px.Row + Px.Margin;
  let y = Px.Head as number;
  const drawn: string[] = [];
  for (let i = 0; i < panels.length; i += 2) {
    const line = panels.slice(i, i + 2);
    line.forEach(({ panel, bars }, k) => {
      drawn.push(drawPanel(panel, bars, k * Px.PanelWidth, y));
    });
    y += Math.max(...line.map(({ bars }) => heightOf(bars)));
  }
  const width = Px.PanelWidth * Math.min(2, Math.max(1, panels.length)) + Px.Margin;
  const machine = `${results.environment.cpu ?? ''}, Linux ${results.environment.kernel ?? ''}. Median and range of ${results.knobs.rounds ?? '?'} interleaved rounds.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img">
<title>${escapeXml(`groupwire side by side, ${name}`)}</title>
<style>${style}
</style>
${text(Px.Margin, 22, 'Two gateways, hosts and WAN on one machine', 'title')}
${text(Px.Margin, 39, machine, 'small')}
${drawn.join('\n')}
</svg>
`;
}
