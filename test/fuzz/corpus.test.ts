// What coverage-guided runs kept (test/fuzz/corpus), every target again on every input.

import t from 'tap';
import { loadTarget, readCorpus, targetNames } from './run.js';

for (const name of targetNames()) {
  t.test(name, async (t) => {
    const { fuzz } = await loadTarget(name);
    const corpus = readCorpus(name);
    t.ok(corpus.length > 0, 'a corpus: FUZZ_KEEP=1 make fuzz');
    for (const bytes of corpus) t.doesNotThrow(() => fuzz(bytes), Buffer.from(bytes).toString('hex').slice(0, 80));
  });
}
