// Why a certificate, a chain or a revocation list is not accepted. Texts name serial numbers and what is wrong, no other contents: a peer
// that did not prove itself must not write into the log.

export type CertificateFault =
  /** Not DER, not X.509, a key or an extension that we do not take. */
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  /** No way to a trusted root, a signature that is wrong, a chain that is too long, an issuer that is no CA. */
  | 'untrusted'
  /** `revocation-check crl` and no list that is in force. */
  | 'no-crl'
  /** The peer calls itself something that its certificate does not say. */
  | 'identity';

export class CertificateError extends Error {
  constructor(
    readonly fault: CertificateFault,
    /** The clause that is broken, e.g. `RFC 5280 §6.1.3`. */
    readonly clause: string,
    message: string,
  ) {
    super(message);
    this.name = 'CertificateError';
  }
}
