// Files that this router wrote and reads again: the state of its groups with its journal, the ledger of what it changed on the machine, control's counters. All may be
// damaged, of another version or another's: they are read as what they are, or not at all; nothing is thrown.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CounterSet } from '../../control/api/counters.js';
import { KeptCounters } from '../../control/api/kept-counters.js';
import { decodeState, encodeState } from '../../control/gdoi/saved-state.js';
import { UndoLedger } from '../../dataplane/port/undo-ledger.js';
import { Network } from '../exchange/control/gdoi/group-network.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'undo.json');
const countersPath = join(folder, 'counters.json');

/** @param bytes state up to the first NUL, then entries of the journal, each up to the next */
function readState(bytes: Uint8Array): void {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== 0) continue;
    parts.push(bytes.subarray(from, at));
    from = at + 1;
  }
  const [state, ...entries] = parts;
  const read = decodeState(state, entries);
  if (read === null) return;
  if (!Array.isArray(read.members) || !Array.isArray(read.server.groups)) throw new Error('state of another shape');
  // What was read is what would be written.
  if (decodeState(encodeState(read)) === null) throw new Error('what was read cannot be written');
}

function readLedger(bytes: Uint8Array): void {
  writeFileSync(path, bytes);
  const ledger = UndoLedger.open(path);
  for (const [setting, value] of ledger.sysctls)
    if (!setting.startsWith('net/ipv4/') || setting.includes('..') || value.length > 32) throw new Error(`${setting} = ${value}`);
  for (const address of ledger.addresses) if (!/^[\d./]+ dev [^\s/]+$/.test(address)) throw new Error(`address ${address}`);
  for (const [device] of ledger.links) if (/[\s/]/.test(device)) throw new Error(`netdev ${device}`);
  if (ledger.problem?.includes('\n')) throw new Error(`more than one line: ${ledger.problem}`);
}

function readCounters(bytes: Uint8Array): void {
  const counters = new CounterSet([{ name: 'a', help: 'a' }]);
  writeFileSync(countersPath, bytes);
  new KeptCounters(countersPath, '1-1', counters, () => undefined).restore();
  const [{ value }, ...others] = counters.values();
  if (!(value >= 0 && Number.isFinite(value)) || others.length > 0) throw new Error(`counter of ${value}, and ${others.length} others`);
}

export function fuzz(bytes: Uint8Array): void {
  readCounters(bytes);
  readState(bytes);
  readLedger(bytes);
}

const { network, server, members } = Network.group(1);
network.runFor(2000);
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts.flatMap((part) => [part, Uint8Array.of(0)])));
export const seeds: readonly Uint8Array[] = [
  server.disk as Uint8Array,
  members[0].disk as Uint8Array,
  joined(server.disk as Uint8Array, ...server.journal),
  text({ version: 2, server: { groups: [{ name: '__proto__', identity: 'x', state: { keys: {}, members: [] } }] }, members: [] }),
  text({ run: '1-1', counts: { a: 7, b: 1, __proto__: 2 } }),
  text({ sysctls: { 'net/ipv4/ip_early_demux': '1' }, addresses: ['10.0.0.1/24 dev eth0'], wasUp: { eth0: false } }),
];
