import t from 'tap';
import { checkConfig } from '../../../../../control/config/check.js';
import { parseConfig } from '../../../../../control/config/parse.js';
import { printConfig } from '../../../../../control/config/print.js';
import { listErrors, listProblems, parseClean, reprint } from '../texts.js';

const text = `crypto keyring R
 pre-shared-key address 10.0.0.0 255.0.0.0 key secret-one
 pre-shared-key address 10.0.0.1 key 0 secret-two
 pre-shared-key hostname r1.example.net key secret-three
crypto isakmp profile P
 keyring R
 match identity address 10.0.0.0 255.0.0.0
 initiate mode aggressive`;

t.test('a keyring and its profile', (t) => {
  const { keyrings, isakmpProfiles } = parseClean(text);
  t.match(keyrings.get('R'), {
    keys: [
      { key: 'secret-one', address: 0x0a000000, mask: 0xff000000 },
      { key: 'secret-two', address: 0x0a000001, mask: 0xffffffff },
    ],
    hostKeys: [{ hostname: 'r1.example.net', key: 'secret-three' }],
  });
  t.match(isakmpProfiles.get('P'), { keyring: 'R', matchAddresses: [{ address: 0x0a000000, mask: 0xff000000 }], initiateAggressive: true });
  const undone = `${text}\n no initiate mode\n no keyring\n no match identity address 10.0.0.0 255.0.0.0\ncrypto keyring R\n no pre-shared-key address 10.0.0.1\n no pre-shared-key hostname r1.example.net`;
  const { keyrings: fewer, isakmpProfiles: bare } = parseClean(undone);
  t.same([fewer.get('R')?.keys.map(({ key }) => key), fewer.get('R')?.hostKeys], [['secret-one'], []]);
  t.match(bare.get('P'), { keyring: null, initiateAggressive: false });
  t.same(bare.get('P')?.matchAddresses, []);
  t.equal(parseClean(`${text}\nno crypto keyring R\nno crypto isakmp profile P`).keyrings.size, 0);
  t.end();
});

t.test('what a profile says of identities and keepalives', (t) => {
  const lines = [
    'match identity host r1.example.net',
    'match identity host domain example.net',
    'match identity user ann@example.net',
    'match identity user domain example.net',
    'self-identity user-fqdn hub@example.net',
    'keepalive 10 retry 3',
  ];
  const whole = `crypto isakmp profile P\n ${lines.join('\n ')}`;
  t.match(parseClean(whole).isakmpProfiles.get('P'), {
    matchNames: [
      { kind: 'host', name: 'r1.example.net' },
      { kind: 'host-domain', name: 'example.net' },
      { kind: 'user', name: 'ann@example.net' },
      { kind: 'user-domain', name: 'example.net' },
    ],
    selfIdentity: { kind: 'user-fqdn', name: 'hub@example.net' },
    keepalive: { seconds: 10, retrySeconds: 3, mode: 'on-demand' },
  });
  t.ok(lines.every((item) => reprint(whole).includes(` ${item}`)));
  t.match(parseClean('crypto isakmp profile P\n self-identity fqdn').isakmpProfiles.get('P')?.selfIdentity, { kind: 'fqdn', name: null });
  const undone = `${whole}\n${lines
    .slice(0, 4)
    .map((item) => ` no ${item}\n`)
    .join('')} no self-identity\n no keepalive`;
  parseClean(undone);
  t.same(reprint(undone), ['crypto isakmp profile P'], 'nothing is left');
  t.match(listErrors('crypto map M isakmp-profile P'), [/^1 error .*no such profile/]);
  t.match(
    listProblems(`crypto isakmp policy 1\n${whole}`, checkConfig).join('\n'),
    /with certificates the identity is one that the certificate holds/,
  );
  t.end();
});

t.test('keys are not shown', (t) => {
  t.notMatch(printConfig(parseConfig(text).config, { secrets: false }), /secret-/, 'show running-config');
  const wrong = 'crypto keyring R\n pre-shared-key address 10.0.0.1 key secret-four five\n pre-shared-key adress 1.1.1.1 key secret-six';
  t.notMatch(JSON.stringify(checkConfig(wrong).problems), /secret-/, 'problems');
  t.end();
});

t.test('aggressive mode is off until it is turned on', (t) => {
  t.equal(parseClean('').isakmp.aggressiveMode, false);
  t.equal(parseClean('crypto isakmp aggressive-mode disable').isakmp.aggressiveMode, false);
  t.equal(parseClean('no crypto isakmp aggressive-mode disable').isakmp.aggressiveMode, true);
  t.ok(reprint('no crypto isakmp aggressive-mode disable').includes('no crypto isakmp aggressive-mode disable'));
  const policy = 'crypto isakmp policy 1\n encr aes 256\n hash sha256\n authentication pre-share\n group 14\n';
  t.match(listProblems(`${policy}no crypto isakmp aggressive-mode disable`, checkConfig), [/^6 warning aggressive mode gives away a hash/]);
  t.end();
});

t.test('references and refusals', (t) => {
  t.match(listErrors('crypto isakmp profile P\n keyring X\n match identity address 1.1.1.1'), [/^2 error there is no crypto keyring X/]);
  t.match(listProblems('crypto keyring R', checkConfig), [/^1 warning crypto keyring R is in no profile/]);
  t.match(listProblems('crypto isakmp profile P', checkConfig), [/^1 warning .*matches nobody/]);
  for (const line of [
    'pre-shared-key address 1.1.1.1 255.0.255.0 key k',
    'pre-shared-key address 1.1.1.1 key 6 k',
    'pre-shared-key address 1.1.1.1',
  ])
    t.match(listProblems(`crypto keyring R\n ${line}`), [/^2 error /], line);
  for (const line of [
    'match identity host',
    'keepalive 5 retry 2',
    'keepalive 10',
    'self-identity user-fqdn',
    'match identity group g',
    'initiate mode main',
  ])
    t.match(listProblems(`crypto isakmp profile P\n ${line}`), [/^2 error /], line);
  t.end();
});
