// What an attacker could learn from how a comparison or a decryption fails (bad-input 18, 30). Times are not measured here: the sources say which
// function compares what proves a peer, and every reason for which a message does not decrypt is one and the same error.

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { newPhase1Sa } from '../../../../control/isakmp/main-mode.js';
import { MessageCipher, saHeader } from '../../../../control/isakmp/message-cipher.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const root = resolve(import.meta.dirname, '../../../../..');
const folders = ['control/isakmp', 'control/ipsec', 'control/gdoi', 'control/pki', 'control/store'];
const sources = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: join(folder, file), text: readFileSync(join(root, folder, file), 'utf8') })),
);

t.test('18: what proves a peer is compared in constant time', async (t) => {
  const plain = /\b(equalBytes|Buffer\.compare)\(|\.equals\(|===.*toHex|toHex.*===/;
  const secret = /hash|hmac|mac\b|proof|signature|digest|secret|skeyid|psk|preShared|expected/i;
  const found = sources.flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => plain.test(line) && secret.test(line) && !/^\s*(\/\/|\*|import|export function)/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  t.same(
    found,
    // A digest that tells the repetition of a message from another message: of bytes that both sides have sent in clear.
    [
      'control/ipsec/quick-exchange.ts: if (!equalBytes(this.lastReceived, digestOf(message))) return null;',
      "control/gdoi/pull-messages.ts: return equalBytes(this.digest, new Uint8Array(createHash('sha256').update(message).digest()));",
    ],
    'by timingSafeEqual, but for what is no secret',
  );
  const safe = sources.filter(({ text }) => /timingSafeEqual\(/.test(text)).map(({ file }) => file);
  t.same(safe.sort(), ['control/isakmp/message-cipher.ts', 'control/pki/ike-signature.ts', 'control/pki/push-signature.ts']);
  for (const user of [
    'isakmp/authentication.ts',
    'isakmp/informational.ts',
    'ipsec/quick-messages.ts',
    'gdoi/pull-messages.ts',
    'gdoi/push-ack.ts',
  ])
    t.match(sources.find(({ file }) => file === `control/${user}`)?.text, /sameHash\(/, `${user} uses it`);
});

t.test('30: a message that does not decrypt: one error, whatever is wrong with it', async (t) => {
  for (const encryption of ['3des', 'aes-128'] as const) {
    const policy = {
      line: 1,
      priority: 1,
      encryption,
      hash: 'sha256',
      authentication: 'pre-share',
      group: 19,
      lifetimeSeconds: 60,
    } as const;
    const block = encryption === '3des' ? 8 : 16;
    const sa = newPhase1Sa(0, new Uint8Array(8).fill(1), true, { address: 1, port: 848 }, { address: 2, port: 848 }, policy, 0);
    Object.assign(sa, {
      key: new Uint8Array(encryption === '3des' ? 24 : 16).map((_, i) => i),
      skeyidA: new Uint8Array(32),
      lastIv: new Uint8Array(block),
    });
    const header = saHeader(sa, 32, 9);
    const errors = new Map<string, number>();
    let opened = 0;
    const open = (message: Uint8Array): void => {
      try {
        new MessageCipher(sa, 9).open(message, () => {
          // It decrypts to payloads: from here on the HASH decides, of which the forger knows nothing.
          opened++;
          throw new WireError('RFC 6407 §3.2', 'HASH', 'gdoi_pull_auth_failed');
        });
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        const said = `${error.counter}/${error.clause}/${error.message}`;
        if (error.counter !== 'gdoi_pull_auth_failed') errors.set(said, (errors.get(said) ?? 0) + 1);
      }
    };
    const good = new MessageCipher(sa, 9).seal(header, [{ type: 8, body: new Uint8Array(40).fill(7) }]);
    // Vaudenay: every value of every byte of the block in front of the last, which is the padding's.
    for (let at = good.length - 2 * block; at < good.length - block; at++) {
      for (let value = 0; value < 256; value++) {
        const forged = good.slice();
        forged[at] = value;
        open(forged);
      }
    }
    // Lengths, and a first payload that says something else.
    for (let cut = 28; cut < good.length; cut++) {
      const short = good.slice(0, cut);
      new DataView(short.buffer).setUint32(24, cut);
      open(short);
    }
    for (let next = 0; next < 256; next++) open(good.map((byte, at) => (at === 16 ? next : byte)));
    t.equal(errors.size, 1, `${encryption}: ${[...errors.keys()].join(' | ')}`);
    t.ok(opened > 0 && [...errors.values()][0] > 1000, `${opened} decrypted, ${[...errors.values()]} did not`);
  }
});
