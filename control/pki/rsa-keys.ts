// RSA key pairs of this router: `crypto key generate rsa`, kept sealed as PKCS#8, listed with the public half only.
// Does not: certificates, enrolment, export (later issues).

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Config } from '../config/model.js';
import type { SystemLog } from '../log.js';
import type { SealedStore } from '../store/sealed-store.js';

/** IOS refuses less than 360; less than 1024 is breakable and refused here. */
const MinModulusBits = 1024;
const MaxModulusBits = 4096;
const DefaultModulusBits = 2048;
const Prefix = 'rsa.';

/** What the operator can fix: bad modulus, name in use. */
export class RsaKeyError extends Error {}

export interface RsaKeyInfo {
  label: string;
  modulusBits: number;
  exportable: boolean;
  /** Unix ms. */
  generatedAt: number;
  /** DER SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
}

interface StoredKey {
  exportable: boolean;
  generatedAt: number;
  /** PKCS#8 DER, base64: only ever inside the sealed store. */
  pkcs8: string;
}

export class RsaKeys {
  private readonly keys = new Map<string, { info: RsaKeyInfo; privateKey: KeyObject }>();

  constructor(private readonly store: SealedStore) {
    for (const name of store.names()) if (name.startsWith(Prefix)) this.load(name.slice(Prefix.length));
  }

  /**
   * `crypto key generate rsa label LABEL modulus BITS [exportable]`. A key of that label is replaced, as on IOS.
   * @param bits 1024..4096, multiple of 8 @throws RsaKeyError
   */
  generate(label: string, bits: number = DefaultModulusBits, exportable = false, now: number = Date.now()): RsaKeyInfo {
    if (!/^[\x21-\x7e]{1,40}$/.test(label)) throw new RsaKeyError('a key label is 1 to 40 printable characters without spaces');
    if (!Number.isInteger(bits) || bits < 360 || bits > MaxModulusBits)
      throw new RsaKeyError(`modulus ${bits}: expected ${MinModulusBits} to ${MaxModulusBits} bits`);
    if (bits < MinModulusBits) throw new RsaKeyError(`modulus ${bits} can be factored: use ${MinModulusBits} to ${MaxModulusBits} bits`);
    if (bits % 8 !== 0) throw new RsaKeyError(`modulus ${bits}: expected a multiple of 8 bits`);
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: 0x10001 });
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    const stored: StoredKey = { exportable, generatedAt: now, pkcs8 };
    this.store.save(Prefix + label, new TextEncoder().encode(JSON.stringify(stored)));
    return this.keep(label, stored, privateKey);
  }

  /** `crypto key zeroize rsa LABEL`. @returns false when there is none */
  remove(label: string): boolean {
    if (!this.keys.delete(label)) return false;
    this.store.remove(Prefix + label);
    return true;
  }

  privateKey(label: string): KeyObject | null {
    return this.keys.get(label)?.privateKey ?? null;
  }

  /** Public halves, by label. */
  list(): RsaKeyInfo[] {
    return [...this.keys.values()].map(({ info }) => info).sort((a, b) => (a.label < b.label ? -1 : 1));
  }

  /** Makes the keys that `rekey authentication mypubkey rsa LABEL` names and that are not there yet. */
  ensure(config: Config, log: SystemLog): void {
    for (const group of config.gdoiGroups.values()) {
      const label = group.server?.rekeyAuthentication ?? null;
      if (label === null || this.keys.has(label)) continue;
      try {
        this.generate(label);
        log.write('CRYPTO', 6, 'KEYGEN', `RSA key ${label} (${DefaultModulusBits} bits) made for group ${group.name}`);
      } catch (error) {
        if (!(error instanceof RsaKeyError)) throw error;
        log.write('GDOI', 3, 'KS_NO_RSA_KEYS', `RSA key ${JSON.stringify(label)} of group ${group.name}: ${error.message}`);
      }
    }
  }

  private load(label: string): void {
    const bytes = this.store.load(Prefix + label);
    if (!bytes) return; // damaged: the store has reported it
    const stored = JSON.parse(new TextDecoder().decode(bytes)) as StoredKey;
    this.keep(label, stored, createPrivateKey({ key: Buffer.from(stored.pkcs8, 'base64'), format: 'der', type: 'pkcs8' }));
  }

  private keep(label: string, stored: StoredKey, privateKey: KeyObject): RsaKeyInfo {
    const info: RsaKeyInfo = {
      label,
      modulusBits: privateKey.asymmetricKeyDetails?.modulusLength ?? 0,
      exportable: stored.exportable,
      generatedAt: stored.generatedAt,
      publicKey: new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' })),
    };
    this.keys.set(label, { info, privateKey });
    return info;
  }
}
