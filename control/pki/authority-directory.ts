// The directory of a local CA:
//
//   ca.pem       its certificate, then those above it        key.pem      its private key (PKCS #8, mode 0600)
//   issued.json  what it issued and revoked                  crl.pem      its newest revocation list, then those of the CAs above it
//
// Every file is replaced as a whole. Does not: two writers at once.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { issueCrl, type Signer } from './authority.js';

/** What the operator can put right. */
export class AuthorityError extends Error {}

const issuedSchema = z.object({
  crlNumber: z.number(),
  certificates: z.array(z.object({ serial: z.string(), subject: z.string(), notAfter: z.number(), revokedAt: z.number().nullable() })),
});
export type Issued = z.infer<typeof issuedSchema>;

export function pemOf(der: Uint8Array, label: string): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function writeWhole(file: string, text: string | Uint8Array, mode = 0o644): void {
  writeFileSync(`${file}.tmp`, text, { mode });
  renameSync(`${file}.tmp`, file);
}

export class AuthorityDirectory {
  private constructor(
    readonly path: string,
    readonly signer: Signer,
    /** PEM: of the CA and those above it. */
    readonly chain: string,
    private readonly crlsAbove: string,
    readonly issued: Issued,
  ) {}

  /** Makes it. @param parent null = a root. @throws AuthorityError when there is one */
  static create(path: string, signer: Signer, parent: AuthorityDirectory | null): AuthorityDirectory {
    if (existsSync(join(path, 'key.pem'))) throw new AuthorityError(`${path} is a CA already`);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    const chain = pemOf(signer.certificate.raw, 'CERTIFICATE') + (parent?.chain ?? '');
    writeWhole(join(path, 'key.pem'), signer.key.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
    writeWhole(join(path, 'ca.pem'), chain);
    const above = parent ? readFileSync(join(parent.path, 'crl.pem'), 'utf8') : '';
    return new AuthorityDirectory(path, signer, chain, above, { crlNumber: 0, certificates: [] });
  }

  /** @throws AuthorityError */
  static open(path: string): AuthorityDirectory {
    if (!existsSync(join(path, 'key.pem'))) throw new AuthorityError(`${path} is no CA: groupwire pki init-ca --ca ${path} --subject NAME`);
    try {
      const chain = readFileSync(join(path, 'ca.pem'), 'utf8');
      const signer = { certificate: new X509Certificate(chain), key: readKey(path) };
      if (!signer.certificate.checkPrivateKey(signer.key)) throw new Error('key.pem is not the key of ca.pem');
      const issued = issuedSchema.parse(JSON.parse(readFileSync(join(path, 'issued.json'), 'utf8')));
      const crls = readFileSync(join(path, 'crl.pem'), 'utf8').split(/(?<=-----END X509 CRL-----\n)/);
      return new AuthorityDirectory(path, signer, chain, crls.slice(1).join(''), issued);
    } catch (error) {
      throw new AuthorityError(`${path} is damaged: ${(error as Error).message.split('\n')[0]}`);
    }
  }

  /** Writes what was issued, and a new revocation list. @returns the lists, PEM */
  save(days: number, now: number): string {
    this.issued.crlNumber++;
    const revocations = this.issued.certificates.flatMap(({ serial, revokedAt }) =>
      revokedAt === null ? [] : [{ serial, at: revokedAt }],
    );
    const crl = issueCrl(this.signer, revocations, this.issued.crlNumber, days, now);
    const crls = pemOf(crl, 'X509 CRL') + this.crlsAbove;
    writeWhole(join(this.path, 'issued.json'), `${JSON.stringify(this.issued, null, 2)}\n`);
    writeWhole(join(this.path, 'crl.pem'), crls);
    return crls;
  }

  record(certificate: X509Certificate): void {
    const { serialNumber: serial, validToDate } = certificate;
    const subject = certificate.subject.split('\n').join(',');
    this.issued.certificates.push({ serial, subject, notAfter: validToDate.getTime(), revokedAt: null });
  }

  /** @throws AuthorityError when it has issued none with that serial number */
  revoke(serial: string, now: number): void {
    const found = this.issued.certificates.find((item) => item.serial === serial.toUpperCase());
    if (!found) throw new AuthorityError(`${this.path} has issued no certificate with serial number ${serial}`);
    found.revokedAt ??= now;
  }
}

function readKey(path: string): KeyObject {
  return createPrivateKey(readFileSync(join(path, 'key.pem')));
}
