// 95-local: what is for the host itself is handed back to the kernel (punt), and ICMP errors are made about what was refused.
// In: punt, refused. Out: the rx port's device; ICMP errors to route in the next turn. Drops: the refused packets with their reason,
// port-down, tx-full, tx-error. A punted packet gets the TTL back that the kernel took on the way in (RFC 5082 and the like count on it);
// it always goes by the TUN, which is where the kernel takes packets for itself.
// Errors follow RFC 1812 §4.3.2 and are limited by a token bucket (§4.3.2.8). Does not: answer echo requests (the host does).

import { Drop, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { makeTokenBucket } from '../mem/token-bucket.js';
import { isFull } from '../native/native.js';
import { IcmpError, mayAnswer, writeError } from '../proto/icmp.js';
import { Ip4, IpProto, raiseTtl } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { Cap } from '../tables/layout.js';

/** ICMP errors a second, and in one burst. */
const ErrorsPerSecond = 100;
const ErrorBurst = 50;
/** Those about what a list denies have a limit of their own, that of IOS: a scan must not use up what path MTU discovery needs. */
const DenialsPerSecond = 2;
const DenialBurst = 1;

export function makeLocal(env: Env): () => void {
  const { slots, native, links, capture, drop, clock } = env;
  const { tun } = links;
  const { bytes, view, off, len, l4Off, rxPort, txPort, proto, src, dst, sport, dport, tos, flags, sa, nesting, qos, error, reason } =
    slots;
  const { ports, localSet } = env.tables;
  const { path } = env.counters;
  const { punt, refused, route } = env.vec;
  const offsets = new Int32Array(1);
  const lengths = new Int32Array(1);
  const results = new Int32Array(1);
  const mayTell = makeTokenBucket(clock, ErrorBurst, ErrorsPerSecond);
  const mayTellDenial = makeTokenBucket(clock, DenialBurst, DenialsPerSecond);
  let errorId = 0;

  function handBack(id: number) {
    const fd = tun[rxPort[id]];
    txPort[id] = rxPort[id];
    if (fd < 0) return drop(id, Drop.PortDown);
    if (isLowered(id)) raiseTtl(view, off[id]);
    offsets[0] = off[id];
    lengths[0] = len[id];
    if (native.tx(fd, bytes, offsets, lengths, 1, results) < 1) return drop(id, isFull(results[0]) ? Drop.TxFull : Drop.TxError);
    path[PathCount.Punted]++;
    if (capture.isOn()) capture.noteHost(id);
    slots.release(id);
  }

  /** The kernel has taken a hop from its TTL on the way to us. */
  function isLowered(id: number): boolean {
    return (flags[id] & (PacketFlag.OwesHop | PacketFlag.FromHost | PacketFlag.Made)) === 0;
  }

  function addressOf(port: number): number {
    return ports[port * PortRow.Words + PortRow.Address];
  }

  /** An address of a port, first choice one that has no crypto map: the group's policy covers it rather than the outside one. */
  function anyAddress(): number {
    let found = 0;
    for (let port = 0; port < Cap.Ports; port++) {
      if (addressOf(port) === 0) continue;
      if (ports[port * PortRow.Words + PortRow.HasCryptoMap] === 0) return addressOf(port);
      if (found === 0) found = addressOf(port);
    }
    return found;
  }

  /**
   * RFC 1812 §4.3.2.4: the address of the interface the packet came in by. Two exceptions: an error to this host itself names the
   * destination, because the kernel refuses what comes in with one of its own addresses as source (a source that NAT gave is none of this
   * host's); and an error about a decrypted packet names the inside, so that the policy encrypts on its way back what it quotes.
   */
  function sourceFor(id: number): number {
    if (isLocal(localSet, src[id]) && (flags[id] & PacketFlag.Translated) === 0) return dst[id];
    const isDecrypted = (flags[id] & (PacketFlag.Decrypted | PacketFlag.Decapsulated)) === PacketFlag.Decrypted;
    const own = isDecrypted ? (txPort[id] !== rxPort[id] ? addressOf(txPort[id]) : 0) : addressOf(rxPort[id]);
    if (own !== 0) return own;
    const any = anyAddress();
    return any !== 0 ? any : dst[id];
  }

  /** `no ip unreachables` silences all of them, those that path MTU discovery needs too, as on IOS. */
  function isWanted(id: number): boolean {
    const isSilent = ports[rxPort[id] * PortRow.Words + PortRow.Silent] !== 0;
    if (isSilent && error[id] >>> 24 === IcmpError.Unreachable) return false;
    const isDenied = reason[id] === Drop.AclIn || reason[id] === Drop.AclOut;
    return isDenied ? mayTellDenial() : mayTell();
  }

  function answer(id: number): void {
    if (!mayAnswer(view, off[id]) || !isWanted(id)) return;
    const made = slots.allocate();
    if (made < 0) return;
    if (isLowered(id)) raiseTtl(view, off[id]); // RFC 1812 §4.3.2.3: it is quoted as it was received
    const at = made * SlotShape.Bytes + SlotShape.Headroom;
    errorId = (errorId + 1) & 0xffff;
    const word = error[id];
    len[made] = writeError(bytes, view, off[id], at, sourceFor(id), errorId, word >>> 24, (word >>> 16) & 255, word & 0xffff);
    off[made] = at;
    l4Off[made] = at + Ip4.HeaderLen;
    rxPort[made] = rxPort[id];
    txPort[made] = rxPort[id];
    proto[made] = IpProto.Icmp;
    src[made] = view.getInt32(at + Ip4.Src);
    dst[made] = view.getInt32(at + Ip4.Dst);
    sport[made] = Port.None;
    dport[made] = Port.None;
    tos[made] = view.getUint8(at + Ip4.Tos);
    flags[made] = PacketFlag.Made | ((flags[id] & PacketFlag.Decrypted) !== 0 ? PacketFlag.Confidential : 0);
    sa[made] = -1;
    nesting[made] = 0;
    qos[made] = 0;
    path[PathCount.Made]++;
    route.push(made);
  }

  return function local() {
    for (let i = 0; i < punt.length; i++) handBack(punt.ids[i]);
    punt.clear();
    for (let i = 0; i < refused.length; i++) {
      const id = refused.ids[i];
      answer(id);
      drop(id, reason[id]);
    }
    refused.clear();
  };
}
