// Several small test files in one process, each as a subtest: `node several.js FILE...`. Starting node and loading tap costs half a CPU second, which is
// more than most files of `unit` need. To a file, `tap` is then its own subtest instead of the process's root, so `t.teardown` and the like are its own.
// Not for files that change their process (environment, signals, exit) or whose shared parts are tests themselves: they would run once only.

import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';

/** By the test file's URL. */
const tests = new Map<string, Test>();
const scheme = 'tap-of:';
const symbol = 'groupwire.tests';
Object.assign(globalThis, { [Symbol.for(symbol)]: tests });

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context;
    if (specifier !== 'tap' || parentURL === undefined || !tests.has(parentURL)) return next(specifier, context);
    return { url: `${scheme}${parentURL}`, format: 'module', shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith(scheme)) return next(url, context);
    const of = JSON.stringify(url.slice(scheme.length));
    return { format: 'module', shortCircuit: true, source: `export default globalThis[Symbol.for('${symbol}')].get(${of});` };
  },
});

for (const file of process.argv.slice(2)) {
  void t.test(file, async (t) => {
    const { href } = pathToFileURL(resolve(file));
    tests.set(href, t as Test);
    await import(href);
  });
}
