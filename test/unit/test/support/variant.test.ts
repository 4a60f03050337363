import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../../support/lab.js';
import { readVariant, varyConfiguration } from '../../../support/variant.js';

const r1 = readFileSync(join(repoRoot, 'scripts/configs/lab/r1.cfg'), 'utf8');

t.test('no variant: the configuration as it is', (t) => {
  t.equal(varyConfiguration(r1, readVariant('')), r1);
  t.end();
});

t.test('the outside is where the crypto map is', (t) => {
  const varied = varyConfiguration(r1, readVariant('outside=xdp inside=packet offload=no workers=2'));
  t.match(varied, / linux-device eth0\n port-driver xdp\n no offload\n ip address 172\.16\.1\.2/);
  t.match(varied, / linux-device eth1\n port-driver packet\n no offload\n ip address 10\.0\.1\.1/);
  t.equal(varied.replaceAll(/^ (port-driver|no offload).*\n/gm, ''), r1, 'and nothing else changed');
  t.equal(readVariant('workers=2').workers, 2);
  t.end();
});

t.test('a variant that does not exist runs no test', (t) => {
  for (const text of ['outside=fast', 'worker=2', 'workers=0', 'offload=maybe', 'xdp'])
    t.throws(() => readVariant(text), /GROUPWIRE_VARIANT/, text);
  t.end();
});
