// SAs of a `tables` message: keys, sizes and flags that belong together, serials and SPIs that differ (validate-tables.ts).

import { isCombined } from '../proto/esp.js';
import { EspUdp } from '../proto/esp-in-udp.js';
import { Cap, EspAuth, EspCipher, Sa, SaFlag } from '../tables/layout.js';
import type { TablesHead, TablesRows } from '../tables/message.js';
import { checkAclRange, refuse, within } from './shape.js';

/** Key, IV and ICV bytes and alignment by cipher (RFC 2451, 3602, 4106, 4543, 7634, 2410); a cipher that is not in it cannot be. */
const cipherShapes = new Map<EspCipher, { keys: number[]; iv: number; aligns: number[] }>([
  [EspCipher.Null, { keys: [0], iv: 0, aligns: [4] }],
  [EspCipher.TripleDesCbc, { keys: [24], iv: 8, aligns: [8] }],
  [EspCipher.AesCbc, { keys: [16, 24, 32], iv: 16, aligns: [16] }],
  [EspCipher.AesGcm16, { keys: [16, 24, 32], iv: 8, aligns: [4, 16] }],
  [EspCipher.AesGmac, { keys: [16, 24, 32], iv: 8, aligns: [4] }],
  [EspCipher.ChaCha20Poly1305, { keys: [32], iv: 8, aligns: [4] }],
]);
const authShapes = new Map<EspAuth, { key: number; icv: number }>([
  [EspAuth.None, { key: 0, icv: 0 }],
  [EspAuth.HmacMd5_96, { key: 16, icv: 12 }],
  [EspAuth.HmacSha1_96, { key: 20, icv: 12 }],
  [EspAuth.HmacSha256_128, { key: 32, icv: 16 }],
  [EspAuth.HmacSha384_192, { key: 48, icv: 24 }],
  [EspAuth.HmacSha512_256, { key: 64, icv: 32 }],
]);

/** @throws ShapeError */
export function checkSas({ head, rows }: { head: TablesHead; rows: TablesRows }): void {
  const spis = new Set<number>();
  const serials = new Set<number>();
  for (let at = 0; at < rows.sas.length; at += Sa.Words) {
    const row = rows.sas.subarray(at, at + Sa.Words);
    const serial = row[Sa.Serial];
    if (serial === 0) continue;
    within('SA serial', serial, 1, 0x7fffffff);
    if (serials.has(serial)) refuse(`SA serial ${serial} twice`);
    serials.add(serial);
    const spi = row[Sa.Spi] >>> 0;
    within('SA SPI', spi, 256, 0xffffffff); // RFC 4303 §2.1
    // Peers choose the SPIs of outbound SAs: two of them may choose the same, or one of ours.
    const isInbound = (row[Sa.Flags] & SaFlag.Inbound) !== 0;
    if (isInbound && spis.has(spi)) refuse(`two SAs with SPI ${spi}`);
    if (isInbound) spis.add(spi);
    checkTransform(row);
    within('SA flags', row[Sa.Flags], 0, 31);
    checkEnds(row);
    within('SA replay window', row[Sa.ReplayWindow], 0, 1 << 20);
    within('SA time window', row[Sa.TimeWindow], 0, 100);
    within('SA sender ID bits', row[Sa.SidBits], 0, 32);
    within('SA sender IDs', row[Sa.SidCount], 0, Cap.Sids);
    within('SA group', row[Sa.Group], 0, head.groups.length - 1);
    checkAclRange('SA', row[Sa.AclFirst], row[Sa.AclCount], rows.aces);
  }
}

function checkEnds(row: Int32Array): void {
  const isPairwise = (row[Sa.Flags] & SaFlag.Pairwise) !== 0;
  if (isPairwise !== (row[Sa.Local] !== 0) || isPairwise !== (row[Sa.Peer] !== 0))
    refuse('SA with ends of a pair that it is not, or without');
  if (!isPairwise && (row[Sa.Flags] & SaFlag.Transport) !== 0) refuse('SA of a group in transport mode');
  within('SA port of the peer', row[Sa.PeerPort], 0, 65535);
  if (!isPairwise && row[Sa.PeerPort] !== 0 && row[Sa.PeerPort] !== EspUdp.Port) refuse(`SA of a group in UDP to port ${row[Sa.PeerPort]}`);
  const hasOriginals = row[Sa.LocalOriginal] !== 0 || row[Sa.PeerOriginal] !== 0;
  if (hasOriginals && (row[Sa.PeerPort] === 0 || (row[Sa.Flags] & SaFlag.Transport) === 0))
    refuse('SA with addresses before a translator that is not in transport mode, or not in UDP');
  // The window is what tells the upper half of a number (RFC 4303 App. A2).
  if ((row[Sa.Flags] & SaFlag.Extended) !== 0 && (!isPairwise || row[Sa.ReplayWindow] === 0))
    refuse('SA with extended sequence numbers without a replay window, or of a group');
  const directions = row[Sa.Flags] & (SaFlag.Inbound | SaFlag.Outbound);
  if (isPairwise && directions === (SaFlag.Inbound | SaFlag.Outbound)) refuse('SA between two gateways in both directions');
}

function checkTransform(row: Int32Array): void {
  const cipher = cipherShapes.get(row[Sa.Cipher]);
  const auth = authShapes.get(row[Sa.Auth]);
  if (!cipher || !auth) refuse(`SA with cipher ${row[Sa.Cipher]} and auth ${row[Sa.Auth]}`);
  if (!cipher.keys.includes(row[Sa.CipherKeyLen])) refuse(`SA cipher key of ${row[Sa.CipherKeyLen]} bytes`);
  const combined = isCombined(row[Sa.Cipher]);
  if (combined && row[Sa.Auth] !== EspAuth.None) refuse('SA with a combined mode and an HMAC');
  if (row[Sa.Cipher] === EspCipher.Null && row[Sa.Auth] === EspAuth.None) refuse('SA with neither cipher nor HMAC');
  if (row[Sa.AuthKeyLen] !== auth.key) refuse(`SA HMAC key of ${row[Sa.AuthKeyLen]} bytes`);
  if (row[Sa.IvLen] !== cipher.iv) refuse(`SA IV of ${row[Sa.IvLen]} bytes`);
  if (row[Sa.IcvLen] !== (combined ? 16 : auth.icv)) refuse(`SA ICV of ${row[Sa.IcvLen]} bytes`);
  if (!cipher.aligns.includes(row[Sa.Align])) refuse(`SA alignment of ${row[Sa.Align]} bytes`);
}
