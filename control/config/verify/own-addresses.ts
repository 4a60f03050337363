// Addresses that interfaces have by configuration.

import type { Config, InterfaceConfig } from '../model.js';

export interface Own {
  address: number;
  mask: number;
  item: InterfaceConfig;
}

export function ownAddresses(config: Config): Own[] {
  return [...config.interfaces.values()].flatMap((item) => item.addresses.map(({ address, mask }) => ({ address, mask, item })));
}
