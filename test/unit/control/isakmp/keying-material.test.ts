// Diffie-Hellman groups against the RFCs' definitions and vectors; key expansion; what a public value may be.

import { createHash } from 'node:crypto';
import t from 'tap';
import type { DhGroup } from '../../../../control/config/model.js';
import { checkPublicValue, expandKey, primeOf, startCurve, startDh } from '../../../../control/isakmp/keying-material.js';
import { prf } from '../../../../control/isakmp/message-cipher.js';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const groups: DhGroup[] = [1, 2, 5, 14, 15, 16, 19, 20, 21];
const bad = { name: 'WireError', counter: 'ike_bad_public_value' };

/** floor(2^bits * pi), by Machin's formula, with room for rounding. */
function scaledPi(bits: number): bigint {
  const spare = 64n;
  const one = 1n << (BigInt(bits) + spare);
  const arctanInverse = (x: bigint): bigint => {
    let sum = 0n;
    let power = one / x;
    for (let k = 1n; power > 0n; k += 2n, power /= x * x) sum += k % 4n === 1n ? power / k : -(power / k);
    return sum;
  };
  return (4n * (4n * arctanInverse(5n) - arctanInverse(239n))) >> spare;
}

t.test('primes are those of RFC 2409 §6 and RFC 3526', async (t) => {
  // p = 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + c)
  const forms: [DhGroup, number, number][] = [
    [1, 768, 149_686],
    [2, 1024, 129_093],
    [5, 1536, 741_804],
    [14, 2048, 124_476],
    [15, 3072, 1_690_314],
    [16, 4096, 240_904],
  ];
  for (const [group, n, c] of forms) {
    const bits = BigInt(n);
    const prime = (1n << bits) - (1n << (bits - 64n)) - 1n + (1n << 64n) * (scaledPi(n - 130) + BigInt(c));
    t.equal(hex(primeOf(group)), prime.toString(16), `group ${group}`);
  }
});

t.test('RFC 5903 §8: x | y on the wire, x alone as the secret', async (t) => {
  const privateI = 'C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 C62A9C57 862D1433';
  const publicI =
    'DAD0B653 94221CF9 B051E1FE CA5787D0 98DFE637 FC90B9EF 945D0C37 72581180 5271A046 1CDB8252 D61F1C45 6FA3E59A B1F45B33 ACCF5F58 389E0577 B8990BB3';
  const publicR =
    'D12DFB52 89C8D4F8 1208B702 70398C34 2296970A 0BCCB74C 736FC755 4494BF63 56FBF3CA 366CC23E 8157854C 13C58D6A AC23F046 ADA30F83 53E74F33 039872AB';
  const secret = 'D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 812464D0 4B9442DE';
  const dh = startCurve(19, bytes(privateI));
  t.equal(hex(dh.publicValue), hex(bytes(publicI)), 'public value');
  t.equal(hex(dh.sharedSecret(bytes(publicR))), hex(bytes(secret)), 'shared secret');
});

t.test('both sides agree, at fixed lengths', async (t) => {
  const lengths = new Map<DhGroup, [number, number]>([
    [1, [96, 96]],
    [2, [128, 128]],
    [5, [192, 192]],
    [14, [256, 256]],
    [15, [384, 384]],
    [16, [512, 512]],
    [19, [64, 32]],
    [20, [96, 48]],
    [21, [132, 66]],
  ]);
  for (const group of groups) {
    const [a, b] = [startDh(group), startDh(group)];
    const secret = a.sharedSecret(b.publicValue);
    t.equal(hex(secret), hex(b.sharedSecret(a.publicValue)), `group ${group}: same secret`);
    t.same([a.publicValue.length, secret.length], lengths.get(group), `group ${group}: lengths`);
    t.not(hex(a.publicValue), hex(b.publicValue), `group ${group}: fresh private values`);
  }
});

t.test('leading zeros stay (RFC 2409 §5)', async (t) => {
  // One secret in 256 begins with a zero byte: 4,000 tries miss it once in six million runs.
  const ours = startCurve(19);
  let found: Uint8Array | null = null;
  for (let i = 0; i < 4000 && !found; i++) {
    const secret = ours.sharedSecret(startCurve(19).publicValue);
    if (secret[0] === 0) found = secret;
  }
  t.equal(found?.length, 32, 'a secret with a leading zero has all its bytes');
});

t.test('public values that are refused', async (t) => {
  for (const group of groups.filter((item) => item < 19)) {
    const prime = primeOf(group);
    const length = prime.length;
    const small = (value: number): Uint8Array => {
      const out = new Uint8Array(length);
      out[length - 1] = value;
      return out;
    };
    const top = (difference: number): Uint8Array => {
      const out = prime.slice();
      out[length - 1] += difference;
      return out;
    };
    const cases: [string, Uint8Array][] = [
      ['0', small(0)],
      ['1', small(1)],
      ['p-1', top(-1)],
      ['p', prime],
      ['2^n-1', new Uint8Array(length).fill(255)],
      ['one byte short', new Uint8Array(length - 1).fill(2)],
      ['one byte long', new Uint8Array(length + 1).fill(2)],
      ['empty', new Uint8Array(0)],
    ];
    const dh = startDh(group);
    for (const [name, value] of cases) t.throws(() => dh.sharedSecret(value), bad, `group ${group}: ${name}`);
    checkPublicValue(group, small(2));
    checkPublicValue(group, top(-2));
  }
  for (const group of [19, 20, 21] as DhGroup[]) {
    const dh = startDh(group);
    const off = dh.publicValue.slice();
    off[off.length - 1] ^= 1;
    t.throws(() => dh.sharedSecret(off), bad, `group ${group}: not on the curve`);
    t.throws(() => dh.sharedSecret(new Uint8Array(off.length)), bad, `group ${group}: zeros`);
    t.throws(() => dh.sharedSecret(off.subarray(1)), bad, `group ${group}: short`);
    t.throws(() => dh.sharedSecret(new Uint8Array([...off, 0])), bad, `group ${group}: long`);
  }
});

t.test('key expansion (RFC 2409 App. B)', async (t) => {
  const seed = new Uint8Array(createHash('sha1').update('seed').digest());
  const k1 = prf('sha', seed, new Uint8Array([0]));
  const k2 = prf('sha', seed, k1);
  t.equal(hex(expandKey('sha', seed, 16)), hex(seed.slice(0, 16)), 'long enough: SKEYID_e itself');
  t.equal(hex(expandKey('sha', seed, 32)), hex(new Uint8Array([...k1, ...k2]).slice(0, 32)), 'too short: K1 | K2');
});
