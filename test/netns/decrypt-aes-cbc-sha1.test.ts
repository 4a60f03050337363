// Acceptance 2, AES-CBC with HMAC-SHA-1-96 (RFC 3602, RFC 2404): see decrypt-case.ts.
import t from 'tap';
import { checkWithForeignCrypto } from './decrypt-case.js';

t.test('esp-aes esp-sha-hmac', (t) => checkWithForeignCrypto(t, 'esp-aes esp-sha-hmac'));
