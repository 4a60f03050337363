// Which IV spaces (RFC 6054 §2: a TEK and a sender ID) a dataplane was ever given. Saved before they are given, so that one whose counters
// died with a dataplane is never given again.

import type { GroupKeys } from './compile/tables.js';
import type { Tek } from './gdoi/group-policy.js';
import type { SealedStore } from './store/sealed-store.js';

const PublishedSenders = 'published-senders';

/** `${spi}:${sid}`, as the dataplane names it in `hello`. */
function senderPair(tek: Tek, sid: number): string {
  return `${tek.spi}:${sid}`;
}

export class IvSpaces {
  private readonly published: Set<string>;
  /** Those whose counters are gone for good. */
  private readonly lost = new Set<string>();

  constructor(private readonly store: Pick<SealedStore, 'load' | 'save'>) {
    const saved = store.load(PublishedSenders);
    this.published = new Set(saved ? (JSON.parse(new TextDecoder().decode(saved)) as string[]) : []);
  }

  /** A dataplane came up. @param knownSenders whose counters it has */
  dataplaneUp(knownSenders: readonly string[]): void {
    const known = new Set(knownSenders);
    for (const pair of this.published) if (!known.has(pair)) this.lost.add(pair);
  }

  usable(teks: readonly Tek[], sid: number): boolean {
    return teks.every((tek) => !this.lost.has(senderPair(tek, sid)));
  }

  /** Saves what the dataplane gets, before it gets it; forgets the spaces of TEKs that are gone. */
  remember(keys: ReadonlyMap<string, GroupKeys>): void {
    const live = new Set<string>();
    const spis = new Set<string>();
    for (const { teks, senderIds } of keys.values()) {
      for (const tek of teks) {
        spis.add(String(tek.spi));
        for (const sid of tek.salt.length > 0 ? (senderIds?.values ?? []) : []) live.add(senderPair(tek, sid));
      }
    }
    let changed = false;
    for (const pair of live) {
      changed ||= !this.published.has(pair);
      this.published.add(pair);
    }
    for (const pair of this.published) {
      if (spis.has(pair.split(':')[0])) continue;
      this.published.delete(pair);
      this.lost.delete(pair);
      changed = true;
    }
    if (changed) this.store.save(PublishedSenders, new TextEncoder().encode(JSON.stringify([...this.published])));
  }
}
