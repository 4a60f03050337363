// Which TEKs a member sends with: of each SA of the group's policy the one whose turn it is.

import type { Ms } from '../actions.js';
import type { Tek } from '../gdoi/group-policy.js';

/** Of TEKs that replace each other, the one that senders use at `now`: the one activated last, else the one that activates first. */
export function outboundTek(teks: readonly Tek[], now: Ms): Tek | null {
  let best: Tek | null = null;
  for (const tek of teks) {
    if (tek.expiresAt <= now) continue;
    if (best === null) best = tek;
    else if (tek.activatesAt <= now ? best.activatesAt > now || tek.activatesAt >= best.activatesAt : tek.activatesAt < best.activatesAt)
      best = tek;
  }
  return best;
}

/** One for each SA (`sa ipsec N`) of the policy, in order of their numbers. Empty: nothing is known that could be sent with. */
export function outboundTeks(teks: readonly Tek[], now: Ms): Tek[] {
  const bySa = new Map<number, Tek[]>();
  for (const tek of teks) bySa.set(tek.sa ?? 0, [...(bySa.get(tek.sa ?? 0) ?? []), tek]);
  return [...bySa]
    .sort(([a], [b]) => a - b)
    .map(([, same]) => outboundTek(same, now))
    .filter((tek) => tek !== null);
}
