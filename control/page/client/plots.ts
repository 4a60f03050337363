// The plots. uPlot draws on a canvas, so the colours of the style sheet are read from it, again when light turns dark; it is made anew when its series are others.

import type { PageState } from '../state.js';
import { byId } from './dom.js';
import { formatSi } from './format.js';
import type { History, Rates } from './series.js';

interface Line {
  name: string;
  value: (sample: Rates) => number | null | undefined;
}

const Height = 170;
const LeastSeconds = 60;

function colour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

function axis(size: number): uPlot.Axis {
  const line = { stroke: colour('--grid'), width: 1 };
  return { stroke: colour('--soft'), grid: line, ticks: line, size, font: '11px system-ui, sans-serif' };
}

class Plot {
  private plot: uPlot | null = null;
  private drawn = '';

  constructor(private readonly place: HTMLElement) {
    new ResizeObserver(() => {
      this.plot?.setSize({ width: place.clientWidth, height: Height });
      this.showNewest();
    }).observe(place);
  }

  draw(lines: readonly Line[], history: History): void {
    const names = lines.map(({ name }) => name).join('\n');
    const data = history.columns(...lines.map(({ value }) => value));
    if (this.plot && names === this.drawn) this.plot.setData(data);
    else {
      this.plot?.destroy();
      this.plot = new uPlot(this.options(lines), data, this.place);
    }
    this.drawn = names;
    this.showNewest();
  }

  /** In the legend, unless the pointer is on another. */
  private showNewest(plot = this.plot): void {
    if (plot && plot.cursor.idx == null) plot.setLegend({ idx: plot.data[0].length - 1 });
  }

  /** Colours are others: the next draw() makes it anew. */
  forget(): void {
    this.drawn = '';
  }

  private options(lines: readonly Line[]): uPlot.Options {
    return {
      width: this.place.clientWidth,
      height: Height,
      hooks: { ready: [(plot) => this.showNewest(plot)] },
      // A minute at the least. From zero, and never so fine that nothing looks like something.
      scales: {
        x: { range: (_, first, last) => [Math.min(first ?? 0, (last ?? 0) - LeastSeconds), last ?? 0] },
        y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.1)] },
      },
      axes: [axis(28), { ...axis(56), values: (_, ticks) => ticks.map((tick) => formatSi(tick)) }],
      series: [
        { value: (_, at) => (at === null ? '–' : new Date(at * 1000).toLocaleTimeString()) },
        ...lines.map(({ name }, index) => ({
          label: name,
          stroke: colour(`--line-${(index % 6) + 1}`),
          width: 1.5,
          points: { show: false },
          value: (_: uPlot, value: number | null) => (value === null ? '–' : formatSi(value)),
        })),
      ],
    };
  }
}

export class Plots {
  private readonly throughput = new Plot(byId('plot-throughput'));
  private readonly packets = new Plot(byId('plot-packets'));
  private readonly drops = new Plot(byId('plot-drops'));
  private readonly queues = new Plot(byId('plot-queues'));

  constructor(private readonly redraw: () => void) {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const plot of [this.throughput, this.packets, this.drops, this.queues]) plot.forget();
      this.redraw();
    });
  }

  draw(state: PageState, chosen: string, history: History): void {
    const of = ({ interfaces }: Rates) => interfaces.get(chosen);
    const throughput: Line[] = [
      { name: 'received', value: (sample) => of(sample)?.receivedBps },
      { name: 'sent', value: (sample) => of(sample)?.sentBps },
    ];
    const packets: Line[] = [
      { name: 'received', value: (sample) => of(sample)?.receivedPps },
      { name: 'sent', value: (sample) => of(sample)?.sentPps },
    ];
    if (state.groups.some(({ role }) => role === 'member')) {
      packets.push({ name: 'encrypted', value: ({ sealedPps }) => sealedPps });
      packets.push({ name: 'decrypted', value: ({ openedPps }) => openedPps });
    }
    const queues = state.queues.map(({ name }): Line => ({ name, value: (sample) => sample.queues.get(name) }));
    this.throughput.draw(throughput, history);
    this.packets.draw(packets, history);
    this.drops.draw([{ name: 'dropped', value: ({ drops }) => drops }], history);
    this.queues.draw([{ name: 'all', value: ({ queued }) => queued }, ...queues], history);
  }
}
