// A row of an interface as control sends it, with nothing configured.

import type { InterfaceRow } from '../../dataplane/tables/message.js';

export function plainInterface<More extends Partial<InterfaceRow>>(port: number, name: string, more: More): InterfaceRow & More {
  return {
    port,
    name,
    device: null,
    driver: 'tun',
    driverChosen: false,
    offloads: true,
    addresses: [],
    ipMtu: null,
    shutdown: false,
    groups: [],
    nat: null,
    filterIn: null,
    filterOut: null,
    unreachables: true,
    adjustMss: null,
    ...more,
  };
}
