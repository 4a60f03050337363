import t from 'tap';
import { parseExec } from '../../../../../control/config/exec.js';
import { listErrors, listProblems, parseClean, reprint } from '../texts.js';

t.test('a trustpoint, abbreviated, and back to the defaults', (t) => {
  const text = `crypto ca trust LAB
 enroll url file:///etc/groupwire/r1
 subject-name CN=r1, O="Lab, Inc."
 fqdn r1.example.net
 ip-addr 10.0.0.1
 rsakey K 2048
 revocation crl none`;
  t.strictSame(parseClean(text).trustpoints.get('LAB'), {
    line: 1,
    name: 'LAB',
    enrollmentPath: '/etc/groupwire/r1',
    subjectName: 'CN=r1, O="Lab, Inc."',
    fqdn: 'r1.example.net',
    ipAddress: 0x0a000001,
    rsaKeypair: { label: 'K', modulusBits: 2048 },
    revocationCheck: ['crl', 'none'],
  });
  t.ok(reprint(text).includes(' enrollment url file:/etc/groupwire/r1'), 'printed');
  const undone = `${text}\n no enrollment\n no subject-name\n no fqdn\n no ip-address\n no rsakeypair\n no revocation-check`;
  t.match(parseClean(undone).trustpoints.get('LAB'), {
    enrollmentPath: null,
    subjectName: null,
    fqdn: null,
    rsaKeypair: null,
    revocationCheck: ['crl'],
  });
  t.equal(parseClean(`${text}\nno crypto pki trustpoint LAB`).trustpoints.size, 0, 'removed');
  t.end();
});

t.test('what a trustpoint does not take', (t) => {
  const cases: [string, RegExp][] = [
    ['enrollment url http://ca/', /enrollment over http is not supported/],
    ['enrollment url file:relative', /absolute path/],
    ['enrollment url file:/a/../b', /absolute path/],
    ['enrollment url file:/a/', /absolute path/],
    ['enrollment terminal', /terminal is not supported/],
    ['enrollment selfsigned', /self-signed/],
    ['subject-name r1', /TYPE=VALUE/],
    ['fqdn a b', /column/],
    ['fqdn -.', /not a host name/],
    ['revocation-check ocsp', /ocsp is not supported/],
    ['revocation-check crl ocsp', /ocsp is not supported/],
    ['rsakeypair K 512', /column/],
  ];
  for (const [line, message] of cases) t.match(listProblems(`crypto pki trustpoint T\n ${line}`), [message], line);
  t.end();
});

t.test('verification', (t) => {
  const policy = 'crypto isakmp policy 10\n encr aes 256\n hash sha256\n group 14\n';
  t.match(listErrors(policy), [/^1 error .*rsa-sig \(the default\) needs a trustpoint/]);
  t.match(listErrors(`${policy}crypto pki trustpoint T`), [/trustpoint T has no enrollment url/]);
  t.same(listErrors(`${policy}crypto pki trustpoint T\n enrollment url file:/x`), []);
  t.end();
});

t.test('identity', (t) => {
  t.equal(parseClean('crypto isakmp identity dn').isakmp.identity, 'dn');
  t.equal(parseClean('crypto isakmp identity hostname\nno crypto isakmp identity').isakmp.identity, 'address');
  t.ok(reprint('crypto isakmp identity dn').includes('crypto isakmp identity dn'));
  t.end();
});

t.test('exec commands', (t) => {
  t.same(parseExec('crypto pki crl request LAB'), { kind: 'crypto pki', action: 'crl request', trustpoint: 'LAB' });
  t.same(parseExec('cry ca auth LAB'), { kind: 'crypto pki', action: 'authenticate', trustpoint: 'LAB' });
  t.match(parseExec('show crypto pki cert LAB'), { kind: 'show', topic: 'crypto pki certificates', trustpoint: 'LAB' });
  t.match(parseExec('show crypto pki crls'), { topic: 'crypto pki crls', trustpoint: null });
  t.match(parseExec('crypto pki enroll'), { error: '% Incomplete command.' });
  t.end();
});
