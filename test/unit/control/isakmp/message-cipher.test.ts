import t from 'tap';
import type { IkeCipher } from '../../../../control/config/model.js';
import { newPhase1Sa } from '../../../../control/isakmp/main-mode.js';
import {
  cipherBlockLength,
  cipherKeyLength,
  exchangeHash,
  MessageCipher,
  newMessageId,
  prf,
  saHeader,
} from '../../../../control/isakmp/message-cipher.js';
import type { Phase1Sa } from '../../../../control/isakmp/phase1-sa.js';
import { WireError } from '../../../../control/isakmp/wire-error.js';

const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const ciphers: IkeCipher[] = ['des', '3des', 'aes-128', 'aes-192', 'aes-256'];

function saWith(encryption: IkeCipher): Phase1Sa {
  const policy = { line: 1, priority: 1, encryption, hash: 'sha256', authentication: 'pre-share', group: 19, lifetimeSeconds: 60 } as const;
  const sa = newPhase1Sa(0, new Uint8Array(8).fill(1), true, { address: 1, port: 848 }, { address: 2, port: 848 }, policy, 0);
  const key = new Uint8Array(cipherKeyLength(encryption)).map((_, i) => i * 7 + 1);
  return Object.assign(sa, { key, skeyidA: new Uint8Array(32).fill(3), lastIv: new Uint8Array(cipherBlockLength(encryption)).fill(9) });
}

t.test('four messages in turn, as in PULL', async (t) => {
  for (const encryption of ciphers) {
    const sa = saWith(encryption);
    const [a, b] = [new MessageCipher(sa, 5), new MessageCipher(sa, 5)];
    const seen = new Set<string>();
    for (const [i, [from, to]] of [
      [a, b],
      [b, a],
      [a, b],
      [b, a],
    ].entries()) {
      const body = new Uint8Array(20 + i).fill(i);
      const message = from.seal(saHeader(sa, 32, 5), [{ type: 8, body }]);
      t.equal((message.length - 28) % cipherBlockLength(encryption), 0, `${encryption}: whole blocks`);
      t.equal(hex(to.open(message)[0].body), hex(body), `${encryption}: message ${i + 1}`);
      seen.add(hex(message.subarray(28, 36)));
    }
    t.equal(seen.size, 4, `${encryption}: every message has its own IV`);
  }
});

t.test('each message ID has its own chain', async (t) => {
  const sa = saWith('aes-128');
  const seal = (id: number): string =>
    hex(new MessageCipher(sa, id).seal(saHeader(sa, 32, id), [{ type: 8, body: new Uint8Array(32) }]).subarray(28));
  t.not(seal(1), seal(2), 'other IV');
  t.equal(seal(3), seal(3), 'same IV');
});

t.test('a failed open leaves the chain alone', async (t) => {
  const sa = saWith('3des');
  const [from, to] = [new MessageCipher(sa, 1), new MessageCipher(sa, 1)];
  const good = from.seal(saHeader(sa, 32, 1), [{ type: 8, body: new Uint8Array(20).fill(1) }]);
  const forged = good.slice();
  forged[30] ^= 0x80;
  const clear = good.slice();
  clear[19] = 0;
  const odd = good.slice(0, -1);
  odd[27] -= 1;
  const empty = good.slice(0, 28);
  empty[27] = 28;
  const reject = { name: 'WireError', counter: 'ike_undecryptable' };
  for (const [name, message] of Object.entries({ forged, clear, odd, empty })) t.throws(() => to.open(message), reject, name);
  t.throws(
    () =>
      to.open(good, () => {
        throw new WireError('here', 'HASH is wrong', 'ike_auth_failed');
      }),
    { name: 'WireError', counter: 'ike_auth_failed' },
    'verify refuses',
  );
  t.equal(to.open(good).length, 1, 'the true message still opens');
  t.throws(() => to.open(good), reject, 'a repetition does not: callers recognise it by its bytes');
});

t.test('hash and message ID', async (t) => {
  const sa = saWith('aes-128');
  const parts = [new Uint8Array([1]), new Uint8Array([2, 3])];
  t.equal(
    hex(exchangeHash(sa, 0x01020304, ...parts)),
    hex(prf('sha256', sa.skeyidA, new Uint8Array([1, 2, 3, 4, 1, 2, 3]))),
    'M-ID | parts',
  );
  t.equal(
    newMessageId(() => new Uint8Array(4)),
    1,
    'never 0',
  );
  t.equal(
    newMessageId(() => new Uint8Array([255, 0, 0, 1])),
    0xff000001,
    'unsigned',
  );
});
