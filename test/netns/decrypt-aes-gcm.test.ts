// Acceptance 2, AES-GCM with a sender ID in the IV (RFC 4106, RFC 6054): see decrypt-case.ts.
import t from 'tap';
import { checkWithForeignCrypto } from './decrypt-case.js';

t.test('esp-gcm 256', (t) => checkWithForeignCrypto(t, 'esp-gcm 256'));
