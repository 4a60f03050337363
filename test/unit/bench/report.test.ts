// Table and plot: every number is where it belongs, and the plot is XML to a parser that we did not write.

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { peerNames } from '../../../bench/peers/names.js';
import { plot } from '../../../bench/plot.js';
import { markdown, showSpread } from '../../../bench/report.js';
import type { Round } from '../../../bench/results.js';
import { results, round, tcp } from './runs.js';

const rounds: Round[] = [
  round('groupwire', 0, 1, { tcp1: tcp(5), memory: { processes: 3, pssMiB: 100, rssSumMiB: 236, rssMaxMiB: 91 } }),
  round('wireguard-go', 0, 1, { tcp1: tcp(2.4) }),
  round('kernel', 0, 1, { tcp1: tcp(38) }),
  round('groupwire', 0, 2, { tcp1: tcp(5.5) }),
  round('wireguard-go', 0, 2, { failed: 'a | pipe\nand a second line' }),
  round('kernel', 0, 2, { tcp1: tcp(18) }),
];

/** Cells of the table rows that begin with `title`. */
function rowsOf(text: string, title: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`| ${title} |`))
    .map((line) => line.slice(2, -2).split(' | '));
}

t.test('the table', (t) => {
  const text = markdown(results(rounds), 'NAME');
  const header = rowsOf(text, '')[0];
  const [measured, judged] = rowsOf(text, 'groupwire');
  t.equal(measured.length, header.length, 'as many cells as the header has');
  t.equal(measured[header.indexOf('TCP 1, Gbit/s')], '5.25 (5.00–5.50)');
  t.equal(measured[header.indexOf('RSS sum, MiB')], '236', 'one value has no range');
  t.notOk(
    header.some((cell) => cell.startsWith('RTT')),
    'what nobody measured has no column',
  );
  t.strictSame(judged.slice(1, 3), ['TCP 1, Gbit/s', '0']);
  t.strictSame(judged.slice(-3), ['2.19 (2.08–2.29)', '≥ 1.6', 'yes']);
  t.match(rowsOf(text, 'wireguard-go')[0], ['wireguard-go', '1 of 2: FAILED', '2.40'], 'a failed round is not hidden');
  t.match(text, /wireguard-go, SEG=0, round 2: a \| pipe and a second line/, 'and its reason is told');
  t.match(text, 'NAME.json', 'the raw numbers are named');
  t.end();
});

t.test('a spread as text', (t) => {
  t.equal(showSpread(null, 2), '–');
  t.equal(showSpread({ median: 2, min: 1, max: 3.456, n: 3 }, 1), '2.0 (1.0–3.5)');
  t.end();
});

// Reads documents, one a line of JSON, with expat; prints for each the rectangles as [class, width].
const parser = `
import json, sys
import xml.etree.ElementTree as tree
for line in sys.stdin:
    root = tree.fromstring(json.loads(line))
    assert root.tag == '{http://www.w3.org/2000/svg}svg', root.tag
    print(json.dumps([[r.get('class'), float(r.get('width'))] for r in root.iter('{http://www.w3.org/2000/svg}rect')]))
`;

function rectangles(documents: string[]): [string, number][][] {
  const input = documents.map((text) => `${JSON.stringify(text)}\n`).join('');
  const output = execFileSync('python3', ['-c', parser], { input, encoding: 'utf8', maxBuffer: 64 << 20 });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, number][]);
}

t.test('the plot', (t) => {
  const [[ours, theirs, kernel]] = rectangles([plot(results(rounds), 'a <name> & "more"')]);
  t.strictSame([ours[0], theirs[0], kernel[0]], ['ours', 'vpn', 'bound']);
  t.equal((ours[1] / theirs[1]).toFixed(2), (5.25 / 2.4).toFixed(2), 'bars are as long as the numbers are large');
  t.ok(kernel[1] >= ours[1] && kernel[1] < ours[1] * 2, 'forwarding by the kernel is cut at the end of the axis');
  t.end();
});

t.test('any results give XML, with one bar for each measured peer and panel', (t) => {
  const documents: string[] = [];
  const expected: number[] = [];
  const anyRound = fc.record({
    peer: fc.constantFrom(...peerNames),
    seg: fc.constantFrom(0, 1),
    gbps: fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(anyRound, { maxLength: 20 }), fc.string(), fc.string({ unit: 'grapheme-ascii' }), (list, name, cpu) => {
      const all = list.map(({ peer, seg, gbps }, i) => round(peer, seg, i, gbps === undefined ? { failed: 'x' } : { tcp1: tcp(gbps) }));
      const run = results(all);
      run.environment.cpu = cpu;
      documents.push(plot(run, name));
      expected.push(new Set(list.filter(({ gbps }) => gbps !== undefined).map(({ peer, seg }) => `${peer} ${seg}`)).size);
      return !documents[documents.length - 1].includes('NaN');
    }),
    { numRuns: 200 },
  );
  t.strictSame(
    rectangles(documents).map((bars) => bars.length),
    expected,
  );
  t.end();
});
