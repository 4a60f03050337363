// Engine state <-> bytes: JSON with byte strings as {"$bytes": base64}. The store seals it; a version keeps an old file from being misread.

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

export function encodeState(state: SavedState): Uint8Array {
  const text = JSON.stringify({ version: Version, ...state }, (_key, value: unknown) =>
    value instanceof Uint8Array ? { $bytes: Buffer.from(value).toString('base64') } : value,
  );
  return new TextEncoder().encode(text);
}

/** @returns null when it is of another version or not ours: the engine starts afresh, with new keys */
export function decodeState(bytes: Uint8Array): SavedState | null {
  try {
    const state = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && '$bytes' in value
        ? new Uint8Array(Buffer.from(String(value.$bytes), 'base64'))
        : value,
    ) as SavedState & { version: number };
    return state.version === Version && Array.isArray(state.members) && Array.isArray(state.server?.groups) ? state : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}
