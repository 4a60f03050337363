// What one gateway tells another outside of Quick Mode, under their phase-1 SA: SAs that are gone, offers that are refused, SPIs that are unknown.
// Payloads only (RFC 2408 §3.14 and §3.15, RFC 2407 §4.6.3); isakmp/informational.ts protects them.

import { readU32, u32Bytes } from '../isakmp/bytes.js';
import { PayloadType } from '../isakmp/header.js';
import { type Deletion, type Notification, NotifyType, writeDeletion, writeNotification } from '../isakmp/notification.js';
import { Doi } from '../isakmp/sa-payload.js';
import type { WireError } from '../isakmp/wire-error.js';
import { EspProtocol } from './esp-proposal.js';

type PayloadBody = { type: number; body: Uint8Array };

/** The SAs towards us under these SPIs are gone: the peer must not send under them. */
export function deleteEsp(spis: readonly number[]): PayloadBody {
  const body = writeDeletion({ doi: Doi.Ipsec, protocol: EspProtocol, spiSize: 4, spis: spis.map(u32Bytes) });
  return { type: PayloadType.Delete, body };
}

/** @returns the SPIs of ESP SAs that the peer has deleted, under which we must not send */
export function deletedSpis({ protocol, spiSize, spis }: Deletion): number[] {
  return protocol === EspProtocol && spiSize === 4 ? spis.map((spi) => readU32(spi, 0)) : [];
}

function espNotification(type: NotifyType, spi: Uint8Array): PayloadBody {
  const body = writeNotification({ doi: Doi.Ipsec, protocol: EspProtocol, spi, type, data: new Uint8Array(0) });
  return { type: PayloadType.Notification, body };
}

/** @param spi of the offer, as the peer wrote it @param error why it was refused */
export function refusal(spi: Uint8Array, { counter }: WireError): PayloadBody {
  const types: Record<string, NotifyType> = {
    ipsec_no_flow: NotifyType.InvalidIdInformation,
    ipsec_no_proposal: NotifyType.NoProposalChosen,
    ipsec_too_many: NotifyType.NoProposalChosen,
  };
  return espNotification(types[counter] ?? NotifyType.PayloadMalformed, spi.length === 4 ? spi : new Uint8Array(0));
}

/** ESP came under an SPI that is not here. */
export function invalidSpi(spi: number): PayloadBody {
  return espNotification(NotifyType.InvalidSpi, u32Bytes(spi));
}

/** @returns the SPI that the peer does not have; null when the notification names none. It stands in the SPI field, or as some have it in the data */
export function unknownSpi({ protocol, spi, data }: Notification): number | null {
  if (protocol !== EspProtocol && protocol !== 0) return null;
  if (spi.length === 4) return readU32(spi, 0);
  return spi.length === 0 && data.length === 4 ? readU32(data, 0) : null;
}

/** RFC 2408 §3.14.1: types below 16384 are errors. */
export function isErrorType(type: number): boolean {
  return type > 0 && type < 16384;
}
