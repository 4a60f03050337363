// Path validation: good chains, and each way in which one is bad. OpenSSL's command judges the same chains.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { pemOf } from '../../../../control/pki/authority-directory.js';
import { CertificateError } from '../../../../control/pki/certificate-error.js';
import { type Trust, verifyChain } from '../../../../control/pki/chain.js';
import { authority, crlOf, DayMs, entity, trustOf } from '../../../support/test-ca.js';

const now = Date.now();
const root = authority('Root');
const other = authority('Other');
const sub = authority('Sub', { parent: root });
const good = entity('r1', root, { dns: ['r1.example.net'], ip: ['10.0.0.1'] });
const below = entity('r2', sub);
const folder = mkdtempSync(join(tmpdir(), 'groupwire-chain-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** @returns what is wrong, `good` when nothing is */
function judge(sent: { raw: Uint8Array }[], trust: Trust, at = now): string {
  try {
    verifyChain(
      sent.map(({ raw }) => new Uint8Array(raw)),
      trust,
      at,
    );
    return 'good';
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return `${error.fault}: ${error.message}`;
  }
}

function opensslAccepts(
  own: { raw: Uint8Array },
  between: { raw: Uint8Array }[],
  roots: { raw: Uint8Array }[],
  at: number,
  crls: Uint8Array[] = [],
): boolean {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const pem = (list: { raw: Uint8Array }[]): string => list.map(({ raw }) => pemOf(raw, 'CERTIFICATE')).join('');
  const argv = [
    'verify',
    '-attime',
    String(Math.floor(at / 1000)),
    '-CAfile',
    file('ca', pem(roots) + crls.map((der) => pemOf(der, 'X509 CRL')).join('')),
  ];
  if (between.length > 0) argv.push('-untrusted', file('between', pem(between)));
  if (crls.length > 0) argv.push('-crl_check_all');
  try {
    execFileSync('openssl', [...argv, file('own', pem([own]))], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

t.test('chains, and what openssl says of them', async (t) => {
  const first = authority('CA 1', { parent: root });
  const second = authority('CA 2', { parent: first });
  const third = authority('CA 3', { parent: second });
  const fourth = authority('CA 4', { parent: third });
  const fifth = authority('CA 5', { parent: fourth });
  const narrow = authority('Narrow', { parent: root, pathLength: 0 });
  const beneath = authority('Beneath', { parent: narrow });
  const ca = (...signers: { certificate: { raw: Uint8Array } }[]) => signers.map(({ certificate }) => certificate);
  const expired = entity('r3', root, { now: now - 400 * DayMs });
  const future = entity('r3', root, { now: now + 2 * DayMs });
  const oldRoot = authority('Old', { now: now - 20 * DayMs, days: 10 });
  const cases: {
    name: string;
    own: { raw: Uint8Array };
    between: { raw: Uint8Array }[];
    roots: (typeof root)[];
    verdict: RegExp;
    openssl?: boolean;
  }[] = [
    { name: 'below the root', own: good, between: [], roots: [root], verdict: /^good/ },
    { name: 'among several roots', own: good, between: [], roots: [other, root], verdict: /^good/ },
    { name: 'below a CA', own: below, between: ca(sub), roots: [root], verdict: /^good/ },
    {
      name: 'five below the root, in disorder',
      own: entity('r4', fourth),
      between: ca(second, fourth, first, third),
      roots: [root],
      verdict: /^good/,
    },
    {
      name: 'six',
      own: entity('r4', fifth),
      between: ca(first, second, third, fourth, fifth),
      roots: [root],
      verdict: /^untrusted: a chain of more/,
      openssl: true,
    },
    { name: 'CA left out', own: below, between: [], roots: [root], verdict: /^untrusted: no trusted CA/ },
    { name: 'another root', own: good, between: [], roots: [other], verdict: /^untrusted: no trusted CA/ },
    {
      name: 'a root of the same name',
      own: good,
      between: [],
      roots: [{ ...root, certificate: authority('Root', { now: now + 1000 }).certificate }],
      verdict: /^good/,
    },
    { name: 'no root', own: good, between: [], roots: [], verdict: /^untrusted/ },
    { name: 'expired', own: expired, between: [], roots: [root], verdict: /^expired: .* has expired/ },
    { name: 'not valid yet', own: future, between: [], roots: [root], verdict: /^not-yet-valid/ },
    {
      name: 'expired root',
      own: entity('r5', oldRoot, { now: now - 15 * DayMs, days: 3 }),
      between: [],
      roots: [oldRoot],
      verdict: /^expired/,
    },
    { name: 'path length', own: entity('r6', beneath), between: ca(narrow, beneath), roots: [root], verdict: /^untrusted: .*allows 0 CA/ },
    { name: 'at the path length', own: entity('r6', narrow), between: ca(narrow), roots: [root], verdict: /^good/ },
    {
      name: 'issued by an end entity',
      own: entity('r7', { key: (await import('../../../support/test-ca.js')).keyOf('r1'), certificate: good }),
      between: [good],
      roots: [root],
      verdict: /^untrusted/,
    },
  ];
  for (const { name, own, between, roots, verdict, openssl } of cases) {
    t.match(judge([own, ...between], trustOf(roots)), verdict, name);
    const accepts = opensslAccepts(own, between, ca(...roots), now);
    t.equal(accepts, openssl ?? verdict.source === '^good', `${name}: openssl agrees`);
  }
});

t.test('revocation', async (t) => {
  const bad = entity('r8', root);
  const list = crlOf(root, [bad]);
  const belowRevoked = entity('r9', sub);
  const cases: {
    name: string;
    own: { raw: Uint8Array };
    between: { raw: Uint8Array }[];
    lists: Uint8Array[];
    verdict: RegExp;
    at?: number;
  }[] = [
    { name: 'not on the list', own: good, between: [], lists: [list], verdict: /^good/ },
    { name: 'on the list', own: bad, between: [], lists: [list], verdict: /^revoked/ },
    { name: 'on the newer one of two', own: bad, between: [], lists: [crlOf(root, [], now - 1000_000), list], verdict: /^revoked/ },
    { name: 'list of another CA', own: good, between: [], lists: [crlOf(other)], verdict: /^no-crl/ },
    {
      name: 'list forged under the name',
      own: good,
      between: [],
      lists: [crlOf({ key: other.key, certificate: root.certificate })],
      verdict: /^no-crl/,
    },
    { name: 'out of date', own: good, between: [], lists: [crlOf(root, [], now - 60 * DayMs)], verdict: /^no-crl/ },
    { name: 'from the future', own: good, between: [], lists: [crlOf(root, [], now + DayMs)], verdict: /^no-crl/ },
    { name: 'both lists of a chain', own: belowRevoked, between: [sub.certificate], lists: [crlOf(root), crlOf(sub)], verdict: /^good/ },
    {
      name: 'the CA is revoked',
      own: belowRevoked,
      between: [sub.certificate],
      lists: [crlOf(root, [sub.certificate]), crlOf(sub)],
      verdict: /^revoked/,
    },
    { name: 'the CA has no list', own: belowRevoked, between: [sub.certificate], lists: [crlOf(root)], verdict: /^no-crl/ },
  ];
  for (const { name, own, between, lists, verdict } of cases) {
    t.match(judge([own, ...between], trustOf([root], { lists })), verdict, name);
    t.equal(opensslAccepts(own, between, [root.certificate], now, lists), verdict.source === '^good', `${name}: openssl agrees`);
  }
  t.match(judge([bad], trustOf([root], { lists: [list], revocationCheck: ['none'] })), /^good/, 'revocation-check none');
  t.match(
    judge([bad], trustOf([root], { lists: [list], revocationCheck: ['crl', 'none'] })),
    /^revoked/,
    'revocation-check crl none, with a list',
  );
  t.match(judge([good], trustOf([root], { revocationCheck: ['crl', 'none'] })), /^good/, 'revocation-check crl none, without a list');
});

t.test('damage', async (t) => {
  t.match(judge([], trustOf([root])), /^malformed: the peer sent no certificate/, 'none sent');
  t.match(
    judge(
      Array.from({ length: 11 }, () => good),
      trustOf([root]),
    ),
    /^untrusted: the peer sent 11/,
    'too many sent',
  );
  const bytes = new Uint8Array(good.raw);
  const verdicts = new Map<string, number>();
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << (at % 8);
    const verdict = judge([{ raw: changed }], trustOf([root])).split(':')[0];
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  t.equal(verdicts.get('good') ?? 0, 0, 'one bit changed in every byte: never good');
  for (let length = 0; length < bytes.length; length += 7) {
    t.match(judge([{ raw: bytes.slice(0, length) }], trustOf([root])), /^malformed/, `cut to ${length} bytes`);
  }
  t.match(judge([{ raw: new Uint8Array([...bytes, 0]) }], trustOf([root])), /^malformed/, 'a byte behind it');
});
