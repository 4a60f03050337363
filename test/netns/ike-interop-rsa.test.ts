// Phase 1 with strongSwan's charon and RSA certificates of a CA that `groupwire pki` runs, in both roles, with re-authentication.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2        root CA -> sub CA -> ss's certificate;  root CA -> gw's certificate
//
//   gw :: crypto pki trustpoint           :: makes its key and its request; the CA's answer is taken while it runs
//   ss :: swanctl --initiate, --rekey     :: established with gw as responder, IDs are the names in the certificates
//   gw :: registers at ss                 :: established with gw as initiator
//   ss :: its certificate revoked         :: refused; %CRYPTO-5-IKMP_INVAL_CERT, the SA that is there stays

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../support/lab.js';
import { runChecked, until } from '../support/netns.js';
import type { SingleRouter } from '../support/single-router.js';
import { Strongswan } from '../support/strongswan.js';
import {
  connectionText,
  initiatorText,
  redirectGdoiPort,
  responderText,
  sasOf,
  startRouter,
  strongswanAddress,
  twoNodes,
} from './ike-interop.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-interop-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const pki = (...words: string[]): Promise<string> => runChecked([join(repoRoot, 'cli/groupwire'), 'pki', ...words]);

await pki('init-ca', '--ca', path('root'), '--subject', 'CN=Root CA,O=Lab', '--bits', '2048');
await pki('init-ca', '--ca', path('sub'), '--parent', path('root'), '--subject', 'CN=Sub CA,O=Lab', '--bits', '2048');
const names = ['--dns', 'ss.example.net', '--ip', strongswanAddress];
await pki('issue', '--ca', path('sub'), '--subject', 'CN=ss,O=Lab', ...names, '--key-out', path('ss.key'), '--out', path('ss.pem'));

const policy = ['encr aes 256', 'hash sha256', 'authentication rsa-sig', 'group 14', 'lifetime 3600'];
const global = (identity: string): string => `crypto isakmp identity ${identity}
crypto pki trustpoint LAB
 enrollment url file:${path('gw')}
 subject-name CN=gw,O=Lab
 ip-address 10.9.0.1
 rsakeypair GW-KEY 2048
 revocation-check crl
`;
const read = (name: string): string => readFileSync(path(name), 'utf8');
/** Of charon's files: its certificate, the CA between, the root, its key. */
const files = () => ({
  'x509/ss.pem': read('ss.pem'),
  'x509ca/root.pem': read('root/ca.pem'),
  'x509ca/sub.pem': read('sub/ca.pem'),
  'private/ss.pem': read('ss.key'),
});
const connections = (ours: string, theirs: string): string =>
  connectionText(
    `local { auth = pubkey\n  certs = ss.pem\n  id = "${ours}" }\n  remote { auth = pubkey\n  id = "${theirs}" }\n  send_cert = always`,
  );

/** Starts the router, and lets the CA answer its request once. */
async function enrolled(router: SingleRouter): Promise<void> {
  await router.logs(/%PKI-6-CERTENROLL: Trustpoint LAB/);
  await until('the router’s API', async () => existsSync(join(router.directory, 'run/control.sock')));
  copyFileSync(path('root/ca.pem'), path('gw.ca'));
  // The root's list, and that of the CA between, which says nothing of revoked ones yet.
  copyFileSync(path('sub/crl.pem'), path('gw.crl'));
  await pki('issue', '--ca', path('root'), '--request', path('gw.req'), '--out', path('gw.crt'));
  await router.groupwire('exec', 'crypto pki authenticate LAB');
  await router.logs(/%PKI-6-CERTRET: Trustpoint LAB: certificate with serial number/);
}

t.test('strongSwan begins', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  const router = startRouter(t, netns, responderText({ policy, global: global('dn') }));
  await enrolled(router);
  await router.ready();
  const charon = await Strongswan.start(netns, 'ss', {
    connections: connections('CN=ss, O=Lab', 'CN=gw, O=Lab'),
    secrets: '',
    files: files(),
  });
  t.teardown(() => charon.stop());
  await charon.swanctl('--initiate', '--ike', 'gw');
  t.match(await charon.sas(), /gw: #1, ESTABLISHED, IKEv1[\s\S]*remote 'CN=gw, O=Lab'/, 'charon has it, under our name');
  t.match(charon.log(), /authentication of 'CN=gw, O=Lab' with RSA.* successful/, 'it verified our signature');
  t.match(await sasOf(router), [{ source: strongswanAddress, state: 'QM_IDLE' }], 'so do we');
  await charon.swanctl('--rekey', '--ike', 'gw', '--reauth');
  await until('the second SA', async () => /^gw: #2, ESTABLISHED/m.test(await charon.sas()));
  t.equal((await sasOf(router)).length, 2, 'authenticated again');

  await pki('revoke', '--ca', path('sub'), '--certificate', path('ss.pem'));
  copyFileSync(path('sub/crl.pem'), path('gw.crl'));
  await router.groupwire('exec', 'crypto pki crl request LAB');
  const { status } = await charon.try('--rekey', '--ike', 'gw', '--reauth');
  t.equal(status, 0, 'charon begins a third');
  await router.logs(/%CRYPTO-5-IKMP_INVAL_CERT: .*10\.9\.0\.2: bad certificate: the certificate with serial number [0-9A-F]+ is revoked/);
  t.equal((await sasOf(router)).filter(({ state }) => state === 'QM_IDLE').length, 2, 'what is up stays');
  t.match(await router.groupwire('show', 'crypto', 'pki', 'certificates'), /Certificate Serial Number \(hex\): [0-9A-F]+/, 'show');
});

t.test('we begin', async (t) => {
  const netns = await twoNodes();
  t.teardown(() => netns.remove());
  await redirectGdoiPort(netns);
  await pki('issue', '--ca', path('sub'), '--subject', 'CN=ss,O=Lab', ...names, '--key-out', path('ss.key'), '--out', path('ss.pem'));
  const charon = await Strongswan.start(netns, 'ss', {
    connections: connections('ss.example.net', '10.9.0.1'),
    secrets: '',
    files: files(),
  });
  t.teardown(() => charon.stop());
  for (const suffix of ['ca', 'crt', 'crl', 'req']) if (existsSync(path(`gw.${suffix}`))) rmSync(path(`gw.${suffix}`));
  const router = startRouter(
    t,
    netns,
    initiatorText({ policy, global: `${global('address')}no crypto ipsec nat-transparency udp-encapsulation\n` }),
  );
  await enrolled(router);
  await until('charon to have our SA', async () => /gw: #\d+, ESTABLISHED, IKEv1/.test(await charon.sas()));
  t.match(
    await charon.sas(),
    /remote '10\.9\.0\.1' @ 10\.9\.0\.1\[848\]/,
    'under our address, which our certificate holds, on GDOI’s port',
  );
  const first = /gw: #(\d+), ESTABLISHED/.exec(await charon.sas())?.[1];
  await until('another SA', async () => {
    const id = /gw: #(\d+), ESTABLISHED/.exec(await charon.sas())?.[1];
    return id !== undefined && id !== first;
  });
  t.pass('authenticated again');
});
