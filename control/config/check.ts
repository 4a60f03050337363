// What `groupwire check`, start-up and reload ask: is this text a configuration that can be applied?

import { readLines } from './lexer.js';
import { type ParseResult, parseConfig } from './parse.js';
import { shownLine } from './secrets.js';
import { verifyConfig } from './verify.js';

/** Parse and verify; problems sorted by line, errors before warnings on one line. Secrets are masked. */
export function checkConfig(text: string): ParseResult {
  const { config, problems, execLines } = parseConfig(text);
  const found = verifyConfig(config);
  // Show the operator's own lines and not how we would write them.
  const lines = found.length === 0 ? null : new Map(readLines(text).map((source) => [source.line, source.text]));
  for (const problem of found) problem.text = shownLine(lines?.get(problem.line) ?? problem.text);
  const rank = { error: 0, warning: 1 };
  const all = [...problems, ...found].sort((a, b) => a.line - b.line || rank[a.severity] - rank[b.severity]);
  return { config, problems: all, execLines };
}
