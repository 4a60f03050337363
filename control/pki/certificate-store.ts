// What authentication with signatures asks of the PKI.

import type { VerifiedCertificate } from './chain.js';
import type { CertificateIdentity } from './trustpoint-state.js';

export interface CertificateStore {
  /** @param requests DER Names of the authorities that the peer asked for @returns the identity that one of them certified, else any; null = not enrolled */
  identity(requests: readonly Uint8Array[]): CertificateIdentity | null;
  /** DER Names of the roots that are trusted. */
  authorities(): Uint8Array[];
  /** @param sent DER certificates, the peer's own first @param now Unix ms @throws CertificateError */
  verify(sent: readonly Uint8Array[], now: number): VerifiedCertificate;
}

/** Without trustpoints: no signatures. */
export const noCertificates: CertificateStore = {
  identity: () => null,
  authorities: () => [],
  verify: () => {
    throw new TypeError('there is no trustpoint');
  },
};
