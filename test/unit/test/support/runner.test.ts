// Which file runs when, and what the reporter gets to read of it.

import t from 'tap';
import { report } from '../../../support/reporter.js';
import { type Ending, framed, type Job, limitsFor, nextJob, readPlan } from '../../../support/runner.js';

const job = (kind: Job['kind'], file = 'dist/test/x.test.js'): Job => ({ kind, seconds: 60, file, variant: '' });

t.test('a plan is lines', async (t) => {
  t.same(readPlan('lab 240 dist/a.js twin workers=2\ncomputing 300 dist/b.js \n'), [
    { kind: 'lab', seconds: 240, file: 'dist/a.js', variant: 'twin workers=2' },
    { kind: 'computing', seconds: 300, file: 'dist/b.js', variant: '' },
  ]);
  for (const line of ['nothing 240 dist/a.js', 'lab soon dist/a.js', 'lab 240 '])
    t.throws(() => readPlan(line), { message: `no job: ${line}` });
});

t.test('labs leave room for one that computes; greedy runs last and alone', async (t) => {
  const limits = limitsFor(2);
  t.same(limits, { lab: 3, computing: 2, all: 4 });
  const labs = [job('lab'), job('lab'), job('lab')];
  t.equal(nextJob([job('greedy'), job('lab'), job('computing')], [], limits), 1, 'in order');
  t.equal(nextJob([job('greedy'), job('lab'), job('computing')], labs, limits), 2);
  t.equal(nextJob([job('lab'), job('computing')], [...labs, job('computing')], limits), -1, 'all are taken');
  t.equal(nextJob([job('computing')], [job('computing'), job('computing')], limits), -1);
  t.equal(nextJob([job('greedy')], [job('computing')], limits), -1, 'something runs');
  t.equal(nextJob([job('greedy'), job('greedy')], [], limits), 0);
  t.equal(nextJob([job('greedy')], [job('greedy')], limits), -1);
  t.equal(nextJob([], [], limits), -1);
  t.equal(nextJob([job('lab')], [job('computing')], limitsFor(2, 1)), -1, 'JOBS=1');
});

t.test('how a file ended is in its TAP', async (t) => {
  const output = 'TAP version 14\nok 1 - one\n1..1\n';
  const good: Ending = { output, milliseconds: 1500, code: 0, signal: null, timedOut: false };
  const seen = async (ending: Partial<Ending>, of = job('lab')) => {
    const lines: string[] = [];
    const times: { name: string; seconds: number }[] = [];
    const input = (async function* () {
      yield* framed(of, { ...good, ...ending }).split('\n');
    })();
    const { passed, failed } = await report(input, (line) => lines.push(line), times);
    return { passed, failed, lines, times };
  };
  t.same(await seen({}), { passed: 1, failed: 0, lines: [], times: [{ name: 'test/x.test.ts', seconds: 1.5 }] });
  t.match(await seen({}, { ...job('lab'), variant: 'workers=2' }), { times: [{ name: 'test/x.test.ts [workers=2]' }] });
  t.match(await seen({ code: 3 }), { failed: 1, lines: ['FAIL test/x.test.ts: test: exited with status 3'] });
  t.match(await seen({ code: null, signal: 'SIGSEGV' }), { failed: 1, lines: ['FAIL test/x.test.ts: test: ended by SIGSEGV'] });
  t.match(await seen({ code: null, signal: 'SIGTERM', timedOut: true }), {
    lines: ['FAIL test/x.test.ts: test: timed out after 60000 ms'],
  });
  t.match(await seen({ output: 'TAP version 14\nok 1 - one\n', code: 1 }), { passed: 1 }, 'cut off');
  t.ok((await seen({ output: 'TAP version 14\nok 1 - one\n', code: 1 })).failed > 0);
  t.ok((await seen({ output: '' })).failed > 0, 'a file that says nothing has not passed');
});

t.test('several files of one process are told apart', async (t) => {
  const of = { ...job('computing'), file: 'dist/test/a.test.js,dist/test/b.test.js' };
  const subtest = (name: string, ok: string) =>
    `# Subtest: dist/test/${name}.test.js\n    ${ok} 1 - one\n    1..1\n${ok} - dist/test/${name}.test.js\n`;
  const seen = async (output: string, code: number) => {
    const lines: string[] = [];
    const input = (async function* () {
      yield* framed(of, { output, milliseconds: 1, code, signal: null, timedOut: false }).split('\n');
    })();
    const { passed, failed } = await report(input, (line) => lines.push(line));
    return { passed, failed, lines };
  };
  const both = `TAP version 14\n${subtest('a', 'ok')}${subtest('b', 'not ok')}`;
  t.same(await seen(`${both}1..2\n`, 1), { passed: 1, failed: 1, lines: ['FAIL test/b.test.ts: one'] });
  t.same(await seen(`${subtest('a', 'ok')}${subtest('b', 'ok')}1..2\n`, 0), { passed: 2, failed: 0, lines: [] });
  t.ok((await seen(subtest('a', 'ok'), 0)).failed > 0, 'the second file is missing');
  t.ok((await seen(`${subtest('a', 'ok')}${subtest('b', 'ok')}1..2\n`, 7)).failed > 0, 'it died behind the last');
});
