// parse of print is the identity, for configurations and for any text that parses.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';
import { diffConfig } from '../../../../control/config/diff.js';
import type { Config } from '../../../../control/config/model.js';
import { parseConfig, UnknownCommand } from '../../../../control/config/parse.js';
import { printConfig } from '../../../../control/config/print.js';
import { verifyConfig } from '../../../../control/config/verify.js';
import { repoRoot } from '../../../support/lab.js';
import { configArbitrary } from './config-arbitraries.js';
import { withoutLines } from './without-lines.js';

const print = (config: Config): string => printConfig(config, { secrets: true });

t.test('parse(print(c)) is c, without a problem', (t) => {
  fc.assert(
    fc.property(configArbitrary, (config) => {
      const text = print(config);
      const { config: again, problems } = parseConfig(text);
      if (problems.length > 0) throw new Error(`problems in\n${text}\n${JSON.stringify(problems, null, 1)}`);
      const [seen, wanted] = [again, config].map((value) => JSON.stringify(withoutLines(value)));
      if (seen !== wanted) throw new Error(`${text}\nwanted ${wanted}\nseen   ${seen}`);
      return print(again) === text;
    }),
    { numRuns: 400 },
  );
  t.pass('held for every input tried');
  t.end();
});

t.test('parse(print(parse(x))) is parse(x) for the configurations that come with groupwire', (t) => {
  const folder = join(repoRoot, 'scripts/configs');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.cfg'));
  t.ok(files.length >= 8, files.join());
  for (const name of files) {
    const { config, problems } = parseConfig(readFileSync(join(folder, name), 'utf8'));
    t.strictSame(
      problems.filter(({ message }) => message.startsWith(UnknownCommand)).map(({ text }) => text),
      [],
      `${name} holds no line that nobody knows`,
    );
    t.strictSame(withoutLines(parseConfig(print(config)).config), withoutLines(config), name);
  }
  t.end();
});

t.test('indentation does not matter for what we print', (t) => {
  fc.assert(
    fc.property(configArbitrary, (config) => {
      const text = print(config);
      const flat = text
        .split('\n')
        .map((line) => line.trimStart())
        .join('\r\n');
      return print(parseConfig(flat).config) === text;
    }),
    { numRuns: 200 },
  );
  t.pass('held for every input tried');
  t.end();
});

t.test('a configuration differs from itself in nothing; verification takes anything that parses', (t) => {
  fc.assert(
    fc.property(configArbitrary, configArbitrary, (one, other) => {
      const same = diffConfig(one, parseConfig(print(one)).config);
      if (same.size > 0) throw new Error(`differs from itself in ${[...same].join(', ')}`);
      const known = print(one).split('\n');
      const problems = verifyConfig(one);
      for (const { line, text } of checkConfig(print(one)).problems) {
        const start = text.split('<removed>')[0].slice(0, 100);
        if (!known[line - 1].trimStart().startsWith(start)) throw new Error(`line ${line} is ${known[line - 1]}, not ${text}`);
      }
      return Array.isArray(problems) && diffConfig(one, other).size > 0 === (print(one) !== print(other));
    }),
    { numRuns: 100 },
  );
  t.pass('held for every input tried');
  t.end();
});

t.test('entries and removals in any order of sequence leave a sorted list', (t) => {
  const edits = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 60 })), { maxLength: 80 });
  fc.assert(
    fc.property(edits, (list) => {
      const wanted = new Set<number>();
      const lines = list.map(([add, sequence]) => {
        if (add) wanted.add(sequence);
        else wanted.delete(sequence);
        return add ? `${sequence} permit ${sequence} any any` : `no ${sequence}`;
      });
      const { config } = parseConfig(['ip access-list extended A', ...lines].join('\n'));
      const seen = config.accessLists.get('A')?.entries.map((entry) => [entry.sequence, entry.protocol]);
      const sorted = [...wanted].sort((a, b) => a - b).map((sequence) => [sequence, sequence]);
      if (JSON.stringify(seen) !== JSON.stringify(sorted)) throw new Error(`${lines.join('; ')}: ${JSON.stringify(seen)}`);
    }),
    { numRuns: 300 },
  );
  t.pass('held for every input tried');
  t.end();
});

const words = [
  'interface',
  'ip',
  'address',
  'eth0',
  'crypto',
  'gdoi',
  'group',
  'G',
  'server',
  'local',
  'sa',
  'ipsec',
  '1',
  'no',
  'exit',
  'foo',
  'router',
  'ospf',
];
const lines = [
  'description x y',
  'duplex auto',
  'ip address 10.0.0.1 255.255.255.0',
  'interface eth0',
  'crypto gdoi group G',
  'server local',
  'sa ipsec 1',
  'match ip address Z',
];
const messyText = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 4 }),
      fc.oneof(
        fc.constantFrom(...lines),
        fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }).map((list) => list.join(' ')),
        fc.constantFrom('banner motd #\nhello\n there#', 'banner exec ^Cx^C'),
      ),
    ),
    { maxLength: 25 },
  )
  .map((list) => list.map(([indent, text]) => ' '.repeat(indent) + text).join('\n'));

t.test('print(parse(x)) is stable and loses no unknown line, however the text is indented', (t) => {
  fc.assert(
    fc.property(messyText, (text) => {
      const { config } = parseConfig(text);
      const printed = print(config);
      const again = parseConfig(printed);
      const errors = again.problems.filter((problem) => problem.severity === 'error');
      if (errors.length > 0) throw new Error(`${printed}\n${JSON.stringify(errors)}`);
      if (print(again.config) !== printed) throw new Error(`${printed}\nbecame\n${print(again.config)}`);
      const count = (value: Config): number => value.unknownLines.length;
      return count(again.config) === count(config);
    }),
    { numRuns: 2000 },
  );
  t.pass('held for every input tried');
  t.end();
});
