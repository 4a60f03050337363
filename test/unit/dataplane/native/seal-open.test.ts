// seal and open, addon and twin: round trip, equal results, every bit flip detected, statuses, and arguments that do not fit.

import t, { type Test } from 'tap';
import { Job, JobStatus, type Native } from '../../../../dataplane/native/native.js';
import { isCombined } from '../../../../dataplane/proto/esp.js';
import { Cap, EspAuth, EspCipher } from '../../../../dataplane/tables/layout.js';
import {
  cryptoNatives,
  hidesText,
  jobsOf,
  keyRow,
  packetLength,
  setSa,
  sharedPool,
  statusesOf,
  type Transform,
  toHex,
  transforms,
} from './both.js';

const natives = cryptoNatives();
const start = 100;
const marker = 0xa5;

/** A pool of `marker` bytes with one packet of known header, IV and text at `start`. */
function poolWith(transform: Transform, textLen: number): Uint8Array {
  const pool = sharedPool(2048).fill(marker);
  for (let i = 0; i < packetLength(transform, textLen); i++) pool[start + i] = (i * 7 + 3) & 0xff;
  return pool;
}

/** Hex. */
function textOf(pool: Uint8Array, transform: Transform, textLen: number): string {
  const at = start + 8 + transform.ivLen;
  return toHex(pool.slice(at, at + textLen));
}

function packetOf(pool: Uint8Array, transform: Transform, textLen: number): Uint8Array {
  return pool.slice(start, start + packetLength(transform, textLen));
}

t.equal(transforms.length, 36, 'every transform is here');
// Where the machine has no other AES than OpenSSL's, one build of the addon is all there is.
const labels = natives[0].aes === 'openssl' ? ['addon', 'twin'] : ['addon', 'addon with OpenSSL alone', 'twin'];
t.same(
  natives.map(({ label }) => label),
  labels,
);
t.same(
  natives.slice(1).map(({ aes }) => aes),
  labels.slice(1).map(() => 'openssl'),
);
if (process.arch === 'x64') t.equal(natives[0].aes, 'ipsec-mb', 'on the machines that these tests are for');

for (const sealer of natives) {
  for (const opener of natives) {
    t.test(`${sealer.label} seals, ${opener.label} opens`, (t) => {
      for (const transform of transforms) {
        for (const blocks of [1, 2, 3, 64]) {
          const textLen = transform.blockLen === 1 ? blocks * 20 - 1 : blocks * transform.blockLen;
          const label = `${transform.name} ${textLen}`;
          setSa(sealer, 3, transform, keyRow(1));
          setSa(opener, 3, transform, keyRow(1));
          const pool = poolWith(transform, textLen);
          const before = pool.slice();
          const jobs = jobsOf([3, start, textLen]);
          sealer.seal(pool, jobs, 1);
          t.same(statusesOf(jobs), [JobStatus.Ok], `${label} sealed`);
          t.equal(toHex(pool.slice(0, start + 8)), toHex(before.slice(0, start + 8)), `${label}: header and what is before it stay`);
          const end = start + packetLength(transform, textLen);
          t.equal(toHex(pool.slice(end)), toHex(before.slice(end)), `${label}: what is behind it stays`);
          if (hidesText(transform)) t.not(textOf(pool, transform, textLen), textOf(before, transform, textLen), label);
          jobs[Job.Status] = -7;
          opener.open(pool, jobs, 1);
          t.same(statusesOf(jobs), [JobStatus.Ok], `${label} opened`);
          t.equal(textOf(pool, transform, textLen), textOf(before, transform, textLen), `${label} text`);
        }
      }
      t.end();
    });
  }
}

t.test('addon and twin write the same bytes where nothing is random', (t) => {
  for (const transform of transforms.filter(({ cipher }) => isCombined(cipher) || cipher === EspCipher.Null)) {
    const packets = natives.map((native) => {
      setSa(native, 0, transform, keyRow(2));
      const pool = poolWith(transform, 60);
      native.seal(pool, jobsOf([0, start, 60]), 1);
      return toHex(packetOf(pool, transform, 60));
    });
    for (const packet of packets.slice(1)) t.equal(packets[0], packet, transform.name);
  }
  t.end();
});

for (const native of natives) {
  t.test(`${native.label}: CBC IVs are fresh for each packet`, (t) => {
    for (const transform of transforms.filter(({ cipher }) => cipher === EspCipher.AesCbc || cipher === EspCipher.TripleDesCbc)) {
      setSa(native, 0, transform, keyRow(1));
      const step = packetLength(transform, 16);
      const count = 200;
      const pool = new Uint8Array(count * step);
      const jobs = jobsOf(...Array.from({ length: count }, (_, i): [number, number, number] => [0, i * step, 16]));
      native.seal(pool, jobs, count);
      const ivs = new Set(Array.from({ length: count }, (_, i) => pool.slice(i * step + 8, i * step + 8 + transform.ivLen).join()));
      t.equal(ivs.size, count, `${transform.name}: ${count} packets have ${ivs.size} IVs`);
    }
    t.end();
  });

  t.test(`${native.label}: a flip of any bit is detected, and the text is not released`, (t) => {
    for (const transform of transforms.filter(({ icvLen }) => icvLen > 0)) {
      setSa(native, 7, transform, keyRow(3));
      const textLen = 32;
      const pool = poolWith(transform, textLen);
      const plain = textOf(pool, transform, textLen);
      native.seal(pool, jobsOf([7, start, textLen]), 1);
      const sealed = packetOf(pool, transform, textLen);
      const missed: number[] = [];
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        pool.set(sealed, start);
        pool[start + (bit >> 3)] ^= 1 << (bit & 7);
        const jobs = jobsOf([7, start, textLen]);
        native.open(pool, jobs, 1);
        const released = hidesText(transform) && textOf(pool, transform, textLen) === plain;
        if (jobs[Job.Status] !== JobStatus.Integrity || released) missed.push(bit);
      }
      t.same(missed, [], `${transform.name}: bits whose flip was missed`);
      pool.set(sealed, start);
      const jobs = jobsOf([7, start, textLen]);
      native.open(pool, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Ok], `${transform.name}: the context still works after ${sealed.length * 8} failures`);
    }
    t.end();
  });

  t.test(`${native.label}: a rejected text of a combined mode is zeroed, a rejected HMAC packet is as it came`, (t) => {
    for (const transform of transforms.filter(({ icvLen }) => icvLen > 0)) {
      setSa(native, 7, transform, keyRow(3));
      const pool = poolWith(transform, 48);
      const came = pool.slice();
      const jobs = jobsOf([7, start, 48]);
      native.open(pool, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Integrity], transform.name);
      if (isCombined(transform.cipher) && hidesText(transform)) came.fill(0, start + 16, start + 64);
      t.equal(toHex(pool), toHex(came), transform.name);
    }
    t.end();
  });

  t.test(`${native.label}: a batch mixes transforms and failures, each job with its own status`, (t) => {
    const step = 400;
    for (const [slot, transform] of transforms.entries()) setSa(native, slot, transform, keyRow(slot));
    native.saClear(255);
    const rows = transforms.map((_, slot): [number, number, number] => [slot, slot * step, 240]);
    const pool = sharedPool((transforms.length + 1) * step);
    for (let i = 0; i < pool.length; i++) pool[i] = i % 251;
    const before = pool.slice();
    const all = [...rows, [255, transforms.length * step, 240] as [number, number, number]];
    const expected = [...transforms.map(() => JobStatus.Ok), JobStatus.Error];
    const jobs = jobsOf(...all);
    native.seal(pool, jobs, all.length);
    t.same(statusesOf(jobs), expected, 'sealed');
    native.open(pool, jobs, all.length);
    t.same(statusesOf(jobs), expected, 'opened');
    for (const [slot, offset] of rows) {
      const at = offset + 8 + transforms[slot].ivLen;
      t.equal(toHex(pool.slice(at, at + 240)), toHex(before.slice(at, at + 240)), transforms[slot].name);
    }
    const none = jobsOf([0, 0, 0]);
    native.seal(pool, none, 0);
    t.same(statusesOf(none), [-7], 'count 0 touches nothing');
    t.end();
  });

  t.test(`${native.label}: many packets of one SA, some of them wrong, and another SA between them`, (t) => {
    const step = 600;
    const count = 70;
    for (const transform of transforms.filter(({ icvLen }) => icvLen > 0)) {
      setSa(native, 1, transform, keyRow(1));
      setSa(native, 2, transform, keyRow(2));
      const rows = Array.from({ length: count }, (_, i): [number, number, number] => [i === 50 ? 2 : 1, i * step, 16 * (1 + (i % 30))]);
      const pool = sharedPool(count * step);
      for (let i = 0; i < pool.length; i++) pool[i] = (i * 5 + (i >> 8)) & 0xff;
      const before = pool.slice();
      const jobs = jobsOf(...rows);
      native.seal(pool, jobs, count);
      t.same(
        statusesOf(jobs),
        rows.map(() => JobStatus.Ok),
        `${transform.name}: sealed`,
      );
      const wrong = [0, 3, 17, 63, 64, 69];
      for (const i of wrong) pool[i * step + packetLength(transform, rows[i][2]) - 1] ^= 1;
      const sealed = pool.slice();
      native.open(pool, jobs, count);
      const expected = rows.map((_, i) => (wrong.includes(i) ? JobStatus.Integrity : JobStatus.Ok));
      t.same(statusesOf(jobs), expected, `${transform.name}: opened`);
      for (const [i, [, at, length]] of rows.entries()) {
        const from = at + 8 + transform.ivLen;
        const text = toHex(pool.slice(from, from + length));
        if (!wrong.includes(i)) t.equal(text, toHex(before.slice(from, from + length)), `${transform.name} ${i}`);
        else if (!isCombined(transform.cipher))
          t.equal(text, toHex(sealed.slice(from, from + length)), `${transform.name} ${i} is as it came`);
        t.equal(toHex(pool.slice(at, from)), toHex(sealed.slice(at, from)), `${transform.name} ${i}: header and IV`);
      }
    }
    t.end();
  });

  t.test(`${native.label}: text that is not whole blocks, and an empty slot, is status 2 and changes nothing`, (t) => {
    for (const transform of transforms.filter(({ blockLen }) => blockLen > 1)) {
      setSa(native, 9, transform, keyRow(1));
      for (const textLen of [1, transform.blockLen - 1, transform.blockLen + 1]) expectError(t, native, 9, transform, textLen);
      native.saClear(9);
      expectError(t, native, 9, transform, transform.blockLen);
    }
    t.end();
  });

  t.test(`${native.label}: another key does not open, a new saSet replaces the old, saClear forgets`, (t) => {
    for (const transform of transforms.filter(({ icvLen }) => icvLen > 0)) {
      setSa(native, 1, transform, keyRow(1));
      setSa(native, 2, transform, keyRow(2));
      const pool = poolWith(transform, 48);
      native.seal(pool, jobsOf([1, start, 48]), 1);
      const copy = pool.slice();
      const jobs = jobsOf([2, start, 48]);
      native.open(pool, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Integrity], `${transform.name}: other key`);
      setSa(native, 2, transform, keyRow(1));
      native.open(copy, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Ok], `${transform.name}: replaced`);
      native.saClear(2);
      native.saClear(2);
      native.open(copy, jobs, 1);
      t.same(statusesOf(jobs), [JobStatus.Error], `${transform.name}: cleared`);
    }
    t.end();
  });

  t.test(`${native.label}: saSet copies the key row`, (t) => {
    for (const transform of transforms) {
      const keys = keyRow(5);
      setSa(native, 1, transform, keys);
      keys.fill(0);
      setSa(native, 2, transform, keyRow(5));
      const pool = poolWith(transform, 48);
      const plain = textOf(pool, transform, 48);
      native.seal(pool, jobsOf([1, start, 48]), 1);
      native.open(pool, jobsOf([2, start, 48]), 1);
      t.equal(textOf(pool, transform, 48), plain, transform.name);
    }
    t.end();
  });

  t.test(`${native.label}: impossible SAs`, (t) => {
    const keys = keyRow(1);
    const bad: [string, number, number, number, Uint8Array, number, number][] = [
      ['slot -1', -1, EspCipher.AesGcm16, EspAuth.None, keys, 16, 0],
      ['slot 256', Cap.Sas, EspCipher.AesGcm16, EspAuth.None, keys, 16, 0],
      ['slot 1.5', 1.5, EspCipher.AesGcm16, EspAuth.None, keys, 16, 0],
      ['slot NaN', Number.NaN, EspCipher.AesGcm16, EspAuth.None, keys, 16, 0],
      ['cipher none', 0, EspCipher.None, EspAuth.HmacSha1_96, keys, 0, 20],
      ['auth 6', 0, EspCipher.AesCbc, 6, keys, 16, 64],
      ['null without auth', 0, EspCipher.Null, EspAuth.None, keys, 0, 0],
      ['null with a key', 0, EspCipher.Null, EspAuth.HmacSha1_96, keys, 16, 20],
      ['gmac with hmac', 0, EspCipher.AesGmac, EspAuth.HmacSha1_96, keys, 16, 20],
      ['chacha20 of 16 bytes', 0, EspCipher.ChaCha20Poly1305, EspAuth.None, keys, 16, 0],
      ['cipher 7', 0, 7, EspAuth.None, keys, 16, 0],
      ['gcm with hmac', 0, EspCipher.AesGcm16, EspAuth.HmacSha1_96, keys, 16, 20],
      ['gcm key with salt counted', 0, EspCipher.AesGcm16, EspAuth.None, keys, 20, 0],
      ['3des key of 16', 0, EspCipher.TripleDesCbc, EspAuth.HmacSha1_96, keys, 16, 20],
      ['aes key of 0', 0, EspCipher.AesCbc, EspAuth.HmacSha1_96, keys, 0, 20],
      ['aes key of 33', 0, EspCipher.AesCbc, EspAuth.HmacSha1_96, keys, 33, 20],
      ['sha1 key of 16', 0, EspCipher.AesCbc, EspAuth.HmacSha1_96, keys, 16, 16],
      ['key without auth', 0, EspCipher.AesCbc, EspAuth.None, keys, 16, 20],
      ['auth key of 69', 0, EspCipher.AesCbc, EspAuth.HmacSha512_256, keys, 16, 69],
      ['short row', 0, EspCipher.AesGcm16, EspAuth.None, keys.subarray(1), 16, 0],
    ];
    for (const [label, slot, cipher, auth, row, cipherKeyLen, authKeyLen] of bad) {
      t.throws(() => native.saSet(slot, cipher, auth, row, cipherKeyLen, authKeyLen), RangeError, label);
    }
    t.throws(() => native.saSet(0, EspCipher.AesGcm16, EspAuth.None, 'key' as never, 16, 0), TypeError, 'a string as key row');
    t.throws(() => native.saClear(256), RangeError, 'clear 256');
    const jobs = jobsOf([0, 0, 16]);
    setSa(native, 0, transforms[0], keys);
    t.throws(() => native.saSet(0, EspCipher.Null, EspAuth.None, keys, 0, 0), RangeError);
    native.seal(new Uint8Array(100), jobs, 1);
    t.same(statusesOf(jobs), [JobStatus.Ok], 'a refused saSet leaves the slot as it was');
    t.end();
  });

  t.test(`${native.label}: jobs that do not fit throw before any byte changes`, (t) => {
    const gcm = transforms[0];
    setSa(native, 0, gcm, keyRow(1));
    const pool = sharedPool(132).fill(marker);
    const good: [number, number, number] = [0, 0, 100]; // 8 + 8 + 100 + 16 = 132: fills the pool exactly
    const bad: [string, [number, number, number]][] = [
      ['slot -1', [-1, 0, 16]],
      ['slot 256', [256, 0, 16]],
      ['offset -1', [0, -1, 16]],
      ['one byte beyond by offset', [0, 1, 100]],
      ['one byte beyond by length', [0, 0, 101]],
      ['length -1', [0, 0, -1]],
      ['length -32', [0, 64, -32]],
      ['largest length', [0, 0, 0x7fffffff]],
      ['largest offset', [0, 0x7fffffff, 0x7fffffff]],
      ['smallest offset', [0, -0x80000000, 16]],
      ['empty slot, offset beyond', [200, 125, 0]],
    ];
    for (const [label, row] of bad) {
      for (const call of [native.seal, native.open]) {
        const jobs = jobsOf(good, row);
        t.throws(() => call(pool, jobs, 2), { name: 'RangeError', message: /^job 1: / }, label);
        t.same(statusesOf(jobs), [-7, -7], `${label}: no status written`);
      }
    }
    for (const call of [native.seal, native.open]) {
      t.throws(() => call(pool, jobsOf(good), 2), { name: 'RangeError', message: /^jobs: 5 words, 10 are needed/ }, 'count beyond jobs');
      t.throws(() => call(pool, jobsOf(good), -1), RangeError, 'count -1');
      t.throws(() => call(pool, jobsOf(good), 2 ** 40), RangeError, 'count 2^40');
      t.throws(() => call(pool, new Uint8Array(16) as never, 1), TypeError, 'jobs of bytes');
      t.throws(() => call(new Int32Array(64) as never, jobsOf(good), 1), TypeError, 'pool of words');
      t.throws(() => call(undefined as never, jobsOf(good), 1), TypeError, 'no pool');
      t.throws(() => (call as () => void)(), TypeError, 'no arguments');
    }
    t.same(pool, new Uint8Array(132).fill(marker), 'the pool is untouched');
    const jobs = jobsOf(good);
    native.seal(pool, jobs, 1);
    native.open(pool, jobs, 1);
    t.same(statusesOf(jobs), [JobStatus.Ok], 'the exact fit works');
    t.end();
  });
}

function expectError(t: Test, native: Native, slot: number, transform: Transform, textLen: number): void {
  for (const call of [native.seal, native.open]) {
    const pool = poolWith(transform, textLen);
    const before = pool.slice();
    const jobs = jobsOf([slot, start, textLen]);
    call(pool, jobs, 1);
    t.same(statusesOf(jobs), [JobStatus.Error], `${transform.name}, ${textLen} bytes`);
    // seal may already have written a random IV into the packet
    before.set(pool.subarray(start + 8, start + 8 + transform.ivLen), start + 8);
    t.equal(toHex(pool), toHex(before), `${transform.name}, ${textLen} bytes: unchanged`);
  }
}

t.test('single DES as 3DES with three equal keys: the CBC example of FIPS PUB 81, table C1', (t) => {
  const bytes = (hex: string): number[] => [...Buffer.from(hex, 'hex')];
  for (const native of natives) {
    const keys = keyRow(1);
    for (const at of [0, 8, 16]) keys.set(bytes('0123456789abcdef'), at);
    native.saSet(4, EspCipher.TripleDesCbc, EspAuth.None, keys, 24, 0);
    const pool = sharedPool(256);
    pool.set(bytes(`0000100000000001${'1234567890abcdef'}e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6`));
    const jobs = jobsOf([4, 0, 24]);
    native.open(pool, jobs, 1);
    t.strictSame([...statusesOf(jobs)], [JobStatus.Ok as number]);
    t.equal(Buffer.from(pool.slice(16, 40)).toString(), 'Now is the time for all ', native.label);
  }
  t.end();
});
