import t from 'tap';
import { checkConfig } from '../../../../control/config/check.js';
import { printConfig } from '../../../../control/config/print.js';
import { hasSecret, maskSecrets, shownLine } from '../../../../control/config/secrets.js';

t.test('secrets are masked in lines that are right, abbreviated, misspelt or unknown', (t) => {
  for (const [line, masked] of [
    ['crypto isakmp key S3CRET address 1.1.1.1', 'crypto isakmp key <removed> address 1.1.1.1'],
    ['crypto isakmp key 0 S3CRET address 1.1.1.1', 'crypto isakmp key <removed> address 1.1.1.1'],
    ['no crypto isakmp key S3CRET address 1.1.1.1', 'no crypto isakmp key <removed> address 1.1.1.1'],
    ['cry isa k S3CRET ad 1.1.1.1', 'cry isa k <removed> ad 1.1.1.1'],
    ['crypto isakmp kye S3CRET address 1.1.1.1', 'crypto isakmp kye <removed> address 1.1.1.1'],
    ['crpyto isakmp key S3CRET address 1.1.1.1', 'crpyto isakmp key <removed>'],
    ['crypto isakmp key S3CRET adress 1.1.1.1', 'crypto isakmp key <removed>'],
    ['crypto isakmp key S3 CRET hostname peer', 'crypto isakmp key <removed> hostname peer'],
    ['pre-shared-key address 1.1.1.1 key S3CRET', 'pre-shared-key <removed>'],
    ['enable secret 5 S3CRET', 'enable secret <removed>'],
    ['username joe privilege 15 password 0 S3CRET', 'username joe privilege 15 password <removed>'],
    ['snmp-server community S3CRET RO', 'snmp-server community <removed>'],
    ['key-string S3CRET', 'key-string <removed>'],
    ['ip ospf message-digest-key 1 md5 S3CRET', 'ip ospf message-digest-key <removed>'],
    ['tacacs-server host 1.1.1.1 key S3CRET', 'tacacs-server host 1.1.1.1 key <removed>'],
  ]) {
    t.equal(maskSecrets(line), masked, masked);
    t.equal(hasSecret(line), true);
  }
  for (const line of [
    'crypto isakmp policy 10',
    'crypto key generate rsa label K modulus 2048',
    'hash sha',
    'rekey sig-hash algorithm sha256',
    'service password-encryption',
    'crypto isakmp key',
  ]) {
    t.equal(maskSecrets(line), line);
  }
  t.end();
});

t.test('shown lines are one short line', (t) => {
  t.equal(shownLine('banner motd #\nhello#'), 'banner motd #');
  t.equal(shownLine('a\x1b[2Jb'), 'a\\x1b[2Jb', 'a terminal is not told what to do');
  t.equal(shownLine('x'.repeat(161)), `${'x'.repeat(160)}...`);
  t.end();
});

t.test('neither problems nor the public running configuration hold a key', (t) => {
  const text = `crypto isakmp key S3CRET address 1.1.1.1
crypto isakmp key S3CRET address 1.1.1.1 255.0.255.0
crypto isakmp key S3CRET S3CRET
crypto isakmp key 6 S3CRET address 1.1.1.1
enable secret S3CRET
username x password S3CRET
crypto isakmp profile S3
line vty 0 4
 password S3CRET
`;
  const { config, problems } = checkConfig(text);
  t.notMatch(JSON.stringify(problems), /S3CRET/);
  t.ok(problems.length >= 7);
  t.notMatch(printConfig(config, { secrets: false }), /S3CRET/);
  t.match(printConfig(config, { secrets: false }), /crypto isakmp key <removed> address 1\.1\.1\.1\n/);
  t.match(printConfig(config, { secrets: true }), /crypto isakmp key S3CRET address 1\.1\.1\.1\n/);
  t.match(printConfig(config, { secrets: true }), /\n password S3CRET\n/);
  t.end();
});
