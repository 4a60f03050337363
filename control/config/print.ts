// Config -> text, as `show running-config` lists it. parse(print(c)) means c again, unknown lines included.

import type { Block, PrintOptions } from './blocks.js';
import type { Config } from './model.js';
import { families } from './modes.js';
import { maskSecrets } from './secrets.js';

/**
 * Puts the unknown lines in front of what we know in their mode: there no mode is open yet that could take them for its own.
 * A line without text of its own above it (its parent is unknown too) hangs below its parent.
 */
function insertUnknown(roots: Block[], config: Config, options: PrintOptions): Block[] {
  const top: Block[] = [];
  const known = new Map<string, Block>();
  const index = (blocks: Block[], around: string): void => {
    for (const block of blocks) {
      const path = `${around}\n${block.text}`;
      if (!known.has(path)) known.set(path, block);
      index(block.children, path);
    }
  };
  index(roots, '');
  const added = new Map<Block, Block[]>();
  for (const { path } of config.unknownLines) {
    const text = path[path.length - 1];
    const line: Block = { text: options.secrets ? text : maskSecrets(text), children: [] };
    const parentPath = path.slice(0, -1).reduce((around, step) => `${around}\n${step}`, '');
    const parent = path.length === 1 ? null : known.get(parentPath);
    const siblings = parent ? added.get(parent) : top;
    if (siblings) siblings.push(line);
    else if (parent) added.set(parent, [line]);
    // A later line below this one means this one, even when an equal line stood before it.
    known.set(`${parentPath}\n${text}`, line);
  }
  for (const [parent, lines] of added) parent.children.unshift(...lines);
  return top;
}

function writeBlock(lines: string[], block: Block, depth: number): void {
  lines.push(' '.repeat(depth) + block.text);
  for (const child of block.children) writeBlock(lines, child, depth + 1);
}

/**
 * @param options `secrets: false` puts `<removed>` in place of keys, and of what looks like one in unknown lines
 * @returns the text, with a line end at its end
 */
export function printConfig(config: Config, options: PrintOptions): string {
  const parts = families.map(({ print }) => print(config, options));
  const unknown = insertUnknown(parts.flat(), config, options);
  const [general, ...rest] = parts;
  const lines: string[] = [];
  const write = (blocks: Block[]): void => {
    let open = false;
    for (const block of blocks) {
      writeBlock(lines, block, 0);
      open = block.children.length === 0;
      if (!open) lines.push('!');
    }
    if (open) lines.push('!');
  };
  for (const blocks of [general, unknown, ...rest]) write(blocks);
  lines.push('end');
  return `${lines.join('\n')}\n`;
}
