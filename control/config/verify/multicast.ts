// Static multicast: that a group has a use, and how many there may be.

import type { Config } from '../model.js';
import type { Findings } from './findings.js';

/** The packet path's table. */
const MostGroups = 16;

export function verifyMulticast(config: Config, findings: Findings): void {
  const groups = new Set<number>();
  for (const item of config.interfaces.values()) {
    for (const group of item.staticGroups) {
      groups.add(group);
      if (groups.size === MostGroups + 1) findings.error(item, `group ${group}`, `more than ${MostGroups} multicast groups`);
    }
    if (item.staticGroups.length > 0 && !config.multicastRouting) {
      const field = `group ${item.staticGroups[0]}`;
      findings.warning(item, field, 'ip igmp static-group has no effect without ip multicast-routing', 'ip multicast-routing');
    }
  }
}
