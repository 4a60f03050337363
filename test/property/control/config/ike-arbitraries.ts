// Random settings of phase 1 and trustpoints that parse.ts can have made.

import fc from 'fast-check';
import { AllOnes } from '../../../../control/config/addresses.js';
import { formatDistinguishedName, type NameAttribute } from '../../../../control/config/distinguished-name.js';
import type { IsakmpSettings, Trustpoint } from '../../../../control/config/model.js';

const line = fc.constant(0);
const label = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/),
  fc.constantFrom('__proto__', 'constructor', 'no', 'exit', '!x', '0'),
);

export const isakmpSettings: fc.Arbitrary<IsakmpSettings> = fc.record({ identity: fc.constantFrom('address', 'dn', 'hostname') });

const valueText = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
export const nameAttribute: fc.Arbitrary<NameAttribute> = fc.oneof(
  fc.record({ type: fc.constantFrom('CN', 'O', 'OU', 'L', 'ST', 'DC', 'E', 'SERIALNUMBER'), value: valueText }),
  fc.record({ type: fc.constant('C' as const), value: fc.stringMatching(/^[A-Z]{2}$/) }),
  fc.record({ type: fc.constantFrom('CN', 'O'), value: fc.constantFrom('Zürich', '東京', ' spaces around ', 'a"b', '\\\\', ',', '=') }),
);

export const trustpoint: fc.Arbitrary<Trustpoint> = fc.record({
  line,
  name: label,
  enrollmentPath: fc.option(fc.constantFrom('/etc/groupwire/r1', '/a', '/x/y.z/-')),
  subjectName: fc.option(fc.array(nameAttribute, { minLength: 1, maxLength: 4 }).map(formatDistinguishedName)),
  fqdn: fc.option(fc.constantFrom('r1.example.net', 'x', 'a-b_c.d')),
  ipAddress: fc.option(fc.integer({ min: 0, max: AllOnes })),
  rsaKeypair: fc.option(fc.record({ label, modulusBits: fc.option(fc.integer({ min: 1024, max: 4096 })) })),
  revocationCheck: fc.constantFrom(['crl'], ['none'], ['crl', 'none']) as fc.Arbitrary<Trustpoint['revocationCheck']>,
});
