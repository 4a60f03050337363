// Acceptance 2, AES-GCM with a sender ID in the IV (RFC 4106, RFC 6054), and a rekey in the same lab: see decrypt-case.ts. Over all variants.
import t from 'tap';
import { changeTek, checkWithForeignCrypto, decryptLab } from './decrypt-case.js';

t.test('esp-gcm 256', async (t) => {
  const lab = await decryptLab(t, 'esp-gcm 256');
  await t.test('foreign crypto', (t) => checkWithForeignCrypto(t, lab));
  await t.test('a new TEK', (t) => changeTek(t, lab));
});
