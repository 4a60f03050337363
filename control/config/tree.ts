// The command tree: what a node is and how to write one. One tree serves parsing, abbreviations, `no`, `?` and completion; it is
// matched by match.ts and asked for help by help.ts. Knows nothing of configuration: `C` is what a command's action gets to work on.

import type { ArgumentType } from './arguments.js';

export type Value = string | number;

/** Values of a matched line's arguments and of keywords that stand for a value. */
export class Args {
  private readonly values = new Map<string, Value>();

  set(name: string, value: Value): void {
    this.values.set(name, value);
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  /** @throws TypeError when the tree did not put a number there: a mistake in a command's definition */
  number(name: string): number {
    const value = this.values.get(name);
    if (typeof value !== 'number') throw new TypeError(`argument ${name} is not a number`);
    return value;
  }

  /** @throws TypeError as `number` */
  text(name: string): string {
    const value = this.values.get(name);
    if (typeof value !== 'string') throw new TypeError(`argument ${name} is not a text`);
    return value;
  }

  optionalNumber(name: string): number | null {
    return this.has(name) ? this.number(name) : null;
  }

  optionalText(name: string): string | null {
    return this.has(name) ? this.text(name) : null;
  }
}

export type Action<C> = (args: Args, context: C) => void;

export interface Node<C> {
  /** Spellings of a keyword, the first is shown; null for an argument. */
  words: string[] | null;
  argument: { name: string; type: ArgumentType } | null;
  help: string;
  /** Values that this keyword stands for. */
  set: [string, Value] | null;
  /** From here on the line is surely ours: what does not fit is an error, not an unknown command. */
  commit: boolean;
  /** Carried out when a line ends here. */
  run: Action<C> | null;
  /** Carried out for `no ...` when a line ends here or at a node below that has no `no` of its own. */
  no: Action<C> | null;
  /** A command that IOS has and we do not: a clear error in place of an unknown line. Not shown by `?`. */
  refuse: { message: string; hint: string | null } | null;
  /** At most once in a line; for options in any order. */
  once: boolean;
  /** Not shown by `?`, as are refused ones. */
  hidden: boolean;
  next: () => Node<C>[];
}

export interface NodeSpec<C> {
  set?: [string, Value];
  commit?: boolean;
  run?: Action<C>;
  no?: Action<C>;
  once?: boolean;
  next?: Node<C>[] | (() => Node<C>[]);
}

function makeNode<C>(help: string, spec: NodeSpec<C>): Node<C> {
  const next = spec.next ?? [];
  return {
    words: null,
    argument: null,
    help,
    set: spec.set ?? null,
    commit: spec.commit ?? false,
    run: spec.run ?? null,
    no: spec.no ?? null,
    refuse: null,
    once: spec.once ?? false,
    hidden: false,
    next: typeof next === 'function' ? next : () => next,
  };
}

/** A keyword. @param words spellings parted by `|`, the first is the one shown */
export function keyword<C>(words: string, help: string, spec: NodeSpec<C>): Node<C> {
  return { ...makeNode(help, spec), words: words.split('|') };
}

/** An argument that a command reads as `args.number(name)` or `args.text(name)`. */
export function argument<C>(name: string, type: ArgumentType, help: string, spec: NodeSpec<C>): Node<C> {
  return { ...makeNode(help, spec), argument: { name, type } };
}

/** Keywords of which the line takes one; it becomes the value of `name`. @param choices word -> [value, help] */
export function choice<C>(name: string, choices: Record<string, [Value, string]>, spec: NodeSpec<C>): Node<C>[] {
  return Object.entries(choices).map(([words, [value, help]]) => keyword(words, help, { ...spec, set: [name, value] }));
}

/** A keyword that IOS has and that is not available here. */
export function refused<C>(words: string, message: string, hint: string | null = null): Node<C> {
  return { ...keyword<C>(words, '', { commit: true }), hidden: true, refuse: { message, hint } };
}

/** A keyword chain without actions of its own: `path('crypto isakmp', help of each, nodes)`. */
export function path<C>(steps: [words: string, help: string][], next: Node<C>[]): Node<C> {
  const [first, ...rest] = steps;
  return keyword(first[0], first[1], { next: rest.length === 0 ? next : [path(rest, next)] });
}

/** Joins keywords of the same spelling that several families define (`crypto`, `ip`, `show`), so that each is offered once. */
export function mergeNodes<C>(nodes: Node<C>[]): Node<C>[] {
  const merged: Node<C>[] = [];
  for (const node of nodes) {
    const at = merged.findIndex((other) => node.words !== null && other.words?.join() === node.words.join());
    if (at < 0) {
      merged.push(node);
      continue;
    }
    const other = merged[at];
    if ((node.run && other.run) || (node.no && other.no)) throw new TypeError(`two commands end at ${node.words?.join('|')}`);
    const next = mergeNodes([...other.next(), ...node.next()]);
    merged[at] = { ...other, run: other.run ?? node.run, no: other.no ?? node.no, commit: other.commit || node.commit, next: () => next };
  }
  return merged;
}
