// `export keys wireshark`: permitted by the configuration alone, private files, what was remembered, and nothing where others could read it.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseExec } from '../../../control/config/exec.js';
import { parseConfig } from '../../../control/config/parse.js';
import { printConfig } from '../../../control/config/print.js';
import { verifyConfig } from '../../../control/config/verify.js';
import type { Tek } from '../../../control/gdoi/group-policy.js';
import type { Phase1Sa } from '../../../control/isakmp/phase1-sa.js';
import { KeyExport } from '../../../control/key-export.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-export-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const tek = (spi: number, encryption: Tek['encryption'] = 'esp-gcm-128'): Tek => ({
  spi,
  encryption,
  authentication: null,
  encryptionKey: new Uint8Array(16).fill(0xaa),
  salt: new Uint8Array(4),
  integrityKey: new Uint8Array(0),
  lifetimeSeconds: 3600,
  createdAt: 0,
  expiresAt: 0,
  activatesAt: 0,
  replayWindow: 64,
  entries: [],
});

function start() {
  const state = { permitted: true };
  const lines: string[] = [];
  const sa = (cookie: number, key: number) =>
    ({ initiatorCookie: new Uint8Array(8).fill(cookie), key: new Uint8Array(key).fill(7) }) as Phase1Sa;
  const keys = new KeyExport({
    isPermitted: () => state.permitted,
    phase1: () => [sa(1, 16), sa(2, 0)],
    log: { write: (facility, severity, mnemonic, text) => void lines.push(`%${facility}-${severity}-${mnemonic}: ${text}`) },
  });
  const run = (directory: string) => keys.run(parseExec(`export keys wireshark ${directory}`));
  return { keys, state, lines, run };
}

t.test('what is and what was, in private files; other lines of the tables stay', (t) => {
  const { keys, lines, run } = start();
  const directory = join(folder, 'new');
  keys.writeTek(tek(1));
  keys.writeTek(tek(2));
  keys.writeTek(tek(1));
  keys.writeTek(tek(3, 'esp-chacha20-poly1305'));
  keys.writeIke(new Uint8Array(8).fill(9), new Uint8Array(16).fill(8));
  t.match(run(directory), {
    error: null,
    output: `Keys of 2 IPsec SAs and 2 ISAKMP SAs are in ${directory}: whoever reads it can read the traffic\n% 1 IPsec SAs have a cipher that Wireshark 4.0 does not know`,
  });
  keys.writeTek(tek(4));
  run(directory);
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  t.match(read('esp_sa'), /^[^\n]*0x00000002[^\n]*\n[^\n]*0x00000001[^\n]*\n[^\n]*0x00000004[^\n]*\n$/, 'each once');
  t.equal(read('ikev1_decryption_table'), `${'09'.repeat(8)},${'08'.repeat(16)}\n${'01'.repeat(8)},${'07'.repeat(16)}\n`);
  t.strictSame(
    [directory, join(directory, 'esp_sa')].map((path) => statSync(path).mode & 0o777),
    [0o700, 0o600],
  );
  t.strictSame(
    lines[0],
    `%CRYPTO-4-KEY_EXPORT: the keys of 2 IPsec SAs and 2 ISAKMP SAs were exported to ${directory} (export keys wireshark)`,
  );
  t.notMatch(lines.join(), /aaaa|0808|0707/);
  t.end();
});

t.test('not without the line, and what was kept goes with it', (t) => {
  const { keys, state, run } = start();
  keys.writeTek(tek(1));
  state.permitted = false;
  t.match(run(join(folder, 'no')), { error: '% Keys are not exported: the configuration does not say crypto key export wireshark' });
  state.permitted = true;
  t.match(run(join(folder, 'yes')), { output: /^Keys of 0 IPsec SAs and 1 ISAKMP SAs/ });
  t.equal(keys.run(parseExec('show version')), null);
  t.end();
});

t.test('not where others are', (t) => {
  const { run } = start();
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  symlinkSync(open, join(folder, 'link'));
  t.match(run(open), { error: `% ${open}: it is open to others: take a new one, or chmod 700` });
  t.match(run(join(folder, 'link')), { error: /: not a directory$/ });
  t.match(run('relative'), { error: /a path from the root is needed/ });
  t.match(run('/proc/none/x'), { error: /^% \/proc\/none\/x: ENOENT/ });
  t.end();
});

t.test('the line: printed, removed, warned about', (t) => {
  const { config } = parseConfig('hostname R1\ncrypto key export wireshark\n');
  t.equal(config.keyExport, true);
  t.match(verifyConfig(config), [{ line: 2, text: 'crypto key export wireshark', severity: 'warning', message: /^keys may be exported/ }]);
  t.match(printConfig(config, { secrets: false }), /^crypto key export wireshark$/m);
  t.equal(parseConfig('crypto key export wireshark\nno crypto key export wireshark\n').config.keyExport, false);
  t.end();
});
