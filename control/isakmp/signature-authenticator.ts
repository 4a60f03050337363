// Phase 1 with RSA signatures, RFC 2409 §5.1 and RFC 4945: CERT, CERTREQ and SIG payloads, and IDs that certificates bear out. Does: X.509
// signature certificates (encoding 4). Does not: PKCS #7 chains, revocation lists in CERT payloads (ours come from files), DSS.
//
//   CERT body     | encoding (1) | certificate |          CERTREQ body   | encoding (1) | DER Name of an authority, or nothing |

import type { Ms } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import { CertificateError, type CertificateFault } from '../pki/certificate-error.js';
import type { CertificateStore } from '../pki/certificate-store.js';
import type { VerifiedCertificate } from '../pki/chain.js';
import { nameKey } from '../pki/der.js';
import { signPhase1, verifyPhase1 } from '../pki/ike-signature.js';
import type { CertificateIdentity } from '../pki/trustpoint-state.js';
import { type Authenticator, addressId, type ExchangeFacts, nameId, notProved, type PayloadBody } from './authentication.js';
import { concatBytes, readU32 } from './bytes.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { PayloadType } from './header.js';
import { type Identification, IdType } from './identification.js';
import { type Payload, takePayload } from './payloads.js';

/** RFC 2408 §3.9: X.509 certificate - signature. */
const X509Signature = 4;
/** Certificate requests that are looked at. */
const MaxRequests = 20;

const counters: Record<CertificateFault, string> = {
  malformed: 'ike_certificate_malformed',
  expired: 'ike_certificate_expired',
  'not-yet-valid': 'ike_certificate_expired',
  revoked: 'ike_certificate_revoked',
  untrusted: 'ike_certificate_untrusted',
  'no-crl': 'ike_certificate_no_crl',
  identity: 'ike_certificate_identity',
};

/** The refusal of a message because of its certificate. */
export function certificateRefusal({ fault, clause, message }: CertificateError): ExchangeRefusal {
  return new ExchangeRefusal(clause, `bad certificate: ${message}`, counters[fault], 5, 'IKMP_INVAL_CERT');
}

export interface SignatureOptions {
  store: CertificateStore;
  /** `crypto isakmp identity`. */
  identity: 'address' | 'dn' | 'hostname';
  hostname: string;
}

export class SignatureAuthenticator implements Authenticator {
  readonly preSharedKey = null;
  private asked: Uint8Array[] = [];
  private chosen: CertificateIdentity | null = null;

  private constructor(
    private readonly options: SignatureOptions,
    private readonly fallback: CertificateIdentity,
  ) {}

  /** @returns null when no trustpoint is enrolled */
  static make(options: SignatureOptions): SignatureAuthenticator | null {
    const identity = options.store.identity([]);
    return identity && new SignatureAuthenticator(options, identity);
  }

  requests(): PayloadBody[] {
    const encoding = new Uint8Array([X509Signature]);
    return this.options.store.authorities().map((name) => ({ type: PayloadType.CertificateRequest, body: concatBytes(encoding, name) }));
  }

  heed(payloads: readonly Payload[]): void {
    const requests = payloads.filter(({ type, body }) => type === PayloadType.CertificateRequest && body[0] === X509Signature);
    this.asked = [...this.asked, ...requests.map(({ body }) => body.slice(1))].slice(0, MaxRequests);
  }

  identification(facts: ExchangeFacts): Identification {
    const { identity, hostname } = this.options;
    const { certificate, subject } = this.own();
    // RFC 4945 §3.1: an ID that the certificate does not hold would be refused, so the subject takes its place.
    if (identity === 'address' && certificate.checkIP(formatIpv4(facts.local.address))) return addressId(facts);
    if (identity === 'hostname' && certificate.checkHost(hostname, exactHost)) {
      return nameId(IdType.Fqdn, new TextEncoder().encode(hostname), facts);
    }
    return nameId(IdType.DerDn, subject, facts);
  }

  prove(hash: Uint8Array): PayloadBody[] {
    const { certificates, privateKey } = this.own();
    const encoding = new Uint8Array([X509Signature]);
    return [
      ...certificates.map((der) => ({ type: PayloadType.Certificate, body: concatBytes(encoding, der) })),
      { type: PayloadType.Signature, body: signPhase1(privateKey, hash) },
    ];
  }

  verify(payloads: readonly Payload[], id: Identification, expected: Uint8Array, facts: ExchangeFacts, now: Ms): void {
    const signature = takePayload(payloads, PayloadType.Signature).body;
    const sent = payloads.filter(({ type, body }) => type === PayloadType.Certificate && body[0] === X509Signature);
    try {
      const peer = this.options.store.verify(
        sent.map(({ body }) => body.slice(1)),
        now,
      );
      if (!verifyPhase1(peer.publicKey, expected, signature)) throw notProved('the SIG payload is not by the key of the certificate');
      checkIdentity(id, peer, facts);
    } catch (error) {
      if (error instanceof CertificateError) throw certificateRefusal(error);
      throw error;
    }
  }

  private own(): CertificateIdentity {
    this.chosen ??= this.options.store.identity(this.asked) ?? this.fallback;
    return this.chosen;
  }
}

/** The subject's CN is no host name (RFC 4945 §3.1.2), and no certificate speaks for all hosts of a domain. */
const exactHost = { subject: 'never', wildcards: false } as const;

/** The ID must be in the certificate (RFC 4945 §3.1), and an address also the one the peer writes from, unless it is translated. */
function checkIdentity(id: Identification, { certificate, subject }: VerifiedCertificate, { remote, translated }: ExchangeFacts): void {
  const text = new TextDecoder().decode(id.data);
  switch (id.type) {
    case IdType.Ipv4Address: {
      const address = readU32(id.data, 0);
      if (!certificate.checkIP(formatIpv4(address))) throw wrongId('§3.1.1', 'an address');
      if (!translated && address !== remote.address) throw wrongId('§3.1.1', 'another address than its own', false);
      return;
    }
    case IdType.Fqdn:
      if (!isPlain(text) || !certificate.checkHost(text, exactHost)) throw wrongId('§3.1.2', 'a host name');
      return;
    case IdType.UserFqdn:
      if (!isPlain(text) || !certificate.checkEmail(text, { subject: 'never' })) throw wrongId('§3.1.3', 'a user name');
      return;
    case IdType.DerDn:
      if (nameKey(id.data) !== nameKey(subject)) throw wrongId('§3.1.5', 'a distinguished name');
      return;
    default:
      throw new CertificateError('identity', 'RFC 4945 §3.1', `the peer's ID is of type ${id.type}, which no certificate bears out`);
  }
}

/** No NUL, no space, no character beyond ASCII: what OpenSSL compares is what was sent. */
function isPlain(text: string): boolean {
  return text.length > 0 && [...text].every((character) => character > ' ' && character <= '~');
}

function wrongId(section: string, what: string, missing = true): CertificateError {
  return new CertificateError(
    'identity',
    `RFC 4945 ${section}`,
    `the peer calls itself ${what}${missing ? ' that its certificate does not hold' : ''}`,
  );
}
