// Names that IOS gives to values of the ToS octet's parts. On printing, a number that has a name is shown by it.

import { integer } from '../arguments.js';
import { type Action, argument, keyword, type Node } from '../tree.js';

/** RFC 791 §3.1. */
export const precedenceNames = new Map([
  ['routine', 0],
  ['priority', 1],
  ['immediate', 2],
  ['flash', 3],
  ['flash-override', 4],
  ['critical', 5],
  ['internet', 6],
  ['network', 7],
]);

/** RFC 1349 §4. */
export const tosNames = new Map([
  ['normal', 0],
  ['min-monetary-cost', 1],
  ['max-reliability', 2],
  ['max-throughput', 4],
  ['min-delay', 8],
]);

/** RFC 2474 §4.2.2, RFC 2597 §6, RFC 3246. */
export const dscpNames = new Map([
  ['default', 0],
  ...[1, 2, 3, 4, 5, 6, 7].map((value): [string, number] => [`cs${value}`, value * 8]),
  ...[1, 2, 3, 4].flatMap((level) => [1, 2, 3].map((drop): [string, number] => [`af${level}${drop}`, level * 8 + drop * 2])),
  ['ef', 46],
]);

export function nameOf(value: number, names: ReadonlyMap<string, number>): string {
  for (const [name, number] of names) if (number === value) return name;
  return String(value);
}

/** A number or one of the names, as argument `field`. */
export function valueNodes<C>(
  field: string,
  highest: number,
  names: ReadonlyMap<string, number>,
  help: string,
  actions: { run?: Action<C>; no?: Action<C>; next?: () => Node<C>[] },
): Node<C>[] {
  return [
    argument(field, integer(0, highest), help, actions),
    ...[...names].map(([name, value]) => keyword<C>(name, `${help} ${value}`, { ...actions, set: [field, value] })),
  ];
}
