// What the grammar takes survives print and parse, whatever it is; and all of the grammar was tried: a command that is new is met without
// being written down here.

import t from 'tap';
import { diffConfig } from '../../../../control/config/diff.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { printConfig } from '../../../../control/config/print.js';
import { runs } from '../../../support/runs.js';
import { GrammarWalk } from './grammar-walk.js';
import { withoutLines } from './without-lines.js';

const Lines = 60;

t.test('parse(print(parse(x))) is parse(x), for every word of the grammar', (t) => {
  const walk = new GrammarWalk();
  let lines = 0;
  // All words are met after some 120 texts.
  for (let seed = 1; seed <= runs(150) || (walk.missing.size > 0 && seed <= 400); seed++) {
    const text = walk.text(seed * 7919, Lines);
    lines += text.split('\n').length;
    const { config, problems } = parseConfig(text);
    const errors = problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0)
      throw new Error(`seed ${seed}: line by line all were taken, as a file not: ${JSON.stringify(errors[0])}\n${text}`);
    const printed = printConfig(config, { secrets: true });
    const again = parseConfig(printed);
    const bad = again.problems.find(({ severity }) => severity === 'error');
    if (bad) throw new Error(`seed ${seed}: what we print is refused: ${JSON.stringify(bad)}\n${text}`);
    const [seen, wanted] = [again.config, config].map((value) => JSON.stringify(withoutLines(value)));
    if (seen !== wanted) throw new Error(`seed ${seed}:\n${text}\nprinted\n${printed}\nwanted ${wanted}\nseen   ${seen}`);
    if (printConfig(again.config, { secrets: true }) !== printed)
      throw new Error(`seed ${seed}: printed twice is not the same\n${printed}`);
    if (diffConfig(config, again.config).size > 0) throw new Error(`seed ${seed}: differs`);
  }
  t.strictSame([...walk.missing], [], 'words of the grammar that no line had that was taken');
  t.ok(walk.targets.size > 2000 && lines > 3000, `${walk.targets.size} words and commands, ${lines} lines`);
  t.end();
});
