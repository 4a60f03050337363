import t from 'tap';
import { defaultIsakmp } from '../../../../../control/config/empty.js';
import { listProblems, parseClean, reprint } from '../texts.js';

t.test('keepalives, NAT, and back to the defaults', (t) => {
  t.same(parseClean('crypto isakmp keepalive 10').isakmp.keepalive, { seconds: 10, retrySeconds: 2, mode: 'on-demand' });
  t.same(parseClean('crypto isakmp keepalive 20 5 periodic').isakmp.keepalive, { seconds: 20, retrySeconds: 5, mode: 'periodic' });
  t.same(parseClean('cry isa keep 20 per').isakmp.keepalive, { seconds: 20, retrySeconds: 2, mode: 'periodic' });
  t.equal(parseClean('crypto isakmp nat keepalive 20').isakmp.natKeepaliveSeconds, 20);
  t.equal(parseClean('no crypto ipsec nat-transparency udp-encapsulation').isakmp.natTraversal, false);
  const all = `crypto isakmp keepalive 10 3 periodic
crypto isakmp nat keepalive 20
crypto isakmp identity hostname
crypto isakmp invalid-spi-recovery
no crypto ipsec nat-transparency udp-encapsulation`;
  t.same(
    reprint(all).filter((line) => line.includes('crypto')),
    [
      'crypto isakmp identity hostname',
      'crypto isakmp keepalive 10 3 periodic',
      'crypto isakmp invalid-spi-recovery',
      'crypto isakmp nat keepalive 20',
      'no crypto ipsec nat-transparency udp-encapsulation',
    ],
    'printed',
  );
  const undone = `${all}\nno crypto isakmp keepalive\nno crypto isakmp nat keepalive\nno crypto isakmp identity\nno crypto isakmp invalid-spi-recovery\ncrypto ipsec nat-transparency udp-encapsulation`;
  t.same(parseClean(undone).isakmp, defaultIsakmp());
  t.end();
});

t.test('what they do not take', (t) => {
  for (const line of [
    'keepalive 9',
    'keepalive 3601',
    'keepalive 10 1',
    'keepalive 10 2 often',
    'keepalive',
    'nat keepalive 4',
    'identity key',
  ])
    t.match(listProblems(`crypto isakmp ${line}`), [/^1 error /], line);
  t.end();
});
