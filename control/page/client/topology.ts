// The drawing of a group: key servers above, members below, the group between them.

import type { Health, PageGroup, PageNode } from '../state.js';
import { html, setText, svg } from './dom.js';
import { Band, Card, layOut } from './layout.js';

const words: Record<Health, string> = { good: 'good', warn: 'needs a look', bad: 'bad', unknown: 'not known' };

/** One group's drawing. */
export class Topology {
  readonly element: HTMLElement;
  private readonly title = html('h2');
  private readonly place = html('div');
  private shape = '';
  private cards: { box: SVGGElement; state: SVGTextElement; wire: SVGLineElement; title: SVGTitleElement }[] = [];

  constructor() {
    this.element = html('div', {}, this.title, this.place);
  }

  /** @param lost the router itself does not answer any more */
  draw(group: PageGroup, lost: boolean): void {
    const hidden = group.memberCount - group.members.length;
    const members = group.role === 'key server' ? `, ${group.memberCount} member${group.memberCount === 1 ? '' : 's'}` : '';
    setText(this.title, `Group ${group.name} (${group.identity})${members}${hidden > 0 ? `, ${hidden} of them not drawn` : ''}`);
    const width = this.place.clientWidth;
    const shape = JSON.stringify([width, group.name, [...group.servers, ...group.members].map(({ name, address }) => [name, address])]);
    if (shape !== this.shape) this.build(group, width);
    this.shape = shape;
    for (const [index, node] of [...group.servers, ...group.members].entries()) this.update(index, node, lost);
  }

  private build(group: PageGroup, width: number): void {
    const layout = layOut(group, width);
    const middle = layout.bandY + Band / 2;
    const band = svg(
      'g',
      { class: 'band' },
      svg('rect', { x: 1, y: layout.bandY, width: Math.max(width - 2, 1), height: Band, rx: Band / 2 }),
      svg('text', { x: width / 2, y: middle + 5 }, group.name),
    );
    const wires: SVGLineElement[] = [];
    this.cards = [...layout.servers, ...layout.members].map(({ node, x, y }) => {
      const isAbove = y < layout.bandY;
      const center = x + Card.width / 2;
      const wire = svg('line', {
        x1: center,
        x2: center,
        y1: isAbove ? y + Card.height : layout.bandY + Band,
        y2: isAbove ? layout.bandY : y,
      });
      wires.push(wire);
      const state = svg('text', { x: x + 26, y: y + 53, class: 'state' });
      const title = svg('title');
      const box = svg(
        'g',
        { class: node.isSelf ? 'node self' : 'node', 'data-address': node.address },
        title,
        svg('rect', { x, y, width: Card.width, height: Card.height, rx: 8 }),
        svg('circle', { cx: x + 14, cy: y + 49, r: 5 }),
        svg('text', { x: x + 10, y: y + 19, class: 'name' }, clip(node.name)),
        svg('text', { x: x + 10, y: y + 35 }, clip(node.address)),
        state,
      );
      return { box, state, wire, title };
    });
    const label = { role: 'img', 'aria-label': `Group ${group.name}: key servers and members` };
    const size = { viewBox: `0 0 ${width} ${layout.height}`, width, height: layout.height };
    const boxes = this.cards.map(({ box }) => box);
    this.place.replaceChildren(svg('svg', { ...label, ...size }, ...wires, band, ...boxes));
  }

  private update(index: number, node: PageNode, lost: boolean): void {
    const { box, state, wire, title } = this.cards[index];
    // What a silent router last said of others is no news of them.
    const health: Health = !lost ? node.health : node.isSelf ? 'bad' : 'unknown';
    const text = !lost ? node.state : node.isSelf ? 'does not answer' : 'not known';
    box.dataset.health = health;
    wire.dataset.health = health;
    setText(state, clip(text));
    setText(title, `${node.name} ${node.address}: ${words[health]}, ${text}`);
  }
}

/** What fits on a card; its title has all of it. */
function clip(text: string): string {
  return text.length > 20 ? `${text.slice(0, 19)}…` : text;
}
