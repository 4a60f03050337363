// Clean exit: the machine as it was before us. Rules and routes are found by our protocol number, the rest is in the ledger. Works
// too when this process never applied anything and only finds what a killed one left.

import { RouteTable, readLinux } from './linux-state.js';
import { diffAliases, readAliases } from './nat-aliases.js';
import { diffRoutes } from './routes.js';
import { diffRules } from './rules.js';
import { describeErrors, runBatch } from './run-command.js';
import { restoreSettings } from './sysctl.js';
import type { UndoLedger } from './undo-ledger.js';

/** Call when the TUNs are closed. @returns one line per thing that could not be undone. Throws Error when ip cannot be run. */
export function undoAll(ledger: UndoLedger): string[] {
  const state = readLinux();
  const commands = [...diffRules(state.rules, []), ...diffRoutes(state, [], () => true), ...diffAliases(readAliases(), [])];
  const have = new Set(state.addresses.map(({ address, prefixLength, device }) => `${address} ${prefixLength} ${device}`));
  for (const address of ledger.addresses) if (have.has(addressKey(address))) commands.push(`addr del ${address}`);
  for (const [device, wasUp] of ledger.links) {
    const link = state.links.get(device);
    if (link && link.up !== wasUp) commands.push(`link set dev ${device} ${wasUp ? 'up' : 'down'}`);
  }
  const errors = describeErrors(runBatch(commands));
  errors.push(...restoreSettings(ledger));
  const left = readLinux();
  const stillThere = [...diffRules(left.rules, []), ...diffRoutes(left, [], (table) => table !== RouteTable.Local)];
  errors.push(...stillThere.map((command) => `left behind: ${command}`));
  ledger.remove();
  return errors;
}

function addressKey(text: string): string {
  const [cidr, , device] = text.split(' ');
  const [address, length] = cidr.split('/');
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return `${number} ${length} ${device}`;
}
