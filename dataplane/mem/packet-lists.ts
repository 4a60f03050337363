// Packets in slots against compiled lists: what env.classify and env.permits are. One closure of each for all stages of a worker.

import { readFacts } from '../proto/acl.js';
import { AclList, classify } from '../proto/classifier.js';
import { IpProto } from '../proto/ipv4.js';
import { Ace, AceAction, AceLog } from '../tables/layout.js';
import { type AclLog, loggedPort } from './acl-log.js';
import type { CounterBlocks } from './shared.js';
import { PacketFlag, type Slots } from './slots.js';
import type { Tables } from './tables.js';

export type Classify = (list: number, id: number) => number;

/** First match of a packet in a compiled list. Reads the packet's facts (acl.ts) only for lists that ask for them. */
export function makeClassify(slots: Slots, tables: Tables): Classify {
  const { view, off, len, l4Off, proto, src, dst, sport, dport, tos, flags } = slots;
  const { aces, aclWords } = tables;
  return function classifyPacket(list, id) {
    const asks = aclWords[list + AclList.AsksFacts] !== 0;
    const later = (flags[id] & PacketFlag.LaterFragment) !== 0;
    const facts = asks ? readFacts(view, l4Off[id], off[id] + len[id], proto[id], tos[id], later) : 0;
    return classify(aces, aclWords, list, proto[id], src[id], dst[id], sport[id], dport[id], facts);
  };
}

/** Does a list on an interface let a packet pass? Counts the hit, notes it for the log. */
export function makePermits(
  slots: Slots,
  tables: Tables,
  counters: CounterBlocks,
  classify: Classify,
  log: AclLog,
): (list: number, id: number) => boolean {
  const { view, off, len, l4Off, proto, src, dst, sport, dport, flags, rxPort } = slots;
  const { aces } = tables;
  const { aceHits } = counters;

  /** Slow path. */
  function note(id: number, row: number): void {
    const protocol = proto[id];
    let from = loggedPort(sport[id], protocol);
    let to = loggedPort(dport[id], protocol);
    if (protocol === IpProto.Icmp) {
      const isThere = (flags[id] & PacketFlag.LaterFragment) === 0 && l4Off[id] + 1 < off[id] + len[id];
      from = isThere ? view.getUint8(l4Off[id]) : 0;
      to = isThere ? view.getUint8(l4Off[id] + 1) : 0;
    }
    const port = aces[row + Ace.Log] === AceLog.LogInput ? rxPort[id] : -1;
    log.note(aces[row + Ace.Counter], port, protocol, src[id], dst[id], from, to);
  }

  return function permits(list, id) {
    const ace = classify(list, id);
    if (ace < 0) return false;
    const row = ace * Ace.Words;
    aceHits[ace]++;
    if (aces[row + Ace.Log] !== AceLog.None) note(id, row);
    return aces[row + Ace.Action] === AceAction.Permit;
  };
}
