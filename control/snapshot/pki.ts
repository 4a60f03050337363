// Trustpoints for the snapshot.

import type { X509Certificate } from 'node:crypto';
import type { CertificateState, TrustpointSnapshot } from '../api/snapshot-pki.js';
import type { Trustpoints } from '../pki/trustpoints.js';

function lines(name: string): string[] {
  return name.split('\n').filter((line) => line !== '');
}

function certificateState(kind: CertificateState['kind'], certificate: X509Certificate): CertificateState {
  return {
    kind,
    serial: certificate.serialNumber,
    issuer: lines(certificate.issuer),
    subject: lines(certificate.subject),
    alternativeNames: certificate.subjectAltName ?? null,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    fingerprintSha256: certificate.fingerprint256,
  };
}

export function trustpointStates(trustpoints: Trustpoints | null): TrustpointSnapshot[] {
  return (trustpoints?.states() ?? []).map(({ state }) => {
    const { anchors, intermediates, crls } = state.trust;
    const authorities = [...anchors, ...intermediates];
    return {
      name: state.name,
      certificates: [
        ...(state.identity ? [certificateState('own', state.identity.certificate)] : []),
        ...authorities.map((item) => certificateState('ca', item)),
      ],
      crls: crls.map(({ issuerText, thisUpdate, nextUpdate, revoked }) => ({
        issuer: lines(issuerText),
        thisUpdate,
        nextUpdate,
        revoked: revoked.size,
      })),
    };
  });
}
