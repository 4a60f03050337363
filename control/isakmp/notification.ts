// Notification and Delete payload bodies, RFC 2408 §3.14 and §3.15. Does: SPI and count checks. Does not: act on them.
//
//  Notification                                   Delete
//  +-------------------------------------------+  +-------------------------------------------+
//  |                   DOI                     |  |                   DOI                     |
//  +----------+----------+---------------------+  +----------+----------+---------------------+
//  | Protocol | SPI Size | Notify Message Type |  | Protocol | SPI Size |     # of SPIs       |
//  +----------+----------+---------------------+  +----------+----------+---------------------+
//  |        SPI, then Notification Data        |  |                   SPIs                    |
//  +-------------------------------------------+  +-------------------------------------------+

import { concatBytes, readU16, readU32, writeU16, writeU32 } from './bytes.js';
import { WireError } from './wire-error.js';

/** RFC 2408 §3.14.1 and RFC 2407 §4.6.3: those that are sent or named in logs here. */
export const enum NotifyType {
  InvalidPayloadType = 1,
  InvalidCookie = 4,
  InvalidExchangeType = 7,
  InvalidSpi = 11,
  NoProposalChosen = 14,
  PayloadMalformed = 16,
  InvalidIdInformation = 18,
  AuthenticationFailed = 24,
  AddressNotification = 26,
  /** RFC 2408 §3.14.1: the answer to the commit bit. */
  Connected = 16384,
  ResponderLifetime = 24576,
  ReplayStatus = 24577,
  InitialContact = 24578,
  /** RFC 3706 §5.3. */
  AreYouThere = 36136,
  AreYouThereAck = 36137,
}

export interface Notification {
  doi: number;
  protocol: number;
  spi: Uint8Array;
  type: number;
  data: Uint8Array;
}

export interface Deletion {
  doi: number;
  protocol: number;
  spiSize: number;
  spis: Uint8Array[];
}

/** @param body payload body @throws WireError */
export function readNotification(body: Uint8Array): Notification {
  if (body.length < 8) throw new WireError('RFC 2408 §3.14', `notification body of ${body.length} bytes`);
  const end = 8 + body[5];
  if (end > body.length) throw new WireError('RFC 2408 §3.14', `notification with an SPI of ${body[5]} bytes in ${body.length}`);
  return { doi: readU32(body, 0), protocol: body[4], spi: body.slice(8, end), type: readU16(body, 6), data: body.slice(end) };
}

/** Whether a payload body says INITIAL-CONTACT. Anything else is no reason to refuse what it came with. */
export function isInitialContact(body: Uint8Array): boolean {
  return body.length >= 8 && readU16(body, 6) === NotifyType.InitialContact;
}

function writeHead(doi: number, protocol: number, spiSize: number, last: number): Uint8Array {
  const head = new Uint8Array(8);
  writeU32(head, 0, doi);
  head[4] = protocol;
  head[5] = spiSize;
  writeU16(head, 6, last);
  return head;
}

/** @returns the payload body */
export function writeNotification(item: Notification): Uint8Array {
  return concatBytes(writeHead(item.doi, item.protocol, item.spi.length, item.type), item.spi, item.data);
}

/** @param body payload body @throws WireError when SPI size times count is not the rest of the payload, or there is no SPI */
export function readDeletion(body: Uint8Array): Deletion {
  if (body.length < 8) throw new WireError('RFC 2408 §3.15', `delete body of ${body.length} bytes`);
  const spiSize = body[5];
  const count = readU16(body, 6);
  if (spiSize === 0 || count === 0 || 8 + spiSize * count !== body.length) {
    throw new WireError('RFC 2408 §3.15', `delete of ${count} SPIs of ${spiSize} bytes in a body of ${body.length}`);
  }
  const spis: Uint8Array[] = [];
  for (let i = 0; i < count; i++) spis.push(body.slice(8 + i * spiSize, 8 + (i + 1) * spiSize));
  return { doi: readU32(body, 0), protocol: body[4], spiSize, spis };
}

/** @returns the payload body @throws RangeError when an SPI has another size */
export function writeDeletion(item: Deletion): Uint8Array {
  if (item.spis.some((spi) => spi.length !== item.spiSize)) throw new RangeError(`an SPI is not of ${item.spiSize} bytes`);
  return concatBytes(writeHead(item.doi, item.protocol, item.spiSize, item.spis.length), ...item.spis);
}
