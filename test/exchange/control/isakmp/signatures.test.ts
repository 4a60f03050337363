// Main mode with RSA signatures between two engines: what proves a peer, and every way in which a certificate is refused while the exchange
// waits on. Acceptance: damaged, expired, revoked, wrong issuer, too long, wrong ID.

import t from 'tap';
import type { CertificateStore } from '../../../../control/pki/certificate-store.js';
import type { Trust } from '../../../../control/pki/chain.js';
import { authority, crlOf, DayMs, entity, identityOf, storeOf, trustOf } from '../../../support/test-ca.js';
import { agreed, anyPeer, memberAndServer, memberEnd, type PeerOptions, policy } from './two-engines.js';

const now = Date.now();
const root = authority('Root');
const sub = authority('Sub', { parent: root });
const trust = trustOf([root], { lists: [crlOf(root), crlOf(sub)] });
const member = entity('m', root, { ip: ['10.0.0.1'], dns: ['m.example.net'] });
const server = entity('s', root, { ip: ['10.0.0.2'], dns: ['s.example.net'] });
const serverStore = storeOf(identityOf('s', server), trust);
const policies = [policy({ authentication: 'rsa-sig' })];

function run(memberStore: CertificateStore, memberOptions: Partial<PeerOptions> = {}, serverOptions: Partial<PeerOptions> = {}) {
  const pair = memberAndServer(
    { policies, keys: [], certificates: memberStore, hostname: 'm.example.net', ...memberOptions },
    { policies, keys: [], certificates: serverStore, hostname: 's.example.net', ...serverOptions },
  );
  pair.network.now = now;
  pair.network.initiate(pair.member, pair.server);
  pair.network.run(60_000);
  return pair;
}

t.test('who we are: address, host name, distinguished name', async (t) => {
  const cases: [PeerOptions['identity'], typeof member, number][] = [
    ['address', member, 1],
    ['hostname', member, 2],
    ['dn', member, 9],
    ['address', entity('plain', root), 9],
    ['hostname', entity('plain', root), 9],
  ];
  for (const [identity, certificate, type] of cases) {
    const name = certificate === member ? 'm' : 'plain';
    const pair = run(storeOf(identityOf(name, certificate), trust), { identity });
    t.ok(agreed(pair.member, pair.server), `${identity} of ${name}`);
    t.equal(pair.server.up[0]?.peerId?.type, type, `${identity} of ${name}: ID type ${type}`);
    t.equal(pair.network.sent.length, 6, 'six messages');
    t.same([pair.member.logs, pair.server.logs], [[], []], 'no complaints');
  }
});

t.test('a chain below the root; any hash', async (t) => {
  const below = entity('below', sub, { ip: ['10.0.0.1'] });
  t.ok(run(storeOf(identityOf('below', below, [sub.certificate]), trust)).server.up.length === 1, 'with the CA between');
  for (const hash of ['md5', 'sha', 'sha256', 'sha384', 'sha512'] as const) {
    const form = [policy({ authentication: 'rsa-sig', hash })];
    const pair = run(storeOf(identityOf('m', member), trust), { policies: form }, { policies: form });
    t.ok(agreed(pair.member, pair.server), hash);
  }
});

t.test('both methods are offered; what the responder has is taken', async (t) => {
  const both = [policy({ priority: 5, authentication: 'rsa-sig' }), policy()];
  const pair = run(
    storeOf(identityOf('m', member), trust),
    { policies: both, keys: [anyPeer('k')] },
    { policies: [policy()], keys: [anyPeer('k')] },
  );
  t.ok(agreed(pair.member, pair.server), 'pre-shared key');
  const other = run(storeOf(identityOf('m', member), trust), { policies: both, keys: [anyPeer('k')] }, { policies: both });
  t.ok(agreed(other.member, other.server), 'signatures');
  t.equal(other.server.up[0].policy.authentication, 'rsa-sig', 'as the server has no key');
});

t.test('certificates that are refused', async (t) => {
  const foreign = authority('Foreign');
  const revoked = entity('m', root, { ip: ['10.0.0.1'] });
  const deep = [root];
  for (const n of [1, 2, 3, 4, 5]) deep.unshift(authority(`Deep ${n}`, { parent: deep[0] }));
  deep.pop();
  const cases: {
    name: string;
    store: CertificateStore;
    serverTrust?: Trust;
    counter: string;
    log: RegExp;
    hostname?: string;
    identity?: PeerOptions['identity'];
  }[] = [
    {
      name: 'expired',
      store: storeOf(identityOf('m', entity('m', root, { now: now - 400 * DayMs })), trust),
      counter: 'ike_certificate_expired',
      log: /has expired/,
    },
    {
      name: 'not valid yet',
      store: storeOf(identityOf('m', entity('m', root, { now: now + 10 * DayMs })), trust),
      counter: 'ike_certificate_expired',
      log: /not valid before/,
    },
    {
      name: 'another issuer',
      store: storeOf(identityOf('m', entity('m', foreign)), trust),
      counter: 'ike_certificate_untrusted',
      log: /no trusted CA/,
    },
    {
      name: 'revoked',
      store: storeOf(identityOf('m', revoked), trust),
      serverTrust: trustOf([root], { lists: [crlOf(root, [revoked])] }),
      counter: 'ike_certificate_revoked',
      log: /is revoked/,
    },
    {
      name: 'no list',
      store: storeOf(identityOf('m', member), trust),
      serverTrust: trustOf([root], { revocationCheck: ['crl'] }),
      counter: 'ike_certificate_no_crl',
      log: /no revocation list/,
    },
    {
      name: 'too long',
      store: storeOf(
        identityOf(
          'm',
          entity('m', deep[0]),
          deep.map(({ certificate }) => certificate),
        ),
        trust,
      ),
      counter: 'ike_certificate_untrusted',
      log: /more than 6/,
    },
    {
      name: 'the key is not the certificate’s',
      store: storeOf({ ...identityOf('m', member), privateKey: foreign.key }, trust),
      counter: 'ike_auth_failed',
      log: /SIG payload/,
    },
    {
      name: 'damaged',
      store: storeOf({ ...identityOf('m', member), certificates: [new Uint8Array(member.raw).fill(7, 300, 310)] }, trust),
      counter: 'ike_certificate_untrusted',
      log: /no trusted CA/,
    },
    {
      name: 'rubbish',
      store: storeOf({ ...identityOf('m', member), certificates: [new Uint8Array(40)] }, trust),
      counter: 'ike_certificate_malformed',
      log: /malformed/,
    },
    {
      name: 'no certificate',
      store: storeOf({ ...identityOf('m', member), certificates: [] }, trust),
      counter: 'ike_certificate_malformed',
      log: /sent no certificate/,
    },
    {
      name: 'the name of another',
      store: storeOf({ ...identityOf('m', member), subject: identityOf('s', server).subject }, trust),
      identity: 'dn',
      counter: 'ike_certificate_identity',
      log: /distinguished name that its certificate does not hold/,
    },
    {
      name: 'the address of another',
      store: storeOf({ ...identityOf('m', entity('m', root, { ip: ['10.0.0.9'] })), certificate: member }, trust),
      counter: 'ike_certificate_identity',
      log: /an address that its certificate/,
    },
    {
      name: 'the host name of another',
      store: storeOf({ ...identityOf('m', entity('m', root)), certificate: member }, trust),
      identity: 'hostname',
      counter: 'ike_certificate_identity',
      log: /a host name that its certificate/,
    },
  ];
  for (const { name, store, serverTrust, counter, log, ...options } of cases) {
    const pair = run(store, options, { certificates: storeOf(identityOf('s', server), serverTrust ?? trust) });
    t.same([pair.member.up, pair.server.up], [[], []], `${name}: no SA`);
    t.equal(pair.server.count(counter), 5, `${name}: ${counter}, one per sending`);
    t.ok(
      pair.server.logs.some((line) => /^%CRYPTO-5-(IKMP_INVAL_CERT|IKMP_INVAL_KEY): .*10\.0\.0\.1/.test(line) && log.test(line)),
      `${name}: ${pair.server.logs[0]}`,
    );
    t.match(pair.member.failures, [/message 5: our certificate may be refused/], `${name}: told once`);
    t.same([pair.server.engine.sas(), pair.member.engine.sas()], [[], []], `${name}: nothing is left`);
  }
});

t.test('a forged proof in front of the true one does not end the exchange', async (t) => {
  const pair = memberAndServer(
    { policies, keys: [], certificates: storeOf(identityOf('m', member), trust) },
    { policies, keys: [], certificates: serverStore },
  );
  pair.network.now = now;
  pair.network.fault = ({ bytes }, n) => {
    const forged = bytes.slice();
    forged[bytes.length - 3] ^= 1;
    return n === 4 || n === 5
      ? [
          { delay: 1, bytes: forged },
          { delay: 2, bytes },
        ]
      : [{ delay: 1, bytes }];
  };
  pair.network.initiate(pair.member, pair.server);
  pair.network.run(60_000);
  t.ok(agreed(pair.member, pair.server), 'up');
});

t.test('the server’s certificate is judged too; without one of our own nothing begins', async (t) => {
  const pair = run(storeOf(identityOf('m', member), trustOf([authority('Foreign')])));
  t.equal(pair.member.up.length, 0, 'the member has no SA');
  t.ok(pair.member.count('ike_certificate_untrusted') > 0, 'it says why');
  t.match(pair.member.failures, [/no trusted CA/], 'its user too');
  const none = run(storeOf(null, trust));
  t.match(none.member.failures, [/rsa-sig needs a certificate/], 'not enrolled');
  t.equal(none.network.sent.length, 0, 'nothing is sent');
  const unable = run(storeOf(identityOf('m', member), trust), {}, { certificates: storeOf(null, trust) });
  t.equal(
    unable.network.sent.filter(({ local }) => local.address !== memberEnd.address).length,
    0,
    'a server without certificate is silent',
  );
  t.ok(
    unable.server.logs.some((line) => line.startsWith('%CRYPTO-4-IKMP_NO_CERTIFICATE')),
    'and says so to its operator',
  );
});
