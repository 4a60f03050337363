import fc from 'fast-check';
import t from 'tap';
import { formatDistinguishedName, NameError, parseDistinguishedName } from '../../../../control/config/distinguished-name.js';
import { nameAttribute } from './ike-arbitraries.js';

t.test('parse of format is the identity', async (t) => {
  fc.assert(
    fc.property(fc.array(nameAttribute, { minLength: 1, maxLength: 6 }), (attributes) => {
      t.same(parseDistinguishedName(formatDistinguishedName(attributes)), attributes);
    }),
    { numRuns: 300 },
  );
});

t.test('any text: a name or a NameError', async (t) => {
  const pieces = fc.constantFrom('CN=', 'cn = ', 'O=x', 'C=de', ',', '"', '\\', ' ', '=', 'ü', '\0', 'ab', 'OID.1=');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
        fc.string(),
      ),
      (text) => {
        try {
          const attributes = parseDistinguishedName(text);
          t.same(parseDistinguishedName(formatDistinguishedName(attributes)), attributes, JSON.stringify(text));
        } catch (error) {
          if (!(error instanceof NameError)) throw error;
        }
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('what is wrong is said', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /no TYPE=VALUE/],
    ['r1', /no TYPE=VALUE/],
    ['X=1', /"X" is not an attribute/],
    ['CN=', /CN is empty/],
    ['CN=a,', /ends in a comma/],
    ['CN=a\\', /backslash/],
    ['CN="a', /not closed/],
    ['C=Germany', /two letters/],
    [`CN=${'a'.repeat(65)}`, /65 characters/],
    ['CN=a\tb', /control character/],
    ['E=ü@x', /ASCII/],
    [Array.from({ length: 17 }, () => 'OU=x').join(','), /more than 16/],
  ];
  for (const [text, message] of cases) t.throws(() => parseDistinguishedName(text), { message }, JSON.stringify(text));
  t.same(
    parseDistinguishedName(' cn = r1 , o="Lab, Inc." , OU=a\\,b '),
    [
      { type: 'CN', value: 'r1' },
      { type: 'O', value: 'Lab, Inc.' },
      { type: 'OU', value: 'a,b' },
    ],
    'spaces, quotes, escapes',
  );
});
