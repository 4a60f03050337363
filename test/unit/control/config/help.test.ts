import t from 'tap';
import { completeLine, type Help, helpFor } from '../../../../control/config/help.js';

const tokens = (help: Help): string[] => ('entries' in help ? help.entries.map((entry) => entry.token) : [help.error]);

t.test('what may come next', (t) => {
  t.strictSame(tokens(helpFor('exec', '')), [
    'clear',
    'configure',
    'copy',
    'crypto',
    'debug',
    'export',
    'monitor',
    'no',
    'packet-tracer',
    'ping',
    'reload',
    'show',
    'terminal',
    'traceroute',
    'undebug',
    'write',
  ]);
  t.strictSame(tokens(helpFor('exec', 'c')), ['clear', 'configure', 'copy', 'crypto']);
  t.strictSame(tokens(helpFor('exec', 'sh cry gdoi ks ')), ['acl', 'detail', 'identifier', 'members', 'policy', '<cr>']);
  t.strictSame(tokens(helpFor('exec', 'show crypto gdoi group ')), ['WORD']);
  t.strictSame(tokens(helpFor('exec', 'show version ')), ['<cr>']);
  t.strictSame(tokens(helpFor('config-isakmp', 'encr ')), ['3des', 'aes', 'des']);
  t.strictSame(tokens(helpFor('config-isakmp', 'encr aes ')), ['128', '192', '256', '<cr>']);
  t.strictSame(tokens(helpFor('config-isakmp', '')), ['authentication', 'encr', 'end', 'exit', 'group', 'hash', 'lifetime', 'no']);
  t.strictSame(tokens(helpFor('config-isakmp', 'lifetime ')), ['<60-86400>']);
  t.strictSame(tokens(helpFor('config-if', 'ip address 1.1.1.1 ')), ['A.B.C.D']);
  t.strictSame(tokens(helpFor('config-if', 'ip address 1.1.1.1 255.0.0.0 ')), ['secondary', '<cr>']);
  t.strictSame(tokens(helpFor('config', 'hostname ')), ['WORD'], 'a word argument does not swallow the question');
  t.strictSame(tokens(helpFor('config-if', 'description ')), ['LINE']);
  t.ok(tokens(helpFor('config', 'crypto ')).includes('gdoi'));
  t.ok(tokens(helpFor('config', 'crypto map M 1 ')).includes('ipsec-isakmp'));
  t.notOk(tokens(helpFor('config', 'crypto map M 1 ')).includes('ipsec-manual'), 'what is refused is not offered');
  t.end();
});

t.test('after no: only what can be negated', (t) => {
  t.strictSame(tokens(helpFor('gdoi-local-server', 'no rekey ')), [
    'acknowledgement',
    'address',
    'algorithm',
    'authentication',
    'deactivation-delay',
    'lifetime',
    'retransmit',
    'sig-hash',
    'signature-encoding',
    'transport',
  ]);
  t.notOk(tokens(helpFor('config', 'no ')).includes('version'));
  t.notOk(tokens(helpFor('config', 'no ')).includes('exit'));
  t.strictSame(tokens(helpFor('config-if', 'no shutdown ')), ['<cr>']);
  t.strictSame(tokens(helpFor('config-if', 'n')), ['negotiation', 'no']);
  t.end();
});

t.test('lines that are wrong already', (t) => {
  t.strictSame(helpFor('exec', 'show foo '), { error: "% Invalid input detected at '^' marker.", column: 5 });
  t.strictSame(helpFor('exec', 'show c '), { error: '% Ambiguous command:  "show c"', column: 5 });
  t.match(helpFor('config', 'crypto map M 1 ipsec-manual '), { error: /not supported/ });
  t.end();
});

t.test('completion', (t) => {
  t.equal(completeLine('exec', 'sh'), 'show ');
  t.equal(completeLine('exec', 'show cry'), 'show crypto ');
  t.equal(completeLine('exec', 'show cr gd ks m'), 'show cr gd ks members ');
  t.equal(completeLine('exec', 'show c'), 'show c', 'ambiguous stays');
  t.equal(completeLine('exec', 'show zzz'), 'show zzz');
  t.equal(completeLine('config-isakmp', 'encry'), 'encryption ');
  t.equal(completeLine('config', 'hostname R'), 'hostname R');
  t.end();
});
