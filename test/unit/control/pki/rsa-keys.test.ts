// `crypto key generate rsa` and what becomes of the keys.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { emptyConfig } from '../../../../control/config/empty.js';
import { RsaKeyError, RsaKeys } from '../../../../control/pki/rsa-keys.js';
import { SealedStore } from '../../../../control/store/sealed-store.js';

const directory = mkdtempSync(join(tmpdir(), 'groupwire-keys-'));
t.teardown(() => rmSync(directory, { recursive: true }));

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

t.test('made, listed, kept over a restart, removed', async (t) => {
  const keys = new RsaKeys(await SealedStore.open(directory));
  const info = keys.generate('GETVPN-R4-KS', 1024, true, 42);
  t.match(info, { label: 'GETVPN-R4-KS', modulusBits: 1024, exportable: true, generatedAt: 42 });
  t.equal(info.publicKey.length, 162, 'DER SubjectPublicKeyInfo');
  const again = new RsaKeys(await SealedStore.open(directory));
  t.same(again.list(), [info]);
  t.ok(again.privateKey('GETVPN-R4-KS')?.equals(keys.privateKey('GETVPN-R4-KS') as never));
  t.equal(again.privateKey('other'), null);
  t.ok(again.remove('GETVPN-R4-KS'));
  t.notOk(again.remove('GETVPN-R4-KS'));
  t.same(new RsaKeys(await SealedStore.open(directory)).list(), []);
});

t.test('refused', async (t) => {
  const keys = new RsaKeys(await SealedStore.open(directory));
  for (const bits of [0, 359, 360, 512, 1023, 1025, 4097, 2 ** 31, Number.NaN, 1024.5])
    t.ok(thrownBy(() => keys.generate('K', bits)) instanceof RsaKeyError, String(bits));
  for (const label of ['', 'a b', 'ä', 'x'.repeat(41)]) t.ok(thrownBy(() => keys.generate(label, 1024)) instanceof RsaKeyError, label);
  t.same(keys.list(), []);
});

t.test('a damaged key is reported and gone, the others stay', async (t) => {
  const reports: string[] = [];
  const keys = new RsaKeys(await SealedStore.open(directory));
  keys.generate('ONE', 1024);
  keys.generate('TWO', 1024);
  const file = readdirSync(directory).find((name) => name.includes('ONE')) as string;
  const bytes = readFileSync(join(directory, file));
  bytes[50] ^= 1;
  writeFileSync(join(directory, file), bytes);
  const again = new RsaKeys(await SealedStore.open(directory, (message) => void reports.push(message)));
  t.same(
    again.list().map(({ label }) => label),
    ['TWO'],
  );
  t.equal(reports.length, 1);
});

t.test('the key that a configuration names is made when it is missing', async (t) => {
  const keys = new RsaKeys(await SealedStore.open(directory));
  const config = emptyConfig();
  const server = { rekeyAuthentication: 'AUTO' };
  config.gdoiGroups.set('G', { line: 1, name: 'G', identity: null, serverAddresses: [], passive: false, server: server as never });
  const lines: string[] = [];
  const log = { write: (...words: unknown[]) => void lines.push(words.join(' ')) };
  keys.ensure(config, log);
  keys.ensure(config, log);
  t.match(keys.list(), [{ label: 'AUTO', modulusBits: 2048 }, { label: 'TWO' }]);
  t.match(lines, [/CRYPTO 6 KEYGEN RSA key AUTO/]);
});
