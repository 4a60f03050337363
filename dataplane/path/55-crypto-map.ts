// 55-crypto-map: does this packet leave encrypted, and under which SA? In: routed packets. Out: pmtu, with the sa column set or -1.
// Drops: no-sa, fail-close. Entries of the egress port's crypto map are tried in order; an entry whose group has no policy yet is passed over
// (fail-open, the IOS default); a port that is closed has one more at its end, which drops what it permits; one that is receive-only lets it go in the clear. A deny in an entry's list means "not by this entry", not "in the clear": the next entry is
// tried, and only what no entry permits goes in the clear. What another list permits never goes in the clear, SA or not; nor does an ICMP
// error of ours that quotes a decrypted packet. A flow between two gateways that has no SA is told to control, which makes one. What 70-esp-seal has
// sealed under an outer header of its own comes here once more and is left alone; so is what 28-mtu-probe has chosen an SA for.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { EventKind } from '../mem/events.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag, QosColumn } from '../mem/slots.js';
import { canSeal } from '../proto/esp-room.js';
import { Ace, AceAction, CryptoEntry, CryptoFlag } from '../tables/layout.js';

/** What is not an SA slot. */
const enum Verdict {
  Clear = -1,
  NoSa = -2,
  Closed = -3,
}

export function makeCryptoMap(env: Env): () => void {
  const { drop, classify, clock, events } = env;
  const { txPort, sa, flags, qos, src, dst } = env.slots;
  const { ports, cryptoEntries, entryFirst, entryCount, entryLists, aces, sas } = env.tables;
  const { aceHits } = env.counters;
  const { cryptoMap: input, pmtu: next } = env.vec;

  /** @returns SA slot or Verdict */
  function decide(id: number, port: number): number {
    const end = entryFirst[port] + entryCount[port];
    for (let entry = entryFirst[port]; entry < end; entry++) {
      const at = entry * CryptoEntry.Words;
      const entryFlags = cryptoEntries[at + CryptoEntry.Flags];
      if ((entryFlags & (CryptoFlag.Registered | CryptoFlag.ClosedOut | CryptoFlag.PeerOut)) === 0) continue;
      const ace = classify(entryLists[entry], id);
      if (ace < 0) continue;
      aceHits[ace]++;
      if (aces[ace * Ace.Words + Ace.Action] !== AceAction.Permit) continue;
      if ((entryFlags & CryptoFlag.ClosedOut) !== 0) return Verdict.Closed;
      if ((entryFlags & CryptoFlag.ReceiveOnly) !== 0) break;
      const slot = cryptoEntries[at + CryptoEntry.OutboundSa];
      if ((entryFlags & CryptoFlag.PreClassify) !== 0) qos[id] |= QosColumn.Keep;
      if (canSeal(sas, slot, clock[Clock.Seconds])) return slot;
      if ((entryFlags & CryptoFlag.PeerOut) !== 0) events.note(EventKind.NoSa, cryptoEntries[at + CryptoEntry.Flow], src[id], dst[id]);
      return Verdict.NoSa;
    }
    return (flags[id] & PacketFlag.Confidential) !== 0 ? Verdict.NoSa : Verdict.Clear;
  }

  return function cryptoMap() {
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const port = txPort[id];
      if ((flags[id] & PacketFlag.MtuProbe) !== 0) {
        next.push(id);
        continue;
      }
      const isSealed = (flags[id] & PacketFlag.Sealed) !== 0;
      const verdict = isSealed || ports[port * PortRow.Words + PortRow.HasCryptoMap] === 0 ? Verdict.Clear : decide(id, port);
      if (verdict < Verdict.Clear) {
        drop(id, verdict === Verdict.NoSa ? Drop.NoSa : Drop.FailClose);
        continue;
      }
      sa[id] = verdict;
      next.push(id);
    }
    input.clear();
  };
}
