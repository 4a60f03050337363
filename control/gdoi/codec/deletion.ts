// Delete payload of a push, RFC 6407 §5.9: which TEKs (protocol 1 or 2, SPI of 4) or KEK (protocol 0, SPI of 16) go; SPI 0 = all of that kind.

import { isZero, readU32, toHex, u32Bytes } from '../../isakmp/bytes.js';
import { readDeletion, writeDeletion } from '../../isakmp/notification.js';
import { gdoiError } from './attribute-set.js';
import { GdoiDoi } from './sa.js';
import { SecurityProtocol } from './sat.js';

export type GroupDeletion =
  /** spi null = all. */
  { kind: 'tek'; spi: number | null } | { kind: 'kek' /** Hex; null = all. */; spi: string | null };

const Clause = 'RFC 6407 §5.9';

/** @param body payload body @throws WireError */
export function readGroupDeletion(body: Uint8Array): GroupDeletion[] {
  const { doi, protocol, spiSize, spis } = readDeletion(body);
  if (doi !== GdoiDoi) throw gdoiError(Clause, `delete for DOI ${doi}`);
  if (protocol === 0) {
    // An all-zero SPI of four octets for "every KEK" is seen as well as the sixteen that the RFC wants.
    if (spiSize !== 16 && spiSize !== 4) throw gdoiError(Clause, `KEK delete with an SPI of ${spiSize} bytes`);
    return spis.map((spi) => {
      if (spiSize === 4 && !isZero(spi)) throw gdoiError(Clause, 'KEK delete with an SPI of 4 bytes');
      return { kind: 'kek', spi: isZero(spi) ? null : toHex(spi) };
    });
  }
  if (protocol !== SecurityProtocol.Esp && protocol !== SecurityProtocol.Ah) throw gdoiError(Clause, `delete for protocol ${protocol}`);
  if (spiSize !== 4) throw gdoiError(Clause, `TEK delete with an SPI of ${spiSize} bytes`);
  return spis.map((spi) => ({ kind: 'tek', spi: isZero(spi) ? null : readU32(spi, 0) }));
}

/** Every TEK: "D(ESP, 0)". @returns payload bodies */
export function writeDeleteTeks(): Uint8Array[] {
  return [writeDeletion({ doi: GdoiDoi, protocol: SecurityProtocol.Esp, spiSize: 4, spis: [u32Bytes(0)] })];
}

/** @param spi 16 bytes, all zero for every KEK @returns payload bodies */
export function writeDeleteKek(spi: Uint8Array): Uint8Array[] {
  return [writeDeletion({ doi: GdoiDoi, protocol: 0, spiSize: 16, spis: [spi] })];
}

/** Everything the group has: "D(ESP, 0), D(KEK, 0)". @returns payload bodies */
export function writeDeleteAll(): Uint8Array[] {
  return [...writeDeleteTeks(), ...writeDeleteKek(new Uint8Array(16))];
}
