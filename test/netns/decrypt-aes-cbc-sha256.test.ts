// Acceptance 2, AES-CBC with HMAC-SHA-256-128 (RFC 3602, RFC 4868): see decrypt-case.ts.
import t from 'tap';
import { checkWithForeignCrypto } from './decrypt-case.js';

t.test('esp-aes 256 esp-sha256-hmac', (t) => checkWithForeignCrypto(t, 'esp-aes 256 esp-sha256-hmac'));
