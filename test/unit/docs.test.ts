// What the documents tell somebody to type is there: configurations are parsed by the parser of the configuration, commands by the grammar of the
// command line, metrics and drop reasons are looked up among those that are declared.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { parseArguments } from '../../cli/arguments.js';
import { renderMetrics } from '../../control/api/metric-text.js';
import { checkConfig } from '../../control/config/check.js';
import { parseExec } from '../../control/config/exec.js';
import { parseConfig } from '../../control/config/parse.js';
import { dropTexts, pathTexts } from '../../dataplane/counters/declare.js';
import { repoRoot } from '../support/lab.js';
import { emptySnapshot } from './cli/show/sample.js';

const folder = join(repoRoot, 'control/docs');
const pages = readdirSync(folder).filter((name) => name.endsWith('.md'));
const manual = join(repoRoot, 'scripts/packaging/man');

/** Programs of the system that the pages call. What is not among them is a slip. */
const others = new Set(['systemctl', 'cp', 'modprobe', 'podman', 'apt', 'ip', 'make', 'sysctl']);

/** Words of a shell line, quotes taken off. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare);
}

/** @returns what is wrong with an exec line, '' when nothing is */
function execProblem(line: string): string {
  const command = parseExec(line);
  return 'error' in command ? `${line}: ${command.error}` : '';
}

/** @returns what is wrong with a shell line */
function commandProblem(line: string): string {
  const [program, ...words] = shellWords(line);
  if (program !== 'groupwire' && program !== 'cli/groupwire') return others.has(program) ? '' : `${line}: ${program} is not known here`;
  try {
    const command = parseArguments(words);
    return command.name === 'exec' ? execProblem(command.line) : '';
  } catch (error) {
    return `${line}: ${(error as Error).message}`;
  }
}

const configProblems = (text: string) => parseConfig(text).problems.map(({ line, message }) => `${text.split('\n')[line - 1]}: ${message}`);

interface Fence {
  kind: string;
  text: string;
}

function fencesOf(text: string): Fence[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, kind, body]) => ({ kind, text: body }));
}

/** What stands in backquotes outside of fences. */
function spansOf(text: string): string[] {
  return [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
}

/** A span that is a whole exec line. */
const isExec = /^((show|clear|debug|undebug|ping|traceroute|packet-tracer|reload check) |write$)/;

t.test('the way of checking finds what is wrong', (t) => {
  t.match(commandProblem('groupwire --instance a show crypto gdio'), /Invalid input/);
  t.match(commandProblem('groupwire frobnicate'), /unknown command/);
  t.match(commandProblem('sytemctl start x'), /not known/);
  t.match(configProblems('crypto gdoi group G\n identity numbr 7\n'), [/numbr 7: /]);
  t.end();
});

for (const page of pages) {
  t.test(page, (t) => {
    const text = readFileSync(join(folder, page), 'utf8');
    t.ok(text.split('\n').length <= 100, 'a page');
    for (const { kind, text: body } of fencesOf(text)) {
      if (kind === 'ios') t.strictSame(configProblems(body), [], `configuration:\n${body}`);
      else if (kind === 'sh') t.strictSame(body.trim().split('\n').map(commandProblem).filter(Boolean), [], `commands:\n${body}`);
      else t.fail(`a fence of the kind '${kind}': ios or sh`);
    }
    const spans = spansOf(text);
    t.strictSame(
      spans
        .filter((span) => isExec.test(span))
        .map(execProblem)
        .filter(Boolean),
      [],
      'exec lines in the text',
    );
    t.strictSame(
      spans
        .filter((span) => /^groupwire .* /.test(span))
        .map(commandProblem)
        .filter(Boolean),
      [],
      'commands in the text',
    );
    for (const [, target] of text.matchAll(/\]\(([^)#]+)/g)) t.ok(existsSync(resolve(folder, target)), `link to ${target}`);
    t.end();
  });
}

t.test('the table of what is supported: the commands of each row are a configuration', (t) => {
  const text = readFileSync(join(folder, 'supported.md'), 'utf8').split('## Operation')[0];
  const rows = [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \| (`[^|]+`) \|/gm)];
  t.ok(rows.length > 30, `${rows.length} rows`);
  for (const [, feature, standard, commands] of rows) {
    t.strictSame(configProblems(`${spansOf(commands).join('\n')}\n`), [], feature);
    t.match(standard, /RFC \d+|IOS/, `${feature}: its standard`);
  }
  t.end();
});

t.test('metrics and drop reasons that the page of counters names', async (t) => {
  const text = readFileSync(join(folder, 'counters.md'), 'utf8');
  const named = (texts: readonly { name: string; help: string }[]) => texts.map(({ name, help }) => ({ name, help, value: 0 }));
  const counters = { drops: named(dropTexts), path: named(pathTexts), nat: [], control: [] };
  const exposition = await renderMetrics({ ...emptySnapshot(), counters });
  const known = new Set([...exposition.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const metrics = [...new Set(text.match(/groupwire_\w+/g))];
  t.ok(metrics.length > 8);
  t.strictSame(
    metrics.filter((name) => !known.has(name)),
    [],
    'metrics that are not there',
  );
  const reasons = [...text.matchAll(/^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|/gm)]
    .flatMap(([, cell]) => spansOf(cell))
    .filter((name) => !name.startsWith('groupwire_'));
  t.ok(reasons.length > 15);
  t.strictSame(
    reasons.filter((reason) => !dropTexts.some(({ name }) => name === reason)),
    [],
    'reasons that are not there',
  );
});

t.test('the README: commands and configurations in its blocks', (t) => {
  const text = readFileSync(join(repoRoot, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, ''));
  const lines = blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/^scripts\/lab exec r\d /, '').replace(/ +[#&].*$| &$/, ''));
  const commands = lines.filter((line) => /^(cli\/)?groupwire /.test(line));
  t.ok(commands.length > 10, `${commands.length} commands`);
  t.strictSame(commands.map(commandProblem).filter(Boolean), []);
  const configurations = blocks.filter((block) => /^(hostname|crypto|ip access-list|interface) /.test(block));
  t.ok(configurations.length > 3, `${configurations.length} configurations`);
  for (const block of configurations) t.strictSame(configProblems(block), [], block);
  t.end();
});

t.test("the package's examples are whole configurations", (t) => {
  const examples = join(repoRoot, 'scripts/packaging/examples');
  for (const name of readdirSync(examples)) {
    const { problems } = checkConfig(readFileSync(join(examples, name), 'utf8'));
    t.strictSame(
      problems.filter(({ severity }) => severity === 'error').map(({ line, message }) => `${line}: ${message}`),
      [],
      name,
    );
  }
  t.end();
});

t.test('manual pages: every command, option and example', (t) => {
  const page = readFileSync(join(manual, 'groupwire.1'), 'utf8').replaceAll('\\-', '-').replaceAll('\\(aq', "'").replaceAll('\\(dq', '"');
  const example = /^\.SH EXAMPLES\n\.nf\n([\s\S]*?)^\.fi$/m.exec(page)?.[1].trim().split('\n') ?? [];
  t.strictSame(example.map(commandProblem).filter(Boolean), []);
  const options = new Set(readFileSync(join(repoRoot, 'cli/main.ts'), 'utf8').match(/--[a-z-]+/g));
  for (const option of ['--dataplane', '--instance', '--runtime', '--state', '--metrics', '--workers', '--key-log', '--no-native']) {
    t.ok(options.has(option) && page.includes(option), `${option} is in the help and in the page`);
  }
  const example5 = /^\.nf\n([\s\S]*?)^\.fi$/m.exec(readFileSync(join(manual, 'groupwire.cfg.5'), 'utf8'))?.[1].replaceAll('\\-', '-') ?? '';
  t.strictSame(configProblems(example5), [], 'groupwire.cfg(5)');
  t.end();
});
