import t from 'tap';
import { fuzz, seeds } from './certificates.js';
import { run } from './mutations.js';

t.test('certificates, lists, requests, names', async (t) => {
  for (const seed of seeds) fuzz(seed);
  t.equal(run(fuzz, seeds, 4000), null, 'only CertificateError, and never good');
});
