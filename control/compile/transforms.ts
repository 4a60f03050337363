// ESP transforms as rows: what each name costs on the wire and which keys it needs.
// AES-CBC RFC 3602, DES-CBC RFC 2405, 3DES-CBC RFC 2451, AES-GCM RFC 4106, AES-GMAC RFC 4543, ChaCha20-Poly1305 RFC 7634, NULL RFC 2410; HMACs RFC 2403, 2404, 4868.

import { EspAuth, EspCipher } from '../../dataplane/tables/layout.js';
import type { EspAuthentication, EspEncryption } from '../config/model.js';

export interface CipherRow {
  cipher: EspCipher;
  /** As negotiated. */
  keyBytes: number;
  /** The row has the key so many times. */
  copies?: number;
  ivBytes: number;
  /** Padding alignment, bytes. */
  align: number;
  /** ICV of a combined-mode cipher, else 0. */
  icvBytes: number;
  /** As `show crypto ipsec sa` writes it. */
  text: string;
}
export interface AuthRow {
  auth: EspAuth;
  keyBytes: number;
  icvBytes: number;
}

const ciphers: Record<EspEncryption, CipherRow> = {
  'esp-null': { cipher: EspCipher.Null, keyBytes: 0, ivBytes: 0, align: 4, icvBytes: 0, text: 'esp-null' },
  // 3DES with three equal keys is DES: what the outer two do cancels out (NIST SP 800-67 §3). No library has DES by itself any more.
  'esp-des': { cipher: EspCipher.TripleDesCbc, keyBytes: 8, copies: 3, ivBytes: 8, align: 8, icvBytes: 0, text: 'esp-des' },
  'esp-3des': { cipher: EspCipher.TripleDesCbc, keyBytes: 24, ivBytes: 8, align: 8, icvBytes: 0, text: 'esp-3des' },
  'esp-aes-128': { cipher: EspCipher.AesCbc, keyBytes: 16, ivBytes: 16, align: 16, icvBytes: 0, text: 'esp-aes' },
  'esp-aes-192': { cipher: EspCipher.AesCbc, keyBytes: 24, ivBytes: 16, align: 16, icvBytes: 0, text: 'esp-192-aes' },
  'esp-aes-256': { cipher: EspCipher.AesCbc, keyBytes: 32, ivBytes: 16, align: 16, icvBytes: 0, text: 'esp-256-aes' },
  'esp-gcm-128': { cipher: EspCipher.AesGcm16, keyBytes: 16, ivBytes: 8, align: 4, icvBytes: 16, text: 'esp-gcm' },
  'esp-gcm-192': { cipher: EspCipher.AesGcm16, keyBytes: 24, ivBytes: 8, align: 4, icvBytes: 16, text: 'esp-gcm 192' },
  'esp-gcm-256': { cipher: EspCipher.AesGcm16, keyBytes: 32, ivBytes: 8, align: 4, icvBytes: 16, text: 'esp-gcm 256' },
  'esp-gmac-128': { cipher: EspCipher.AesGmac, keyBytes: 16, ivBytes: 8, align: 4, icvBytes: 16, text: 'esp-gmac' },
  'esp-gmac-192': { cipher: EspCipher.AesGmac, keyBytes: 24, ivBytes: 8, align: 4, icvBytes: 16, text: 'esp-gmac 192' },
  'esp-gmac-256': { cipher: EspCipher.AesGmac, keyBytes: 32, ivBytes: 8, align: 4, icvBytes: 16, text: 'esp-gmac 256' },
  'esp-chacha20-poly1305': {
    cipher: EspCipher.ChaCha20Poly1305,
    keyBytes: 32,
    ivBytes: 8,
    align: 4,
    icvBytes: 16,
    text: 'esp-chacha20-poly1305',
  },
};

const auths: Record<EspAuthentication, AuthRow> = {
  'esp-md5-hmac': { auth: EspAuth.HmacMd5_96, keyBytes: 16, icvBytes: 12 },
  'esp-sha-hmac': { auth: EspAuth.HmacSha1_96, keyBytes: 20, icvBytes: 12 },
  'esp-sha256-hmac': { auth: EspAuth.HmacSha256_128, keyBytes: 32, icvBytes: 16 },
  'esp-sha384-hmac': { auth: EspAuth.HmacSha384_192, keyBytes: 48, icvBytes: 24 },
  'esp-sha512-hmac': { auth: EspAuth.HmacSha512_256, keyBytes: 64, icvBytes: 32 },
};
const noAuth: AuthRow = { auth: EspAuth.None, keyBytes: 0, icvBytes: 0 };

/** As IOS prints a transform: `esp-256-aes esp-sha256-hmac`. */
export function transformText(encryption: EspEncryption, authentication: EspAuthentication | null): string {
  return authentication === null ? ciphers[encryption].text : `${ciphers[encryption].text} ${authentication}`;
}

export function cipherRow(encryption: EspEncryption): CipherRow {
  return ciphers[encryption];
}

export function authRow(authentication: EspAuthentication | null): AuthRow {
  return authentication === null ? noAuth : auths[authentication];
}

/** Of time-based anti-replay, inside (dataplane/proto/tbar.ts). */
export const TimeHeaderBytes = 12;
/** Of ESP in UDP, in front of the SPI (RFC 3948 §2.1). */
export const UdpHeaderBytes = 8;

/**
 * The largest inner packet that fits a path, tunnel mode over IPv4: floor((path - 20 - 8 - IV - ICV) / align) * align - 2.
 * @param pathMtu bytes @param shimBytes in front of the inner packet: TimeHeaderBytes with time-based anti-replay @returns bytes, as `plaintext mtu` in `show crypto ipsec sa`
 */
export function plaintextMtu(pathMtu: number, encryption: EspEncryption, authentication: EspAuthentication | null, shimBytes = 0): number {
  const cipher = cipherRow(encryption);
  const room = pathMtu - 20 - 8 - cipher.ivBytes - cipher.icvBytes - authRow(authentication).icvBytes;
  return Math.floor(room / cipher.align) * cipher.align - 2 - shimBytes;
}

/** The same for the TEK of a group, with what stands in front of ESP and inside it. */
export function groupPlaintextMtu(
  pathMtu: number,
  tek: { encryption: EspEncryption; authentication: EspAuthentication | null; replaySeconds?: number; udp?: boolean },
): number {
  const room = pathMtu - (tek.udp ? UdpHeaderBytes : 0);
  return plaintextMtu(room, tek.encryption, tek.authentication, tek.replaySeconds ? TimeHeaderBytes : 0);
}
