// What verification found so far, with the line each thing came from.

import { describeEntry } from '../commands/acl-entry.js';
import type { AccessList, AclEntry, Problem } from '../model.js';
import { sourceOf } from '../source-lines.js';

export class Findings {
  readonly problems: Problem[] = [];

  /** @param target the configured thing @param field of it, `''` for the line it begins with */
  error(target: object, field: string, message: string, hint: string | null = null): void {
    this.problems.push({ ...sourceOf(target, field), severity: 'error', message, hint });
  }

  warning(target: object, field: string, message: string, hint: string | null = null): void {
    this.problems.push({ ...sourceOf(target, field), severity: 'warning', message, hint });
  }

  /** About one entry of an access list, which keeps its line itself. */
  entry(severity: Problem['severity'], list: AccessList, entry: AclEntry, message: string, hint: string | null = null): void {
    this.problems.push({ line: entry.line, text: describeEntry(entry, list.kind), severity, message, hint });
  }
}
