import t from 'tap';
import { decodeConfig, MaxLineLength, readLines, splitWords } from '../../../../control/config/lexer.js';

/** `line indent text` for each line. */
function lines(text: string): string[] {
  return readLines(text).map((source) => `${source.line} ${source.indent} ${source.defect === null ? source.text : `!! ${source.defect}`}`);
}

t.test('lines, comments, ends of line, indentation', (t) => {
  t.strictSame(lines('a\n\n  b c \n!x\n ! y\r\n\td\r\n'), ['1 0 a', '3 2 b c', '6 1 d']);
  t.strictSame(lines('\uFEFFhostname R1'), ['1 0 hostname R1'], 'a byte order mark is no part of the first line');
  t.strictSame(lines(''), []);
  t.strictSame(lines('\r\n\r\n'), []);
  t.strictSame(lines('last line without end'), ['1 0 last line without end']);
  t.end();
});

t.test('damaged characters are reported with their line', (t) => {
  t.strictSame(lines('a\nb\0c\nd'), ['1 0 a', '2 0 !! control character 0x00', '3 0 d']);
  t.strictSame(lines('old mac\rends'), ['1 0 !! control character 0x0d']);
  t.strictSame(lines(decodeConfig(Uint8Array.of(0x61, 0x0a, 0xc3, 0x28, 0x0a, 0x62))), [
    '1 0 a',
    '2 0 !! bytes that are not UTF-8',
    '3 0 b',
  ]);
  t.strictSame(lines('permit ip any\u00a0any'), ['1 0 !! invisible character U+00A0']);
  t.strictSame(lines('a \u202eb'), ['1 0 !! invisible character U+202E'], 'text that displays in another order than it is read');
  t.strictSame(lines('! caf\u00e9 \0 \ufffd\nhostname R1'), ['2 0 hostname R1'], 'comments may hold anything');
  t.end();
});

t.test('a line of a megabyte is refused and the next one is read', (t) => {
  const long = 'x'.repeat(1 << 20);
  t.strictSame(lines(`${long}\nhostname R1`), [`1 0 !! the line has ${1 << 20} characters, more than ${MaxLineLength}`, '2 0 hostname R1']);
  t.end();
});

t.test('banners are one line', (t) => {
  t.strictSame(lines('banner motd ^C\n hello\n! there\n^C ignored\nhostname R1'), [
    '1 0 banner motd ^C\n hello\n! there\n^C',
    '5 0 hostname R1',
  ]);
  t.strictSame(lines('Bann MO #\nb#\nc'), ['1 0 Bann MO #\nb#', '3 0 c'], 'abbreviated');
  t.strictSame(lines('ban #\nb#'), ['1 0 ban #', '2 0 b#'], 'ban is bandwidth too');
  t.strictSame(lines('banner exec #x#\nb'), ['1 0 banner exec #x#', '2 0 b']);
  t.strictSame(lines('banner \u0003\r\nhi\r\n\u0003\r\nb'), ['1 0 banner \u0003\nhi\n\u0003', '4 0 b']);
  t.strictSame(lines('banner motd #\nrest\nof file'), ['1 0 !! the banner has no closing delimiter: nothing below it was read']);
  t.strictSame(lines('banner motd\nb'), ['1 0 banner motd', '2 0 b'], 'without a delimiter it is a line');
  t.strictSame(lines('banners x\nb'), ['1 0 banners x', '2 0 b']);
  t.end();
});

t.test('words keep their columns', (t) => {
  t.strictSame(splitWords(' ip  route\t0'), [
    { text: 'ip', column: 1 },
    { text: 'route', column: 5 },
    { text: '0', column: 11 },
  ]);
  t.strictSame(splitWords('  '), []);
  t.end();
});
