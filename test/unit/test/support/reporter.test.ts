// The reporter decides whether `make test` is green, so it is shown every way in which TAP says "no".

import t from 'tap';
import { type FileTime, report, totalLine } from '../../../support/reporter.js';

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.split('\n');
}

async function reportOf(text: string): Promise<{ lines: string[]; total: string }> {
  const lines: string[] = [];
  const totals = await report(linesOf(text), (line) => lines.push(line));
  return { lines, total: totalLine(totals) };
}

/** One test file's TAP inside the runner's. */
function file(name: string, inner: string, ok: boolean, diagnostic = ''): string {
  const indented = inner
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  return `TAP version 14\n1..1\n# Subtest: ${name}\n${indented}\n${ok ? 'ok' : 'not ok'} 1 - ${name}\n${diagnostic}`;
}

t.test('success is one line', async (t) => {
  const { lines, total } = await reportOf(file('dist/test/unit/a.test.js', 'ok 1 - one\nok 2 - two # SKIP no root\n1..2', true));
  t.same(lines, []);
  t.equal(total, '1 passed, 0 failed, 1 skipped');
});

t.test('a failure names file, test, expected and seen', async (t) => {
  const inner = [
    'not ok 1 - sum',
    '  ---',
    '  diff: |',
    '    --- expected',
    '    +++ actual',
    '    @@ -1,1 +1,1 @@',
    '    -2',
    '    +1',
    '  ...',
    '1..1',
  ];
  const { lines, total } = await reportOf(file('dist/test/unit/a.test.js', inner.join('\n'), false));
  t.same(lines, ['FAIL test/unit/a.test.ts: sum: expected 2, seen 1']);
  t.equal(total, '0 passed, 1 failed');
});

t.test('a file that dies without a failed assertion fails', async (t) => {
  const { lines, total } = await reportOf(file('dist/test/unit/a.test.js', 'ok 1 - one\n1..1', false, '  ---\n  exitCode: 3\n  ...\n'));
  t.same(lines, ['FAIL test/unit/a.test.ts: test: exited with status 3']);
  t.equal(total, '1 passed, 1 failed');
});

t.test('two streams make one total', async (t) => {
  const first = file('dist/test/unit/a.test.js', 'ok 1 - one\n1..1', true);
  const second = file('dist/test/netns/b.test.js', 'not ok 1 - two\n1..1', false);
  const { lines, total } = await reportOf(`${first}\n${second}`);
  t.same(lines, ['FAIL test/netns/b.test.ts: two']);
  t.equal(total, '1 passed, 1 failed');
});

t.test('how long each file took', async (t) => {
  const times: FileTime[] = [];
  const tap = file('dist/test/unit/a.test.js', 'ok 1 - one\n1..1', true);
  await report(linesOf(`${tap}\n# variant: workers=2\n${tap.replace(/^ok 1 - .*js/m, '$& # time=1500ms')}`), () => undefined, times);
  t.same(times, [
    { name: 'test/unit/a.test.ts', seconds: 0 },
    { name: 'test/unit/a.test.ts [workers=2]', seconds: 1.5 },
  ]);
});

t.test('a plan that is not kept fails', async (t) => {
  const { total } = await reportOf(file('dist/test/unit/a.test.js', 'ok 1 - one\n1..2', false));
  t.match(total, /^1 passed, [1-9]\d* failed/);
});

t.test('what runs again in another way is told apart', async (t) => {
  const first = file('dist/test/netns/b.test.js', 'ok 1 - two\n1..1', true);
  const again = file('dist/test/netns/b.test.js', 'not ok 1 - two\n1..1', false);
  const { lines, total } = await reportOf(`${first}\n# variant: outside=xdp\n${again}\n# variant: workers=2\n${first}`);
  t.same(lines, ['FAIL test/netns/b.test.ts: two [outside=xdp]']);
  t.equal(total, '2 passed, 1 failed');
});
