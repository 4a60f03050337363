// Which interface a port number of the dataplane is.

import type { Config } from '../config/model.js';
import type { Allocation } from './allocation.js';

/** @returns names of the configured interfaces, by port */
export function interfacesByPort({ interfaces }: Pick<Config, 'interfaces'>, { ports }: Pick<Allocation, 'ports'>): Map<number, string> {
  return new Map([...interfaces.keys()].map((name) => [ports.take(name), name]));
}
