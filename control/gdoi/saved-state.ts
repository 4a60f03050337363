// Engine state <-> bytes: JSON with byte strings as {"$bytes": base64}. The store seals it; a version keeps an old file from being misread.
// A registration at a key server is saved as an entry of its own, which costs the same among ten members and ten thousand.

import type { SavedMember } from './member-record.js';
import type { SavedServerKeys } from './server-keys.js';
import type { ServerMember } from './server-members.js';
import type { RekeyCounts } from './server-rekeys.js';

const Version = 2;

export interface SavedServerGroup {
  keys: SavedServerKeys;
  rekeys: RekeyCounts;
  members: ServerMember[];
  registrations: number;
}

export interface SavedServer {
  /** Group name and identity -> state: a group that changes its identity is another group. */
  groups: { name: string; identity: string; state: SavedServerGroup }[];
}

export interface SavedState {
  server: SavedServer;
  /** By group name and identity: a group that changes its identity is another group. */
  members: { name: string; identity: string; state: SavedMember }[];
}

/** A member has registered: what that changed in its group's state. */
export interface JoinEntry {
  group: string;
  member: ServerMember;
  senderIdsUsed: number;
  registrations: number;
}

export function encodeState(state: SavedState): Uint8Array {
  return encode({ version: Version, ...state });
}

export function encodeJoin(entry: JoinEntry): Uint8Array {
  return encode(entry);
}

function encode(value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? { $bytes: Buffer.from(item).toString('base64') } : item,
  );
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && '$bytes' in value ? new Uint8Array(Buffer.from(String(value.$bytes), 'base64')) : value,
  );
}

/** A member that registers again keeps its place, as in server-members.ts. */
function applyJoins(state: SavedState, entries: readonly Uint8Array[]): void {
  const members = new Map(
    state.server.groups.map(({ name, state: { members: list } }) => [name, new Map(list.map((m) => [m.address, m]))]),
  );
  for (const bytes of entries) {
    const { group, member, senderIdsUsed, registrations } = decode(bytes) as JoinEntry;
    const saved = state.server.groups.find(({ name }) => name === group)?.state;
    if (!saved) continue;
    members.get(group)?.set(member.address, member);
    saved.keys.senderIdsUsed = senderIdsUsed;
    saved.registrations = registrations;
  }
  for (const { name, state: saved } of state.server.groups) saved.members = [...(members.get(name)?.values() ?? [])];
}

/**
 * @param entries of encodeJoin, made after those bytes, in order
 * @returns null when it is of another version or not ours: the engine starts afresh, with new keys
 */
export function decodeState(bytes: Uint8Array, entries: readonly Uint8Array[] = []): SavedState | null {
  try {
    const state = decode(bytes) as SavedState & { version: number };
    if (state.version !== Version || !Array.isArray(state.members) || !Array.isArray(state.server?.groups)) return null;
    applyJoins(state, entries);
    return state;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
