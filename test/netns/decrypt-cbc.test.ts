// Acceptance 2, the CBC transforms, one after the other in one lab: 3DES with HMAC-SHA-1-96, the seed's (RFC 2451, RFC 2404), AES with HMAC-SHA-1-96
// (RFC 3602) and with HMAC-SHA-256-128 (RFC 4868). See decrypt-case.ts.
import t from 'tap';
import { until } from '../support/netns.js';
import { checkWithForeignCrypto, decryptLab, replaceTek, teksOf, withTransform } from './decrypt-case.js';

const [first, ...others] = ['esp-3des esp-sha-hmac', 'esp-aes esp-sha-hmac', 'esp-aes 256 esp-sha256-hmac'];

t.test('CBC transforms', async (t) => {
  const lab = await decryptLab(t, first);
  await t.test(first, (t) => checkWithForeignCrypto(t, lab));
  for (const transform of others) {
    lab.configure('r4', (text) => withTransform(text, transform));
    lab.reload('r4');
    const pending = async () => ((await lab.show('r4', 'crypto gdoi ks')) as { gdoiServers: { policyPending: boolean }[] }).gdoiServers[0];
    await until('the change to be pending', async () => (await pending()).policyPending);
    await replaceTek(lab, (await teksOf(lab, 'r1'))[0]);
    await t.test(transform, (t) => checkWithForeignCrypto(t, lab));
  }
});
