// What coverage-guided runs kept (test/fuzz/corpus), every target again on every input.

import t from 'tap';
import { loadTarget, readCorpus, targetNames } from './run.js';

const corpora = targetNames().map((name) => ({ name, corpus: readCorpus(name) }));

t.test('there is a corpus (FUZZ_KEEP=1 make fuzz)', async (t) => {
  t.ok(corpora.reduce((sum, { corpus }) => sum + corpus.length, 0) > 100);
});

for (const { name, corpus } of corpora) {
  t.test(name, async (t) => {
    const { fuzz } = await loadTarget(name);
    for (const bytes of corpus) t.doesNotThrow(() => fuzz(bytes), Buffer.from(bytes).toString('hex').slice(0, 80));
  });
}
