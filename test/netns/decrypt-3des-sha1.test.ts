// Acceptance 2, 3DES-CBC with HMAC-SHA-1-96, the seed's transform (RFC 2451, RFC 2404): see decrypt-case.ts.
import t from 'tap';
import { checkWithForeignCrypto } from './decrypt-case.js';

t.test('esp-3des esp-sha-hmac', (t) => checkWithForeignCrypto(t, 'esp-3des esp-sha-hmac'));
