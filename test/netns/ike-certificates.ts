// Certificates for the cases with strongSwan: a CA that `groupwire pki` runs, one between it and charon, and our router's enrolment.
//
//   root CA -> sub CA -> ss's certificate;  root CA -> gw's certificate

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoRoot } from '../support/lab.js';
import { removeAtExit, runChecked, until } from '../support/netns.js';
import type { SingleRouter } from '../support/single-router.js';
import { strongswanAddress } from './ike-interop.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-interop-'));
removeAtExit(() => rmSync(folder, { recursive: true, force: true }));
export const path = (name: string): string => join(folder, name);
export const pki = (...words: string[]): Promise<string> => runChecked([join(repoRoot, 'cli/groupwire'), 'pki', ...words]);

await pki('init-ca', '--ca', path('root'), '--subject', 'CN=Root CA,O=Lab', '--bits', '2048');
await pki('init-ca', '--ca', path('sub'), '--parent', path('root'), '--subject', 'CN=Sub CA,O=Lab', '--bits', '2048');
export const names = ['--dns', 'ss.example.net', '--ip', strongswanAddress];
await pki('issue', '--ca', path('sub'), '--subject', 'CN=ss,O=Lab', ...names, '--key-out', path('ss.key'), '--out', path('ss.pem'));

export const global = (identity: string): string => `crypto isakmp identity ${identity}
crypto pki trustpoint LAB
 enrollment url file:${path('gw')}
 subject-name CN=gw,O=Lab
 ip-address 10.9.0.1
 rsakeypair GW-KEY 2048
 revocation-check crl
`;
const read = (name: string): string => readFileSync(path(name), 'utf8');
/** Of charon's files: its certificate, the CA between, the root, its key. */
export const files = () => ({
  'x509/ss.pem': read('ss.pem'),
  'x509ca/root.pem': read('root/ca.pem'),
  'x509ca/sub.pem': read('sub/ca.pem'),
  'private/ss.pem': read('ss.key'),
});
/** charon's `local` and `remote`. */
export const certificateEnds = (ours: string, theirs: string): string =>
  `local { auth = pubkey\n  certs = ss.pem\n  id = "${ours}" }\n  remote { auth = pubkey\n  id = "${theirs}" }\n  send_cert = always`;

/** Starts the router, and lets the CA answer its request once. */
export async function enrolled(router: SingleRouter): Promise<void> {
  await router.logs(/%PKI-6-CERTENROLL: Trustpoint LAB/);
  await until('the router’s API', async () => existsSync(join(router.directory, 'run/control.sock')));
  copyFileSync(path('root/ca.pem'), path('gw.ca'));
  // The root's list, and that of the CA between, which says nothing of revoked ones yet.
  copyFileSync(path('sub/crl.pem'), path('gw.crl'));
  await pki('issue', '--ca', path('root'), '--request', path('gw.req'), '--out', path('gw.crt'));
  await router.groupwire('exec', 'crypto pki authenticate LAB');
  await router.logs(/%PKI-6-CERTRET: Trustpoint LAB: certificate with serial number/);
}
