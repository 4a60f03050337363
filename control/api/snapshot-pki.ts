// The slice of the snapshot about trustpoints. Certificates are public; private keys are never here.

import { z } from 'zod';

const certificateState = z.object({
  /** `own`, `ca` (a root that is trusted, or a CA between). */
  kind: z.enum(['own', 'ca']),
  /** Upper-case hexadecimal. */
  serial: z.string(),
  /** Attributes as OpenSSL prints them, e.g. `CN=r1`. */
  issuer: z.array(z.string()),
  subject: z.array(z.string()),
  /** `DNS:r1.example.net, IP Address:10.0.0.1`, or null. */
  alternativeNames: z.string().nullable(),
  /** Unix ms. */
  notBefore: z.number(),
  notAfter: z.number(),
  fingerprintSha256: z.string(),
});

const crlState = z.object({
  issuer: z.array(z.string()),
  /** Unix ms. */
  thisUpdate: z.number(),
  nextUpdate: z.number(),
  revoked: z.number(),
});

export const trustpointState = z.object({
  name: z.string(),
  certificates: z.array(certificateState),
  crls: z.array(crlState),
});

export type CertificateState = z.infer<typeof certificateState>;
export type CrlState = z.infer<typeof crlState>;
export type TrustpointSnapshot = z.infer<typeof trustpointState>;
