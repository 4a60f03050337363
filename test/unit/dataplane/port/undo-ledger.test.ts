import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readBatchErrors } from '../../../../dataplane/port/run-command.js';
import { UndoLedger } from '../../../../dataplane/port/undo-ledger.js';

function folderOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-ledger-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

t.test('what a killed process noted is there for the next', async (t) => {
  const path = join(folderOf(t), 'undo.json');
  const first = UndoLedger.open(path);
  first.noteSysctl('net/ipv4/ip_early_demux', '1');
  first.noteAddresses(['10.0.0.1/24 dev eth0', '10.0.0.2/24 dev eth0']);
  first.noteLink('eth0', false);
  first.forgetAddress('10.0.0.2/24 dev eth0');
  const second = UndoLedger.open(path);
  second.noteSysctl('net/ipv4/ip_early_demux', '0');
  second.noteLink('eth0', true);
  t.equal(second.problem, null);
  t.same(second.sysctls, [['net/ipv4/ip_early_demux', '1']], 'the first value is the original');
  t.same(second.addresses, ['10.0.0.1/24 dev eth0']);
  t.same(second.links, [['eth0', false]]);
  second.remove();
  t.same(UndoLedger.open(path).sysctls, []);
});

t.test('a ledger that is damaged or tampered with is not used', async (t) => {
  const good = { sysctls: {}, addresses: [], wasUp: {} };
  const bad = [
    '',
    '{',
    'null',
    '[]',
    JSON.stringify({ ...good, sysctls: { 'kernel/core_pattern': '|/bin/sh' } }),
    JSON.stringify({ ...good, sysctls: { 'net/ipv4/../../kernel/core_pattern': 'x' } }),
    JSON.stringify({ ...good, addresses: ['10.0.0.1/24 dev eth0\nlink del eth0'] }),
    JSON.stringify({ ...good, wasUp: { 'a b': true } }),
    JSON.stringify({ ...good, wasUp: { eth0: 1 } }),
  ];
  for (const text of bad) {
    const path = join(folderOf(t), 'undo.json');
    writeFileSync(path, text);
    const ledger = UndoLedger.open(path);
    t.type(ledger.problem, 'string', text);
    t.same([ledger.sysctls, ledger.addresses, ledger.links], [[], [], []], text);
  }
});

t.test('errors of ip belong to their commands', async (t) => {
  const stderr = 'Error: Nexthop has invalid gateway.\nCommand failed -:2\nRTNETLINK answers: No such process\nCommand failed -:3\n';
  t.same(readBatchErrors(['a', 'b', 'c'], stderr), [
    { command: 'b', reason: 'Nexthop has invalid gateway' },
    { command: 'c', reason: 'No such process' },
  ]);
  t.same(readBatchErrors(['a'], ''), []);
});
