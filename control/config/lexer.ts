// Configuration text -> logical lines. Knows comments, CRLF, BOM, banners and damaged bytes; knows no command.
// A logical line is one physical line, or a whole banner. Every character is looked at once: no regular expression.

/** Longest line a command can have. IOS stops at 254; certificates and long descriptions need no more than this. */
export const MaxLineLength = 4096;

export interface SourceLine {
  /** 1-based. */
  line: number;
  /** Columns of white space in front; a tab counts as one. */
  indent: number;
  /** Without white space around it. A banner keeps its line ends. */
  text: string;
  /** Why the line cannot be read, or null. */
  defect: string | null;
}

/** Bytes of a file -> text. Invalid UTF-8 becomes U+FFFD, which `readLines` reports with its line. */
export function decodeConfig(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** What makes a command line unreadable. */
function findDefect(text: string): string | null {
  if (text.length > MaxLineLength) return `the line has ${text.length} characters, more than ${MaxLineLength}`;
  return unreadable(text);
}

/** @returns the first character that no line may hold, in words */
export function unreadable(text: string): string | null {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return `control character 0x${code.toString(16).padStart(2, '0')}`;
    if (code === 0xfffd) return 'bytes that are not UTF-8';
    if (code === 0xa0 || code === 0xfeff || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e)) {
      return `invisible character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    }
  }
  return null;
}

/** Words of a line with the column each starts at. */
export function splitWords(text: string): { text: string; column: number }[] {
  const words: { text: string; column: number }[] = [];
  let start = -1;
  for (let i = 0; i <= text.length; i++) {
    if (i === text.length || isSpace(text.charCodeAt(i))) {
      if (start >= 0) words.push({ text: text.slice(start, i), column: start });
      start = -1;
    } else if (start < 0) start = i;
  }
  return words;
}

/** Those of IOS. */
export const bannerTypes = ['motd', 'login', 'exec', 'incoming', 'config-save', 'prompt-timeout', 'slip-ppp'];

/**
 * Where the text of `banner [type] D...` begins: the delimiter, `^C` or one character. The word may be cut to `bann`, below which it is
 * `bandwidth` too; a type to two letters. @returns null for another command
 */
export function openBanner(text: string): { delimiter: string; after: number } | null {
  if (text.slice(0, 4).toLowerCase() !== 'bann') return null;
  const words = splitWords(text.length > MaxLineLength ? text.slice(0, MaxLineLength) : text);
  if (!'banner'.startsWith(words[0].text.toLowerCase())) return null;
  const type = words[1]?.text.toLowerCase() ?? '';
  const word = type.length > 1 && bannerTypes.some((known) => known.startsWith(type)) ? words[2] : words[1];
  if (!word) return null;
  const delimiter = word.text.startsWith('^C') ? '^C' : word.text[0];
  return { delimiter, after: word.column + delimiter.length };
}

/** A banner's line ends with the delimiter; what follows it on that line is ignored, as on IOS. */
function endOfBanner(text: string, delimiter: string, from: number): number {
  const at = text.indexOf(delimiter, from);
  return at < 0 ? -1 : at + delimiter.length;
}

/**
 * Splits a text into logical lines, without blank lines and `!` comments.
 * A banner that never ends is one defective line at its start; the text behind it is not read.
 */
export function readLines(text: string): SourceLine[] {
  const result: SourceLine[] = [];
  let line = 0;
  let position = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let banner: { line: number; delimiter: string; text: string } | null = null;
  while (position <= text.length) {
    let end = text.indexOf('\n', position);
    if (end < 0) end = text.length;
    let stop = end;
    if (stop > position && text.charCodeAt(stop - 1) === 0x0d) stop--;
    line++;
    if (banner) {
      const raw = text.slice(position, stop);
      const close = endOfBanner(raw, banner.delimiter, 0);
      banner.text += `\n${close < 0 ? raw : raw.slice(0, close)}`;
      if (close >= 0) {
        result.push({ line: banner.line, indent: 0, text: banner.text, defect: null });
        banner = null;
      }
    } else {
      let start = position;
      while (start < stop && isSpace(text.charCodeAt(start))) start++;
      let last = stop;
      while (last > start && isSpace(text.charCodeAt(last - 1))) last--;
      if (last > start && text.charCodeAt(start) !== 0x21) {
        const content = text.slice(start, last);
        const opened = openBanner(content);
        const close = opened ? endOfBanner(content, opened.delimiter, opened.after) : -1;
        if (opened && close < 0) banner = { line, delimiter: opened.delimiter, text: content };
        else if (opened) result.push({ line, indent: 0, text: content.slice(0, close), defect: null });
        else result.push({ line, indent: start - position, text: content, defect: findDefect(content) });
      }
    }
    position = end + 1;
  }
  if (banner) {
    const start = banner.text.indexOf('\n');
    const defect = 'the banner has no closing delimiter: nothing below it was read';
    result.push({ line: banner.line, indent: 0, text: start < 0 ? banner.text : banner.text.slice(0, start), defect });
  }
  return result;
}
