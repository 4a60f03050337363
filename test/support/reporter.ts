// Reads TAP on standard input and reports it: nothing on success but the closing line, one line per failure
//   FAIL test/unit/x.test.ts: group > name: expected 2, seen 1
//   12 passed, 1 failed
// Takes several TAP streams one after the other (a test run in steps); a line `# variant: TEXT` between them names what follows, and failures
// carry that name. With TIMES=1 in the environment the files follow with their seconds, slowest first. Exit status 1 when anything failed or
// nothing ran.

import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { createInterface } from 'node:readline';
import { Parser, type Result } from 'tap-parser';

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/** What `diag` may hold; tap writes whatever an assertion wants to say. */
interface Diagnostic {
  diff?: unknown;
  expected?: unknown;
  wanted?: unknown;
  found?: unknown;
  doNotWant?: unknown;
  at?: { fileName?: unknown; lineNumber?: unknown; columnNumber?: unknown };
  exitCode?: unknown;
  signal?: unknown;
  timeout?: unknown;
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 400)}...` : line;
}

/** The lines of one side of a unified diff; what both sides share is left out. */
function diffSide(diff: string, sign: '-' | '+'): string {
  const lines = diff.split('\n').slice(2);
  return oneLine(
    lines
      .filter((line) => line.startsWith(sign))
      .map((line) => line.slice(1))
      .join(' '),
  );
}

function describeFailure(diag: Diagnostic | null): string {
  if (diag === null) return '';
  if (typeof diag.diff === 'string')
    return `: expected ${diffSide(diag.diff, '-') || 'less'}, seen ${diffSide(diag.diff, '+') || 'nothing'}`;
  if (diag.timeout !== undefined) return `: timed out after ${diag.timeout} ms`;
  if (diag.signal) return `: ended by ${diag.signal}`;
  if (typeof diag.exitCode === 'number') return `: exited with status ${diag.exitCode}`;
  const expected = diag.expected ?? diag.wanted;
  if (expected !== undefined) return `: expected ${oneLine(JSON.stringify(expected))}, seen ${oneLine(JSON.stringify(diag.found))}`;
  if (diag.doNotWant !== undefined) return `: expected anything but ${oneLine(JSON.stringify(diag.doNotWant))}, seen just that`;
  return '';
}

function place(diag: Diagnostic | null): string {
  const { fileName, lineNumber, columnNumber } = diag?.at ?? {};
  if (typeof fileName !== 'string') return '';
  return ` (${sourceName(fileName)}:${sourceLine(fileName, Number(lineNumber), Number(columnNumber)) ?? lineNumber})`;
}

/** The line in TypeScript. Looked up here, for failures alone: node's own mapping costs every assertion. @returns null when there is no map */
function sourceLine(fileName: string, line: number, column: number): number | null {
  const file = `${fileName.replace(/^file:\/\//, '')}.map`;
  if (!existsSync(file)) return null;
  const entry = new SourceMap(JSON.parse(readFileSync(file, 'utf8'))).findEntry(line - 1, (column || 1) - 1);
  return 'originalLine' in entry ? entry.originalLine + 1 : null;
}

/** dist/test/unit/x.test.js -> test/unit/x.test.ts */
function sourceName(name: string): string {
  return name.replace(/^(?:.*\/)?dist\/(.*)\.js$/, '$1.ts');
}

function watch(parser: Parser, path: readonly string[], totals: Totals, write: (line: string) => void): void {
  let failedBelow = 0;
  parser.on('child', (child: Parser) => {
    const before = totals.failed;
    watch(child, [...path, child.name], totals, write);
    child.on('complete', () => {
      failedBelow += totals.failed - before;
    });
  });
  parser.on('assert', (result: Result) => {
    if (result.skip || result.todo) totals.skipped++;
    else if (result.closingTestPoint) closeSubtest(result);
    else if (result.ok) totals.passed++;
    else fail(result);
  });
  const fail = (result: Result) => {
    totals.failed++;
    const [file = '', ...names] = [...path.slice(1), result.name];
    const diag = result.diag as Diagnostic | null;
    write(
      `FAIL ${sourceName(file)}: ${[...names].filter((name) => name !== '').join(' > ') || 'test'}${describeFailure(diag)}${place(diag)}`,
    );
  };
  // A subtest's own line counts only when it failed for a reason that no line inside it told: a crash, a time-out, a wrong plan.
  const closeSubtest = (result: Result) => {
    if (!result.ok && failedBelow === 0) fail(result);
    failedBelow = 0;
  };
}

export interface FileTime {
  /** With its variant. */
  name: string;
  seconds: number;
}

/** @param input lines of TAP @param times gets one for each file @returns the totals; lines for people go to `write` */
export async function report(input: AsyncIterable<string>, write: (line: string) => void, times: FileTime[] = []): Promise<Totals> {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  let parser: Parser | null = null;
  let variant = '';
  const named = (line: string) => write(variant === '' ? line : `${line} [${variant}]`);
  for await (const line of input) {
    const naming = /^# variant: (.*)$/.exec(line);
    if (naming) {
      parser?.end(); // what it still has to say belongs to the variant before
      parser = null;
      variant = naming[1];
      continue;
    }
    if (parser === null || /^TAP version \d+/.test(line)) {
      parser?.end();
      parser = new Parser({ name: '' });
      watch(parser, [''], totals, named);
      const suffix = variant === '' ? '' : ` [${variant}]`;
      parser.on('assert', ({ name, time }) => times.push({ name: sourceName(name) + suffix, seconds: (time ?? 0) / 1000 }));
    }
    parser.write(`${line}\n`);
  }
  parser?.end();
  return totals;
}

export function totalLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

if (process.argv[1] === import.meta.filename) {
  const write = (line: string) => process.stdout.write(`${line}\n`);
  const times: FileTime[] = [];
  const totals = await report(createInterface({ input: process.stdin }), write, times);
  times.sort((a, b) => b.seconds - a.seconds);
  if (process.env.TIMES === '1') for (const { name, seconds } of times) write(`${seconds.toFixed(1).padStart(6)} s  ${name}`);
  process.stdout.write(`${totalLine(totals)}\n`);
  process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
}
