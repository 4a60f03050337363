// Where the routers of a group are drawn. Places follow from the width that there is, so that a phone gets two columns and a screen seven.

import type { PageGroup, PageNode } from '../state.js';

export const Card = { width: 156, height: 62, gap: 12 };
export const Band = 34;
const Wire = 26;

export interface Placed {
  node: PageNode;
  x: number;
  y: number;
}
export interface Layout {
  width: number;
  height: number;
  servers: Placed[];
  members: Placed[];
  bandY: number;
}

/** @param width that there is, pixels */
export function layOut(group: PageGroup, width: number): Layout {
  const columns = Math.max(1, Math.floor((width + Card.gap) / (Card.width + Card.gap)));
  const rowHeight = Card.height + Wire;
  const place = (nodes: readonly PageNode[], top: number): Placed[] =>
    nodes.map((node, index) => {
      const row = Math.floor(index / columns);
      const inRow = Math.min(columns, nodes.length - row * columns);
      const left = (width - inRow * Card.width - (inRow - 1) * Card.gap) / 2;
      return { node, x: left + (index % columns) * (Card.width + Card.gap), y: top + row * rowHeight };
    });
  const rows = (nodes: readonly PageNode[]) => Math.ceil(nodes.length / columns) * rowHeight;
  const bandY = rows(group.servers);
  const below = bandY + Band + Wire;
  return {
    width,
    height: below + Math.max(rows(group.members) - Wire, 0) + 2,
    servers: place(group.servers, 1),
    members: place(group.members, below),
    bandY,
  };
}
