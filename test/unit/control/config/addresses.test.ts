import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import {
  formatIpv4,
  isInPrefix,
  maskToPrefixLength,
  parseIpv4,
  prefixLengthToMask,
  prefixRange,
  wildcardToPrefixLength,
} from '../../../../control/config/addresses.js';

t.test('addresses are four decimal octets and nothing else', (t) => {
  t.equal(parseIpv4('0.0.0.0'), 0);
  t.equal(parseIpv4('255.255.255.255'), 0xffffffff);
  t.equal(parseIpv4('172.16.4.2'), 0xac100402);
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '1..3.4',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.-4',
    '0x1.2.3.4',
    '1e1.2.3.4',
    '1.2.3.1000',
    '١.2.3.4',
    '1.2.3.4/24',
  ]) {
    t.equal(parseIpv4(text), null, `"${text}" is none`);
  }
  t.end();
});

t.test('parse and format agree with each other and with node:net', (t) => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffffff }), (address) => parseIpv4(formatIpv4(address)) === address));
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.stringMatching(/^[0-9.]{1,15}$/)), (text) => (parseIpv4(text) !== null) === isIPv4(text)));
  t.equal(formatIpv4(-1), '255.255.255.255', 'a signed number formats as the same bits');
  t.end();
});

t.test('masks, wildcards and prefixes', (t) => {
  for (let length = 0; length <= 32; length++) {
    const mask = prefixLengthToMask(length);
    t.equal(maskToPrefixLength(mask), length, `/${length}`);
    t.equal(wildcardToPrefixLength(~mask >>> 0), length, `wildcard of /${length}`);
  }
  t.equal(maskToPrefixLength(0xff00ff00), null, 'a mask with holes has no length');
  t.equal(wildcardToPrefixLength(0x0000ff01), null, 'nor has a wildcard with holes');
  t.strictSame(prefixRange(0xac100402, 0xfffffffc), { first: 0xac100400, last: 0xac100403 });
  t.equal(isInPrefix(0xac100402, 0xac100400, 0xfffffffc), true);
  t.equal(isInPrefix(0xac100404, 0xac100400, 0xfffffffc), false);
  t.equal(isInPrefix(0xffffffff, 0, 0), true, 'a zero mask takes every address');
  t.end();
});
