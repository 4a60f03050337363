// How a key server saves registrations: each as an entry of its own, which costs the same however many members there are; all of the state
// when as many entries have piled up as there are members, so that a restart reads no more than twice what it must.

import type { Action } from '../actions.js';
import { encodeJoin } from './saved-state.js';
import type { ServerGroup } from './server-group.js';
import type { ServerMember } from './server-members.js';

/** With few members the journal need not be emptied all the time. */
const MinEntries = 256;

export class JoinJournal {
  private entries = 0;

  /** @param member as it is now @returns null when all of the state is to be saved instead */
  save(group: Pick<ServerGroup, 'name' | 'keys' | 'members' | 'registrations'>, member: ServerMember): Action | null {
    if (this.entries >= Math.max(MinEntries, group.members.size)) return null;
    this.entries++;
    const { name, registrations } = group;
    return { kind: 'journal', entry: encodeJoin({ group: name, member, senderIdsUsed: group.keys.senderIds.used, registrations }) };
  }

  /** The state was exported: it holds what the entries said. */
  allSaved(): void {
    this.entries = 0;
  }
}
