import t from 'tap';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('an empty policy has the defaults of IOS', (t) => {
  const [policy] = parseClean('crypto isakmp policy 10').isakmpPolicies;
  t.strictSame(policy, {
    line: 1,
    priority: 10,
    encryption: 'des',
    hash: 'sha',
    authentication: 'rsa-sig',
    group: 1,
    lifetimeSeconds: 86400,
  });
  t.end();
});

t.test('every setting of a policy, abbreviated or not, and back to the default', (t) => {
  const settings: [string, string, unknown][] = [
    ['encr des', 'encryption', 'des'],
    ['encr 3des', 'encryption', '3des'],
    ['encryption aes', 'encryption', 'aes-128'],
    ['enc aes 128', 'encryption', 'aes-128'],
    ['encr aes 192', 'encryption', 'aes-192'],
    ['encr aes 256', 'encryption', 'aes-256'],
    ['ha md5', 'hash', 'md5'],
    ['hash sha', 'hash', 'sha'],
    ['hash sha256', 'hash', 'sha256'],
    ['hash sha384', 'hash', 'sha384'],
    ['hash sha512', 'hash', 'sha512'],
    ['auth pre', 'authentication', 'pre-share'],
    ['authentication rsa-sig', 'authentication', 'rsa-sig'],
    ...[1, 2, 5, 14, 15, 16, 19, 20, 21].map((group): [string, string, unknown] => [`group ${group}`, 'group', group]),
    ['lifetime 60', 'lifetimeSeconds', 60],
    ['life 86400', 'lifetimeSeconds', 86400],
  ];
  for (const [line, field, value] of settings) {
    const [policy] = parseClean(`crypto isakmp policy 10\n ${line}`).isakmpPolicies;
    t.equal(policy[field as 'group'], value, line);
    const [reset] = parseClean(`cry isa pol 10\n ${line}\n no ${line.split(' ')[0]}`).isakmpPolicies;
    t.equal(reset[field as 'group'], parseClean('crypto isakmp policy 10').isakmpPolicies[0][field as 'group'], `no ${line}`);
  }
  t.end();
});

t.test('what a policy does not take is an error on its line', (t) => {
  const refusals: [string, RegExp][] = [
    ['encr blowfish', /Invalid input detected at column 6 \("blowfish"\)/],
    ['encr', /Incomplete/],
    ['encr aes 257', /column 10/],
    ['hash s', /Ambiguous/],
    ['group 24', /group 24 is not supported/],
    ['group 3', /column 7/],
    ['lifetime 59', /column 10/],
    ['lifetime 86401', /column 10/],
    ['lifetime -1', /column 10/],
    ['authentication rsa-encr', /not supported/],
    ['authentication pre-share now', /column 26/],
  ];
  for (const [line, message] of refusals) {
    const problems = listProblems(`crypto isakmp policy 10\n ${line}\n group 14`);
    t.equal(problems.length, 1, `one problem for ${line}`);
    t.match(problems[0], /^2 error /);
    t.match(problems[0], message);
  }
  t.match(listProblems('crypto isakmp policy 0')[0], /^1 error/);
  t.match(listProblems('crypto isakmp policy 10001')[0], /^1 error/);
  t.match(listProblems('crypto isakmp policy')[0], /^1 error % Incomplete/);
  t.end();
});

t.test('policies are in order of priority and can be changed and removed', (t) => {
  const config = parseClean('crypto isakmp policy 20\ngroup 14\ncrypto isakmp policy 10\nexit\ncrypto isakmp policy 20\nhash sha256');
  t.strictSame(
    config.isakmpPolicies.map(({ priority, group, hash }) => [priority, group, hash]),
    [
      [10, 1, 'sha'],
      [20, 14, 'sha256'],
    ],
  );
  t.strictSame(parseClean('crypto isakmp policy 20\nno crypto isakmp policy 20').isakmpPolicies, []);
  t.strictSame(listProblems('no crypto isakmp policy 20'), ['1 warning crypto isakmp policy 20 is not configured: nothing to remove']);
  t.end();
});

t.test('keys', (t) => {
  const config = parseClean(`crypto isakmp key R1-KEY address 172.16.1.2
crypto isakmp key 0 R2-KEY address 172.16.2.2 no-xauth
crypto isakmp key NET address 10.1.2.3 255.255.0.0
crypto isakmp key ALL address 0.0.0.0
crypto isakmp key 0 0 address 9.9.9.9`);
  t.strictSame(
    config.isakmpKeys.map(({ key, address, mask }) => [key, address, mask]),
    [
      ['R1-KEY', 0xac100102, 0xffffffff],
      ['R2-KEY', 0xac100202, 0xffffffff],
      ['NET', 0x0a010000, 0xffff0000],
      ['ALL', 0, 0],
      ['0', 0x09090909, 0xffffffff],
    ],
  );
  t.strictSame(reprint('crypto isakmp key 0 6 address 9.9.9.9\ncrypto isakmp key X address 0.0.0.0 0.0.0.0'), [
    'crypto isakmp key 0 6 address 9.9.9.9',
    'crypto isakmp key X address 0.0.0.0',
  ]);
  t.strictSame(parseClean('crypto isakmp key A address 1.1.1.1\nno crypto isakmp key A address 1.1.1.1').isakmpKeys, []);
  t.end();
});

t.test('keys that cannot be taken, without saying the key', (t) => {
  for (const [line, message] of [
    ['crypto isakmp key 6 SECRET-WORD address 1.1.1.1', /type 6/],
    ['crypto isakmp key SECRET-WORD address 1.1.1.1 255.0.255.0', /255\.0\.255\.0 is not a network mask/],
    ['crypto isakmp key SECRET-WORD address 1.1.1', /Invalid input detected at column 39$/],
    ['crypto isakmp key SECRET-WORD SECRET-WORD address 1.1.1.1', /Invalid input detected at column 31$/],
    ['crypto isakmp key SECRET-WORD hostname peer', /hostname is not supported/],
    ['crypto isakmp key SECRET-WORD', /Incomplete/],
  ] as const) {
    const problems = listProblems(line);
    t.equal(problems.length, 1, line);
    t.match(problems[0], message);
    t.notMatch(JSON.stringify(problems), /SECRET-WORD/, 'the key is not shown');
  }
  t.match(listProblems('crypto isakmp key A address 1.1.1.1\ncrypto isakmp key B address 1.1.1.1'), [
    /^2 warning replaces the key .* line 1/,
  ]);
  t.end();
});
