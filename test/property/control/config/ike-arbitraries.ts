// Random settings of phase 1 and trustpoints that parse.ts can have made.

import fc from 'fast-check';
import { AllOnes, prefixLengthToMask } from '../../../../control/config/addresses.js';
import { formatDistinguishedName, type NameAttribute } from '../../../../control/config/distinguished-name.js';
import type { IsakmpProfile, IsakmpSettings, Keyring, Trustpoint } from '../../../../control/config/model.js';

const line = fc.constant(0);
const label = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/),
  fc.constantFrom('__proto__', 'constructor', 'no', 'exit', '!x', '0'),
);

export const isakmpSettings: fc.Arbitrary<IsakmpSettings> = fc.record({
  identity: fc.constantFrom('address', 'dn', 'hostname'),
  aggressiveMode: fc.boolean(),
  keepalive: fc.option(
    fc.record({
      seconds: fc.integer({ min: 10, max: 3600 }),
      retrySeconds: fc.integer({ min: 2, max: 60 }),
      mode: fc.constantFrom('periodic', 'on-demand'),
    }),
  ),
  natKeepaliveSeconds: fc.option(fc.integer({ min: 5, max: 3600 })),
  natTraversal: fc.boolean(),
  invalidSpiRecovery: fc.boolean(),
});

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

const secret = fc.oneof(fc.stringMatching(/^[!-~]{1,128}$/), fc.constantFrom('0', '6', 'key', '<removed>'));
const peer = fc
  .record({ address: fc.integer({ min: 0, max: AllOnes }), length: fc.integer({ min: 0, max: 32 }) })
  .map(({ address, length }) => {
    const mask = prefixLengthToMask(length);
    return { address: (address & mask) >>> 0, mask };
  });
const peerKey = ({ address, mask }: { address: number; mask: number }): string => `${address}/${mask}`;

export const keyring: fc.Arbitrary<Keyring> = fc.record({
  line,
  name: label,
  keys: fc.uniqueArray(
    fc.tuple(peer, secret).map(([ends, key]) => ({ line: 0, key, ...ends })),
    { selector: peerKey, maxLength: 3 },
  ),
  hostKeys: fc.uniqueArray(fc.record({ line, hostname: label, key: secret }), { selector: ({ hostname }) => hostname, maxLength: 3 }),
});

const matchName = fc.record({
  kind: fc.constantFrom('host' as const, 'host-domain' as const, 'user' as const, 'user-domain' as const),
  name: fc.constantFrom('r1.example.net', 'u@example.net', '__proto__'),
});
const selfIdentity: fc.Arbitrary<NonNullable<IsakmpProfile['selfIdentity']>> = fc.oneof(
  fc.constant({ kind: 'address' as const }),
  fc.record({ kind: fc.constant('fqdn' as const), name: fc.option(fc.constantFrom('r1.example.net', 'x')) }),
  fc.record({ kind: fc.constant('user-fqdn' as const), name: fc.constant('u@example.net') }),
);
const keepalive = fc.record({
  seconds: fc.integer({ min: 10, max: 3600 }),
  retrySeconds: fc.integer({ min: 2, max: 60 }),
  mode: fc.constant('on-demand' as const),
});

export const isakmpProfile: fc.Arbitrary<IsakmpProfile> = fc.record(
  {
    line,
    name: label,
    keyring: fc.option(label),
    matchAddresses: fc.uniqueArray(peer, { selector: peerKey, maxLength: 3 }),
    matchNames: fc.uniqueArray(matchName, { selector: ({ kind, name }) => `${kind} ${name}`, minLength: 1, maxLength: 3 }),
    initiateAggressive: fc.boolean(),
    selfIdentity,
    keepalive,
  },
  { requiredKeys: ['line', 'name', 'keyring', 'matchAddresses', 'initiateAggressive'] },
);
