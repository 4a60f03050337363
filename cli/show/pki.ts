// `show crypto pki certificates`, `crls` and `trustpoints`, as IOS lays them out.

import type { Snapshot } from '../../control/api/snapshot.js';
import type { CertificateState, CrlState, TrustpointSnapshot } from '../../control/api/snapshot-pki.js';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `23:15:02 UTC Nov 3 2026`. */
function formatTime(ms: number): string {
  const time = new Date(ms);
  return `${time.toISOString().slice(11, 19)} UTC ${months[time.getUTCMonth()]} ${time.getUTCDate()} ${time.getUTCFullYear()}`;
}

function renderName(title: string, attributes: readonly string[]): string[] {
  return [`  ${title}:`, ...attributes.map((attribute) => `    ${attribute}`)];
}

function renderCertificate(certificate: CertificateState, trustpoint: string, now: number): string[] {
  const { kind, serial, issuer, subject, alternativeNames, notBefore, notAfter } = certificate;
  return [
    kind === 'own' ? 'Certificate' : 'CA Certificate',
    `  Status: ${now > notAfter ? 'Expired' : 'Available'}`,
    `  Certificate Serial Number (hex): ${serial}`,
    `  Certificate Usage: ${kind === 'own' ? 'General Purpose' : 'Signature'}`,
    ...renderName('Issuer', issuer),
    ...renderName('Subject', subject),
    ...(alternativeNames === null ? [] : [`  Subject Alternative Name: ${alternativeNames}`]),
    '  Validity Date:',
    `    start date: ${formatTime(notBefore)}`,
    `    end   date: ${formatTime(notAfter)}`,
    `  Fingerprint SHA256: ${certificate.fingerprintSha256.replaceAll(':', '')}`,
    `  Associated Trustpoints: ${trustpoint}`,
    '',
  ];
}

export function renderCertificates({ takenAt }: Snapshot, trustpoints: readonly TrustpointSnapshot[]): string[] {
  return trustpoints.flatMap(({ name, certificates }) => certificates.flatMap((item) => renderCertificate(item, name, takenAt)));
}

function renderCrl({ issuer, thisUpdate, nextUpdate, revoked }: CrlState): string[] {
  return [
    'CRL Issuer Name:',
    `    ${issuer.join(',')}`,
    `    LastUpdate: ${formatTime(thisUpdate)}`,
    `    NextUpdate: ${formatTime(nextUpdate)}`,
    `    Revoked certificates: ${revoked}`,
    '',
  ];
}

export function renderCrls(trustpoints: readonly TrustpointSnapshot[]): string[] {
  return trustpoints.flatMap(({ crls }) => crls.flatMap(renderCrl));
}

export function renderTrustpoints(trustpoints: readonly TrustpointSnapshot[]): string[] {
  return trustpoints.flatMap(({ name, certificates }) => {
    const authorities = certificates.filter(({ kind }) => kind === 'ca');
    return [
      `Trustpoint ${name}:`,
      ...authorities.flatMap(({ subject, serial }) => [
        '    Subject Name:',
        ...subject.map((attribute) => `    ${attribute}`),
        `          Serial Number (hex): ${serial}`,
      ]),
      authorities.length > 0 ? '    CA certificate configured.' : '    No CA certificate yet.',
      certificates.some(({ kind }) => kind === 'own') ? '    Certificate configured.' : '    No certificate of our own yet.',
      '',
    ];
  });
}
