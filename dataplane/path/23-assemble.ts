// 23-assemble: ESP, in UDP too, and GRE that this router opens itself and that came in IP fragments are put together (RFC 791 §3.2). In: esp-open's and policy-in's vectors, left in
// them. Out: the same, with whole datagrams in place of their last fragments. Drops: the reassembly-* reasons.
//
// ESP: sent to an address of ours, or come by the crypto map's port of a group (path/25 opens what is sent to the hosts behind). GRE: between the ends of a tunnel. Other
// fragments pass as they are, or wait in 20-reassemble. Behind 22-acl-in: lists see fragments, as they arrive. ESP in UDP: 20-reassemble has put the first
// fragment in front and says the ports of all; what has an SPI behind them, from a peer any, else one of a group, is taken, and the whole goes to 25-esp-open. IKE on the same ports is
// the host's to put together, which takes any length.

import { PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { isLocal } from '../mem/hash.js';
import { BankCount, PortCrypto, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import type { Vector } from '../mem/vector.js';
import { Esp } from '../proto/esp.js';
import { EspUdp, isEspInUdp } from '../proto/esp-in-udp.js';
import { isPeerInUdp } from '../proto/esp-room.js';
import { isTunnelBetween } from '../proto/gre.js';
import { IpProto } from '../proto/ipv4.js';
import { Cap } from '../tables/layout.js';

const enum Bits {
  Fragment = 24, // PacketFlag.LaterFragment | MoreFragments
  /** PacketFlag.FromHost | Made | ByTunnel: not received. */
  NotReceived = 8225,
}

export function makeAssemble(env: Env): () => void {
  const { clock, nat, reassembly, groupUdp } = env;
  const { view, off, len, l4Off, rxPort, proto, src, dst, sport, dport, flags } = env.slots;
  const { counts, ports, sas, tunnels, localSet } = env.tables;
  const { path } = env.counters;
  const { espOpen, policyIn } = env.vec;

  function isTunnelled(id: number): boolean {
    if (counts[BankCount.Tunnels] === 0 || !isLocal(localSet, dst[id])) return false;
    for (let port = 0; port < Cap.Ports; port++) if (isTunnelBetween(tunnels, port, dst[id], src[id])) return true;
    return false;
  }

  function isOpenedHere(id: number): boolean {
    if (proto[id] === IpProto.Gre) return isTunnelled(id);
    if (proto[id] === IpProto.Udp) return isEspInPieces(id);
    if (proto[id] !== IpProto.Esp || nat.hasFromOutside(id)) return false;
    if (isLocal(localSet, dst[id])) return true;
    return (flags[id] & PacketFlag.Decrypted) === 0 && ports[rxPort[id] * PortRow.Words + PortRow.HasCryptoMap] === PortCrypto.Groups;
  }

  /** A first fragment that says so, or one that follows such a one. */
  function isEspInPieces(id: number): boolean {
    if (dport[id] !== EspUdp.Port || (flags[id] & PacketFlag.Joined) === 0 || !groupUdp.mayBeEsp(id)) return false;
    if ((flags[id] & PacketFlag.LaterFragment) !== 0) return reassembly.knows(id, clock[Clock.Ms]);
    if (off[id] + len[id] - l4Off[id] < EspUdp.HeaderLen + Esp.HeaderLen) return false;
    const spi = view.getInt32(l4Off[id] + EspUdp.HeaderLen);
    return spi !== 0 && (isPeerInUdp(sas, src[id], dst[id]) || (sport[id] === EspUdp.Port && groupUdp.opens(spi)));
  }

  /** And not a fragment of IKE, or what lies about its length. */
  function isEsp(id: number): boolean {
    return (flags[id] & Bits.Fragment) === 0 && isEspInUdp(view, l4Off[id], off[id] + len[id] - l4Off[id]);
  }

  function assemble(vector: Vector): void {
    let at = 0;
    while (at < vector.length && (flags[vector.ids[at]] & Bits.Fragment) === 0) at++;
    let kept = at;
    for (; at < vector.length; at++) {
      const id = vector.ids[at];
      const isCandidate = (flags[id] & Bits.Fragment) !== 0 && (flags[id] & Bits.NotReceived) === 0;
      const whole = isCandidate && isOpenedHere(id) ? reassembly.take(id, clock[Clock.Ms]) : id;
      if (whole < 0) continue;
      if (isCandidate && vector === espOpen && proto[whole] === IpProto.Udp && !isEsp(whole)) policyIn.push(whole);
      else vector.ids[kept++] = whole;
    }
    vector.length = kept;
  }

  return function assembleOwn() {
    assemble(espOpen);
    assemble(policyIn);
    path[PathCount.Assembling] = reassembly.held;
  };
}
