// 27-policy-in: what arrives in the clear on a crypto-map port although the policy wants it encrypted is dropped (RFC 4301 §5.2,
// IOS "packet not IPSEC but should have been"). In: packets that are not ours to open. Out: route; IKE and GDOI for us to local, which no translation is asked about.
// Drops: clear-must-be-encrypted, fail-close (all that arrives in the clear on a port that is closed, but for its exceptions), esp-unknown-spi: what looks like ESP in UDP where
// a group's policy wants it encrypted is most likely that, under keys that this member has missed; control is told, as 25-esp-open tells it of ESP.
//
// It stands behind 25-esp-open, which decides what came encrypted, and before any stage that changes addresses. The packet is
// matched as it stands, not mirrored: the sender's gateway matched the same rows with the same addresses; flows between two gateways have rows of
// their own for what arrives. Exempt: what this host
// itself sends, what came out of an SA, and IKE and GDOI to our own address (RFC 4301 §4.4.1: the SPD must bypass it), without which
// a policy of `permit ip any any` could never be renewed.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { EventKind } from '../mem/events.js';
import { isLocal } from '../mem/hash.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { EspUdp, isEspInUdp } from '../proto/esp-in-udp.js';
import { IpProto } from '../proto/ipv4.js';
import { isKeyManagementPort } from '../proto/l4.js';
import { Ace, AceAction, CryptoEntry, CryptoFlag } from '../tables/layout.js';

export function makePolicyIn(env: Env): () => void {
  const { drop, classify, events } = env;
  const { view, off, len, l4Off, rxPort, proto, src, dst, sport, dport, flags } = env.slots;
  const { ports, cryptoEntries, entryFirst, entryCount, entryLists, aces, localSet } = env.tables;
  const { aceHits } = env.counters;
  const { policyIn: input, route, punt } = env.vec;

  /** @returns the reason to drop it, -1 = it may pass */
  function verdict(id: number): number {
    const port = rxPort[id];
    const end = entryFirst[port] + entryCount[port];
    for (let entry = entryFirst[port]; entry < end; entry++) {
      const at = entry * CryptoEntry.Words;
      const entryFlags = cryptoEntries[at + CryptoEntry.Flags];
      if ((entryFlags & (CryptoFlag.Registered | CryptoFlag.ClosedIn | CryptoFlag.PeerIn)) === 0) continue;
      const ace = classify(entryLists[entry], id);
      if (ace < 0) continue;
      aceHits[ace]++;
      if (aces[ace * Ace.Words + Ace.Action] !== AceAction.Permit) continue;
      if ((entryFlags & CryptoFlag.AcceptClear) !== 0) return -1;
      if ((entryFlags & CryptoFlag.ClosedIn) !== 0) return Drop.FailClose;
      return (entryFlags & CryptoFlag.Registered) !== 0 && isEspOfMembers(id) ? Drop.EspUnknownSpi : Drop.ClearMustBeEncrypted;
    }
    return -1;
  }

  /** It is nobody's SPI here, or 15-ip-input had sent it another way. */
  function isEspOfMembers(id: number): boolean {
    if (proto[id] !== IpProto.Udp || sport[id] !== EspUdp.Port || dport[id] !== EspUdp.Port) return false;
    if ((flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0) return false;
    return isEspInUdp(view, l4Off[id], off[id] + len[id] - l4Off[id]);
  }

  function isKeyManagement(id: number): boolean {
    return proto[id] === IpProto.Udp && isKeyManagementPort(dport[id]) && isLocal(localSet, dst[id]);
  }

  return function policyIn() {
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const isInside = (flags[id] & (PacketFlag.FromHost | PacketFlag.Decrypted)) !== 0;
      if (!isInside && isKeyManagement(id)) {
        punt.push(id);
        continue;
      }
      const exempt = isInside || ports[rxPort[id] * PortRow.Words + PortRow.HasCryptoMap] === 0;
      const reason = exempt ? -1 : verdict(id);
      if (reason === Drop.EspUnknownSpi) events.note(EventKind.InvalidSpi, view.getInt32(l4Off[id] + EspUdp.HeaderLen), src[id], dst[id]);
      if (reason >= 0) drop(id, reason);
      else route.push(id);
    }
    input.clear();
  };
}
