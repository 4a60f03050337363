// Does a distinguished name have these attributes? For `crypto identity NAME`, `dn ...`: as on IOS all that are configured must be there, others may.

import type { NameAttribute } from '../config/distinguished-name.js';
import { CertificateError } from './certificate-error.js';
import { attributeKey, nameKey } from './der.js';
import { forgeName } from './forge-build.js';

/** @param der a Name, from a peer @returns false too when it is malformed */
export function nameContains(der: Uint8Array, wanted: readonly NameAttribute[]): boolean {
  try {
    const there = new Set((JSON.parse(nameKey(der)) as string[][]).flat());
    return forgeName(wanted).every(({ type, value }) => there.has(attributeKey(String(type), String(value))));
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return false;
  }
}
