// A configuration of 1 MB is read, verified and printed in a time that grows with its length and no faster: work is counted at a quarter of it
// too. What the command takes is told and not judged: seven tenths of a second of CPU where this was written.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../support/lab.js';
import { runChecked } from '../support/netns.js';
import { WorkCounter } from './work.js';

const counter = new WorkCounter();
const { checkConfig } = await import('../../control/config/check.js');
const { printConfig } = await import('../../control/config/print.js');

/** Some of everything that there can be many of, unknown lines included. */
function configurationOf(bytes: number): string {
  const lines = ['hostname R1'];
  let size = 0;
  for (let n = 0; size < bytes; n++) {
    const net = `10.${(n >> 8) & 255}.${n & 255}`;
    const block = [
      `interface Loopback${n}`,
      ` description loopback ${n}`,
      ` ip address ${net}.1 255.255.255.255`,
      ' load-interval 30',
      `ip access-list extended LIST-${n}`,
      ...Array.from({ length: 12 }, (_, i) => ` permit tcp ${net}.0 0.0.0.255 any eq ${i + 1} established log`),
      `object-group network NETS-${n}`,
      ` host ${net}.2`,
      `route-map MAP-${n} permit 10`,
      ` match ip address LIST-${n}`,
      ' set ip dscp ef',
      `class-map match-any CLASS-${n}`,
      ` match access-group name LIST-${n}`,
      `policy-map POLICY-${n}`,
      ` class CLASS-${n}`,
      '  bandwidth 100',
      `ip route ${net}.0 255.255.255.0 192.0.2.1`,
      `router ospf ${n}`,
      ` network ${net}.0 0.0.0.255 area 0`,
      `crypto isakmp key KEY-${n} address 172.${16 + (n >> 12)}.${(n >> 4) & 255}.${n & 15}`,
    ];
    lines.push(...block);
    size += block.join('\n').length + 1;
  }
  return `${lines.join('\n')}\n`;
}

function workFor(bytes: number): { blocks: number; unknown: number; lines: number } {
  const text = configurationOf(bytes);
  let problems: ReturnType<typeof checkConfig>['problems'] = [];
  counter.start();
  counter.around(() => {
    const checked = checkConfig(text);
    problems = checked.problems;
    printConfig(checked.config, { secrets: false });
  });
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(JSON.stringify(errors[0]));
  const unknown = problems.filter(({ message }) => message.startsWith('unknown command')).length;
  return { blocks: counter.take().blocks, unknown, lines: text.split('\n').length };
}

t.test('work grows with the length', (t) => {
  const [quarter, whole] = [1 << 18, 1 << 20].map(workFor);
  const [growth, longer] = [whole.blocks / quarter.blocks, whole.lines / quarter.lines];
  t.ok(growth < 1.1 * longer, `${longer.toFixed(2)} times the lines, ${growth.toFixed(2)} times the work`);
  t.ok(whole.blocks > 1e6, 'the counter counts');
  t.equal(whole.unknown % 3, 0, 'three unknown lines a block, each told once');
  t.ok(whole.unknown / whole.lines > 0.08);
  t.comment(`${whole.lines} lines, ${Math.round(whole.blocks / whole.lines)} blocks a line`);
  t.end();
});

t.test('groupwire check', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-megabyte-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [file, small] = ['1mb.cfg', 'small.cfg'].map((name) => join(folder, name));
  writeFileSync(file, configurationOf(1 << 20));
  writeFileSync(small, 'hostname R1\n');
  const take = async (path: string): Promise<number> => {
    const begin = performance.now();
    await runChecked([join(repoRoot, 'cli/groupwire'), 'check', path], {}, 120_000);
    return performance.now() - begin;
  };
  const [whole, nothing] = [await take(file), await take(small)];
  t.comment(`groupwire check of 1 MB took ${Math.round(whole)} ms, of one line ${Math.round(nothing)} ms`);
});
