// The tables: associations with their lives running down, and drops by reason.

import type { PageSa, PageState } from '../state.js';
import { html, setText } from './dom.js';
import { formatCount, formatDuration } from './format.js';

type Cell = string | Node;

/** Kept when its rows are the same ones: only the cells that changed are touched. */
export class Table {
  private body: HTMLTableSectionElement | null = null;

  constructor(
    private readonly place: HTMLElement,
    private readonly heads: readonly string[],
    private readonly none: string,
  ) {}

  show(rows: readonly (readonly Cell[])[]): void {
    if (rows.length === 0) {
      this.place.replaceChildren(html('p', {}, this.none));
      this.body = null;
      return;
    }
    if (!this.body || this.body.rows.length !== rows.length) {
      this.body = html('tbody', {}, ...rows.map((row) => html('tr', {}, ...row.map(() => html('td')))));
      const head = html('thead', {}, html('tr', {}, ...this.heads.map((text) => html('th', { scope: 'col' }, text))));
      this.place.replaceChildren(html('table', {}, head, this.body));
    }
    rows.forEach((row, at) => {
      const { cells } = this.body!.rows[at];
      row.forEach((cell, column) => {
        if (typeof cell === 'string') setText(cells[column], cell);
        else cells[column].replaceChildren(cell);
      });
    });
  }
}

/** Under a tenth is nearly over. */
function lifetime({ remainingSeconds, lifetimeSeconds, kind, spi }: PageSa): Cell {
  if (lifetimeSeconds === null || lifetimeSeconds <= 0) return '';
  const share = Math.max(0, Math.min(1, remainingSeconds / lifetimeSeconds));
  return html('meter', { min: 0, max: 1, low: 0.1, optimum: 1, value: share.toFixed(4), 'aria-label': `${kind} ${spi} remaining life` });
}

export function saRows({ sas }: PageState): Cell[][] {
  return sas.map((sa) => [
    sa.kind,
    sa.with,
    // A KEK's is two cookies: the first ten digits tell it from another.
    sa.spi.length > 12 ? `${sa.spi.slice(0, 10)}…` : sa.spi,
    sa.transform,
    formatDuration(sa.remainingSeconds),
    lifetime(sa),
  ]);
}

export function dropRows({ drops }: PageState): Cell[][] {
  return drops.map(({ reason, packets, help }) => [reason, formatCount(packets), help]);
}
