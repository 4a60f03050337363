import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Tek } from '../../../control/gdoi/group-policy.js';
import { espSaLine, KeyLog } from '../../../control/key-log.js';

const tek: Tek = {
  spi: 0xfedcba98,
  encryption: 'esp-gcm-128',
  authentication: null,
  encryptionKey: new Uint8Array(16).fill(0xaa),
  salt: new Uint8Array([1, 2, 3, 4]),
  integrityKey: new Uint8Array(0),
  lifetimeSeconds: 3600,
  createdAt: 0,
  expiresAt: 0,
  activatesAt: 0,
  replayWindow: 64,
  entries: [],
};

t.test("lines are Wireshark's", (t) => {
  t.equal(
    espSaLine(tek),
    `"IPv4","*","*","0xfedcba98","AES-GCM with 16 octet ICV [RFC4106]","0x${'aa'.repeat(16)}01020304","NULL",""`,
    'the salt follows the key',
  );
  const cbc: Tek = {
    ...tek,
    encryption: 'esp-aes-256',
    authentication: 'esp-sha256-hmac',
    encryptionKey: new Uint8Array(32),
    salt: new Uint8Array(0),
    integrityKey: new Uint8Array(32).fill(5),
  };
  t.equal(
    espSaLine(cbc),
    `"IPv4","*","*","0xfedcba98","AES-CBC [RFC3602]","0x${'00'.repeat(32)}","HMAC-SHA-256-128 [RFC4868]","0x${'05'.repeat(32)}"`,
  );
  t.end();
});

t.test('files are private, lines are written once, also after a restart', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-keys-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const directory = join(folder, 'keys');
  for (let start = 0; start < 2; start++) {
    const log = new KeyLog(directory);
    log.writeTek(tek);
    log.writeTek(tek);
    log.writeIke(new Uint8Array(8).fill(1), new Uint8Array(16).fill(2));
  }
  t.equal(readFileSync(join(directory, 'esp_sa'), 'utf8'), `${espSaLine(tek)}\n`);
  t.equal(readFileSync(join(directory, 'ikev1_decryption_table'), 'utf8'), `${'01'.repeat(8)},${'02'.repeat(16)}\n`);
  t.equal(statSync(join(directory, 'esp_sa')).mode & 0o777, 0o600);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.end();
});
