// SA and IKE keys in Wireshark's table formats (esp_sa, ikev1_decryption_table), so that a capture can be decrypted: written as they come (--key-log DIR), or
// at once (key-export.ts). Off by default; whoever can read DIR can read the traffic. Files are mode 0600.
//
//   esp_sa                   "IPv4","*","*","0x12345678","AES-GCM [RFC4106]","0x<key salt>","NULL",""
//   ikev1_decryption_table   <initiator cookie hex>,<encryption key hex>

import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SaMaterial } from './compile/rows.js';
import type { EspAuthentication, EspEncryption } from './config/model.js';

/** null: Wireshark 4.0 has no name for it. */
const encryptionNames: Record<EspEncryption, string | null> = {
  'esp-null': 'NULL',
  'esp-des': 'DES-CBC [RFC2405]',
  'esp-3des': 'TripleDES-CBC [RFC2451]',
  'esp-aes-128': 'AES-CBC [RFC3602]',
  'esp-aes-192': 'AES-CBC [RFC3602]',
  'esp-aes-256': 'AES-CBC [RFC3602]',
  'esp-gcm-128': 'AES-GCM with 16 octet ICV [RFC4106]',
  'esp-gcm-192': 'AES-GCM with 16 octet ICV [RFC4106]',
  'esp-gcm-256': 'AES-GCM with 16 octet ICV [RFC4106]',
  'esp-gmac-128': null,
  'esp-gmac-192': null,
  'esp-gmac-256': null,
  'esp-chacha20-poly1305': null,
};
const authenticationNames: Record<EspAuthentication, string> = {
  'esp-md5-hmac': 'HMAC-MD5-96 [RFC2403]',
  'esp-sha-hmac': 'HMAC-SHA-1-96 [RFC2404]',
  'esp-sha256-hmac': 'HMAC-SHA-256-128 [RFC4868]',
  'esp-sha384-hmac': 'HMAC-SHA-384-192 [RFC4868]',
  'esp-sha512-hmac': 'HMAC-SHA-512-256 [RFC4868]',
};

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** One line of Wireshark's esp_sa table, null where it has none for the cipher. Key material: only for the key log. */
export function espSaLine(tek: SaMaterial): string | null {
  const encryption = encryptionNames[tek.encryption];
  if (encryption === null) return null;
  const spi = `0x${tek.spi.toString(16).padStart(8, '0')}`;
  const key = tek.encryptionKey.length + tek.salt.length > 0 ? `0x${hex(tek.encryptionKey)}${hex(tek.salt)}` : '';
  const auth = tek.authentication === null ? 'NULL' : authenticationNames[tek.authentication];
  const authKey = tek.integrityKey.length > 0 ? `0x${hex(tek.integrityKey)}` : '';
  return ['IPv4', '*', '*', spi, encryption, key, auth, authKey].map((field) => `"${field}"`).join(',');
}

/** What is told of each key. */
export interface KeySink {
  /** A group's TEK, or one direction of a pair; perhaps again. */
  writeTek(tek: SaMaterial): void;
  writeIke(initiatorCookie: Uint8Array, encryptionKey: Uint8Array): void;
}

export class KeyLog implements KeySink {
  private readonly written = new Set<string>();

  constructor(private readonly directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const file of ['esp_sa', 'ikev1_decryption_table']) {
      const path = join(directory, file);
      if (!existsSync(path)) continue;
      for (const line of readFileSync(path, 'utf8').split('\n')) this.written.add(`${file}:${line}`);
    }
  }

  writeTek(tek: SaMaterial): void {
    const line = espSaLine(tek);
    if (line !== null) this.append('esp_sa', line);
  }

  writeIke(initiatorCookie: Uint8Array, encryptionKey: Uint8Array): void {
    this.append('ikev1_decryption_table', `${hex(initiatorCookie)},${hex(encryptionKey)}`);
  }

  private append(file: string, line: string): void {
    if (this.written.has(`${file}:${line}`)) return;
    this.written.add(`${file}:${line}`);
    const path = join(this.directory, file);
    appendFileSync(path, `${line}\n`, { mode: 0o600 });
    chmodSync(path, 0o600);
  }
}
