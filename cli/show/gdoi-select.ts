// What a GDOI show command is asked about: one group, one member, or all.

import type { MemberGroupState, ServerGroupState, Snapshot } from '../../control/api/snapshot.js';
import { ShowError } from './view.js';

/** The snapshot with one group only. @throws ShowError when this router has no part in it */
export function selectGroup(snapshot: Snapshot, group: string | null): { members: MemberGroupState[]; servers: ServerGroupState[] } {
  const members = snapshot.gdoiMembers.filter((state) => group === null || state.group === group);
  const servers = snapshot.gdoiServers.filter((state) => group === null || state.group === group);
  if (group !== null && members.length + servers.length === 0) throw new ShowError(`% Group ${group} does not exist`);
  return { members, servers };
}

/** One member of every group that has it, all for null. @throws ShowError when none has */
export function selectServerMembers(servers: ServerGroupState[], address: string | null): ServerGroupState[] {
  if (address === null) return servers;
  const having = servers.flatMap((state) => {
    const members = state.members.filter((member) => member.address === address);
    return members.length > 0 ? [{ ...state, members }] : [];
  });
  if (having.length === 0) throw new ShowError(`% Group member ${address} is not registered here`);
  return having;
}
