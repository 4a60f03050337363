import t from 'tap';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('transform sets, transforms in any order', (t) => {
  const sets: [string, string, string | null][] = [
    ['esp-3des esp-sha-hmac', 'esp-3des', 'esp-sha-hmac'],
    ['esp-sha-hmac esp-3des', 'esp-3des', 'esp-sha-hmac'],
    ['esp-aes esp-sha-hmac', 'esp-aes-128', 'esp-sha-hmac'],
    ['esp-aes 128 esp-sha256-hmac', 'esp-aes-128', 'esp-sha256-hmac'],
    ['esp-aes 192 esp-sha384-hmac', 'esp-aes-192', 'esp-sha384-hmac'],
    ['esp-sha512-hmac esp-aes 256', 'esp-aes-256', 'esp-sha512-hmac'],
    ['esp-null esp-md5-hmac', 'esp-null', 'esp-md5-hmac'],
    ['esp-gcm', 'esp-gcm-128', null],
    ['esp-gcm 192', 'esp-gcm-192', null],
    ['esp-gcm 256', 'esp-gcm-256', null],
    ['esp-gmac', 'esp-gmac-128', null],
    ['esp-gmac 256', 'esp-gmac-256', null],
    ['esp-chacha20-poly1305', 'esp-chacha20-poly1305', null],
  ];
  for (const [line, encryption, authentication] of sets) {
    const set = parseClean(`crypto ipsec transform-set T ${line}`).transformSets.get('T');
    t.strictSame(set, { line: 1, name: 'T', encryption, authentication, mode: 'tunnel' }, line);
  }
  t.equal(parseClean('crypto ipsec transform-set T esp-gcm\n mode transport').transformSets.get('T')?.mode, 'transport');
  t.equal(parseClean('crypto ipsec transform-set T esp-gcm\n mode transport\n no mode').transformSets.get('T')?.mode, 'tunnel');
  t.strictSame(reprint('crypto ipsec transform-set T esp-sha-hmac esp-aes 256'), [
    'crypto ipsec transform-set T esp-aes 256 esp-sha-hmac',
    ' mode tunnel',
  ]);
  t.end();
});

t.test('transform sets that cannot be', (t) => {
  for (const [line, message] of [
    ['ah-sha-hmac esp-aes', /AH is not supported/],
    ['esp-aes ah-sha-hmac', /AH is not supported/],
    ['esp-aes', /without integrity/],
    ['esp-null', /without integrity/],
    ['esp-sha-hmac', /no cipher/],
    ['esp-gcm esp-sha-hmac', /esp-gcm protects integrity itself: leave out esp-sha-hmac/],
    ['esp-gmac 192 esp-sha-hmac', /esp-gmac protects integrity itself/],
    ['esp-chacha20-poly1305 esp-sha-hmac', /esp-chacha20-poly1305 protects integrity itself/],
    ['esp-aes esp-3des esp-sha-hmac', /Invalid input detected at column 38/],
    ['esp-aes 512 esp-sha-hmac', /Invalid input detected at column 38/],
    ['esp-sha-hmac esp-md5-hmac esp-aes', /Invalid input/],
    ['', /Incomplete/],
  ] as const) {
    t.match(listProblems(`crypto ipsec transform-set T ${line}`), [new RegExp(`^1 error .*${message.source}`)], line);
  }
  t.match(listProblems('crypto ipsec transform-set T esp-gcm\n mode gre'), [/^2 error/]);
  t.end();
});

t.test('profiles', (t) => {
  const config = parseClean(`crypto ipsec profile P
 set transform-set A B
 set security-association lifetime seconds 300
 set pfs group19
crypto ipsec profile Q
 set security-association lifetime seconds 20
 no set security-association lifetime seconds
 set transform-set A
 no set transform-set
 set pfs group14
 no set pfs`);
  t.strictSame(config.ipsecProfiles.get('P'), { line: 1, name: 'P', transformSets: ['A', 'B'], lifetimeSeconds: 300, pfs: 19 });
  t.strictSame(config.ipsecProfiles.get('Q'), { line: 5, name: 'Q', transformSets: [], lifetimeSeconds: null, pfs: null });
  for (const line of [
    'set pfs group3',
    'set security-association lifetime kilobytes 100',
    'set security-association lifetime seconds 19',
    'set foo',
    'set transform-set',
  ]) {
    t.match(listProblems(`crypto ipsec profile P\n ${line}\n`), [/^2 error/], line);
  }
  t.equal(parseClean('crypto ipsec profile P\nno crypto ipsec profile P').ipsecProfiles.size, 0);
  t.equal(parseClean('crypto ipsec transform-set T esp-gcm\nno crypto ipsec transform-set T').transformSets.size, 0);
  t.match(listProblems('no crypto ipsec transform-set T\nno crypto ipsec profile P'), [/^1 warning/, /^2 warning/]);
  t.end();
});
