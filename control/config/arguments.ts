// Argument types of the command tree: what a word must look like to be one, and how `?` shows it.

import { parseIpv4 } from './addresses.js';
import { parseInterfaceName } from './interface-names.js';
import type { Value } from './tree.js';

export interface Word {
  text: string;
  column: number;
}

export interface ArgumentType {
  /** As IOS writes it after `?`: `<1-10000>`, `A.B.C.D`, `WORD`, `LINE`. */
  label: string;
  /** @param line the whole line, for arguments that take the rest of it @returns null when the word is none; `used` words are consumed */
  read(words: readonly Word[], index: number, line: string): { value: Value; used: number } | null;
}

/** A decimal number without sign. @returns null when the text is none or is above 2^53 - 1 */
export function readDecimal(text: string): number | null {
  if (text.length === 0 || text.length > 15) return null;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return null;
  }
  return Number(text);
}

export function integer(low: number, high: number): ArgumentType {
  return {
    label: `<${low}-${high}>`,
    read(words, index) {
      const value = readDecimal(words[index].text);
      return value === null || value < low || value > high ? null : { value, used: 1 };
    },
  };
}

export const ipv4: ArgumentType = {
  label: 'A.B.C.D',
  read(words, index) {
    const value = parseIpv4(words[index].text);
    return value === null ? null : { value, used: 1 };
  },
};

/** Any word up to `longest` characters. */
export function word(longest = 100): ArgumentType {
  return {
    label: 'WORD',
    read(words, index) {
      const { text } = words[index];
      return text.length > longest ? null : { value: text, used: 1 };
    },
  };
}

/** The rest of the line as it stands. */
export function restOfLine(longest = 240): ArgumentType {
  return {
    label: 'LINE',
    read(words, index, line) {
      const value = line.slice(words[index].column);
      return value.length > longest ? null : { value, used: words.length - index };
    },
  };
}

/** An interface, abbreviated or not, in one word or two (`gi 0/0`); the value is the full name. */
export const interfaceName: ArgumentType = {
  label: 'INTERFACE',
  read(words, index) {
    const first = words[index].text;
    const second = words[index + 1]?.text;
    if (second !== undefined && second.charCodeAt(0) >= 0x30 && second.charCodeAt(0) <= 0x39) {
      const joined = parseInterfaceName(first, second);
      if (joined !== null) return { value: joined, used: 2 };
    }
    const value = parseInterfaceName(first);
    return value === null ? null : { value, used: 1 };
  },
};
