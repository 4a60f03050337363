// What every answer of the metrics listener is under. It has no login: it is for whoever reaches the address it listens on, which is the loopback unless the
// operator says otherwise. A browser there reaches it too, for every page of the Internet that it shows, so what such a page could do is shut out here:
// read answers under a name that it points at us (DNS rebinding), frame us, or have us run what is not ours.

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/**
 * Whether a request may be answered: by its Host, an address, a name of the loopback, or the router's own name. Whoever rebinds has a name of
 * his own, and cannot make a browser send another.
 * @param names of the router
 */
export function isForUs(request: IncomingMessage, names: readonly string[]): boolean {
  const { host } = request.headers;
  // HTTP/1.0 needs none, and no browser leaves it out.
  if (host === undefined) return true;
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  if (isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return name === 'localhost' || names.some((own) => own.toLowerCase() === name);
}

/** Another site's page may not open our events either, though it could not read them: their number is bounded. */
export function isOfAnotherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}
