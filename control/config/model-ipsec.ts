// ESP as it is configured: transform sets and IPsec profiles.

import type { DhGroup } from './model-ike.js';

export type EspEncryption =
  | 'esp-null'
  | 'esp-des'
  | 'esp-3des'
  | 'esp-aes-128'
  | 'esp-aes-192'
  | 'esp-aes-256'
  | 'esp-gcm-128'
  | 'esp-gcm-192'
  | 'esp-gcm-256'
  | 'esp-gmac-128'
  | 'esp-gmac-192'
  | 'esp-gmac-256'
  | 'esp-chacha20-poly1305';

/** Does it authenticate as well as encrypt (RFC 4303 §3.3.2.2)? Then it has no HMAC beside it, and IVs that are counted. */
export function isCombinedMode(encryption: EspEncryption): boolean {
  return encryption.startsWith('esp-gcm') || encryption.startsWith('esp-gmac') || encryption === 'esp-chacha20-poly1305';
}

export type EspAuthentication = 'esp-md5-hmac' | 'esp-sha-hmac' | 'esp-sha256-hmac' | 'esp-sha384-hmac' | 'esp-sha512-hmac';

export interface TransformSet {
  line: number;
  name: string;
  encryption: EspEncryption;
  /** null for combined-mode ciphers. */
  authentication: EspAuthentication | null;
  mode: 'tunnel' | 'transport';
  /** `esn`: sequence numbers of 64 bits are offered, and taken (RFC 4304). */
  extended?: boolean;
}

export interface IpsecProfile {
  line: number;
  name: string;
  transformSets: string[];
  /** null = as the global settings say. */
  lifetimeSeconds: number | null;
  /** For tunnels; null = none is asked for, any is accepted. */
  pfs: DhGroup | null;
}
