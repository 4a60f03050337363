// Ports that are closed (`fail-close`), at the kernel: the table of what may leave all the same, and what must stand before forwarding begins. Pure.

import type { TablesRows } from '../tables/message.js';
import { closedPorts, planGuard } from './leak-guard.js';
import { type LinuxState, OurProtocol } from './linux-state.js';
import { diffRoutes, type PlannedRoute, planClearTable } from './routes.js';
import { diffRules, type PortDevices, Table } from './rules.js';

/** Table C (rules.ts). Empty while no port is closed. */
export function planClear(rows: TablesRows, devices: readonly PortDevices[], state: LinuxState): PlannedRoute[] {
  return planClearTable(new Set(closedPorts(rows.cryptoEntries, devices).map(({ device }) => device)), state);
}

/** The guard of closed ports, for the moment before the kernel is told to forward on them. @returns commands; nothing is removed by them */
export function planCloseFirst(rows: TablesRows, devices: readonly PortDevices[], state: LinuxState): string[] {
  const clear = planClear(rows, devices, state);
  if (clear.length === 0) return [];
  const ours = state.rules.filter(({ protocol }) => protocol === OurProtocol);
  const rules = diffRules(state.rules, [...ours, ...planGuard(rows.aces, rows.cryptoEntries, devices)]);
  return [...diffRoutes(state, clear, (table) => table === Table.Clear), ...rules];
}
