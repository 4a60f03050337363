// Phase 1 with strongSwan's charon and RSA certificates of a CA that `groupwire pki` runs, in both roles, with re-authentication.
//
//   gw 10.9.0.1 --------- ss 10.9.0.2        root CA -> sub CA -> ss's certificate;  root CA -> gw's certificate
//
//   gw :: crypto pki trustpoint           :: makes its key and its request; the CA's answer is taken while it runs
//   ss :: swanctl --initiate, --rekey     :: established with gw as responder, IDs are the names in the certificates
//   gw :: registers at ss                 :: established with gw as initiator
//   ss :: its certificate revoked         :: refused; %CRYPTO-5-IKMP_INVAL_CERT, the SA that is there stays

import { copyFileSync, existsSync, rmSync } from 'node:fs';
import t from 'tap';
import { until } from '../support/netns.js';
import { Strongswan } from '../support/strongswan.js';
import { certificateEnds, enrolled, files, global, names, path, pki } from './ike-certificates.js';
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

const policy = ['encr aes 256', 'hash sha256', 'authentication rsa-sig', 'group 14', 'lifetime 3600'];
const connections = (ours: string, theirs: string): string => connectionText(certificateEnds(ours, theirs));

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
