// The trustpoints of one router: their files, what was read from them, and what phase 1 asks: who are we, whom do we trust, is this peer's
// certificate good. The files of `enrollment url file:PATH` are looked at again on refresh(); what was good is kept sealed, so that a
// router comes up without them. A change of a file is a change of trust: who writes there decides whom this router believes.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { formatIpv4 } from '../config/addresses.js';
import { parseDistinguishedName } from '../config/distinguished-name.js';
import type { Config, Trustpoint } from '../config/model.js';
import type { SystemLog } from '../log.js';
import type { SealedStore } from '../store/sealed-store.js';
import { CertificateError } from './certificate-error.js';
import type { CertificateStore } from './certificate-store.js';
import { type VerifiedCertificate, verifyChain } from './chain.js';
import { buildRequest } from './request.js';
import { RsaKeyError, type RsaKeys } from './rsa-keys.js';
import {
  type CertificateIdentity,
  noTexts,
  readState,
  type Suffix,
  suffixes,
  type TrustpointState,
  type TrustpointTexts,
} from './trustpoint-state.js';

const StorePrefix = 'pki.';

interface Held {
  config: Trustpoint;
  keyLabel: string;
  texts: TrustpointTexts;
  state: TrustpointState;
}

/** The router's full name: of its key, its certificate, and its ID with `crypto isakmp identity hostname`. */
export function routerName({ hostname, domainName }: Pick<Config, 'hostname' | 'domainName'>): string {
  return domainName === null ? hostname : `${hostname}.${domainName}`;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export class Trustpoints implements CertificateStore {
  private held: Held[] = [];
  private name = '';
  /** What was complained about: once, until it changes. */
  private readonly said = new Map<string, string>();

  constructor(
    private readonly store: SealedStore,
    private readonly keys: RsaKeys,
    private readonly log: SystemLog,
  ) {}

  /** Takes the configured trustpoints: makes keys that are missing, reads files, writes requests. */
  configure(config: Config): void {
    this.name = routerName(config);
    this.held = [...config.trustpoints.values()].map((item) => {
      const keyLabel = item.rsaKeypair?.label ?? this.name;
      this.ensureKey(item, keyLabel);
      const saved = this.store.load(StorePrefix + item.name);
      const texts = saved ? (JSON.parse(new TextDecoder().decode(saved)) as TrustpointTexts) : noTexts;
      return { config: item, keyLabel, texts, state: this.read(item, keyLabel, texts) };
    });
    this.refresh();
  }

  private ensureKey(item: Trustpoint, label: string): void {
    if (this.keys.privateKey(label)) return;
    try {
      const { modulusBits } = this.keys.generate(label, item.rsaKeypair?.modulusBits ?? undefined);
      this.log.write('CRYPTO', 6, 'KEYGEN', `RSA key ${label} (${modulusBits} bits) made for trustpoint ${item.name}`);
    } catch (error) {
      if (!(error instanceof RsaKeyError)) throw error;
      this.log.write('PKI', 3, 'NO_KEY', `Trustpoint ${item.name}: RSA key ${JSON.stringify(label)}: ${error.message}`);
    }
  }

  /** Reads files that have changed, and writes the request of who has no certificate. Errors are logged, once each. */
  refresh(): void {
    for (const item of this.held) {
      this.refreshFiles(item);
      if (!item.state.identity && item.config.enrollmentPath !== null) this.attempt(item.config, '.req', () => this.writeRequest(item));
    }
  }

  /** Trustpoints as configured, with what they hold. */
  states(): readonly { config: Trustpoint; state: TrustpointState }[] {
    return this.held;
  }

  identity(requests: readonly Uint8Array[]): CertificateIdentity | null {
    const enrolled = this.held.map(({ state }) => state).filter((state) => state.identity !== null);
    const asked = enrolled.find(({ authorities }) =>
      authorities.some((name) => requests.some((request) => Buffer.compare(name, request) === 0)),
    );
    return (asked ?? enrolled[0])?.identity ?? null;
  }

  authorities(): Uint8Array[] {
    return this.held.flatMap(({ state }) => state.authorities);
  }

  verify(sent: readonly Uint8Array[], now: number): VerifiedCertificate {
    let last = new CertificateError('untrusted', 'RFC 5280 §6.1', 'no trustpoint has a CA certificate');
    for (const { state } of this.held) {
      if (state.trust.anchors.length === 0) continue;
      try {
        return verifyChain(sent, state.trust, now);
      } catch (error) {
        if (!(error instanceof CertificateError)) throw error;
        // What a trustpoint that knows the issuer says tells more than that another one does not know it.
        if (last.fault === 'untrusted' || error.fault !== 'untrusted') last = error;
      }
    }
    throw last;
  }

  private refreshFiles(item: Held): void {
    const base = item.config.enrollmentPath;
    if (base === null) return;
    const texts = { ...item.texts };
    for (const suffix of suffixes) {
      this.attempt(item.config, suffix, () => {
        texts[suffix] = readOrNull(base + suffix) ?? texts[suffix];
      });
    }
    if (suffixes.every((suffix) => texts[suffix] === item.texts[suffix])) return;
    const before = item.state;
    item.state = this.read(item.config, item.keyLabel, texts);
    item.texts = texts;
    this.store.save(StorePrefix + item.config.name, new TextEncoder().encode(JSON.stringify(texts)));
    this.tell(before, item.state);
  }

  private tell(before: TrustpointState, after: TrustpointState): void {
    const known = new Set(before.trust.anchors.map(({ fingerprint256 }) => fingerprint256));
    for (const { fingerprint256 } of after.trust.anchors) {
      if (known.has(fingerprint256)) continue;
      this.log.write('PKI', 5, 'CA_TRUSTED', `Trustpoint ${after.name} trusts the CA with SHA-256 fingerprint ${fingerprint256}`);
    }
    const own = after.identity?.certificate;
    if (own && own.fingerprint256 !== before.identity?.certificate.fingerprint256) {
      this.log.write('PKI', 6, 'CERTRET', `Trustpoint ${after.name}: certificate with serial number ${own.serialNumber} received`);
    }
    if (
      after.trust.crls.length > 0 &&
      after.trust.crls.map(({ thisUpdate }) => thisUpdate).join() !== before.trust.crls.map(({ thisUpdate }) => thisUpdate).join()
    ) {
      this.log.write('PKI', 6, 'CRL_LOADED', `Trustpoint ${after.name}: ${after.trust.crls.length} revocation lists read`);
    }
  }

  private read(config: Trustpoint, keyLabel: string, texts: TrustpointTexts): TrustpointState {
    return readState(config.name, texts, this.keys.privateKey(keyLabel), config.revocationCheck, (suffix, error) =>
      this.complain(config, suffix, `${error.message} (${error.clause})`),
    );
  }

  private writeRequest({ config, keyLabel }: Held): void {
    const key = this.keys.privateKey(keyLabel);
    const file = `${config.enrollmentPath}.req`;
    if (!key) return;
    const fqdn = config.fqdn ?? this.name;
    const subject = parseDistinguishedName(config.subjectName ?? `CN=${fqdn.slice(0, 64)}`);
    const text = buildRequest(key, subject, { dns: [fqdn], ip: config.ipAddress === null ? [] : [formatIpv4(config.ipAddress)] });
    if (readOrNull(file) === text) return;
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
    this.log.write(
      'PKI',
      6,
      'CERTENROLL',
      `Trustpoint ${config.name}: certificate request written to ${file}; the answer is awaited in ${config.enrollmentPath}.crt`,
    );
  }

  private attempt(config: Trustpoint, suffix: Suffix | '.req', act: () => void): void {
    try {
      act();
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
      this.complain(config, suffix, (error as Error).message);
    }
  }

  private complain({ name, enrollmentPath }: Trustpoint, suffix: string, why: string): void {
    const file = `${enrollmentPath}${suffix}`;
    if (this.said.get(file) === why) return;
    this.said.set(file, why);
    this.log.write('PKI', 3, 'FILE_UNUSABLE', `Trustpoint ${name}: ${file}: ${why}`);
  }
}
