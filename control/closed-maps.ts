// Crypto maps that are closed (`fail-close`): what the log says when one closes or opens.

import type { Ms, Severity } from './actions.js';
import { isClosed } from './compile/crypto-entries.js';
import type { Config } from './config/model.js';
import type { Tek } from './gdoi/group-policy.js';

export class ClosedMaps {
  private readonly closed = new Set<string>();

  /** @returns a line for each map that has closed or opened since the last call */
  update(config: Config, teksOf: (group: string) => readonly Tek[], now: Ms): { severity: Severity; text: string }[] {
    const news: { severity: Severity; text: string }[] = [];
    for (const map of new Set([...this.closed, ...config.failClose.keys()])) {
      const closed = isClosed(config, map, teksOf, now);
      if (closed === this.closed.has(map)) continue;
      if (closed) this.closed.add(map);
      else this.closed.delete(map);
      news.push(
        closed
          ? { severity: 4, text: `crypto map ${map} is closed: nothing passes in the clear until its groups are registered` }
          : { severity: 5, text: `crypto map ${map} is open: the policy of its groups is in force` },
      );
    }
    return news;
  }
}
