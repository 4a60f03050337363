// Matches of entries with `log`, as the packet path reports them, on their way to the system log: which line of which list it was, and access-list-log.ts
// for what is written when.

import type { DataplaneEvent } from '../dataplane/tables/message.js';
import { AccessListLog, type LoggedEntry, type LogLine, type Match } from './access-list-log.js';
import type { Ms } from './actions.js';
import { filteredList } from './compile/access-lists.js';
import type { Tables } from './compile/tables.js';
import type { Config } from './config/model.js';
import type { SystemLog } from './log.js';

export interface LoggingRouter {
  config: Config;
  tables: Tables | null;
  interfaceOf(port: number): string | undefined;
}

/** The entry of a match; null when a table that was published meanwhile does not have it any more. */
export function entryOf({ counter, port }: Match, { config, tables, interfaceOf }: LoggingRouter): LoggedEntry | null {
  const origin = tables?.aceOrigins[tables.aceCounters.indexOf(counter)];
  const list = config.accessLists.get(filteredList(origin?.list ?? '') ?? '');
  const entry = list?.entries[origin?.entry ?? -1];
  return list && entry ? { list: list.name, kind: list.kind, action: entry.action, interface: interfaceOf(port) ?? null } : null;
}

export class SecurityLog {
  private readonly flows = new AccessListLog();

  constructor(private readonly log: SystemLog) {}

  receive(event: Extract<DataplaneEvent, { kind: 'acl-log' | 'acl-log-missed' }>, router: LoggingRouter, now: Ms): void {
    if (event.kind === 'acl-log-missed') this.flows.miss(event.count);
    else {
      const entry = entryOf(event, router);
      if (entry) this.write(this.flows.note(event, entry, now));
    }
  }

  tick(now: Ms): void {
    this.write(this.flows.tick(now));
  }

  nextTick(): Ms | null {
    return this.flows.nextTick();
  }

  private write(lines: readonly LogLine[]): void {
    for (const { mnemonic, text } of lines) this.log.write('SEC', 6, mnemonic, text);
  }
}
