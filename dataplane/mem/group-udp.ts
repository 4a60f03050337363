// Of UDP that is on its way to any host, what may be a group's ESP in it: with preserved addresses (RFC 6407 §5.3.1) no address tells it from the NAT traversal of hosts behind us. Only
// the SPI does, and of fragments the first alone has that.

import { isPeerInUdp } from '../proto/esp-room.js';
import { Cap, Sa, SaFlag } from '../tables/layout.js';
import { findSpi, isLocal } from './hash.js';
import { PortCrypto, PortRow } from './shared.js';
import { PacketFlag, type Slots } from './slots.js';
import type { Tables } from './tables.js';

export interface GroupUdp {
  /** Is it the SPI of an SA of a group that opens ESP in UDP? */
  opens(spi: number): boolean;
  /** A fragment of UDP may be of ESP that is opened here: a peer's, or, by the port of a group's crypto map, anybody's. May look at every SA: such fragments are few. */
  mayBeEsp(id: number): boolean;
}

export function makeGroupUdp(slots: Slots, tables: Tables): GroupUdp {
  const { rxPort, src, dst, flags } = slots;
  const { sas, ports, spiMap, localSet } = tables;

  function isOfGroup(row: number): boolean {
    return sas[row + Sa.PeerPort] !== 0 && (sas[row + Sa.Flags] & (SaFlag.Pairwise | SaFlag.Inbound)) === SaFlag.Inbound;
  }

  function isAny(): boolean {
    for (let row = 0; row < Cap.Sas * Sa.Words; row += Sa.Words) if (sas[row + Sa.Serial] !== 0 && isOfGroup(row)) return true;
    return false;
  }

  return {
    opens(spi) {
      const slot = findSpi(spiMap, spi);
      return slot >= 0 && isOfGroup(slot * Sa.Words);
    },
    mayBeEsp(id) {
      if (isLocal(localSet, dst[id]) && isPeerInUdp(sas, src[id], dst[id])) return true;
      const isReceived = (flags[id] & (PacketFlag.FromHost | PacketFlag.Decrypted)) === 0;
      return isReceived && ports[rxPort[id] * PortRow.Words + PortRow.HasCryptoMap] === PortCrypto.Groups && isAny();
    },
  };
}
