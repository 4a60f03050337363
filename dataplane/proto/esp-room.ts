// What an SA's packets need around them: how much fits inside a datagram of a given length; whether it seals at all now; and whose ESP comes in UDP.

import { Cap, Sa, SaFlag } from '../tables/layout.js';
import { largestInner } from './esp.js';
import { EspUdp } from './esp-in-udp.js';
import { Ip4 } from './ipv4.js';
import { Tbar } from './tbar.js';

/**
 * The largest packet that fits, sealed, into `mtu` bytes. @param row first word of its Sa
 * @param header bytes of the packet's own header, which stays outside in transport mode; 0 = tunnel mode @returns bytes, <= 0 when nothing fits
 */
export function roomInside(sas: Int32Array, row: number, mtu: number, header: number): number {
  const outer = (header || Ip4.HeaderLen) + (sas[row + Sa.PeerPort] !== 0 ? EspUdp.HeaderLen : 0);
  const shim = sas[row + Sa.TimeWindow] > 0 ? Tbar.HeaderLen : 0;
  return header + largestInner(mtu, outer, sas[row + Sa.IvLen], sas[row + Sa.IcvLen], sas[row + Sa.Align], shim);
}

/** @param slot -1 = none @param seconds Unix time, low 32 bits */
export function canSeal(sas: Int32Array, slot: number, seconds: number): boolean {
  const row = slot * Sa.Words;
  return (
    slot >= 0 &&
    sas[row + Sa.Serial] !== 0 &&
    (sas[row + Sa.Flags] & SaFlag.Outbound) !== 0 &&
    ((sas[row + Sa.ExpiresAt] - seconds) | 0) > 0
  );
}

/** Is there an SA whose ESP comes in UDP from that address to that one? For fragments alone, which are few: it looks at every SA. */
export function isPeerInUdp(sas: Int32Array, from: number, to: number): boolean {
  for (let row = 0; row < Cap.Sas * Sa.Words; row += Sa.Words)
    if (sas[row + Sa.PeerPort] !== 0 && sas[row + Sa.Serial] !== 0 && sas[row + Sa.Peer] === from && sas[row + Sa.Local] === to)
      return true;
  return false;
}
