// SA payload body with GDOI's DOI, RFC 6407 §5.2: the group's policy. SAK, GAP and SATs are nested inside its length, in that order.
//
//  | DOI = 2 (4) | Situation = 0 (4) | SA Attribute Next Payload (2) | RESERVED2 (2) | SAK? GAP? SAT*

import { concatBytes, readU16, readU32, u32Bytes } from '../../isakmp/bytes.js';
import { PayloadType } from '../../isakmp/header.js';
import { readPayloads, writePayloads } from '../../isakmp/payloads.js';
import { gdoiError } from './attribute-set.js';
import { type Gap, readGap, writeGap } from './gap.js';
import { readSak, type Sak, writeSak } from './sak.js';
import { readSat, type Sat, writeSat } from './sat.js';

export const GdoiDoi = 2;
/** One SAT per ACE and SA: more ACEs than any group has; bounds what a hostile key server can make us do. */
export const MaxSats = 1000;
const HeadLength = 12;
const Clause = 'RFC 6407 §5.2';

export interface GdoiSa {
  sak: Sak | null;
  gap: Gap | null;
  sats: Sat[];
}

/** @param body payload body @throws WireError on a wrong DOI, order or count, or when neither SAK nor SAT is there */
export function readSa(body: Uint8Array): GdoiSa {
  if (body.length < HeadLength) throw gdoiError(Clause, `SA payload body of ${body.length} bytes`);
  if (readU32(body, 0) !== GdoiDoi) throw gdoiError(Clause, `DOI ${readU32(body, 0)} is not GDOI`);
  if (readU32(body, 4) !== 0) throw gdoiError(Clause, 'situation is not zero');
  const first = readU16(body, 8);
  if (first > 255) throw gdoiError(Clause, `SA attribute next payload ${first}`);
  let sak: Sak | null = null;
  let gap: Gap | null = null;
  const sats: Sat[] = [];
  for (const { type, body: inner } of readPayloads(first, body.subarray(HeadLength), { count: MaxSats + 2 })) {
    if (type === PayloadType.SaKek && !sak && !gap && sats.length === 0) sak = readSak(inner);
    else if (type === PayloadType.GroupAssociatedPolicy && !gap && sats.length === 0) gap = readGap(inner);
    else if (type === PayloadType.SaTek) sats.push(readSat(inner));
    else throw gdoiError('RFC 6407 §5.2.1', `payload type ${type} is out of place inside the SA payload`);
  }
  if (!sak && sats.length === 0) throw gdoiError('RFC 6407 §5.2.1', 'SA payload holds neither a KEK nor a TEK');
  if (sats.length > MaxSats) throw gdoiError(Clause, `more than ${MaxSats} SA TEK payloads`);
  return { sak, gap, sats };
}

/** @returns the payload body */
export function writeSa(sa: GdoiSa): Uint8Array {
  const inner: { type: number; body: Uint8Array }[] = [];
  if (sa.sak) inner.push({ type: PayloadType.SaKek, body: writeSak(sa.sak) });
  if (sa.gap) inner.push({ type: PayloadType.GroupAssociatedPolicy, body: writeGap(sa.gap) });
  for (const sat of sa.sats) inner.push({ type: PayloadType.SaTek, body: writeSat(sat) });
  const first = inner.length > 0 ? inner[0].type : PayloadType.None;
  return concatBytes(u32Bytes(GdoiDoi), u32Bytes(0), Uint8Array.of(0, first, 0, 0), writePayloads(inner));
}
