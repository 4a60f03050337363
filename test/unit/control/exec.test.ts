import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CounterSet } from '../../../control/api/counters.js';
import { parseConfig } from '../../../control/config/parse.js';
import { ensureKeyOf, runExec, withoutKey } from '../../../control/exec.js';
import { gdoiCounters } from '../../../control/gdoi/counters.js';
import { ipsecCounters } from '../../../control/ipsec/counters.js';
import { ikeCounters } from '../../../control/isakmp/counters.js';
import { RsaKeys } from '../../../control/pki/rsa-keys.js';
import { Router, routerCounters } from '../../../control/router.js';
import { SealedStore } from '../../../control/store/sealed-store.js';

const { config } = parseConfig('hostname R4\nip domain name example.net\n');
const folder = mkdtempSync(join(tmpdir(), 'groupwire-exec-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const store = await SealedStore.open(folder);
const rsaKeys = new RsaKeys(store);
const counters = new CounterSet(ikeCounters, ipsecCounters, gdoiCounters, routerCounters);
const log = { write: () => undefined };
let cleared = 0;
const logBuffer = { clear: () => cleared++ };
let isConnected = true;
let countersCleared = 0;
const clearCounters = () => {
  if (isConnected) countersCleared++;
  return isConnected;
};
const means = { clearCounters, rsaKeys, counters, log, logBuffer, clearNat: () => isConnected, aceHits: [3] };
const router = new Router(
  config,
  { log, counters, store, rsaKeys, keyLog: null, send: () => true, publish: () => undefined, join: () => undefined },
  0,
);
const run = (line: string) => runExec(line, router, means, 0);

t.test('the seed makes its key', (t) => {
  t.strictSame(run('crypto key generate rsa general-keys label GETVPN-R4-KS modulus 1024 exportable'), {
    output:
      'The name for the keys will be: GETVPN-R4-KS\n% The key modulus size is 1024 bits\n% Generating 1024 bit RSA keys, keys will be exportable...[OK]',
    error: null,
  });
  t.match(rsaKeys.list(), [{ label: 'GETVPN-R4-KS', modulusBits: 1024, exportable: true }]);
  t.match(new RsaKeys(store).list(), [{ label: 'GETVPN-R4-KS' }], 'sealed, and there after a restart');
  t.end();
});

t.test('a key that the configuration file asks for is made once', (t) => {
  const line = 'crypto key generate rsa label ONCE modulus 1024';
  t.match(ensureKeyOf(line, config, means), { error: null });
  const first = rsaKeys.list().find(({ label }) => label === 'ONCE');
  t.match(ensureKeyOf(line, config, means), { error: null, output: '' });
  t.equal(rsaKeys.list().find(({ label }) => label === 'ONCE')?.generatedAt, first?.generatedAt, 'the key stays');
  const lines = ['crypto key generate rsa', line, 'clear crypto gdoi', line.replace('ONCE', 'NEVER')].map((text) => ({ text }));
  t.strictSame(withoutKey(lines, config, rsaKeys), [lines[0], lines[3]]);
  t.match(ensureKeyOf('clear crypto gdoi', config, means), { error: /not for a configuration file/ });
  t.end();
});

t.test('debug and logging', (t) => {
  t.match(run('debug crypto gdoi ks rekey error'), { output: 'GDOI KS rekey debugging is on, level error', error: null });
  t.match(run('undebug all'), { output: 'All possible debugging has been turned off', error: null });
  t.match(run('debug ip nat'), { output: 'IP NAT debugging is on', error: null });
  t.match(run('debug ip nat detailed'), { output: 'IP NAT detailed debugging is on' });
  t.match(run('debug ip nat NOBODY'), { error: '% there is no access list NOBODY' });
  t.match(run('undebug ip nat'), { output: 'All possible debugging has been turned off' });
  run('debug ip nat');
  t.match(run('undebug all'), { output: 'All possible debugging has been turned off' });
  run('clear logging');
  t.equal(cleared, 1);
  t.end();
});

t.test('clear ip nat translation', (t) => {
  t.match(run('clear ip nat translation *'), { output: '', error: null });
  isConnected = false;
  t.match(run('clear ip nat tr *'), { error: '% the dataplane does not answer' });
  t.match(run('clear ip nat translation inside 1.1.1.1'), { error: /^% Incomplete/ });
  t.match(run('clear ip nat statistics'), { error: /^% counters are Prometheus counters/ });
  t.end();
});

t.test('clear access-list counters', (t) => {
  isConnected = true;
  t.match(run('clear access-list counters'), { output: '', error: null });
  t.match(run('clear access-list counters NONE'), { error: '% access list NONE does not exist' });
  t.match(runExec('clear access-list counters', router, { ...means, aceHits: null }, 0), { error: '% the dataplane does not answer' });
  t.end();
});

t.test('clear counters', (t) => {
  isConnected = false;
  t.strictSame([run('clear counters'), countersCleared], [{ output: '', error: '% the dataplane does not answer' }, 0]);
  isConnected = true;
  t.strictSame([run('clear counters'), countersCleared], [{ output: '', error: null }, 1]);
  t.end();
});

t.test("refusals are IOS's", (t) => {
  t.match(run('crypto gdoi ks rekey'), { error: /^% This router is the key server of no group/ });
  t.match(run('clear crypto gdoi group G'), { error: /^% This router is not a member of group G/ });
  t.match(run('crypto key generate rsa label X modulus 512'), { error: /^% / });
  t.match(run('write'), { error: /not carried out here/ });
  t.match(run('reload in 5'), { error: "% Invalid input detected at '^' marker." });
  t.match(run('terminal length 0'), { error: null, output: '' });
  t.end();
});
