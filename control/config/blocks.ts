// Configuration text under construction: lines with the lines of their mode below them.

import type { Config } from './model.js';

export interface Block {
  text: string;
  children: Block[];
}

export interface PrintOptions {
  /** false: `<removed>` in place of every secret. */
  secrets: boolean;
}

/** A line; `false` and null among the children are left out. */
export function block(text: string, ...children: (Block | Block[] | string | false | null)[]): Block {
  const kept: Block[] = [];
  for (const child of children.flat()) {
    if (typeof child === 'string') kept.push({ text: child, children: [] });
    else if (child) kept.push(child);
  }
  return { text, children: kept };
}

/** How one family of commands writes its part of a configuration. */
export type PrintFamily = (config: Config, options: PrintOptions) => Block[];
