// Configured interfaces against the netdevs that are there: addresses, up and down. Pure plans plus what must be remembered to undo
// them. Does not: TUNs (ports.ts), routes.

import { NatSide } from '../mem/shared.js';
import { CryptoDf } from '../tables/layout.js';
import type { InterfaceRow } from '../tables/message.js';
import { formatAddress } from './addresses.js';
import type { LinuxState } from './linux-state.js';
import type { PortState } from './publisher.js';
import type { UndoLedger } from './undo-ledger.js';

/** The addresses of an interface, `ADDRESS/LENGTH dev DEVICE`. Loopbacks put hosts on lo: a prefix there would make the host answer for all of it. */
function addressesOf(row: InterfaceRow): string[] {
  if (row.shutdown && row.device === null) return [];
  return row.addresses.map(({ address, prefixLength }) =>
    row.device === null ? `${formatAddress(address)}/32 dev lo` : `${formatAddress(address)}/${prefixLength} dev ${row.device}`,
  );
}

/** @param errors gets a line per netdev that is not there @returns commands; additions are in the ledger before they run */
export function planInterfaces(rows: readonly InterfaceRow[], state: LinuxState, ledger: UndoLedger, errors: string[]): string[] {
  const commands: string[] = [];
  const have = new Set(
    state.addresses.map(({ address, prefixLength, device }) => `${formatAddress(address)}/${prefixLength} dev ${device}`),
  );
  const present = rows.filter((row) => row.device === null || state.links.has(row.device));
  for (const row of rows) {
    if (!present.includes(row)) errors.push(`interface ${row.name}: no netdev ${row.device} here: create it, or correct linux-device`);
  }
  commands.push(...planRemovals(rows, have, ledger));
  const missing = present.flatMap(addressesOf).filter((address) => !have.has(address));
  ledger.noteAddresses(missing);
  for (const address of missing) commands.push(`addr add ${address}${address.endsWith(' dev lo') ? '' : ' brd +'}`);
  for (const row of present) commands.push(...planAdminState(row, state, ledger));
  commands.push(...planForgottenLinks(rows, state, ledger));
  return commands;
}

/** Addresses that we added and nobody wants any more. */
function planRemovals(rows: readonly InterfaceRow[], have: ReadonlySet<string>, ledger: UndoLedger): string[] {
  const wanted = new Set(rows.flatMap(addressesOf));
  const commands: string[] = [];
  for (const address of [...ledger.addresses]) {
    if (wanted.has(address)) continue;
    if (have.has(address)) commands.push(`addr del ${address}`);
    ledger.forgetAddress(address);
  }
  return commands;
}

function planAdminState(row: InterfaceRow, state: LinuxState, ledger: UndoLedger): string[] {
  const device = row.device ?? 'lo';
  const up = state.links.get(device)?.up ?? false;
  const wanted = !row.shutdown || row.device === null; // a shut Loopback only loses its addresses
  if (up === wanted) return [];
  ledger.noteLink(device, up);
  return [`link set dev ${device} ${wanted ? 'up' : 'down'}`];
}

/** Netdevs that left the configuration go back to what they were. */
function planForgottenLinks(rows: readonly InterfaceRow[], state: LinuxState, ledger: UndoLedger): string[] {
  const commands: string[] = [];
  for (const [device, wasUp] of ledger.links) {
    if (rows.some((row) => (row.device ?? 'lo') === device)) continue;
    const link = state.links.get(device);
    if (link && link.up !== wasUp) commands.push(`link set dev ${device} ${wasUp ? 'up' : 'down'}`);
    ledger.forgetLink(device);
  }
  return commands;
}

const dfOf = { copy: CryptoDf.Copy, clear: CryptoDf.Clear, set: CryptoDf.Set };

/** What the workers need to know of the netdevs. @param open port ids that have a TUN */
export function describePorts(rows: readonly InterfaceRow[], open: ReadonlySet<number>, state: LinuxState): PortState[] {
  return rows.map((row) => {
    const link = state.links.get(row.device ?? 'lo');
    const own = state.addresses.filter(({ device, secondary }) => device === row.device && !secondary);
    // The configured primary address, else the first that the netdev has.
    const primary = own.find(({ address }) => address === row.addresses[0]?.address) ?? own[0];
    return {
      port: row.port,
      up: !row.shutdown && (row.device === null || open.has(row.port)) && (link?.up ?? false) && (link?.carrier ?? false),
      mtu: Math.min(row.ipMtu ?? 65535, link?.mtu ?? 0),
      address: row.device === null ? (row.addresses[0]?.address ?? 0) : (primary?.address ?? 0),
      nat: row.nat === null ? NatSide.None : row.nat === 'inside' ? NatSide.Inside : NatSide.Outside,
      filterIn: row.filterIn,
      filterOut: row.filterOut,
      unreachables: row.unreachables,
      adjustMss: row.adjustMss,
      cryptoDf: dfOf[row.dfBit ?? 'copy'],
      cutSealed: row.cutSealed ?? false,
      searchMtu: row.searchMtu ?? false,
      ...(row.fragments === undefined ? {} : { fragments: row.fragments }),
    };
  });
}
